//! The listing of a folder: runs of entries, in byte order.
//!
//! ```text
//! ├ Header ┼ Dirent ┼ name ┼ Dirent ┼ name ┼ ... ┼ Header ┼ ...
//!          └──── 1 to 256 of them ─────────────┘
//! ```
//!
//! The inodes of a run are in one metadata block, and their numbers are near to each other's. We
//! end a run where the listing's metadata block ends, too, so that the index leads to each block.

use super::error::Error;
use super::metadata::{Metadata, Reference};
use super::structs::{Dirent, Header, Index, METADATA};
use crate::tree::TreePath;
use zerocopy::IntoBytes;
use zerocopy::little_endian::{I16, U16, U32};

/// `SQUASHFS_DIR_COUNT`: entries of a run.
const MAX_RUN: u32 = 256;

/// A name, and what it leads to.
#[derive(Clone, Copy)]
pub(super) struct Entry<'t> {
    pub(super) name: &'t [u8],
    /// The inode's type, never an extended one.
    pub(super) kind: u16,
    pub(super) number: u32,
    pub(super) at: Reference,
}

/// Where a listing is.
pub(super) struct Listing {
    pub(super) at: Reference,
    /// Bytes.
    pub(super) len: u32,
    /// Of all metadata blocks but the first.
    pub(super) index: Vec<u8>,
    pub(super) index_count: u16,
}

/// Entries that have a header together.
struct Run<'t> {
    first: Entry<'t>,
    count: u32,
    bytes: Vec<u8>,
}

impl<'t> Run<'t> {
    fn new(first: Entry<'t>) -> Self {
        Run { first, count: 0, bytes: Vec::new() }
    }

    /// Adds `entry`, if it may be in this run, which begins at `offset` of a metadata block.
    fn add(&mut self, entry: &Entry, offset: u16) -> bool {
        let delta = i64::from(entry.number) - i64::from(self.first.number);
        let Ok(delta) = i16::try_from(delta) else { return false };
        let end = usize::from(offset) + size_of::<Header>() + self.bytes.len();
        let full = self.count == MAX_RUN || entry.at.block != self.first.at.block || end >= METADATA;
        if full && self.count > 0 {
            return false;
        }
        let size = u16::try_from(entry.name.len() - 1).expect("names were checked");
        let dirent = Dirent {
            offset: U16::new(entry.at.offset),
            number: I16::new(delta),
            kind: U16::new(entry.kind),
            size: U16::new(size),
        };
        self.bytes.extend(dirent.as_bytes());
        self.bytes.extend(entry.name);
        self.count += 1;
        true
    }
}

/// Adds the listing of the folder at `path` to `out`.
pub(super) fn write<'t>(
    path: &TreePath,
    entries: impl Iterator<Item = Entry<'t>>,
    out: &mut Metadata,
) -> Result<Listing, Error> {
    let mut listing = Listing { at: out.position()?, len: 0, index: Vec::new(), index_count: 0 };
    let mut block = out.complete();
    let mut run: Option<Run> = None;
    let mut end = |run: Run, out: &mut Metadata| {
        let at = out.position()?;
        if std::mem::replace(&mut block, out.complete()) != block && listing.index_count < u16::MAX {
            let name = run.first.name;
            let size = u32::try_from(name.len() - 1).expect("names were checked");
            let index =
                Index { index: U32::new(listing.len), block: U32::new(at.block), size: U32::new(size) };
            listing.index.extend(index.as_bytes());
            listing.index.extend(name);
            listing.index_count += 1;
        }
        let Entry { number, at, .. } = run.first;
        let (count, block) = (U32::new(run.count - 1), U32::new(at.block));
        let header = Header { count, block, number: U32::new(number) };
        out.write(header.as_bytes())?;
        out.write(&run.bytes)?;
        let len = u64::from(listing.len) + (size_of::<Header>() + run.bytes.len()) as u64;
        // Readers count three bytes more, for `.` and `..`.
        listing.len = match u32::try_from(len) {
            Ok(len) if len <= u32::MAX - 3 => len,
            _ => return Err(Error::Folder { path: path.clone(), len }),
        };
        Ok(())
    };
    for entry in entries {
        let offset = out.position()?.offset;
        if run.as_mut().is_some_and(|run| run.add(&entry, offset)) {
            continue;
        }
        let mut next = Run::new(entry);
        next.add(&entry, 0);
        if let Some(full) = run.replace(next) {
            end(full, out)?;
        }
    }
    if let Some(last) = run {
        end(last, out)?;
    }
    Ok(listing)
}
