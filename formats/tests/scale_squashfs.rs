//! The size of a root file system, compressed in a process of its own, whose memory is measured.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "memory/peak.rs"]
mod peak;

use mkimage_formats::spool::Spool;
use mkimage_formats::squashfs::{self, Compression, Options};
use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{Kind, Layout, Meta, Node, Tree, TreePath, emit};
use peak::peak;
use std::num::NonZero;
use std::os::unix::fs::FileExt;

const FILES: u64 = 50_000;
const MIB: u64 = 1 << 20;
/// KiB.
const LIMIT: u64 = 96 << 10;

/// Files of up to 400 bytes, ten in a folder, and one of a gibibyte with few bytes in it: all are
/// slices of one layer.
fn root_file_system(layer: &Layout) -> Tree {
    let mut tree = Tree::new();
    let mut add = |name: String, kind| {
        let node = Node { meta: Meta::new(0o755, Time::default()), kind, origin: OriginId::default() };
        tree.insert(TreePath::new(name).unwrap(), node).unwrap();
    };
    for n in 0..FILES {
        if n % 1000 == 0 {
            add(format!("usr-{n}"), Kind::Dir);
        }
        let folder = format!("usr-{}/package-with-a-long-name-{}", n / 1000 * 1000, n / 10);
        if n % 10 == 0 {
            add(folder.clone(), Kind::Dir);
            add(format!("{folder}/link"), Kind::Symlink(b"../../some/where/else".as_slice().into()));
        }
        let content = layer.window(n * 61 % (3 * MIB), 1 + n % 400);
        add(format!("{folder}/a-module-with-a-longer-name-{n}.py"), Kind::File(content));
    }
    add("large".into(), Kind::File(layer.clone()));
    tree
}

#[test]
fn fifty_thousand_files_and_a_gibibyte_are_compressed_by_sixteen_threads_in_96_mib() {
    let dir = tempfile::tempdir().unwrap();
    let layer = std::fs::File::create(dir.path().join("layer.tar")).unwrap();
    layer.set_len(1024 * MIB).unwrap();
    let piece: Vec<u8> = (0..4 * MIB).map(|n| (n * n / 9973).to_le_bytes()[1]).collect();
    for n in 0..3 {
        layer.write_all_at(&piece, n * 123 * MIB).unwrap();
    }
    let tree = root_file_system(&Layout::file(dir.path().join("layer.tar")).unwrap());
    println!("tree: {} KiB", peak());
    // The default of `mksquashfs -comp zstd`, which takes the most memory.
    let options = Options { compression: Compression::Zstd, ..Options::default() };
    let threads = NonZero::new(16).unwrap();
    let spool = Spool { path: dir.path().join("spool"), threads, memo: None, cache: None };
    let layout = squashfs::layout(&tree, &options, &spool).unwrap();
    emit::emit(&layout, dir.path().join("image")).unwrap();
    println!("{} bytes, {} KiB", layout.len(), peak());
    assert!(peak() < LIMIT, "{} KiB", peak());
}
