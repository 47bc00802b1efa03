//! What has been compressed already for another output of the same run.
//!
//! ```text
//! disk     ├ FAT ┼──── initrd ────┼ kernel ┤      another  ├ FAT, loader ┼──── initrd ────┼ kernel ┤
//! units     read   read             read                   read           taken from the first spool
//! ```

use crate::layout::{Content, Cursor, Layout, Slice};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Units that are parts of files, and where they are compressed: disks that hold one payload at
/// places that differ by whole units share them.
#[derive(Clone, Debug, Default)]
pub struct Memo(Arc<Mutex<HashMap<(&'static str, Slice), Packed>>>);

/// Where a unit is compressed; none if that gained nothing.
type Packed = Option<Slice>;

/// What was compressed now.
pub(super) struct New {
    /// Part of a file.
    pub(super) of: Slice,
    /// Where what was made of it is in all that was packed, bytes.
    pub(super) at: u64,
    /// Its bytes.
    pub(super) len: u64,
}

impl Memo {
    /// Where `unit` is compressed, by the codec of this name.
    pub(super) fn get(&self, codec: &'static str, unit: &Layout) -> Option<Packed> {
        let [Content::Slice(of)] = unit.extents() else { return None };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(codec, of.clone())).cloned()
    }

    /// Remembers `news`, which are in `packed`, ascending.
    pub(super) fn add(&self, codec: &'static str, news: Vec<New>, packed: &Layout) {
        let mut cursor = Cursor::new(packed);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for New { of, at, len } in news {
            match cursor.window(at, len).extents() {
                [] => drop(known.insert((codec, of), None)),
                [Content::Slice(slice)] => drop(known.insert((codec, of), Some(slice.clone()))),
                _ => unreachable!("a unit is in one file"),
            }
        }
    }
}
