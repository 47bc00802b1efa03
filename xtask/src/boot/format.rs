//! The formats of `mkimage` that are booted, and what is done with their files first.

/// A format of `mkimage`'s, with flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Format {
    /// What it is called in the name of a case, and its folder. Unique.
    pub(crate) label: &'static str,
    /// What `mkimage` is told.
    pub(crate) flags: &'static [&'static str],
    /// What comes after the name in the name of the file that `mkimage` writes.
    pub(crate) suffix: &'static str,
    /// What is booted of that file.
    pub(crate) take: Take,
    /// QEMU's name for what that is.
    pub(crate) driver: &'static str,
}

/// The way from the file to the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Take {
    /// It is the medium.
    Itself,
    /// It is put on a file system that mtools make, without partitions, where firmware looks.
    OnFat,
    /// It is an archive, and the medium the member with this name, where `*` is the medium's.
    Member(&'static str),
}

const RAW_FILE: Format = Format { label: "", flags: &[], suffix: "", take: Take::Itself, driver: "raw" };

pub(crate) const ISO_BIOS: Format =
    Format { label: "iso-bios", flags: &["--format", "iso-bios"], suffix: ".iso", ..RAW_FILE };
pub(crate) const ISO: Format =
    Format { label: "iso", flags: &["--format", "iso"], suffix: ".iso", ..RAW_FILE };
pub(crate) const ISO_EFI: Format =
    Format { label: "iso-efi", flags: &["--format", "iso-efi"], suffix: "-efi.iso", ..RAW_FILE };
pub(crate) const ISO_EFI_INITRD: Format = Format {
    label: "iso-efi-initrd",
    flags: &["--format", "iso-efi-initrd"],
    suffix: "-efi-initrd.iso",
    ..RAW_FILE
};
pub(crate) const RAW_BIOS: Format =
    Format { label: "raw-bios", flags: &["--format", "raw-bios"], suffix: "-bios.img", ..RAW_FILE };
pub(crate) const RAW_EFI: Format =
    Format { label: "raw-efi", flags: &["--format", "raw-efi"], suffix: "-efi.img", ..RAW_FILE };
/// For disks with sectors of 4096 bytes.
pub(crate) const RAW_EFI_4K: Format = Format {
    label: "raw-efi 4k",
    flags: &["--format", "raw-efi", "--sector-size", "4096"],
    suffix: "-efi-4k.img",
    ..RAW_FILE
};
pub(crate) const RAW: Format =
    Format { label: "raw", flags: &["--format", "raw"], suffix: ".img", ..RAW_FILE };
pub(crate) const UKI: Format =
    Format { label: "uki", flags: &["--format", "uki"], suffix: ".efi", ..RAW_FILE };
pub(crate) const UKI_ON_FAT: Format = Format { label: "uki on FAT", take: Take::OnFat, ..UKI };

pub(crate) const QCOW2_BIOS: Format = Format {
    label: "qcow2-bios",
    flags: &["--format", "qcow2-bios"],
    suffix: ".qcow2",
    driver: "qcow2",
    ..RAW_FILE
};
pub(crate) const QCOW2_BIOS_ZLIB: Format = Format {
    label: "qcow2-bios zlib",
    flags: &["--format", "qcow2-bios", "--qcow2-compression", "zlib"],
    ..QCOW2_BIOS
};
pub(crate) const QCOW2_BIOS_ZSTD: Format = Format {
    label: "qcow2-bios zstd",
    flags: &["--format", "qcow2-bios", "--qcow2-compression", "zstd"],
    ..QCOW2_BIOS
};
pub(crate) const QCOW2_EFI: Format =
    Format { label: "qcow2-efi", flags: &["--format", "qcow2-efi"], suffix: "-efi.qcow2", ..QCOW2_BIOS };
pub(crate) const QCOW2_EFI_ZLIB: Format = Format {
    label: "qcow2-efi zlib",
    flags: &["--format", "qcow2-efi", "--qcow2-compression", "zlib"],
    ..QCOW2_EFI
};
pub(crate) const QCOW2_EFI_ZSTD: Format = Format {
    label: "qcow2-efi zstd",
    flags: &["--format", "qcow2-efi", "--qcow2-compression", "zstd"],
    ..QCOW2_EFI
};
// One image of each of the following boots under a BIOS and a UEFI.
pub(crate) const VMDK: Format = Format {
    label: "vmdk",
    flags: &["--format", "vmdk", "--firmware", "both"],
    suffix: ".vmdk",
    driver: "vmdk",
    ..RAW_FILE
};
pub(crate) const VMDK_SPARSE: Format = Format {
    label: "vmdk monolithic-sparse",
    flags: &["--format", "vmdk", "--firmware", "both", "--vmdk-kind", "monolithic-sparse"],
    ..VMDK
};
pub(crate) const VMDK_FLAT: Format = Format {
    label: "vmdk monolithic-flat",
    flags: &["--format", "vmdk", "--firmware", "both", "--vmdk-kind", "monolithic-flat"],
    ..VMDK
};
pub(crate) const OVA: Format = Format {
    label: "ova",
    flags: &["--format", "ova", "--firmware", "both"],
    suffix: ".ova",
    take: Take::Member("*-disk1.vmdk"),
    ..VMDK
};
pub(crate) const VHD: Format = Format {
    label: "vhd",
    flags: &["--format", "vhd", "--firmware", "both"],
    suffix: ".vhd",
    driver: "vpc",
    ..RAW_FILE
};
pub(crate) const DYNAMIC_VHD: Format =
    Format { label: "dynamic-vhd", flags: &["--format", "dynamic-vhd", "--firmware", "both"], ..VHD };
pub(crate) const VHDX: Format = Format {
    label: "vhdx",
    flags: &["--format", "vhdx", "--firmware", "both"],
    suffix: ".vhdx",
    driver: "vhdx",
    ..RAW_FILE
};
pub(crate) const AWS: Format =
    Format { label: "aws", flags: &["--format", "aws", "--firmware", "both"], suffix: ".raw", ..RAW_FILE };
pub(crate) const GCP: Format = Format {
    label: "gcp",
    flags: &["--format", "gcp", "--firmware", "both"],
    suffix: ".img.tar.gz",
    take: Take::Member("disk.raw"),
    ..RAW_FILE
};
