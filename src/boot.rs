//! What a medium starts: a kernel with its initrd and command line, and the loaders that start it.
//!
//! ```text
//! Payload ──▶ iso     CDs and sticks ─┐        ┌ bios      the built-in BIOS loader
//!         ──▶ disk    GPT and MBR     ├─ with ─┼ isolinux  somebody else's
//!         ──▶ uki     one EFI program ┘        └ efi       the built-in UEFI stub, or another's
//!         ──▶ rpi     the Raspberry Pi's cards, with its own firmware and U-Boot
//! ```
//!
//! ```
//! use mkimage::boot::{self, Firmware, Measured, Options, Payload};
//! use mkimage_formats::{Layout, emit};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (vmlinuz, initrd, out) = (dir.path().join("vmlinuz"), dir.path().join("initrd.img"), dir.path());
//! # let mut kernel = vec![0; 512];
//! # kernel[..2].copy_from_slice(b"MZ");
//! # kernel[0x3c] = 0x40;
//! # kernel[0x40..0x46].copy_from_slice(b"PE\0\0\x64\x86");
//! # std::fs::write(&vmlinuz, &kernel)?;
//! # std::fs::write(&initrd, [1; 5000])?;
//! let payload = Payload {
//!     kernel: Measured::new(Layout::file(&vmlinuz)?),
//!     initrd: Measured::new(Layout::file(&initrd)?),
//!     cmdline: "console=ttyS0".into(),
//! };
//! let options = Options::default();
//! emit::emit(&boot::uki(&payload, &options)?, out.join("linux.efi"))?;
//! emit::emit(&boot::iso(&payload, None, None, Firmware::Efi, &options)?, out.join("linux.iso"))?;
//! emit::emit(&boot::disk(&payload, Firmware::Efi, &options)?, out.join("linux.img"))?;
//! # Ok(())
//! # }
//! ```

mod bios;
mod disk;
mod draft;
mod efi;
mod entries;
mod error;
mod iso;
mod isolinux;
mod measured;
mod rpi;
mod uki;

pub use disk::disk;
pub use error::Error;
pub use iso::iso;
pub use measured::Measured;
pub(crate) use measured::{crc32c, crc32c_combined};
pub use rpi::{DeviceTree, rpi_card, rpi_files};
pub use uki::uki;

use crate::rootfs::T0;
use mkimage_formats::emit;
use mkimage_formats::gpt::Guid;
use mkimage_formats::iso::Profile;
use mkimage_formats::sector::SectorSize;
use mkimage_formats::tree::Time;
use mkimage_loaders::bios::Serial;
use mkimage_loaders::uefi::Arch;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// Where a medium has what it starts.
#[derive(Clone, Copy)]
struct Files {
    kernel: &'static str,
    initrd: &'static str,
}

/// Of a medium's first payload, and of all others: of those for AArch64.
const FILES: Files = Files { kernel: "boot/kernel", initrd: "boot/initrd.img" };
const AARCH64_FILES: Files = Files { kernel: "boot/aarch64/kernel", initrd: "boot/aarch64/initrd.img" };

/// The firmware that a medium is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// A PC's BIOS.
    Bios,
    /// A UEFI.
    Efi,
    /// Either; for processors that have no BIOS, a UEFI.
    Both,
}

impl Firmware {
    fn bios(self) -> bool {
        self != Firmware::Efi
    }

    fn efi(self) -> bool {
        self != Firmware::Bios
    }

    /// Of these, what machines have that run `payload`: only PCs have a BIOS.
    fn of(self, payload: &Payload) -> Self {
        let elsewhere = matches!(efi::arch(&payload.kernel.content), Ok(Arch::Aarch64));
        if self == Firmware::Both && elsewhere { Firmware::Efi } else { self }
    }
}

/// The program between a BIOS and the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BiosLoader {
    /// mkimage's own, which repeats its words on the serial port, if one is given.
    BuiltIn(Option<Serial>),
    /// `isolinux.bin` and `ldlinux.c32` of this folder; with an `isohdpfx.bin` beside them, disks
    /// boot too.
    Isolinux(PathBuf),
}

