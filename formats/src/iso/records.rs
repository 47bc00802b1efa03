//! Folders: \[ECMA-119\] §6.8 "Directory", each a run of blocks.
//!
//! ```text
//! ├ . ┼ .. ┼ record ┼ record ┼ 0 ┼ record ┼ 0 ┤ areas of Rock Ridge, in the primary tree ┤
//! │                            ▲ no record crosses the end of a block      no area does
//! └ the length that the folder's own records have ┘
//! ```

use super::names::{Child, Names};
use super::nodes::{Nodes, ROOT};
use super::structs::{
    BLOCK, BLOCK_LEN, Both16, Both32, Continuation, DirectoryRecord, FLAG_DIRECTORY, FLAG_MULTI_EXTENT,
};
use super::system_use::{CONTINUATION, SystemUse};
use super::{View, date};
use crate::tree::{Kind, Meta, Time};
use zerocopy::IntoBytes;

/// Bytes of the longest extent: whole blocks, less than 4 GiB.
const MAX_EXTENT: u64 = u32::MAX as u64 / BLOCK * BLOCK;

// POSIX's types of files.
const S_IFIFO: u32 = 0o010_000;
const S_IFCHR: u32 = 0o020_000;
const S_IFDIR: u32 = 0o040_000;
const S_IFBLK: u32 = 0o060_000;
const S_IFREG: u32 = 0o100_000;
const S_IFLNK: u32 = 0o120_000;

/// A run of blocks.
#[derive(Clone, Copy, Default)]
pub(super) struct Extent {
    /// The first one's number.
    pub(super) block: u32,
    /// Bytes.
    pub(super) len: u32,
}

/// Where everything is: zeros until it is known.
pub(super) struct Places {
    /// Of each folder in each tree.
    pub(super) folders: [Vec<Extent>; 2],
    /// The first block of each file's content, by the number of its first name.
    pub(super) files: Vec<u32>,
}

impl Places {
    pub(super) fn unknown(nodes: &Nodes) -> Self {
        let folders = vec![Extent::default(); nodes.folders.len()];
        Places { folders: [folders.clone(), folders], files: vec![0; nodes.files.len()] }
    }

    pub(super) fn folder(&self, folder: usize, view: View) -> Extent {
        self.folders[view.index()][folder]
    }
}

/// What a record says beside its names.
struct Head {
    extent: Extent,
    flags: u8,
    time: Time,
}

impl Head {
    fn record(&self, len: usize, identifier: usize) -> DirectoryRecord {
        let byte = |n: usize| u8::try_from(n).expect("a record has up to 254 bytes");
        DirectoryRecord {
            len: byte(len),
            attributes: 0,
            extent: Both32::new(self.extent.block),
            data_len: Both32::new(self.extent.len),
            time: date::bytes(self.time),
            flags: self.flags,
            unit: 0,
            gap: 0,
            sequence: Both16::new(1),
            identifier_len: byte(identifier),
        }
    }
}

/// The root's record in a volume descriptor, up to the identifier, a zero.
pub(super) fn root(extent: Extent, meta: &Meta) -> DirectoryRecord {
    Head { extent, flags: FLAG_DIRECTORY, time: meta.mtime }.record(DirectoryRecord::system_use_at(1), 1)
}

/// Writes the folders of one tree.
pub(super) struct Records<'p, 't> {
    pub(super) nodes: &'p Nodes<'t>,
    pub(super) names: &'p Names,
    pub(super) places: &'p Places,
    pub(super) view: View,
}

impl Records<'_, '_> {
    /// Adds `folder` to `out`, which ends where a block does, and gives the bytes of its records.
    /// They are as many wherever everything is.
    pub(super) fn write(&self, folder: usize, out: &mut Vec<u8>) -> usize {
        let mut writer = Writer { out, areas: Vec::new(), areas_at: self.areas_at(folder) };
        let start = writer.out.len();
        let mut entries = SystemUse::default();
        self.dot(&mut writer, &mut entries, folder);
        self.dot_dot(&mut writer, &mut entries, folder);
        for (child, identifier) in self.names.in_folder(folder) {
            entries.clear();
            match child {
                Child::Folder(below) | Child::Moved(below) => {
                    let moved = matches!(child, Child::Moved(_));
                    if self.view == View::Primary {
                        self.folder(&mut entries, below, moved);
                    }
                    // Who knows no Rock Ridge is not to follow what has moved.
                    let flags = if moved { 0 } else { FLAG_DIRECTORY };
                    writer.put(identifier, &entries, &self.head(below, flags));
                }
                Child::File(name) => {
                    if self.view == View::Primary {
                        self.file(&mut entries, name);
                    }
                    let time = self.nodes.files[name].node.meta.mtime;
                    for (extent, flags) in self.extents(name) {
                        writer.put(identifier, &entries, &Head { extent, flags, time });
                    }
                }
            }
        }
        writer.finish(start)
    }

    fn head(&self, folder: usize, flags: u8) -> Head {
        let time = self.nodes.folders[folder].meta.mtime;
        Head { extent: self.places.folder(folder, self.view), flags, time }
    }

    fn areas_at(&self, folder: usize) -> u64 {
        let Extent { block, len } = self.places.folder(folder, self.view);
        u64::from(block) * BLOCK + u64::from(len)
    }

    fn posix(&self, entries: &mut SystemUse, folder: usize) {
        let inside = &self.nodes.folders[folder];
        entries.posix(S_IFDIR, inside.meta, inside.links(), inside.serial);
    }

