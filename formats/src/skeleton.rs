//! File systems without their files: the structures, and each file's place.
//!
//! ```text
//! ├ structures ┼─ place of a ─┼─ place of b ─┼ structures ┼ ─ ─ ┤
//! ```
//!
//! A library that writes structures gets [`blank`] files of the right lengths and a [`Record`] to
//! write on; own writers give theirs with their places. [`Skeleton::fill`] puts them and the real
//! contents together.

pub(crate) mod blank;

use crate::layout::Layout;
use crate::record::Record;
use crate::tree::TreePath;
use std::collections::BTreeMap;

/// Where a file's content is: one run of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Offset of the first byte, from the start of the file system.
    pub at: u64,
    /// Bytes.
    pub len: u64,
}

/// A file system's structures and the places of its files.
#[derive(Debug)]
pub(crate) struct Skeleton {
    /// The whole, with the structures that libraries write.
    pub(crate) record: Record,
    /// Other structures, and the offset of each.
    pub(crate) structures: Vec<(u64, Layout)>,
    /// The files that have content. Empty files are nowhere.
    pub(crate) places: BTreeMap<TreePath, Place>,
}

impl Skeleton {
    /// The file system with `content(path)` in the place of each file.
    ///
    /// # Errors
    /// Those of `content`, which also sees to it that the length is the place's.
    pub(crate) fn fill<'l, E>(
        self,
        content: impl Fn(&TreePath, Place) -> Result<&'l Layout, E>,
    ) -> Result<Layout, E> {
        let files = self.places.iter().map(|(path, place)| Ok((place.at, content(path, *place)?)));
        let mut contents = files.collect::<Result<Vec<_>, E>>()?;
        contents.extend(self.structures.iter().map(|(at, layout)| (*at, layout)));
        contents.sort_by_key(|(at, _)| *at);
        Ok(self.record.fill(&contents))
    }
}
