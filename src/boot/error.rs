//! Why a medium cannot be made.

use mkimage_formats::{emit, fat, gpt, iso, mbr, pe, tree, uboot};
use mkimage_loaders::{bios, bzimage};
use std::io;
use std::path::PathBuf;

/// Why a medium cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel, or its command line.
    #[error("a BIOS cannot boot this kernel")]
    Kernel(#[from] bzimage::Error),
    /// The kernel is no EFI program.
    #[error("a UEFI cannot boot this kernel: {0}")]
    EfiKernel(&'static str),
    /// Two payloads on one medium.
    #[error("of two kernels on an ISO the first must be for x86-64 and the second for AArch64")]
    Architectures,
    /// One program for two architectures.
    #[error("`{path}` is for one architecture; leave out --efi-loader for two")]
    OneLoader {
        /// The program.
        path: PathBuf,
    },
    /// The BIOS loader has no room for something.
    #[error(transparent)]
    Loader(#[from] bios::Error),
    /// A file of `--bios-loader`.
    #[error("cannot read `{path}` of the BIOS loader")]
    LoaderFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not a master boot record.
    #[error("`{path}` has {len} bytes; the code of a master boot record has {limit}", limit = bios::MBR_LEN)]
    HybridMbr {
        /// The file.
        path: PathBuf,
        /// Its length, bytes.
        len: usize,
    },
    /// isolinux is for CDs.
    #[error("`{path}` has isolinux, which starts from ISOs only; leave out --bios-loader for disks")]
    NotAnIso {
        /// The folder.
        path: PathBuf,
    },
    /// A file of `--efi-loader` or `--efi-stub`.
    #[error("cannot read the EFI program `{path}`")]
    EfiFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program of `--efi-loader` whose name is none on a FAT.
    #[error("`{path}` does not end in a name of Unicode characters that it could have on the medium")]
    LoaderName {
        /// The program.
        path: PathBuf,
    },
    /// Two programs of `--efi-loader` with one name.
    #[error(
        "`{path}` and another --efi-loader would both be `EFI/BOOT/{name}`, which has no upper and lower case"
    )]
    SameLoader {
        /// The second.
        path: PathBuf,
        /// Its name on the medium.
        name: String,
    },
    /// A file of `--efi-stub` that no sections can be added to.
    #[error("`{path}` is no stub for a unified kernel image")]
    EfiStub {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pe::Error,
    },
    /// A disk that is too small.
    #[error("a disk of {} is needed, and `--size` says {}", binary(*needed), binary(*size))]
    Size {
        /// Bytes.
        needed: u64,
        /// Bytes.
        size: u64,
    },
    /// A disk that does not end with a sector that partition tables are made for.
    #[error("a disk of {size} bytes: whole MiB are wanted")]
    Unaligned {
        /// Bytes.
        size: u64,
    },
    /// A BIOS reads sectors of 512 bytes.
    #[error("a BIOS boots disks of 512-byte sectors only; `raw-efi` is for disks of 4096")]
    SectorSize,
    /// The kernel is none that starts there.
    #[error("a Raspberry Pi cannot boot this kernel: {0}")]
    RpiKernel(&'static str),
    /// No device tree.
    #[error(
        "there is no device tree for a Raspberry Pi, such as `boot/dtb/broadcom/bcm2837-rpi-3-b.dtb` in the kernel's \
         archive, or a file of --dtb"
    )]
    DeviceTree,
    /// Two that would be one file.
    #[error("two device trees are called `{name}`, and there is room for one")]
    SameDeviceTree {
        /// Their name.
        name: String,
    },
    /// No firmware.
    #[error(
        "a Raspberry Pi starts by its own firmware: --rpi-firmware names the folder with bootcode.bin, start.elf and \
         fixup.dat (Debian's package raspi-firmware has them in /usr/lib/raspi-firmware)"
    )]
    RpiFirmware,
    /// A file of the firmware.
    #[error("there is no `{name}` in `{path}`, which --rpi-firmware names")]
    RpiFile {
        /// The folder.
        path: PathBuf,
        /// The file.
        name: &'static str,
    },
    /// The folder of the firmware.
    #[error("cannot read `{path}` of the Raspberry Pi's firmware")]
    RpiFolder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// More than a Raspberry Pi holds.
    #[error("kernel and initrd take {needed} bytes of memory; for a Raspberry Pi there are {limit}")]
    RpiMemory {
        /// Bytes, with the gaps between them.
        needed: u64,
        /// Bytes.
        limit: u64,
    },
    /// A card of other sectors.
    #[error("cards have sectors of 512 bytes; leave out --sector-size")]
    CardSectors,
    /// A part for U-Boot.
    #[error(transparent)]
    UBoot(#[from] uboot::Error),
    /// ISO 9660.
    #[error(transparent)]
    Iso(#[from] iso::Error),
    /// FAT.
    #[error("cannot make the boot partition")]
    Fat(#[from] fat::Error),
    /// The partition table.
    #[error(transparent)]
    Gpt(#[from] gpt::Error),
    /// The master boot record.
    #[error(transparent)]
    Mbr(#[from] mbr::Error),
    /// An EFI program.
    #[error(transparent)]
    Pe(#[from] pe::Error),
    /// Something in the root file system is where the loader's files go.
    #[error(transparent)]
    Tree(#[from] tree::Error),
    /// The payload cannot be read.
    #[error(transparent)]
    Read(#[from] emit::Error),
}

/// In MiB, if it is whole ones.
fn binary(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes.is_multiple_of(MIB) { format!("{} MiB", bytes / MIB) } else { format!("{bytes} bytes") }
}
