//! What has been compressed already.
//!
//! ```text
//! disk     ├ FAT ┼──── initrd ────┼ kernel ┤      another  ├ FAT, loader ┼──── initrd ────┼ kernel ┤
//! units     read   read             read                   read           taken from the first spool
//! ```

use super::Unit;
use crate::layout::{Content, Layout, Slice};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Units that are parts of files, and where they are compressed: disks that hold one payload at
/// places that differ by whole units share them.
#[derive(Clone, Debug, Default)]
pub struct Memo(Arc<Mutex<HashMap<(&'static str, Slice), Slice>>>);

/// What was compressed now.
pub(super) struct New {
    /// Part of a file.
    pub(super) of: Slice,
    /// The unit that it is on the disk.
    pub(super) number: u64,
    /// Bytes before it in the spool that belong to the unit.
    pub(super) skip: u64,
    /// Bytes, compressed.
    pub(super) len: u64,
}

impl Memo {
    /// Where `unit` is compressed, by the codec of this name.
    pub(super) fn get(&self, codec: &'static str, unit: &Layout) -> Option<Slice> {
        let [Content::Slice(of)] = unit.extents() else { return None };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(codec, of.clone())).cloned()
    }

    /// Remembers `news`, which are among `units` in `spool`.
    pub(super) fn add(&self, codec: &'static str, news: Vec<New>, units: &[Unit], spool: &Slice) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for New { of, number, skip, len } in news {
            if let Ok(unit) = units.binary_search_by_key(&number, |unit| unit.number) {
                let at = units[unit].at + skip;
                known.insert((codec, of), Slice { source: spool.source.clone(), at, len });
            }
        }
    }
}
