//! The volume's size, which is known when hadris is done, and entries of Rock Ridge that
//! hadris-iso 3.0.0-rc.2 does not write as they are read.
//!
//! | Entry | hadris writes | readers want |
//! |---|---|---|
//! | PN | major and minor | the two halves of a 64-bit `dev_t` (libarchive, xorriso, Linux) |
//! | SL | entries that end between components | [`link`] |
//! | PX | no named pipes: a device stands in | the mode of a pipe, and no PN |
//!
//! All lengths stay, so nothing moves.

use super::link;
use super::structs::{Both, Continuation, DeviceNumber, DirectoryRecord, FLAG_DIRECTORY, SystemUse};
use crate::record::Record;
use crate::tree::{Kind, Tree, TreePath};
use std::collections::BTreeSet;
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// Bytes of a logical block.
pub(super) const BLOCK: u64 = 2048;
/// \[ECMA-119\] §8.4: the first volume descriptor's block, and the offsets of the volume's size and
/// of the root's record.
const PRIMARY: u64 = 16;
const VOLUME_SIZE: u64 = 80;
const ROOT_RECORD: u64 = 156;
/// \[ECMA-119\] §8.1.1: types of volume descriptors.
const BOOT: u8 = 0;
const LAST: u8 = 255;
/// POSIX's file type of a named pipe.
const S_IFIFO: u32 = 0o010_000;
/// Bytes before an entry's content.
const HEAD: u64 = 4;

/// A system use entry and the offset of its first byte.
struct Entry {
    head: SystemUse,
    at: u64,
}

impl Entry {
    /// Bytes of content.
    fn len(&self) -> u64 {
        u64::from(self.head.len) - HEAD
    }
}

/// Writes how many blocks the volume has into each descriptor that tells of it.
pub(super) fn set_volume_size(iso: &mut Record, blocks: u32) {
    for at in (PRIMARY * BLOCK..).step_by(to_usize(BLOCK)) {
        match iso.array(at) {
            [LAST] => return,
            [BOOT] => {}
            [_] => iso.put(at + VOLUME_SIZE, Both::new(blocks).as_bytes()),
        }
    }
}

/// What has to be mended, and the folders that it is in.
fn wanted(tree: &Tree) -> BTreeSet<TreePath> {
    let needs = |kind: &Kind| match kind {
        Kind::Char { .. } | Kind::Block { .. } | Kind::Fifo => true,
        Kind::Symlink(target) => link::stand_in(target).is_some(),
        _ => false,
    };
    let mut wanted = BTreeSet::new();
    for (path, _) in tree.iter().filter(|(_, node)| needs(&node.kind)) {
        for name in tree.links(path).chain([path]) {
            let mut next = Some(name.clone());
            while let Some(path) = next {
                next = path.parent();
                if !wanted.insert(path) {
                    break;
                }
            }
        }
    }
    wanted
}

/// Mends the primary tree, whose nodes are those of `tree` and some more.
pub(super) fn mend(iso: &mut Record, tree: &Tree) {
    let wanted = wanted(tree);
    if wanted.is_empty() {
        return;
    }
    let root: [u8; size_of::<DirectoryRecord>()] = iso.array(PRIMARY * BLOCK + ROOT_RECORD);
    let root: DirectoryRecord = zerocopy::transmute!(root);
    let mut folders = vec![(root.extent.get(), TreePath::root())];
    while let Some((block, path)) = folders.pop() {
        folder(iso, tree, block, &path, &mut folders);
        folders.retain(|(_, path)| wanted.contains(path));
    }
}

/// Mends what is in the folder at `block`, and adds the folders in it to `folders`.
fn folder(iso: &mut Record, tree: &Tree, block: u32, path: &TreePath, folders: &mut Vec<(u32, TreePath)>) {
    let base = u64::from(block) * BLOCK;
    // Its first record is its own and tells its length.
    let own: [u8; size_of::<DirectoryRecord>()] = iso.array(base);
    let own: DirectoryRecord = zerocopy::transmute!(own);
    let mut bytes = vec![0; to_usize(own.data_len.get())];
    iso.get(base, &mut bytes);

    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let len = usize::from(rest[0]);
        if len == 0 {
            // Records do not cross blocks.
            at = (at + 1).next_multiple_of(to_usize(BLOCK));
            continue;
        }
        let (record, _) = DirectoryRecord::ref_from_prefix(rest).expect("hadris wrote a whole record");
        let name = usize::from(record.name_len);
        // The identifier is padded to an even offset.
        let used = size_of::<DirectoryRecord>() + (name | 1);
        let dots = name == 1 && rest[size_of::<DirectoryRecord>()] < 2;
        if !dots {
            let entries = entries(iso, base + wide(at + used), wide(len.saturating_sub(used)));
            let find = |signature: &[u8; 2]| entries.iter().find(|e| e.head.signature == *signature);
            let child = path.join(&TreePath::new(name_of(iso, &entries)).expect("a name of the tree"));
            let elsewhere = find(b"CL").map(|cl| both(iso, cl.at + HEAD).get());
            if let Some(block) = elsewhere {
                folders.push((block, child));
            } else if record.flags & FLAG_DIRECTORY == 0 {
                node(iso, tree, &child, &entries);
            } else if find(b"RE").is_none() {
                folders.push((record.extent.get(), child));
            }
        }
        at += len;
    }
}

