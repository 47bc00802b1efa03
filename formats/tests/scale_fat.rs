//! A large EFI system partition, in a process of its own, whose memory is measured.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "memory/peak.rs"]
mod peak;

use mkimage_formats::fat::{Fat, Options};
use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{Kind, Layout, Meta, Node, SectorSize, Tree, TreePath, emit};
use peak::peak;

/// KiB. Both FATs are 2 MiB for 1 GiB, of which the record keeps every sector.
const LIMIT: u64 = 32 << 10;

#[test]
fn a_file_of_1_gib_is_planned_and_emitted_in_32_mib() {
    let mut tree = Tree::new();
    let path = TreePath::new("initrd.img").unwrap();
    let kind = Kind::File(Layout::hole(1 << 30));
    let node = Node { meta: Meta::new(0o644, Time::default()), kind, origin: OriginId::default() };
    tree.insert(path.clone(), node).unwrap();
    let fat = Fat::new(&tree, &Options::esp(SectorSize::B512, 2048)).unwrap();
    let place = fat.place(&path).unwrap();
    assert_eq!(place.len, 1 << 30);
    // The FATs, and less than 1 MiB beside them.
    assert!(fat.len() < (1 << 30) + (3 << 20), "{}", fat.len());
    let layout = fat.layout(&tree).unwrap();
    assert!(layout.window(place.at, place.len).is_hole());
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("esp.img");
    emit::emit(&layout, &out).unwrap();
    // Holes stay holes.
    let blocks = std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(&out).unwrap());
    assert!(blocks * 512 < 8 << 20, "{blocks} blocks");
    assert!(peak() < LIMIT, "{} KiB", peak());
}
