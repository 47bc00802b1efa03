//! The size of a root file system, in a process of its own, whose memory is measured.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "memory/peak.rs"]
mod peak;

use mkimage_formats::gpt::Guid;
use mkimage_formats::iso::{Iso, Options};
use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{Kind, Layout, Meta, Node, Tree, TreePath, emit, erofs};
use peak::peak;

const FILES: u64 = 50_000;
/// KiB.
const LIMIT: u64 = 96 << 10;

/// Ten files and a link in each folder, six levels down, slices of one layer.
fn root_file_system(layer: &Layout) -> Tree {
    let mut tree = Tree::new();
    let mut add = |name: String, kind| {
        let node = Node { meta: Meta::new(0o755, Time::default()), kind, origin: OriginId::default() };
        tree.insert(TreePath::new(name).unwrap(), node).unwrap();
    };
    let mut folder = String::new();
    for n in 0..FILES {
        if n % 1000 == 0 {
            let top = format!("usr-{n}");
            add(top.clone(), Kind::Dir);
            for below in
                ["lib", "lib/python3", "lib/python3/dist-packages", "lib/python3/dist-packages/some-package"]
            {
                add(format!("{top}/{below}"), Kind::Dir);
            }
        }
        if n % 10 == 0 {
            folder = format!("usr-{}/lib/python3/dist-packages/some-package/d{n}", n / 1000 * 1000);
            add(folder.clone(), Kind::Dir);
            add(format!("{folder}/link"), Kind::Symlink(b"../../some/where/else".as_slice().into()));
        }
        let content = layer.window(n * 20 % 60_000, 1 + n % 4000);
        add(format!("{folder}/a-module-with-a-longer-name-{n}.py"), Kind::File(content));
    }
    tree
}

#[test]
fn images_of_50_000_files_are_planned_and_emitted_in_96_mib() {
    let dir = tempfile::tempdir().unwrap();
    let layer = dir.path().join("layer.tar");
    std::fs::write(&layer, vec![7; 64 << 10]).unwrap();
    let tree = root_file_system(&Layout::file(&layer).unwrap());
    let before = peak();
    let start = std::time::Instant::now();
    let iso = Iso::new(&tree, &Options::default()).unwrap();
    let (planned, plan) = (start.elapsed(), peak());
    let layout = iso.layout(&tree).unwrap();
    emit::emit(&layout, dir.path().join("x.iso")).unwrap();
    println!(
        "tree {before} KiB; {planned:?} to plan, {plan} KiB; {:?} in all, {} KiB",
        start.elapsed(),
        peak()
    );
    assert!(peak() < LIMIT, "{} KiB", peak());
    drop(layout);

    let options = erofs::Options { label: String::new(), uuid: Guid([1; 16]), epoch: Time::from_unix(1) };
    let start = std::time::Instant::now();
    emit::emit(&erofs::layout(&tree, &options).unwrap(), dir.path().join("x.erofs")).unwrap();
    println!("EROFS: {:?}, {} KiB", start.elapsed(), peak());
    assert!(peak() < LIMIT, "{} KiB", peak());
}