/// Mends one node.
fn node(iso: &mut Record, tree: &Tree, path: &TreePath, entries: &[Entry]) {
    let own = tree.get(path).map(|node| &node.kind);
    let kind = match own {
        Some(Kind::HardLink(first)) => tree.get(first).map(|node| &node.kind),
        other => other,
    };
    match kind {
        Some(Kind::Char { major, minor } | Kind::Block { major, minor }) => {
            let [high, low] = dev_t(*major, *minor);
            let number = DeviceNumber { high: Both::new(high), low: Both::new(low) };
            for e in entries.iter().filter(|e| e.head.signature == *b"PN") {
                iso.put(e.at + HEAD, number.as_bytes());
            }
        }
        Some(Kind::Fifo) => {
            for e in entries {
                match &e.head.signature {
                    b"PX" => {
                        let mode = both(iso, e.at + HEAD).get() & 0o7777;
                        iso.put(e.at + HEAD, Both::new(S_IFIFO | mode).as_bytes());
                    }
                    // [SUSP] §5.2 "PD": padding.
                    b"PN" => {
                        iso.put(e.at, b"PD");
                        iso.put(e.at + HEAD, DeviceNumber::new_zeroed().as_bytes());
                    }
                    _ => {}
                }
            }
        }
        Some(Kind::Symlink(target)) if link::stand_in(target).is_some() => {
            let links = entries.iter().filter(|e| e.head.signature == *b"SL");
            let components = link::entries(target);
            assert_eq!(links.clone().count(), components.len(), "entries for the target of {path}");
            for (e, components) in links.zip(components) {
                // The entry's own flags, which say that more follow, are right.
                assert_eq!(e.len(), 1 + wide(components.len()), "bytes for the target of {path}");
                iso.put(e.at + HEAD + 1, &components);
            }
        }
        _ => {}
    }
}

/// glibc's `makedev`: high and low half.
fn dev_t(major: u32, minor: u32) -> [u32; 2] {
    let (major, minor) = (u64::from(major), u64::from(minor));
    let number = (minor & 0xff) | (major & 0xfff) << 8 | (minor & !0xff) << 12 | (major & !0xfff) << 32;
    let half = |n: u64| u32::try_from(n & 0xffff_ffff).expect("masked to 32 bits");
    [half(number >> 32), half(number)]
}

/// The entries of the `len` bytes at `at`, and of what continues them.
fn entries(iso: &Record, mut at: u64, len: u64) -> Vec<Entry> {
    let (mut end, mut out, mut next) = (at + len, Vec::new(), None);
    loop {
        let head: [u8; 4] = iso.array(at);
        let head: SystemUse = zerocopy::transmute!(head);
        if at + HEAD > end || u64::from(head.len) < HEAD {
            let Some((start, len)) = next.take() else { return out };
            (at, end) = (start, start + len);
            continue;
        }
        if head.signature == *b"CE" {
            let to: [u8; size_of::<Continuation>()] = iso.array(at + HEAD);
            let to: Continuation = zerocopy::transmute!(to);
            let start = u64::from(to.block.get()) * BLOCK + u64::from(to.offset.get());
            next = Some((start, u64::from(to.len.get())));
        }
        out.push(Entry { head, at });
        at += u64::from(head.len);
    }
}

/// \[RRIP\] §4.1.4 "NM": flags, then a part of the name.
fn name_of(iso: &Record, entries: &[Entry]) -> Vec<u8> {
    let mut name = Vec::new();
    for e in entries.iter().filter(|e| e.head.signature == *b"NM") {
        let start = name.len();
        name.resize(start + to_usize(e.len() - 1), 0);
        iso.get(e.at + HEAD + 1, &mut name[start..]);
    }
    name
}

fn both(iso: &Record, at: u64) -> Both {
    let bytes: [u8; size_of::<Both>()] = iso.array(at);
    zerocopy::transmute!(bytes)
}

fn wide(n: usize) -> u64 {
    n as u64
}

fn to_usize(n: impl TryInto<usize>) -> usize {
    n.try_into().ok().expect("a length within an address space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_numbers_are_split_as_glibc_does() {
        let table =
            [((5, 1), [0, 0x501]), ((136, 300), [0, 0x10882c]), ((0x1234, 0xf_ffff), [0x1000, 0xfff2_34ff])];
        for ((major, minor), want) in table {
            assert_eq!(dev_t(major, minor), want, "{major}, {minor}");
        }
    }
}