/// What a medium has beside its payload.
#[derive(Clone, Debug)]
pub struct Options {
    /// Starts the kernel from a BIOS.
    pub bios: BiosLoader,
    /// The program that a UEFI starts in place of mkimage's own, such as shim, systemd-boot or GRUB,
    /// which find entries; then those that it starts, which are put beside it under their names.
    /// Empty for mkimage's own.
    pub efi_loaders: Vec<PathBuf>,
    /// The program that a unified kernel image begins with, in place of mkimage's own.
    pub efi_stub: Option<PathBuf>,
    /// The folder with the Raspberry Pi's firmware and, for its U-Boot, `u-boot.bin`.
    pub rpi_firmware: Option<PathBuf>,
    /// The volume's name.
    pub volume: String,
    /// How an ISO is also a disk.
    pub hybrid: Profile,
    /// A disk's length, bytes; none for as little as the rules allow.
    pub size: Option<u64>,
    /// A disk's sectors.
    pub sector_size: SectorSize,
    /// A disk's GUID; none for one that follows from the content.
    pub disk_id: Option<Guid>,
    /// The time of everything that mkimage makes.
    pub epoch: Time,
    /// Is told what may be wrong, and need not be.
    pub doubt: fn(&dyn std::error::Error),
}

impl Default for Options {
    /// The built-in loaders on the screen alone, and LinuxKit's name and date.
    fn default() -> Self {
        Options {
            bios: BiosLoader::BuiltIn(None),
            efi_loaders: Vec::new(),
            efi_stub: None,
            rpi_firmware: None,
            volume: "LinuxKit".into(),
            hybrid: Profile::default(),
            size: None,
            sector_size: SectorSize::default(),
            disk_id: None,
            epoch: T0,
            doubt: |_| (),
        }
    }
}

/// What a medium starts.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The kernel as its loader takes it: for a BIOS a `bzImage`, for a UEFI an EFI program.
    pub kernel: Measured,
    /// The first root file system; empty for none.
    pub initrd: Measured,
    /// The kernel's command line.
    pub cmdline: String,
}

impl Payload {
    /// Differs where the payload does: what ids are derived from.
    ///
    /// # Errors
    /// The payload cannot be read.
    pub fn seed(&self) -> Result<[u8; 32], emit::Error> {
        let mut hash = Sha256::new();
        for part in [&self.kernel, &self.initrd] {
            hash.update(part.content.len().to_le_bytes());
            hash.update(part.crc32c()?.to_le_bytes());
        }
        hash.update(&self.cmdline);
        Ok(hash.finalize().into())
    }

    /// A disk's signature.
    ///
    /// # Errors
    /// The payload cannot be read.
    pub fn signature(&self) -> Result<u32, emit::Error> {
        let [a, b, c, d, ..] = self.seed()?;
        Ok(u32::from_le_bytes([a, b, c, d]))
    }
}

/// `cmdline` for a root file system that is itself on the CD: LinuxKit's ` root=/dev/sr0`, unless
/// it says where the root is.
#[must_use]
pub fn with_cd_root(cmdline: &str) -> String {
    if cmdline.split_ascii_whitespace().any(|word| word.starts_with("root=")) {
        return cmdline.to_owned();
    }
    format!("{cmdline} root=/dev/sr0").trim_start().to_owned()
}

/// A command line as files of one line have it. To the kernel all white space is the same.
fn one_line(cmdline: &str) -> String {
    cmdline.trim().replace(['\n', '\r', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_named_unless_it_is_named_already() {
        assert_eq!(with_cd_root("console=ttyS0"), "console=ttyS0 root=/dev/sr0");
        assert_eq!(with_cd_root("root=/dev/sda quiet"), "root=/dev/sda quiet");
        assert_eq!(with_cd_root("nfsroot=x"), "nfsroot=x root=/dev/sr0");
        assert_eq!(with_cd_root(""), "root=/dev/sr0");
    }
}
