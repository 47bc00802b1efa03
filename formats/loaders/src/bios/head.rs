//! The first bytes of the second stage: jump, parameters, descriptor table.
//!
//! ```text
//! 7c00  jump   7c08  left free   7c60  Block   7cb0  Gdt   7ce0  code
//! ```
//!
//! Tools that add a boot information table to an El Torito image write it at 8 to 64, and a BIOS that
//! takes the medium for a floppy disk may write drive parameters up to 5a: nothing of ours is there.

use super::map::ORIGIN;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{Immutable, IntoBytes};

/// Linear address of [`Block`].
pub(super) const BLOCK: u32 = ORIGIN + 0x60;
pub(super) const MAGIC: u32 = u32::from_le_bytes(*b"mkim");

/// Something on the medium.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Place {
    pub(super) lba: U64,    // 00 in 512-byte units
    pub(super) len: U32,    // 08 bytes
    pub(super) crc32c: U32, // 0c
}

/// What is different from medium to medium.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Block {
    pub(super) magic: U32,          // 00 tells the MBR that it has read the right sectors
    pub(super) serial_port: U16,    // 04 0: none
    pub(super) serial_divisor: U16, // 06 of 115 200 bits per second
    pub(super) rest: Place,         // 08 the second stage from 2048 on
    pub(super) kernel: Place,       // 18
    pub(super) initrd: Place,       // 28
    pub(super) cmdline: Place,      // 38
    pub(super) setup_len: U32,      // 48 bytes of the kernel's real-mode part
    pub(super) initrd_from: U32,    // 4c lowest address for the initrd
    pub(super) initrd_end: U32,     // 50 first address behind what the kernel reads
}
const _: () = assert!(size_of::<Block>() == 0x54);

pub(super) const SERIAL_PORT: u32 = BLOCK + 0x04;
pub(super) const SERIAL_DIVISOR: u32 = BLOCK + 0x06;
pub(super) const REST: u32 = BLOCK + 0x08;
pub(super) const KERNEL: u32 = BLOCK + 0x18;
pub(super) const INITRD: u32 = BLOCK + 0x28;
pub(super) const CMDLINE: u32 = BLOCK + 0x38;
pub(super) const SETUP_LEN: u32 = BLOCK + 0x48;
pub(super) const INITRD_FROM: u32 = BLOCK + 0x4c;
pub(super) const INITRD_END: u32 = BLOCK + 0x50;
/// In a [`Place`].
pub(super) const LEN: u32 = 8;
pub(super) const CRC32C: u32 = 12;

/// Linear address of [`Gdt`].
pub(super) const GDT: u32 = BLOCK + 0x58;
/// Selectors of [`Gdt`].
pub(super) const CODE32: u16 = 0x08;
pub(super) const DATA32: u16 = 0x10;
pub(super) const CODE16: u16 = 0x18;
pub(super) const DATA16: u16 = 0x20;

/// \[SDM\] vol. 3 §3.4.5 "Segment Descriptors". The null descriptor, which no processor reads, holds
/// the operand of LGDT.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Gdt {
    limit: U16,        // 00
    base: U32,         // 02
    unused: U16,       // 06
    entries: [U64; 4], // 08
}

/// Where the code begins.
pub(super) const CODE: u32 = GDT + 0x28;
const _: () = assert!(size_of::<Gdt>() == 0x28);

/// The bytes before [`CODE`]. `entry` is where execution begins.
pub(super) fn bytes(block: &Block, entry: u16) -> Vec<u8> {
    let gdt = Gdt {
        limit: U16::new(0x27),
        base: U32::new(GDT),
        unused: U16::ZERO,
        entries: [
            U64::new(0x00cf_9b00_0000_ffff), // 08 code, 32 bits, 4 GiB
            U64::new(0x00cf_9300_0000_ffff), // 10 data, 4 GiB
            U64::new(0x0000_9b00_0000_ffff), // 18 code, 16 bits, 64 KiB
            U64::new(0x0000_9300_0000_ffff), // 20 data, 64 KiB
        ],
    };
    // Absolute, because there are BIOSes (that of Bochs is one) that enter a CD's boot image at
    // 07c0:0000, and all addresses here are relative to segment 0.
    let mut head = vec![0xea];
    head.extend(entry.to_le_bytes());
    head.extend([0, 0]);
    head.resize(0x60, 0);
    head.extend(block.as_bytes());
    head.resize(0xb8, 0);
    head.extend(gdt.as_bytes());
    head
}
