//! The structures.
//!
//! \[ECMA-119\] *Volume and File Structure of CDROM for Information Interchange*, 4th edition
//! (2019). \[SUSP\] *System Use Sharing Protocol* 1.12 (IEEE P1281), \[RRIP\] *Rock Ridge
//! Interchange Protocol* 1.12 (IEEE P1282). \[El Torito\] *"El Torito" Bootable CD-ROM Format
//! Specification* 1.0 (1995).

use super::date::Digits;
use zerocopy::{Immutable, IntoBytes, Unaligned, big_endian, little_endian};

/// Bytes of a logical block.
pub(super) const BLOCK: u64 = 2048;
/// [`BLOCK`], of bytes in memory.
pub(super) const BLOCK_LEN: usize = 2048;

/// \[ECMA-119\] §7.2.3: 16 bits in both byte orders.
#[derive(Clone, Copy, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Both16 {
    little: little_endian::U16,
    big: big_endian::U16,
}

impl Both16 {
    pub(super) const fn new(n: u16) -> Self {
        Both16 { little: little_endian::U16::new(n), big: big_endian::U16::new(n) }
    }
}

/// \[ECMA-119\] §7.3.3: 32 bits in both byte orders.
#[derive(Clone, Copy, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Both32 {
    little: little_endian::U32,
    big: big_endian::U32,
}

impl Both32 {
    pub(super) const fn new(n: u32) -> Self {
        Both32 { little: little_endian::U32::new(n), big: big_endian::U32::new(n) }
    }
}

/// \[ECMA-119\] §8.1: what every volume descriptor begins with.
#[derive(Clone, Copy, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Head {
    pub(super) kind: u8,          // 00 BOOT_RECORD, ...
    pub(super) standard: [u8; 5], // 01 "CD001"
    pub(super) version: u8,       // 06
}

impl Head {
    pub(super) const BOOT_RECORD: Self = Head::new(0);
    pub(super) const PRIMARY: Self = Head::new(1);
    pub(super) const SUPPLEMENTARY: Self = Head::new(2);
    pub(super) const TERMINATOR: Self = Head::new(255);

    const fn new(kind: u8) -> Self {
        Head { kind, standard: *b"CD001", version: 1 }
    }
}

/// \[ECMA-119\] §8.4 "Primary Volume Descriptor" and §8.5 "Supplementary Volume Descriptor", of
/// which the first has zeros in `flags` and `escapes`.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct VolumeDescriptor {
    pub(super) head: Head,                             // 000
    pub(super) flags: u8,                              // 007
    pub(super) system: [u8; 32],                       // 008
    pub(super) volume: [u8; 32],                       // 028
    pub(super) unused: [u8; 8],                        // 048
    pub(super) blocks: Both32,                         // 050
    pub(super) escapes: [u8; 32],                      // 058
    pub(super) set_size: Both16,                       // 078 volumes
    pub(super) sequence: Both16,                       // 07c
    pub(super) block_size: Both16,                     // 080 bytes
    pub(super) path_table_len: Both32,                 // 084 bytes
    pub(super) path_table_l: little_endian::U32,       // 08c logical block
    pub(super) other_path_table_l: little_endian::U32, // 090
    pub(super) path_table_m: big_endian::U32,          // 094 logical block
    pub(super) other_path_table_m: big_endian::U32,    // 098
    pub(super) root: DirectoryRecord,                  // 09c
    pub(super) root_identifier: u8,                    // 0bd
    pub(super) volume_set: [u8; 128],                  // 0be
    pub(super) publisher: [u8; 128],                   // 13e
    pub(super) preparer: [u8; 128],                    // 1be
    pub(super) application: [u8; 128],                 // 23e
    pub(super) copyright: [u8; 37],                    // 2be
    pub(super) summary: [u8; 37],                      // 2e3 "Abstract File Identifier"
    pub(super) bibliography: [u8; 37],                 // 308
    pub(super) created: Digits,                        // 32d
    pub(super) modified: Digits,                       // 33e
    pub(super) expires: Digits,                        // 34f
    pub(super) effective: Digits,                      // 360
    pub(super) structure: u8,                          // 371 version
    pub(super) reserved: [u8; 1166],                   // 372
}
const _: () = assert!(size_of::<VolumeDescriptor>() == 2048);

