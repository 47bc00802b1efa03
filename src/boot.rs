//! What a medium starts: a kernel with its initrd and command line, and the loaders that start it.
//!
//! ```text
//! Payload ──▶ iso     CDs and sticks ─┐        ┌ bios      the built-in BIOS loader
//!         ──▶ disk    GPT and MBR     ├─ with ─┼ isolinux  somebody else's
//!         ──▶ uki     one EFI program ┘        └ efi       the built-in UEFI stub, or another's
//!         ──▶ rpi     the Raspberry Pi's cards, with its own firmware and U-Boot
//! ```

mod bios;
mod disk;
mod draft;
mod efi;
mod entries;
mod error;
mod iso;
mod isolinux;
mod rpi;
mod uki;

pub use disk::disk;
pub use error::Error;
pub use iso::iso;
pub use rpi::{DeviceTree, rpi_card, rpi_files};
pub use uki::uki;

use crate::oci::Digesting;
use crate::rootfs::T0;
use mkimage_formats::Layout;
use mkimage_formats::emit::{self, Sink, Stream};
use mkimage_formats::gpt::Guid;
use mkimage_formats::iso::Profile;
use mkimage_formats::sector::SectorSize;
use mkimage_formats::tree::Time;
use mkimage_loaders::bios::Serial;
use mkimage_loaders::uefi::Arch;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

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

/// Something that a boot loader loads and checks.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its bytes.
    pub content: Layout,
    /// Their CRC-32C (Castagnoli).
    pub crc32c: u32,
    /// Their SHA-256, once it was asked for.
    sha256: Arc<Mutex<Option<[u8; 32]>>>,
}

impl Measured {
    /// Reads `content` once.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn new(content: Layout) -> Result<Self, emit::Error> {
        let crc32c = crc32c(0, &content)?;
        Ok(Measured::with_crc32c(content, crc32c))
    }

    /// `content`, whose CRC-32C is known.
    #[must_use]
    pub fn with_crc32c(content: Layout, crc32c: u32) -> Self {
        Measured { content, crc32c, sha256: Arc::default() }
    }

    /// Nothing at all.
    #[must_use]
    pub fn empty() -> Self {
        Measured::with_crc32c(Layout::default(), 0)
    }

    /// The content's SHA-256. It is read when this is called first, here or on a clone; who calls it
    /// meanwhile waits.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn sha256(&self) -> Result<[u8; 32], emit::Error> {
        let mut known = self.sha256.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = *known {
            return Ok(known);
        }
        let mut hash = Stream::new(Digesting::new(io::sink()));
        hash.layout(&self.content)?;
        let (digest, ..) = hash.into_inner().finish();
        Ok(*known.insert(digest.bytes()))
    }
}

/// Parts of a content that are summed at once: more get nothing more out of memory.
const SUMMED: u64 = 4;
/// What is worth a thread, and the most that one takes, bytes.
const PART: RangeInclusive<u64> = 8 << 20..=1 << 30;

/// The CRC-32C of `content` and of what is before it, of which it is `before`.
///
/// # Errors
/// It cannot be read.
pub fn crc32c(before: u32, content: &Layout) -> Result<u32, emit::Error> {
    let part = content.len().div_ceil(SUMMED).clamp(*PART.start(), *PART.end());
    thread::scope(|scope| {
        let sum = |part: &Layout| {
            let mut crc = Stream::new(Crc(0));
            crc.layout(part)?;
            Ok(crc.into_inner().0)
        };
        let parts: Vec<_> =
            content.chunks(part).map(|part| (part.len(), scope.spawn(move || sum(&part)))).collect();
        parts.into_iter().try_fold(before, |crc, (len, sum)| {
            let sum = sum.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            let len = usize::try_from(len).expect("at most a GiB");
            Ok(::crc32c::crc32c_combine(crc, sum, len))
        })
    })
}

/// The CRC-32C of what is written.
struct Crc(u32);

impl Write for Crc {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = ::crc32c::crc32c_append(self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [&self.kernel, &self.initrd] {
            hash.update(part.content.len().to_le_bytes());
            hash.update(part.crc32c.to_le_bytes());
        }
        hash.update(&self.cmdline);
        hash.finalize().into()
    }

    /// A disk's signature.
    #[must_use]
    pub fn signature(&self) -> u32 {
        let [a, b, c, d, ..] = self.seed();
        u32::from_le_bytes([a, b, c, d])
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

    #[test]
    fn a_digest_is_read_once_for_all_clones() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let measured = Measured::new(Layout::file(&path).unwrap()).unwrap();
        let hash = measured.clone().sha256().unwrap();
        assert_eq!(hash[..4], [0xba, 0x78, 0x16, 0xbf]); // FIPS 180-4's example
        std::fs::remove_file(&path).unwrap();
        assert_eq!(measured.sha256().unwrap(), hash);
    }

    #[test]
    fn the_checksum_is_castagnolis() {
        // RFC 3720 B.4: 32 bytes of zeros.
        let mut zeros = Layout::from(vec![0; 10]);
        zeros.push(mkimage_formats::Content::Hole(22));
        assert_eq!(Measured::new(zeros).unwrap().crc32c, 0x8a91_36aa);
    }

    #[test]
    fn a_checksum_is_that_of_all_parts_and_goes_on_from_what_is_before() {
        let byte = |n: u32| (n ^ (n >> 11)).to_le_bytes()[0];
        let bytes: Vec<u8> = (0..(33 << 20) + 5).map(byte).collect();
        let whole = ::crc32c::crc32c_append(7, &bytes);
        assert_eq!(crc32c(7, &bytes.into()).unwrap(), whole);
        assert_eq!(crc32c(7, &Layout::default()).unwrap(), 7);
    }
}
