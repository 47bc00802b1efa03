//! Extents of grains: the header, and the tables that say where each grain is.

use super::SECTOR;
use crate::deflate;
use crate::layout::Layout;
use crate::spool::Codec;
use std::io;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{Immutable, IntoBytes};

/// \[VMDK\] "Hosted Sparse Extents", `SparseExtentHeader`. Offsets and sizes are in sectors.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Header {
    magic: [u8; 4],          // 00
    version: U32,            // 04
    flags: U32,              // 08
    capacity: U64,           // 0c of the disk
    grain_size: U64,         // 14
    descriptor_offset: U64,  // 1c
    descriptor_size: U64,    // 24
    num_gtes_per_gt: U32,    // 2c entries of a table
    rgd_offset: U64,         // 30 the first of two directories
    gd_offset: U64,          // 38
    overhead: U64,           // 40 all that is before the grains
    unclean_shutdown: u8,    // 48
    line_ends: [u8; 4],      // 49 spoiled where a file was sent as text
    compress_algorithm: U16, // 4d
    padding: [u8; 433],      // 4f
}
const _: () = assert!(size_of::<Header>() == 512);

/// \[VMDK\] "Markers": what begins a compressed grain.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct GrainMarker {
    lba: U64,  // 0 the grain's first sector on the disk
    size: U32, // 8 of what follows, bytes
}
const _: () = assert!(size_of::<GrainMarker>() == 12);

/// Flag: the line ends can be checked.
const NEWLINES: u32 = 1 << 0;
/// Flag: there are two directories.
const REDUNDANT: u32 = 1 << 1;
/// Flag: grains are compressed.
const COMPRESSED: u32 = 1 << 16;
/// Flag: there are markers.
const MARKERS: u32 = 1 << 17;
/// Deflate, in the frame of zlib.
const DEFLATE: u16 = 1;
/// The window of zlib's own default.
const WINDOW: u8 = 15;

/// Sectors of a grain: VMware's own, and the most that open-vmdk reads.
pub(super) const GRAIN: u64 = 128;
/// The same in bytes.
pub(super) const GRAIN_BYTES: usize = 64 << 10;
/// Entries of a table: VMware's disk library reads no other number.
const ENTRIES: u64 = 512;
const ENTRIES_IN_MEMORY: usize = 512;
/// Sectors of a table.
const TABLE: u64 = ENTRIES * 4 / SECTOR;
/// Sectors of the descriptor, behind the header: as open-vmdk and qemu-img leave room for it.
const DESCRIPTOR: u64 = 20;

/// The places of the tables, in sectors.
pub(super) struct Tables {
    version: u32,
    flags: u32,
    /// Of the disk: whole grains.
    capacity: u64,
    /// Each has a directory and all tables behind it.
    directories: Vec<u64>,
    /// Where the first grain is.
    overhead: u64,
}

impl Tables {
    /// For compressed grains, which begin in any sector.
    pub(super) fn stream(capacity: u64) -> Self {
        let first = 1 + DESCRIPTOR;
        let overhead = first + Self::size(capacity);
        Tables {
            version: 3,
            flags: NEWLINES | COMPRESSED | MARKERS,
            capacity,
            directories: vec![first],
            overhead,
        }
    }

    /// For grains as they are, which begin at multiples of their size. There are two directories,
    /// the first for use when the second is damaged.
    pub(super) fn twice(capacity: u64) -> Self {
        let first = 1 + DESCRIPTOR;
        let second = first + Self::size(capacity);
        let overhead = (second + Self::size(capacity)).next_multiple_of(GRAIN);
        Tables {
            version: 1,
            flags: NEWLINES | REDUNDANT,
            capacity,
            directories: vec![first, second],
            overhead,
        }
    }

    /// How many tables there are.
    fn count(capacity: u64) -> u64 {
        capacity.div_ceil(GRAIN * ENTRIES)
    }

    /// Sectors of a directory and its tables.
    fn size(capacity: u64) -> u64 {
        let count = Self::count(capacity);
        (count * 4).div_ceil(SECTOR) + count * TABLE
    }

    /// Everything before the grains. `grains` has their numbers, ascending, and their sectors, counted
    /// from the first grain's.
    pub(super) fn layout(&self, descriptor: &[u8], grains: &[(u64, u64)]) -> Layout {
        let count = Self::count(self.capacity);
        let mut tables = Layout::default();
        for grains in grains.chunk_by(|a, b| a.0 / ENTRIES == b.0 / ENTRIES) {
            let mut table = [U32::ZERO; ENTRIES_IN_MEMORY];
            for (grain, at) in grains {
                table[index(grain % ENTRIES)] = number(self.overhead + at);
            }
            tables.pad_to(grains[0].0 / ENTRIES * TABLE * SECTOR);
            tables.push(table.as_bytes().to_vec());
        }
        tables.pad_to(count * TABLE * SECTOR);
        let mut out = Layout::from(self.header().as_bytes().to_vec());
        out.push(descriptor.to_vec());
        out.pad_to((1 + DESCRIPTOR) * SECTOR);
        for directory in &self.directories {
            let first = directory + (count * 4).div_ceil(SECTOR);
            let places: Vec<_> = (0..count).map(|table| number(first + table * TABLE)).collect();
            out.push(places.as_bytes().to_vec());
            out.pad_to(first * SECTOR);
            out.append(tables.clone());
        }
        out.pad_to(self.overhead * SECTOR);
        out
    }

    fn header(&self) -> Header {
        let (rgd_offset, gd_offset) = match self.directories[..] {
            [redundant, first] => (redundant, first),
            _ => (0, self.directories[0]),
        };
        Header {
            magic: *b"KDMV",
            version: U32::new(self.version),
            flags: U32::new(self.flags),
            capacity: U64::new(self.capacity),
            grain_size: U64::new(GRAIN),
            descriptor_offset: U64::new(1),
            descriptor_size: U64::new(DESCRIPTOR),
            num_gtes_per_gt: number(ENTRIES),
            rgd_offset: U64::new(rgd_offset),
            gd_offset: U64::new(gd_offset),
            overhead: U64::new(self.overhead),
            unclean_shutdown: 0,
            line_ends: *b"\n \r\n",
            compress_algorithm: U16::new(if self.flags & COMPRESSED == 0 { 0 } else { DEFLATE }),
            padding: [0; 433],
        }
    }
}

/// How grains are compressed: each begins at a sector.
pub(super) struct Grains;

impl Codec for Grains {
    const HEAD: usize = size_of::<GrainMarker>();
    const MULTIPLE: usize = 512;

    fn name(&self) -> &'static str {
        "vmdk"
    }

    fn pack(&self, grain: &[u8]) -> io::Result<Option<Vec<u8>>> {
        deflate::whole(grain, true, WINDOW)
    }

    fn stored(&self, grain: &[u8]) -> io::Result<Vec<u8>> {
        deflate::stored(grain, true, WINDOW)
    }

    fn head(&self, grain: u64, len: usize) -> io::Result<Vec<u8>> {
        let size = u32::try_from(len).map_err(io::Error::other)?;
        let marker = GrainMarker { lba: U64::new(grain * GRAIN), size: U32::new(size) };
        Ok(marker.as_bytes().to_vec())
    }
}

/// \[VMDK\] "Markers": the marker that ends a stream is all zeros.
pub(super) fn end_of_stream() -> Vec<u8> {
    vec![0; 512]
}

fn number(sector: u64) -> U32 {
    U32::new(u32::try_from(sector).expect("the limit of the disk's size bounds sector numbers"))
}

fn index(n: u64) -> usize {
    usize::try_from(n).expect("less than the entries of a table")
}
