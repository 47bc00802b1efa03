//! The content of a folder: blocks of entries, in byte order.
//!
//! ```text
//! 0          12                       name_at of the first           4096
//! ├─ Dirent ─┼─ Dirent ─┼─ ... ───────┼─ name ─┼─ name ─┼─ ... ─┼─ 0 ─┤
//! ```

use super::structs::{BLOCK, Dirent};
use std::ops::Range;
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U64};

/// A name in a folder.
#[derive(Clone, Copy)]
pub(super) struct Entry<'t> {
    pub(super) name: &'t [u8],
    /// Which of the inodes it names.
    pub(super) index: usize,
}

/// The folder's own entries with `.` and `..`, as they are on the disk.
pub(super) fn all<'t>(entries: &[Entry<'t>], own: usize, parent: usize) -> Vec<Entry<'t>> {
    let mut all = entries.to_vec();
    all.extend([Entry { name: b".", index: own }, Entry { name: b"..", index: parent }]);
    all.sort_unstable_by_key(|entry| entry.name);
    all
}

/// Which entries each block has, and how many bytes they take.
fn blocks(entries: &[Entry]) -> Vec<(Range<usize>, u64)> {
    let (mut blocks, mut start, mut used) = (Vec::new(), 0, 0);
    for (n, entry) in entries.iter().enumerate() {
        let len = (size_of::<Dirent>() + entry.name.len()) as u64;
        if used + len > BLOCK {
            blocks.push((start..n, used));
            (start, used) = (n, 0);
        }
        used += len;
    }
    blocks.push((start..entries.len(), used));
    blocks
}

/// Bytes of the folder with these entries; the last block ends with its last name.
pub(super) fn len(entries: &[Entry]) -> u64 {
    let blocks = blocks(entries);
    blocks.last().map_or(0, |(_, used)| (blocks.len() as u64 - 1) * BLOCK + used)
}

/// The folder with these entries. `inode` gives the number of an inode, and its kind.
pub(super) fn encode(entries: &[Entry], inode: impl Fn(usize) -> (u64, u8)) -> Vec<u8> {
    let mut out = Vec::<u8>::new();
    for (range, _) in blocks(entries) {
        out.resize(out.len().next_multiple_of(1 << super::structs::BLOCK_BITS), 0);
        let entries = &entries[range];
        let mut name_at = entries.len() * size_of::<Dirent>();
        for entry in entries {
            let (inode, kind) = inode(entry.index);
            let at = u16::try_from(name_at).expect("within a block");
            out.extend(
                Dirent { inode: U64::new(inode), name_at: U16::new(at), kind, reserved: 0 }.as_bytes(),
            );
            name_at += entry.name.len();
        }
        for entry in entries {
            out.extend(entry.name);
        }
    }
    out
}
