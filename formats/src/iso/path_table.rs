//! Path tables: \[ECMA-119\] §6.9, the folders of a tree for who looks for one by its path.
//!
//! ```text
//! len attributes block parent identifier [0]     once for each folder, level by level
//! └1┘ └── 1 ───┘ └─ 4 ┘ └─ 2 ┘
//! ```
//!
//! A folder's number is its place in the table; the root has 1, and is its own parent. There is a
//! table for each byte order.

use super::View;
use super::names::{Child, Names};
use super::nodes::ROOT;
use super::records::Places;
use std::collections::VecDeque;

/// The tables of one tree.
#[derive(Default)]
pub(super) struct PathTable {
    /// "Type L": the least significant byte first.
    pub(super) little: Vec<u8>,
    /// "Type M": the most significant byte first.
    pub(super) big: Vec<u8>,
}

impl PathTable {
    pub(super) fn new(names: &Names, places: &Places, view: View) -> Self {
        let mut table = PathTable::default();
        table.push(&[0], places.folder(ROOT, view).block, 1);
        let mut folders = VecDeque::from([ROOT]);
        for parent in 1..=u16::MAX {
            let Some(folder) = folders.pop_front() else { break };
            for (child, identifier) in names.in_folder(folder) {
                if let Child::Folder(below) = child {
                    table.push(identifier, places.folder(below, view).block, parent);
                    folders.push_back(below);
                }
            }
        }
        table
    }

    fn push(&mut self, identifier: &[u8], block: u32, parent: u16) {
        let len = u8::try_from(identifier.len()).expect("an identifier has up to 128 bytes");
        self.little.extend([len, 0]);
        self.little.extend(block.to_le_bytes());
        self.little.extend(parent.to_le_bytes());
        self.big.extend([len, 0]);
        self.big.extend(block.to_be_bytes());
        self.big.extend(parent.to_be_bytes());
        for table in [&mut self.little, &mut self.big] {
            table.extend(identifier);
            table.resize(table.len().next_multiple_of(2), 0);
        }
    }
}
