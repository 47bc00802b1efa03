//! A loader for PC BIOS: a master boot record and a second stage.
//!
//! ```text
//! disk (512-byte sectors)  ─ MBR ──┐
//!                                  ├─▶ second stage ─▶ kernel's real-mode entry
//! CD (2048-byte sectors) ─ El Torito ┘
//! ```
//!
//! The second stage knows no file system: [`Params`] holds the places of kernel, initrd and command
//! line on the medium, and their CRC-32C, since a place that an image's next owner moved must end in
//! words on the screen, not in a crash. One second stage serves CD and disk, so one image does.
//!
//! `cargo test -p mkimage-loaders --test boot` boots it as CD and disk from each controller that
//! QEMU's boards have, under Bochs, and under BIOSes with the faults that its routines are made for.
//! Of the ways to switch A20 on, port 92h alone is not among them: QEMU has no machine that needs it.

pub use error::Error;

mod a20;
mod checksum;
mod chs;
mod code;
mod console;
mod disk;
mod entry;
mod error;
mod head;
mod kernel;
mod map;
mod mbr;
mod memory;
mod params;
mod protected;
mod routines;
#[cfg(test)]
mod tests;

use crate::bzimage::Header;
use code::Code;

/// Bytes of [`mbr()`]: what a disk signature and a partition table leave of the first sector.
pub const MBR_LEN: usize = 440;
/// Bytes of [`stage2`]. It is one contiguous run on the medium.
pub const STAGE2_LEN: usize = 4096;
/// The `Sector Count` of the boot catalog's entry, in 512-byte units. The second stage reads the
/// rest of itself: there are BIOSes that load one sector of the CD whatever the count says.
pub const EL_TORITO_SECTORS: u16 = 4;
/// Longest command line in bytes, whatever the kernel takes.
pub const MAX_CMDLINE_LEN: u32 = 4095;

/// A contiguous run of bytes on the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Offset in bytes from the start of the medium, a multiple of [`Medium::sector`].
    pub at: u64,
    /// Bytes.
    pub len: u64,
}

/// Something to load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Where it is.
    pub extent: Extent,
    /// CRC-32C (Castagnoli) of its bytes.
    pub crc32c: u32,
}

/// What the second stage is to be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A disk only.
    Disk,
    /// A CD, or the same image written to a disk.
    Cd,
}

impl Medium {
    /// Offsets are multiples of this many bytes.
    #[must_use]
    pub fn sector(self) -> u64 {
        match self {
            Medium::Disk => 512,
            Medium::Cd => 2048,
        }
    }
}

/// A 16550 that repeats what the screen shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serial {
    /// First I/O port; 0x3f8 is COM1.
    pub port: u16,
    /// Bits per second, a divisor of 115 200.
    pub baud: u32,
}

impl Serial {
    /// COM1 at 115 200 bits per second.
    pub const COM1: Serial = Serial { port: 0x3f8, baud: 115_200 };
}

/// Arguments of [`stage2`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// What it will be read from.
    pub medium: Medium,
    /// Offset in bytes of the second stage itself, a multiple of [`Medium::sector`].
    pub at: u64,
    /// A `bzImage`.
    pub kernel: Payload,
    /// The kernel's header.
    pub header: Header,
    /// The initial root file system. A length of 0 means none.
    pub initrd: Payload,
    /// Text for the kernel, without a final zero. A length of 0 means an empty text.
    pub cmdline: Payload,
    /// Where messages go besides the screen.
    pub serial: Option<Serial>,
}

/// Arguments of [`mbr()`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mbr {
    /// Offset in bytes of the second stage, a multiple of 512.
    pub stage2_at: u64,
}

/// Bytes of the second stage that are surely in memory when it begins.
const RESIDENT_LEN: u32 = 2048;

/// The code area of a disk's first sector: loads the second stage and starts it.
///
/// # Errors
/// The second stage is not at a sector's start.
pub fn mbr(args: &Mbr) -> Result<[u8; MBR_LEN], Error> {
    params::aligned("second stage", args.stage2_at, Medium::Disk)?;
    Ok(mbr::assemble(args.stage2_at / 512)?)
}

/// The second stage: the El Torito boot image, and what [`mbr()`] starts.
///
/// # Errors
/// Something does not fit or is not at a sector's start.
pub fn stage2(params: &Params) -> Result<Vec<u8>, Error> {
    let mut block = params.block()?;
    let code = Code::assemble()?;
    block.rest.crc32c = crc32c::crc32c(code.rest()).into();
    let mut stage2 = head::bytes(&block, code.entry);
    stage2.extend(code.bytes);
    Ok(stage2)
}
