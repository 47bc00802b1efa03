//! The formats of `mkimage` that are booted, and what is done with their files first.

use super::guest;
use crate::debian::Arch;
use crate::machine::{installed, missing};
use std::path::Path;

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
    /// It boots on both architectures.
    pub(crate) two_arches: bool,
}

/// The way from the file to the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Take {
    /// It is the medium.
    Itself,
    /// It is put on a file system that mtools make, without partitions, where firmware looks.
    OnFat,
    /// It is a disk whose loader is to be signed.
    Signed,
    /// It is an archive, and the medium the member with this name, where `*` is the medium's.
    Member(&'static str),
}

const RAW_FILE: Format =
    Format { label: "", flags: &[], suffix: "", take: Take::Itself, driver: "raw", two_arches: false };

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

/// Of systemd's stub.
pub(crate) const UKI_SYSTEMD: Format =
    Format { label: "uki of systemd's stub", flags: &["--format", "uki", "--efi-stub", SYSTEMD_STUB], ..UKI };
pub(crate) const RAW_EFI_SIGNED: Format = Format { label: "signed raw-efi", take: Take::Signed, ..RAW_EFI };

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

/// UEFI on both architectures: the kernel, initrd and command line of the other one are in the
/// folder beside.
pub(crate) const ISO_TWO: Format = Format {
    label: "iso for two architectures",
    flags: &[
        "--format",
        "iso",
        "--arm64-kernel",
        "../arm64/kernel",
        "--arm64-initrd",
        "../arm64/guest.cpio",
        "--arm64-initrd",
        "../small.cpio",
        "--arm64-cmdline",
        guest::cmdline(Arch::Arm64),
    ],
    suffix: ".iso",
    two_arches: true,
    ..RAW_FILE
};

// Other people's loaders.
const SYSTEMD_STUB: &str = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
const SYSTEMD_BOOT: &str = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi";
const SHIM: &str = "/usr/lib/shim/shimx64.efi.signed";
const GRUB: &str = "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed";

pub(crate) const RAW_EFI_SYSTEMD_BOOT: Format = Format {
    label: "raw-efi with systemd-boot",
    flags: &["--format", "raw-efi", "--efi-loader", SYSTEMD_BOOT],
    ..RAW_EFI
};
pub(crate) const ISO_EFI_SYSTEMD_BOOT: Format = Format {
    label: "iso-efi with systemd-boot",
    flags: &["--format", "iso-efi", "--efi-loader", SYSTEMD_BOOT],
    ..ISO_EFI
};
pub(crate) const RAW_EFI_GRUB: Format =
    Format { label: "raw-efi with GRUB", flags: &["--format", "raw-efi", "--efi-loader", GRUB], ..RAW_EFI };
pub(crate) const ISO_EFI_GRUB: Format =
    Format { label: "iso-efi with GRUB", flags: &["--format", "iso-efi", "--efi-loader", GRUB], ..ISO_EFI };
pub(crate) const RAW_EFI_SHIM: Format = Format {
    label: "raw-efi with shim and GRUB",
    flags: &["--format", "raw-efi", "--efi-loader", SHIM, "--efi-loader", GRUB],
    ..RAW_EFI
};
pub(crate) const ISO_EFI_SHIM: Format = Format {
    label: "iso-efi with shim and GRUB",
    flags: &["--format", "iso-efi", "--efi-loader", SHIM, "--efi-loader", GRUB],
    ..ISO_EFI
};

/// The loaders, and Debian's packages that have them.
const PACKAGES: [(&str, &str); 4] = [
    (SYSTEMD_STUB, "systemd-boot-efi"),
    (SYSTEMD_BOOT, "systemd-boot-efi"),
    (SHIM, "shim-signed"),
    (GRUB, "grub-efi-amd64-signed"),
];

impl Format {
    /// The architectures whose kernels the image has that a machine of `arch` boots. It is made in the
    /// folder of the first.
    pub(crate) fn arches(&self, arch: Arch) -> &'static [Arch] {
        match arch {
            _ if self.two_arches => &[Arch::Amd64, Arch::Arm64],
            Arch::Amd64 => &[Arch::Amd64],
            Arch::Arm64 => &[Arch::Arm64],
        }
    }

    /// A loader that `mkimage` is told of and is not there, or a program that signs one, and how to
    /// get it.
    pub(crate) fn missing(&self) -> Option<String> {
        let signing: &[_] = if self.take == Take::Signed { &["sbsign", "openssl"] } else { &[] };
        if let Some(program) = signing.iter().find(|program| !installed(program)) {
            return Some(missing(program));
        }
        let absent = |file: &str| self.flags.contains(&file) && !Path::new(file).exists();
        let (file, package) = PACKAGES.into_iter().find(|(file, _)| absent(file))?;
        Some(format!("there is no `{file}`: apt-get install --no-install-recommends {package}"))
    }
}
