//! The structures that are read back and mended.
//!
//! \[ECMA-119\] *Volume and File Structure of CDROM for Information Interchange*, 4th edition
//! (2019). \[SUSP\] *System Use Sharing Protocol* 1.12 (IEEE P1281), \[RRIP\] *Rock Ridge
//! Interchange Protocol* 1.12 (IEEE P1282). \[El Torito\] *"El Torito" Bootable CD-ROM Format
//! Specification* 1.0 (1995).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned, big_endian, little_endian};

/// \[ECMA-119\] §7.3.3: a number in both byte orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Both {
    little: little_endian::U32,
    big: big_endian::U32,
}

impl Both {
    pub(super) fn new(n: u32) -> Self {
        Both { little: n.into(), big: n.into() }
    }
    pub(super) fn get(self) -> u32 {
        self.little.get()
    }
}

/// \[ECMA-119\] §9.1 "Format of a Directory Record", up to the identifier.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct DirectoryRecord {
    pub(super) len: u8,         // 00 bytes of the record
    pub(super) attributes: u8,  // 01 logical blocks
    pub(super) extent: Both,    // 02 logical block
    pub(super) data_len: Both,  // 0a bytes
    pub(super) time: [u8; 7],   // 12
    pub(super) flags: u8,       // 19 FLAG_*
    pub(super) unit: u8,        // 1a
    pub(super) gap: u8,         // 1b
    pub(super) volume: [u8; 4], // 1c 16 bits in both byte orders
    pub(super) name_len: u8,    // 20
}
const _: () = assert!(size_of::<DirectoryRecord>() == 33);

/// [`DirectoryRecord::flags`]: a folder.
pub(super) const FLAG_DIRECTORY: u8 = 2;

/// \[SUSP\] §4.2 "Format of a System Use Entry", up to its content.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct SystemUse {
    pub(super) signature: [u8; 2], // 00
    pub(super) len: u8,            // 02 bytes, these included
    pub(super) version: u8,        // 03
}

/// \[SUSP\] §5.1 "CE": where the entries go on.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Continuation {
    pub(super) block: Both,  // 04 logical block
    pub(super) offset: Both, // 0c bytes
    pub(super) len: Both,    // 14 bytes
}

/// \[RRIP\] §4.1.2 "PN": a device number.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct DeviceNumber {
    pub(super) high: Both, // 04
    pub(super) low: Both,  // 0c
}
const _: () = assert!(size_of::<DeviceNumber>() == 16);
