//! VHD: the disk format of Hyper-V's generation 1 and of Azure. Integers are big-endian.
//!
//! ```text
//! fixed:    0                  size       size + 512
//!           ├────── disk ────────┼── Footer ──┤
//!
//! dynamic:  0      512                1536
//!           ├─Footer─┼─ DynamicHeader ──┼─ block allocation table ─┼─ blocks ─┼─ Footer ─┤
//!                                                                  │          │
//!           a block: ├─ sector bitmap, 512 ─┼──── 2 MiB of the disk ────┤
//! ```
//!
//! ```
//! use mkimage_formats::gpt::Guid;
//! use mkimage_formats::{Layout, emit, vhd};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let out = dir.path().join("disk");
//! let mut disk = Layout::from(vec![1; 512]);
//! disk.pad_to(64 << 20);
//! let options = vhd::Options { id: Guid::derived(b"seed", "vhd"), epoch: Default::default() };
//! assert!(vhd::dynamic(&disk, &options)?.len() < 3 << 20);
//! emit::emit(&vhd::fixed(disk, &options)?, &out)?;
//! # assert_eq!(std::fs::metadata(&out)?.len(), (64 << 20) + 512);
//! # Ok(())
//! # }
//! ```
//!
//! \[VHD\] Microsoft, *Virtual Hard Disk Image Format Specification* 1.0 (2006).
//!
//! Azure takes fixed VHDs alone, of whole MiB and no less than [`AZURE_MIN`].

mod structs;

use crate::gpt::Guid;
use crate::layout::Layout;
use crate::tree::Time;
use bytes::Bytes;
use structs::{BLOCK, DYNAMIC, DynamicHeader, FIXED, Footer, NONE, UNUSED};
use zerocopy::IntoBytes;

/// What a disk's length must be a multiple of, bytes: Azure's rule, which we keep for all, since
/// a disk that grew would no longer have its backup partition table at its end.
pub const UNIT: u64 = 1 << 20;

/// The longest disk, bytes: QEMU refuses more (block/vpc.c, `VHD_MAX_SECTORS`).
pub const MAX: u64 = 2040 << 30;

/// The shortest disk that Azure takes, bytes.
pub const AZURE_MIN: u64 = 20 << 20;

/// What the bytes of the disk do not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The disk's "Unique ID". Two disks of one machine need different ones.
    pub id: Guid,
    /// The "Time Stamp" of creation; the format knows whole seconds from 2000 to 2136.
    pub epoch: Time,
}

/// The disk as it is, and a footer.
///
/// # Errors
/// The disk is no whole number of [`UNIT`]s, or longer than [`MAX`].
pub fn fixed(mut disk: Layout, options: &Options) -> Result<Layout, Error> {
    let footer = Footer::new(checked(&disk)?, options, FIXED, NONE);
    disk.push(footer.as_bytes().to_vec());
    Ok(disk)
}

/// The disk without its holes: blocks of 2 MiB in which nothing else is take no space.
///
/// # Errors
/// As [`fixed`].
pub fn dynamic(disk: &Layout, options: &Options) -> Result<Layout, Error> {
    let size = checked(disk)?;
    let footer = Footer::new(size, options, DYNAMIC, size_of::<Footer>() as u64);
    let footer = Bytes::copy_from_slice(footer.as_bytes());
    let at = (size_of::<Footer>() + size_of::<DynamicHeader>()) as u64;
    let count = size.div_ceil(BLOCK);
    // Sectors of 512 bytes; what the table's last sector has beyond `count` is unused too.
    let sector = |bytes: u64| u32::try_from(bytes / 512).expect("2040 GiB and a table");
    let table_len = (count * 4).next_multiple_of(512);
    // Every sector of a block that is there counts as written, so that no reader looks elsewhere.
    let bitmap = Bytes::from_static(&[0xff; 512]);
    let (mut table, mut blocks) = (Vec::new(), Layout::default());
    for mut block in disk.chunks(BLOCK) {
        if block.is_hole() {
            table.extend(UNUSED.to_be_bytes());
            continue;
        }
        table.extend(sector(at + table_len + blocks.len()).to_be_bytes());
        block.pad_to(BLOCK);
        blocks.push(bitmap.clone());
        blocks.append(block);
    }
    while table.len() as u64 != table_len {
        table.extend(UNUSED.to_be_bytes());
    }
    let mut out = Layout::from(footer.clone());
    out.push(DynamicHeader::new(at, sector(count * 512)).as_bytes().to_vec());
    out.push(table);
    out.append(blocks);
    out.push(footer);
    Ok(out)
}

/// The disk's length, bytes.
fn checked(disk: &Layout) -> Result<u64, Error> {
    match disk.len() {
        size if size == 0 || size > MAX || !size.is_multiple_of(UNIT) => Err(Error::Size { size }),
        size => Ok(size),
    }
}

/// Why a disk cannot be a VHD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not whole MiB, or out of range.
    #[error("the disk has {size} bytes; a VHD holds whole MiB, from 1 to 2088960 of them")]
    Size {
        /// Bytes.
        size: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Options = Options { id: Guid([7; 16]), epoch: Time::from_unix(0) };

    #[test]
    fn a_disk_that_does_not_fit_is_told_why() {
        for size in [0, 512, UNIT - 1, UNIT + 512, MAX + UNIT] {
            let disk = Layout::hole(size);
            assert_eq!(dynamic(&disk, &OPTIONS), Err(Error::Size { size }));
            assert_eq!(fixed(disk, &OPTIONS), Err(Error::Size { size }));
        }
        assert_eq!(
            Error::Size { size: 512 }.to_string(),
            "the disk has 512 bytes; a VHD holds whole MiB, from 1 to 2088960 of them"
        );
    }

    #[test]
    fn the_largest_disk_has_a_table_of_4_mib() {
        let disk = Layout::hole(MAX);
        assert_eq!(dynamic(&disk, &OPTIONS).unwrap().len(), 1536 + (4 * (MAX >> 21)) + 512);
        assert_eq!(fixed(disk, &OPTIONS).unwrap().len(), MAX + 512);
    }
}
