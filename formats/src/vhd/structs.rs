//! The structures of \[VHD\].

use super::Options;
use zerocopy::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// [`Footer::disk_type`]: all of the disk is there.
pub(super) const FIXED: u32 = 2;
/// [`Footer::disk_type`]: unused blocks are left out.
pub(super) const DYNAMIC: u32 = 3;
/// An offset at which there is nothing.
pub(super) const NONE: u64 = u64::MAX;
/// An entry of the block allocation table whose block is not there.
pub(super) const UNUSED: u32 = u32::MAX;
/// Bytes of the disk in a block: the spec's default, and all that Windows makes.
pub(super) const BLOCK: u64 = 2 << 20;

/// 1.0 in 16.16 fixed point.
const VERSION: U32 = U32::from_bytes([0, 1, 0, 0]);
/// 2000-01-01T00:00Z, seconds since 1970.
const EPOCH: i64 = 946_684_800;

/// \[VHD\] "Hard Disk Footer Format".
#[derive(Clone, Debug, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Footer {
    cookie: [u8; 8],               // 00 "conectix"
    features: U32,                 // 08 bit 1 is reserved, always set
    version: U32,                  // 0c
    data_offset: U64,              // 10 of the next structure, bytes
    timestamp: U32,                // 18 seconds since 2000-01-01T00:00Z
    creator: [u8; 4],              // 1c
    creator_version: U32,          // 20
    creator_os: [u8; 4],           // 24
    pub(super) original_size: U64, // 28 bytes
    pub(super) current_size: U64,  // 30 bytes
    pub(super) geometry: Geometry, // 38
    disk_type: U32,                // 3c FIXED or DYNAMIC
    checksum: U32,                 // 40 see `checksum`
    id: [u8; 16],                  // 44
    saved_state: u8,               // 54
    reserved: [u8; 427],           // 55
}
const _: () = assert!(size_of::<Footer>() == 512);

impl Footer {
    /// Of a disk of `size` bytes, after whose footer the next structure is at `data_offset`.
    pub(super) fn new(size: u64, options: &Options, disk_type: u32, data_offset: u64) -> Self {
        let timestamp = (options.epoch.seconds.saturating_sub(EPOCH)).clamp(0, u32::MAX.into());
        let mut footer = Footer {
            cookie: *b"conectix",
            features: U32::new(2),
            version: VERSION,
            data_offset: U64::new(data_offset),
            timestamp: U32::new(u32::try_from(timestamp).expect("clamped")),
            // To a creator it does not know, QEMU gives the size of the geometry, which is
            // rounded down (block/vpc.c): a 100 MiB disk would lose its last 94 KiB.
            creator: *b"win ",
            creator_version: U32::from_bytes([0, 10, 0, 0]),
            creator_os: *b"Wi2k",
            original_size: U64::new(size),
            current_size: U64::new(size),
            geometry: Geometry::of(size),
            disk_type: U32::new(disk_type),
            checksum: U32::ZERO,
            id: options.id.0,
            saved_state: 0,
            reserved: [0; 427],
        };
        footer.checksum = checksum(footer.as_bytes());
        footer
    }
}

/// \[VHD\] "Dynamic Disk Header Format".
#[derive(Clone, Debug, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct DynamicHeader {
    cookie: [u8; 8],   // 000 "cxsparse"
    data_offset: U64,  // 008 NONE
    table: U64,        // 010 offset of the block allocation table, bytes
    version: U32,      // 018
    entries: U32,      // 01c blocks of the disk
    block: U32,        // 020 bytes
    checksum: U32,     // 024 see `checksum`
    parent: [u8; 984], // 028 for differencing disks
}
const _: () = assert!(size_of::<DynamicHeader>() == 1024);

impl DynamicHeader {
    /// With a table of `entries` at `table`.
    pub(super) fn new(table: u64, entries: u32) -> Self {
        let mut header = DynamicHeader {
            cookie: *b"cxsparse",
            data_offset: U64::new(NONE),
            table: U64::new(table),
            version: VERSION,
            entries: U32::new(entries),
            block: U32::from_bytes([0, 0x20, 0, 0]),
            checksum: U32::ZERO,
            parent: [0; 984],
        };
        header.checksum = checksum(header.as_bytes());
        header
    }
}

/// The complement of the sum of all bytes of a structure whose checksum is zero.
fn checksum(structure: &[u8]) -> U32 {
    U32::new(!structure.iter().map(|&b| u32::from(b)).sum::<u32>())
}

/// What a BIOS would be told of the disk.
#[derive(Clone, Debug, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Geometry {
    cylinders: U16,
    heads: u8,
    sectors: u8, // of a track
}

impl Geometry {
    /// \[VHD\] "CHS Calculation", of a disk of `size` bytes. It is never more than the disk.
    pub(super) fn of(size: u64) -> Self {
        let total = (size / 512).min(65_535 * 16 * 255);
        let (mut sectors, mut heads) = (17, (total / 17).div_ceil(1024).max(4));
        if total >= 65_535 * 16 * 63 {
            (sectors, heads) = (255, 16);
        } else {
            if total / sectors >= heads * 1024 || heads > 16 {
                (sectors, heads) = (31, 16);
            }
            if total / sectors >= heads * 1024 {
                (sectors, heads) = (63, 16);
            }
        }
        let byte = |n| u8::try_from(n).expect("16 heads and 255 sectors at most");
        Geometry {
            cylinders: U16::new(u16::try_from(total / sectors / heads).expect("65535 at most")),
            heads: byte(heads),
            sectors: byte(sectors),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpt::Guid;
    use crate::tree::Time;

    fn at(seconds: i64) -> Options {
        Options { id: Guid([7; 16]), epoch: Time::from_unix(seconds) }
    }

    #[test]
    fn the_geometry_is_what_the_specification_computes() {
        // What qemu-img 7.2 wrote into disks of those sizes.
        let table = [
            (0x0010_7800, [0x00, 0x1f, 4, 17]),
            (0x0640_2000, [0x03, 0xec, 12, 17]),
            (0x0c80_c000, [0x03, 0x3a, 16, 31]),
            (0x1f41_0000, [0x03, 0xf8, 16, 63]),
            (0x1_0017_6000, [0x20, 0x85, 16, 63]),
            (0x1f_7e81_e000, [0xfc, 0xf1, 16, 255]),
            (0x1fe_0000_0000, [0xff, 0xff, 16, 255]),
        ];
        for (size, want) in table {
            assert_eq!(Geometry::of(size).as_bytes(), want, "{size}");
        }
    }

    #[test]
    fn a_time_outside_the_format_is_its_nearest() {
        let times = [i64::MIN, 0, EPOCH, EPOCH + 7, i64::MAX];
        let stamp = |seconds| Footer::new(1 << 20, &at(seconds), FIXED, NONE).timestamp.get();
        assert_eq!(times.map(stamp), [0, 0, 0, 7, u32::MAX]);
    }

    #[test]
    fn structures_are_sealed() {
        let footer = Footer::new(3 << 20, &at(0), DYNAMIC, 512);
        assert_eq!(checksum(Footer { checksum: U32::ZERO, ..footer.clone() }.as_bytes()), footer.checksum);
        let header = DynamicHeader::new(1536, 2);
        let blank = DynamicHeader { checksum: U32::ZERO, ..header.clone() };
        assert_eq!(checksum(blank.as_bytes()), header.checksum);
    }
}