/// \[El Torito\] Figure 7 "Boot Record Volume Descriptor", up to the zeros that fill its block.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct BootRecord {
    pub(super) head: Head,                  // 00
    pub(super) system: [u8; 32],            // 07
    pub(super) unused: [u8; 32],            // 27
    pub(super) catalog: little_endian::U32, // 47 logical block
}
const _: () = assert!(size_of::<BootRecord>() == 75);

/// \[ECMA-119\] §9.1 "Format of a Directory Record", up to the identifier.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DirectoryRecord {
    pub(super) len: u8,            // 00 bytes of the record
    pub(super) attributes: u8,     // 01 logical blocks
    pub(super) extent: Both32,     // 02 logical block
    pub(super) data_len: Both32,   // 0a bytes
    pub(super) time: [u8; 7],      // 12
    pub(super) flags: u8,          // 19 FLAG_*
    pub(super) unit: u8,           // 1a
    pub(super) gap: u8,            // 1b
    pub(super) sequence: Both16,   // 1c volume
    pub(super) identifier_len: u8, // 20
}
const _: () = assert!(size_of::<DirectoryRecord>() == 33);

impl DirectoryRecord {
    /// Bytes up to the system use entries, which are at an even offset, with an identifier of
    /// `identifier` bytes.
    pub(super) fn system_use_at(identifier: usize) -> usize {
        (size_of::<Self>() + identifier).next_multiple_of(2)
    }
}

/// [`DirectoryRecord::flags`]: a folder.
pub(super) const FLAG_DIRECTORY: u8 = 2;
/// [`DirectoryRecord::flags`]: the file goes on in the extent of the next record.
pub(super) const FLAG_MULTI_EXTENT: u8 = 0x80;

/// \[RRIP\] §4.1.1 "PX": attributes of POSIX.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Posix {
    pub(super) mode: Both32,   // 04
    pub(super) links: Both32,  // 0c
    pub(super) uid: Both32,    // 14
    pub(super) gid: Both32,    // 1c
    pub(super) serial: Both32, // 24
}

/// \[RRIP\] §4.1.2 "PN": the halves of a `dev_t`.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DeviceNumber {
    pub(super) high: Both32, // 04
    pub(super) low: Both32,  // 0c
}

/// \[RRIP\] §4.1.6 "TF": the times that [`TIMES`] says.
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Times {
    pub(super) flags: u8,         // 04
    pub(super) modified: [u8; 7], // 05
    pub(super) accessed: [u8; 7], // 0c
}

/// [`Times::flags`]: modification and access.
pub(super) const TIMES: u8 = 2 | 4;

/// \[SUSP\] §5.1 "CE": where the entries go on.
#[derive(Clone, Copy, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Continuation {
    pub(super) block: Both32,  // 04 logical block
    pub(super) offset: Both32, // 0c bytes
    pub(super) len: Both32,    // 14 bytes
}

/// \[El Torito\] Figure 2 "Validation Entry".
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct ValidationEntry {
    pub(super) id: u8,             // 00 1
    pub(super) platform: u8,       // 01
    pub(super) reserved: [u8; 2],  // 02
    pub(super) maker: [u8; 24],    // 04
    pub(super) checksum: [u8; 2],  // 1c so that 16-bit words add up to 0
    pub(super) signature: [u8; 2], // 1e 55 aa
}

/// \[El Torito\] Figure 3 "Initial/Default Entry" and Figure 5 "Section Entry".
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct SectionEntry {
    pub(super) bootable: u8,                // 00 88
    pub(super) medium: u8,                  // 01 0: no emulation
    pub(super) segment: little_endian::U16, // 02 0: the default, 07c0
    pub(super) system: u8,                  // 04
    pub(super) unused: u8,                  // 05
    pub(super) sectors: little_endian::U16, // 06 of 512 bytes
    pub(super) image: little_endian::U32,   // 08 logical block
    pub(super) criteria: [u8; 20],          // 0c
}

/// \[El Torito\] Figure 4 "Section Header".
#[derive(IntoBytes, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct SectionHeader {
    pub(super) kind: u8,                    // 00 90, or 91 for the last
    pub(super) platform: u8,                // 01
    pub(super) entries: little_endian::U16, // 02
    pub(super) id: [u8; 28],                // 04
}

/// Bytes of each entry of a boot catalog.
pub(super) const CATALOG_ENTRY: u64 = 32;
const _: () = assert!(size_of::<ValidationEntry>() == 32);
const _: () = assert!(size_of::<SectionEntry>() == 32);
const _: () = assert!(size_of::<SectionHeader>() == 32);
