//! Layers on top of each other: whiteouts, links, and paths that lead out. The tree that they are
//! together is that of the archive that it is written to.
//!
//! ```text
//! entry   ├ kind ┼ name ┤             of hard and symbolic links ┼ name ┤
//! name                    ├ how many ┼ part ┼ part … ┤
//! ```
#![no_main]

use libfuzzer_sys::fuzz_target;
use mkimage::rootfs::{import, import_layers};
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::{Kind, Layout, Meta, Tree, cpio, tar as archive};
use std::fs;
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// Few parts, so that paths meet.
const PARTS: [&str; 16] = [
    "a",
    "b",
    "c",
    "d",
    "a",
    "b",
    ".",
    "..",
    "",
    ".wh.a",
    ".wh.b",
    ".wh.c",
    ".wh..wh..opq",
    ".wh.",
    ".wh..wh.plnk",
    ".wh...",
];

fuzz_target!(|bytes: &[u8]| {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let layers = layers(dir.path(), bytes);
    // Refusing is right.
    let Ok(tree) = import_layers(&layers) else { return };
    let mut written = Stream::new(Vec::new());
    archive::write(&tree, &mut written).expect("in memory, from files that are there");
    let path = dir.path().join("written");
    fs::write(&path, written.into_inner()).expect("room for a temporary file");
    assert_eq!(told(&import(&path).expect("an archive")), told(&tree));
    cpio::write(&tree, tree.iter().map(|(path, _)| path), &mut Stream::new(Vec::new())).expect("in memory");
});

/// What can be compared: contents are in other places.
fn told(tree: &Tree) -> Vec<(String, &Meta, Kind)> {
    let told = tree.iter().map(|(path, node)| {
        let kind = match &node.kind {
            Kind::File(content) => Kind::File(bytes(content)),
            kind => kind.clone(),
        };
        (path.to_string(), &node.meta, kind)
    });
    told.collect()
}

fn bytes(content: &Layout) -> Layout {
    let mut out = Stream::new(Vec::new());
    out.layout(content).expect("the layers are there");
    out.into_inner().into()
}

/// The files of as many layers as `bytes` say, bottom first.
fn layers(dir: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut bytes = bytes.iter().copied();
    let mut layers = vec![Builder::new(Vec::new())];
    while let Some(byte) = bytes.next() {
        let kind = match byte % 9 {
            0 | 1 => EntryType::Directory,
            2 | 3 => EntryType::Regular,
            4 => EntryType::Symlink,
            5 => EntryType::Link,
            6 => EntryType::Char,
            7 => EntryType::Fifo,
            _ if layers.len() < 8 => {
                layers.push(Builder::new(Vec::new()));
                continue;
            }
            _ => break,
        };
        let mut header = Header::new_gnu();
        let name = name(&mut bytes);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            let target = self::name(&mut bytes);
            header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        }
        let content = if kind == EntryType::Regular { vec![byte; usize::from(byte) / 9] } else { Vec::new() };
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(byte.into());
        header.set_size(content.len() as u64);
        header.set_cksum();
        if let Some(layer) = layers.last_mut() {
            layer.append(&header, &content[..]).expect("in memory");
        }
    }
    let files = layers.into_iter().enumerate().map(|(n, layer)| {
        let path = dir.join(n.to_string());
        fs::write(&path, layer.into_inner().expect("in memory")).expect("room for a temporary file");
        path
    });
    files.collect()
}

/// A path of one to four parts.
fn name(bytes: &mut impl Iterator<Item = u8>) -> String {
    let count = usize::from(bytes.next().unwrap_or(0) % 4) + 1;
    let parts = (0..count).map(|_| PARTS[usize::from(bytes.next().unwrap_or(0) % 16)]);
    parts.collect::<Vec<_>>().join("/")
}