    fn dot(&self, writer: &mut Writer, entries: &mut SystemUse, folder: usize) {
        if self.view == View::Primary {
            if folder == ROOT {
                entries.sharing();
            }
            self.posix(entries, folder);
            entries.current();
            if folder == ROOT {
                entries.extensions();
            }
        }
        writer.put(&[0], entries, &self.head(folder, FLAG_DIRECTORY));
        entries.clear();
    }

    fn dot_dot(&self, writer: &mut Writer, entries: &mut SystemUse, folder: usize) {
        let above = self.nodes.parent(folder, self.view);
        if self.view == View::Primary {
            self.posix(entries, above);
            entries.parent();
            let inside = &self.nodes.folders[folder];
            if inside.moved.is_some() {
                entries.moved_from(self.places.folder(inside.parent, self.view).block);
            }
        }
        writer.put(&[1], entries, &self.head(above, FLAG_DIRECTORY));
        entries.clear();
    }

    fn folder(&self, entries: &mut SystemUse, folder: usize, moved: bool) {
        let inside = &self.nodes.folders[folder];
        self.posix(entries, folder);
        entries.name(inside.name);
        if moved {
            entries.moved_to(self.places.folder(folder, self.view).block);
        } else if inside.moved.is_some() {
            entries.moved();
        }
    }

    fn file(&self, entries: &mut SystemUse, name: usize) {
        let file = &self.nodes.files[name];
        let first = &self.nodes.files[file.first];
        let kind = match &file.node.kind {
            Kind::Symlink(_) => S_IFLNK,
            Kind::Char { .. } => S_IFCHR,
            Kind::Block { .. } => S_IFBLK,
            Kind::Fifo => S_IFIFO,
            Kind::File(_) | Kind::Dir | Kind::HardLink(_) => S_IFREG,
        };
        entries.posix(kind, &file.node.meta, first.links, first.serial);
        entries.name(file.path.name());
        match &file.node.kind {
            Kind::Symlink(target) => entries.link(target),
            Kind::Char { major, minor } | Kind::Block { major, minor } => entries.device(*major, *minor),
            _ => {}
        }
    }

    /// The extents of a file, of which there is one even if it has no content, with their flags.
    fn extents(&self, name: usize) -> impl Iterator<Item = (Extent, u8)> {
        let file = &self.nodes.files[name];
        let first = u64::from(self.places.files[file.first]);
        let len = file.content().map_or(0, |content| content.len());
        (0..len.div_ceil(MAX_EXTENT).max(1)).map(move |n| {
            let at = n * MAX_EXTENT;
            let number = |n| u32::try_from(n).expect("within the volume");
            let extent =
                Extent { block: number(first + at / BLOCK), len: number((len - at).min(MAX_EXTENT)) };
            (extent, if len - at > MAX_EXTENT { FLAG_MULTI_EXTENT } else { 0 })
        })
    }
}

/// A folder as it grows.
struct Writer<'o> {
    out: &'o mut Vec<u8>,
    areas: Vec<u8>,
    /// Where the areas begin, bytes of the volume.
    areas_at: u64,
}

impl Writer<'_> {
    fn put(&mut self, identifier: &[u8], entries: &SystemUse, head: &Head) {
        let parts = entries.parts(identifier.len());
        let more = if parts.len() > 1 { CONTINUATION } else { 0 };
        let len =
            (DirectoryRecord::system_use_at(identifier.len()) + parts[0].len() + more).next_multiple_of(2);
        let start = whole(self.out.len(), len);
        self.out.resize(start, 0);
        self.out.extend(head.record(len, identifier.len()).as_bytes());
        self.out.extend(identifier);
        self.out.resize(start + DirectoryRecord::system_use_at(identifier.len()), 0);
        self.out.extend(parts[0]);
        if more > 0 {
            self.put_areas(&parts[1..]);
        }
        self.out.resize(start + len, 0);
    }

    /// Adds areas, and to what is before each where it is.
    fn put_areas(&mut self, parts: &[&[u8]]) {
        for (n, part) in parts.iter().enumerate() {
            let more = if n + 1 < parts.len() { CONTINUATION } else { 0 };
            let len = part.len() + more;
            let before = if n == 0 { 0 } else { CONTINUATION };
            let start = whole(self.areas.len() + before, len);
            let at = self.areas_at + start as u64;
            let number = |n: u64| Both32::new(u32::try_from(n).expect("within the volume"));
            let to = Continuation {
                block: number(at / BLOCK),
                offset: number(at % BLOCK),
                len: number(len as u64),
            };
            let end = if n == 0 { &mut *self.out } else { &mut self.areas };
            end.extend(SystemUse::continuation(to));
            self.areas.resize(start, 0);
            self.areas.extend(*part);
        }
    }

    /// Gives the bytes of all records, the first of which is at `start`.
    fn finish(self, start: usize) -> usize {
        fill_block(self.out);
        let len = self.out.len() - start;
        self.out.extend(self.areas);
        fill_block(self.out);
        len
    }
}

/// The first offset from `at` on from which `len` bytes do not cross the end of a block.
fn whole(at: usize, len: usize) -> usize {
    if at % BLOCK_LEN + len > BLOCK_LEN { at.next_multiple_of(BLOCK_LEN) } else { at }
}

/// Fills with zeros to the end of a block.
fn fill_block(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(BLOCK_LEN), 0);
}
