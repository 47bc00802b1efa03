//! VHDX: the disk format of Hyper-V's generation 2, which takes no other. Integers are
//! little-endian.
//!
//! ```text
//! MiB 0            1                2                3
//!     ├─ headers ──┼─ log, empty ───┼─ metadata ─────┼─ block allocation table ─┼─ blocks ─┤
//!     │
//! KiB 0                 64         128        192             256             320
//!     ├─ FileIdentifier ─┼─ Header ──┼─ Header ──┼─ RegionTable ─┼─ RegionTable ─┼─ zeros ─┤
//! ```
//!
//! All of these, and each block, begin at whole MiB (makevhdx#5: Hyper-V needs it). There is
//! nothing in the log, so that nothing is to be replayed before the disk is read.
//!
//! ```
//! use mkimage_formats::gpt::Guid;
//! use mkimage_formats::{Layout, SectorSize, emit, vhdx};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let out = dir.path().join("disk");
//! let mut disk = Layout::from(vec![1; 512]);
//! disk.pad_to(64 << 20);
//! let options = vhdx::Options { id: Guid::derived(b"seed", "vhdx"), sector_size: SectorSize::B512 };
//! emit::emit(&vhdx::layout(&disk, &options)?, &out)?;
//! # assert!(std::fs::read(&out)?.starts_with(b"vhdxfile"));
//! # Ok(())
//! # }
//! ```
//!
//! \[MS-VHDX\] Microsoft, *Virtual Hard Disk v2 (VHDX) File Format*, revision 5.0 (2018).
//!
//! Hyper-V refuses a file that NTFS holds as sparse or compressed (0xC03A001A): copy it there as a
//! plain file. Azure takes no VHDX at all.

mod structs;

use crate::gpt::Guid;
use crate::layout::Layout;
use crate::sector::SectorSize;
use structs::{FULLY_PRESENT, FileIdentifier, Header, Metadata, RegionTable, SECTORS_PER_CHUNK, ZERO};
use zerocopy::IntoBytes;

/// What the places of regions and blocks are multiples of, bytes.
const MIB: u64 = 1 << 20;
/// \[MS-VHDX\] §2.2 "Header Section": where the parts are, bytes.
const HEADERS: [u64; 2] = [64 << 10, 128 << 10];
const REGION_TABLES: [u64; 2] = [192 << 10, 256 << 10];
const LOG: u64 = MIB;
const METADATA: u64 = 2 * MIB;
const TABLE: u64 = 3 * MIB;

/// The longest disk, bytes: \[MS-VHDX\] §2.6.2.2 "Virtual Disk Size".
pub const MAX: u64 = 64 << 40;

/// We choose so many blocks at most, for a table of 4 MiB. They have 1 MiB up to a disk of
/// 512 GiB: Microsoft advises it for Linux, whose file systems write here and there.
const MAX_BLOCKS: u64 = 1 << 19;

/// What the bytes of the disk do not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The "Page 83 Data", by which a guest knows the disk, and the first identifiers of the
    /// file's and the disk's content. Two disks of one machine need different ones.
    pub id: Guid,
    /// The disk's logical sectors; the physical ones are of 4,096 bytes, as Windows makes them.
    pub sector_size: SectorSize,
}

/// The disk without its holes: blocks in which nothing else is take no space.
///
/// # Errors
/// The disk is no whole number of sectors, or longer than [`MAX`].
pub fn layout(disk: &Layout, options: &Options) -> Result<Layout, Error> {
    let (size, sector) = (disk.len(), options.sector_size.bytes());
    if size == 0 || size > MAX || !size.is_multiple_of(sector) {
        return Err(Error::Size { size, sector });
    }
    let block = size.div_ceil(MAX_BLOCKS).max(MIB).next_power_of_two();
    let chunk = SECTORS_PER_CHUNK * sector / block;
    let blocks = size.div_ceil(block);
    let entries = blocks + (blocks - 1) / chunk;
    let table_len = (entries * 8).next_multiple_of(MIB);
    let (table, data) = blocks_of(disk, block, chunk, TABLE + table_len);

    let mut out = Layout::from(FileIdentifier::new().as_bytes().to_vec());
    for (sequence, at) in (0..).zip(HEADERS) {
        out.pad_to(at);
        out.push(Header::new(sequence, options.id, LOG..METADATA).as_bytes().to_vec());
    }
    let regions = RegionTable::new(METADATA..TABLE, TABLE..TABLE + table_len);
    for at in REGION_TABLES {
        out.pad_to(at);
        out.push(regions.as_bytes().to_vec());
    }
    out.pad_to(METADATA);
    out.push(Metadata::new(size, block, options).as_bytes().to_vec());
    out.pad_to(TABLE);
    out.push(table);
    out.pad_to(TABLE + table_len);
    out.append(data);
    Ok(out)
}

/// The block allocation table, and the blocks that are there, of which the first is at byte `at`.
/// After each `chunk` of blocks comes an entry for their sector bitmap, which only a differencing
/// disk has.
fn blocks_of(disk: &Layout, block: u64, chunk: u64, at: u64) -> (Vec<u8>, Layout) {
    let (mut table, mut data) = (Vec::new(), Layout::default());
    for (n, mut content) in (0..).zip(disk.chunks(block)) {
        if n > 0 && n % chunk == 0 {
            table.extend([0; 8]);
        }
        if content.is_hole() {
            table.extend(ZERO.to_le_bytes());
            continue;
        }
        // The place in MiB from bit 20 up is the place in bytes: all are at whole MiB.
        table.extend(((at + data.len()) | FULLY_PRESENT).to_le_bytes());
        content.pad_to(block);
        data.append(content);
    }
    (table, data)
}

/// Why a disk cannot be a VHDX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not whole sectors, or out of range.
    #[error("the disk has {size} bytes; a VHDX holds whole sectors of {sector} bytes, up to 64 TiB")]
    Size {
        /// Bytes.
        size: u64,
        /// Bytes of a sector.
        sector: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(sector_size: SectorSize) -> Options {
        Options { id: Guid([7; 16]), sector_size }
    }

    #[test]
    fn a_disk_that_does_not_fit_is_told_why() {
        for (size, sector_size) in [
            (0, SectorSize::B512),
            (513, SectorSize::B512),
            (MIB + 512, SectorSize::B4096),
            (MAX + 4096, SectorSize::B4096),
        ] {
            let error = layout(&Layout::hole(size), &options(sector_size)).unwrap_err();
            assert_eq!(error, Error::Size { size, sector: sector_size.bytes() });
        }
        assert_eq!(
            Error::Size { size: 513, sector: 512 }.to_string(),
            "the disk has 513 bytes; a VHDX holds whole sectors of 512 bytes, up to 64 TiB"
        );
    }

    #[test]
    fn the_table_of_the_largest_disk_takes_5_mib() {
        // 2^19 blocks of 128 MiB; a chunk has 32 of 512-byte sectors, and 256 of the others.
        let out = layout(&Layout::hole(MAX), &options(SectorSize::B512)).unwrap();
        assert_eq!(out.len(), TABLE + 5 * MIB);
        let small = layout(&Layout::hole(512 << 30), &options(SectorSize::B512)).unwrap();
        assert_eq!(small.len(), TABLE + 5 * MIB);
    }
}
