//! A [`Tree`] as hadris takes it, and how much it needs.

use super::error::refused;
use super::geometry::Demand;
use super::{Error, Options};
use crate::layout::Layout;
use crate::skeleton::blank::Blanks;
use crate::tree::{Kind, Node, Time, Tree, TreePath};
use hadris_fs::{Attributes, DateTime, SetAttr};
use std::collections::BTreeMap;

/// \[FAT\] "Name Limits and Character Sets": UTF-16 units of a name.
const MAX_NAME: usize = 255;
/// \[FAT\] "FAT Long Directory Entries": units in each of a name's entries.
const UNITS: usize = 13;
/// \[FAT\] "Name Limits and Character Sets": what no name has, beside controls.
const FORBIDDEN: &str = "\"*/:<>?\\|";
/// \[FAT\] "FAT Directory Structure": a file's length has 32 bits. fsck.vfat 4.2 counts the bytes of its
/// clusters in 32 bits, too, and therefore takes a file whose last cluster ends at 4 GiB for one
/// without clusters.
const MAX_FILE: u64 = 0xffff_ffff;
/// \[FAT\] "FAT Directory Structure": a folder has up to 2 MiB.
pub(super) const MAX_ENTRIES: usize = 65_536;
/// \[FAT\] "FAT Directory Structure", on dates and times: 1980-01-01T00:00:00 to
/// 2107-12-31T23:59:58. Times beyond are the first or the last.
const TIMES: std::ops::RangeInclusive<i64> = 315_532_800..=4_354_819_198;

/// `time` to the second, in UTC: what is called local time is nowhere's.
pub(super) fn date_time(time: Time) -> DateTime {
    let seconds = time.seconds.clamp(*TIMES.start(), *TIMES.end());
    DateTime::from_unix_seconds(seconds).expect("hadris counts from year -32768 to 32767")
}

/// The content of the file at `path`, or of the one that it is another name of.
pub(super) fn content<'t>(tree: &'t Tree, path: &TreePath) -> Option<&'t Layout> {
    match &tree.get(path)?.kind {
        Kind::File(content) => Some(content),
        Kind::HardLink(first) => content(tree, first),
        _ => None,
    }
}

/// What a folder has so far.
#[derive(Default)]
struct Folder {
    entries: u64,
    /// Names in upper case, to the paths they are of.
    names: BTreeMap<Vec<u16>, TreePath>,
}

/// The tree with blank files, and what it needs.
pub(super) fn tree(tree: &Tree, options: &Options) -> Result<(hadris_fs::Tree, Demand), Error> {
    let blanks = Blanks::new();
    let (mut out, mut demand) = (hadris_fs::Tree::new(), Demand::default());
    let mut folders = BTreeMap::from([(TreePath::root(), Folder::default())]);
    for (path, node) in tree.iter().filter(|(path, _)| !path.is_root()) {
        let units = name(path)?;
        let parent = path.parent().unwrap_or_else(TreePath::root);
        let folder = folders.get_mut(&parent).expect("a tree has a node's folder before it");
        // As if each name were long: the entry of the short one, which all have, and its own.
        folder.entries += 1 + wide(units.len().div_ceil(UNITS));
        let upper = units.into_iter().map(hadris_fat_raw::fold_unicode).collect();
        if let Some(other) = folder.names.insert(upper, path.clone()) {
            return Err(Error::SameName { path: path.clone(), other });
        }
        let (theirs, attributes) = if node.is_dir() {
            folders.insert(path.clone(), Folder::default());
            (hadris_fs::Node::dir(), Attributes::NONE)
        } else {
            let content = content(tree, path)
                .ok_or_else(|| Error::Kind { path: path.clone(), kind: kind(tree, node) })?;
            if content.len() > MAX_FILE {
                return Err(Error::File { path: path.clone(), len: content.len(), limit: MAX_FILE });
            }
            demand.files.push(content.len());
            // All but the root.
            demand.folders_before.push(wide(folders.len()) - 1);
            let read_only = if options.read_only { Attributes::READ_ONLY } else { Attributes::NONE };
            let blank = blanks.content(content.len()).map_err(refused)?;
            (hadris_fs::Node::file(blank), Attributes::ARCHIVE | read_only)
        };
        let modified = date_time(node.meta.mtime);
        let attrs = SetAttr::new()
            .with_attributes(attributes)
            .with_created(modified)
            .with_modified(modified)
            .with_accessed(modified);
        out.insert(path.as_bytes(), theirs.with_attrs(attrs)).map_err(refused)?;
    }
    for (path, folder) in folders {
        // The label, or the two dots.
        let entries = folder.entries + 2;
        if entries > wide(MAX_ENTRIES) {
            return Err(Error::Folder { path, entries, limit: wide(MAX_ENTRIES) });
        }
        if path.is_root() {
            demand.root = entries;
        } else {
            demand.folders.push(entries);
        }
    }
    Ok((out, demand))
}

/// The UTF-16 units of a path's last component, if a folder can have them.
fn name(path: &TreePath) -> Result<Vec<u16>, Error> {
    let name =
        std::str::from_utf8(path.name()).map_err(|source| Error::NotText { path: path.clone(), source })?;
    let units: Vec<u16> = name.encode_utf16().collect();
    if units.len() > MAX_NAME {
        return Err(Error::Name { path: path.clone(), len: units.len(), limit: MAX_NAME });
    }
    let last = name.chars().next_back().filter(|c| matches!(c, '.' | ' '));
    if let Some(character) = name.chars().find(|&c| c < ' ' || FORBIDDEN.contains(c)) {
        return Err(Error::Character { path: path.clone(), character });
    }
    match last {
        Some(character) => Err(Error::NameEnd { path: path.clone(), character }),
        None => Ok(units),
    }
}

/// What a node is that FAT has no place for.
fn kind(tree: &Tree, node: &Node) -> &'static str {
    match &node.kind {
        Kind::Dir => "folder",
        Kind::File(_) => "file",
        Kind::Symlink(_) => "symbolic link",
        Kind::Char { .. } => "character device",
        Kind::Block { .. } => "block device",
        Kind::Fifo => "named pipe",
        Kind::HardLink(first) => tree.get(first).map_or("hard link", |node| kind(tree, node)),
    }
}

fn wide(n: usize) -> u64 {
    n as u64
}
