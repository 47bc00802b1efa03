//! What fsck.erofs, dump.erofs and a strict reader make of images.

use crate::any::{path, trees};
use crate::judge;
use crate::reader::Reader;
use crate::seen::{Nodes, assert_same, bytes, groups, told, walk};
use crate::specimens::{EPOCH, add, specimens};
use crate::{KINDS, options};
use mkimage_formats::tree::{Time, Xattrs};
use mkimage_formats::{Kind, Meta, Tree, emit, erofs};
use proptest::prelude::*;
use std::os::unix::fs::MetadataExt;

/// What fsck.erofs 1.5 extracts: no attributes, no hard links, and no set-id bits, since it changes
/// the mode before the owner. Links have no modes on the host.
fn extractable(mut nodes: Nodes) -> Nodes {
    for node in nodes.values_mut() {
        (node.nlink, node.xattrs) = (1, Xattrs::new());
        node.mode &= !0o6000;
        if node.mode & 0o170_000 == 0o120_000 {
            node.mode |= 0o777;
            node.mode &= !0o7000;
        }
    }
    nodes
}

/// fsck.erofs finds nothing wrong, and extracts the tree. None without it, or if devices and
/// owners cannot be made here.
fn extracted(tree: &Tree) -> Option<Nodes> {
    let mut fsck = judge::program("fsck.erofs")?;
    let dir = tempfile::tempdir().unwrap();
    if dir.path().metadata().unwrap().uid() != 0 {
        judge::skip::missing("only root can extract devices and owners");
        return None;
    }
    let (image, root) = (dir.path().join("image"), dir.path().join("root"));
    emit::emit(&erofs::layout(tree, &options()).unwrap(), &image).unwrap();
    // It says nothing unless something is wrong.
    let said = judge::output(fsck.arg(format!("--extract={}", root.display())).arg(&image));
    assert_eq!(said, "");
    Some(extractable(walk(&root).0))
}

#[test]
fn the_tree_is_read_back_by_a_strict_reader() {
    let tree = specimens(&KINDS);
    let image = bytes(&erofs::layout(&tree, &options()).unwrap());
    let reader = Reader::new(&image);
    assert_same(&reader.nodes, &told(&tree, EPOCH));
    assert_eq!(reader.groups(), groups(&tree));
    assert!(reader.compact > 2000 && reader.inline > 2000 && reader.holes > 256);
}

#[test]
fn the_tree_is_extracted_by_fsck_erofs() {
    let mut tree = specimens(&KINDS);
    // It writes nothing for a hole, so that files with holes become shorter.
    tree.remove(&path("holes"));
    if let Some(found) = extracted(&tree) {
        assert_same(&found, &extractable(told(&tree, EPOCH)));
    }
}

#[test]
fn fsck_erofs_finds_nothing_wrong_with_holes() {
    let Some(mut fsck) = judge::program("fsck.erofs") else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    emit::emit(&erofs::layout(&specimens(&KINDS), &options()).unwrap(), file.path()).unwrap();
    assert_eq!(judge::output(fsck.arg(file.path())), "");
}

#[test]
fn fsck_erofs_finds_nothing_wrong_wherever_the_last_inode_ends() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for count in 0..130 {
        let Some(mut fsck) = judge::program("fsck.erofs") else { return };
        let mut tree = Tree::new();
        for n in 0..count {
            add(&mut tree, format!("{n}"), Meta::new(0o600, Time::from_unix(n)), Kind::Fifo);
        }
        emit::emit(&erofs::layout(&tree, &options()).unwrap(), file.path()).unwrap();
        assert_eq!(judge::output(fsck.arg("--extract").arg(file.path())), "", "{count} inodes");
    }
}

#[test]
fn dump_erofs_tells_the_volume() {
    let Some(mut dump) = judge::program("dump.erofs") else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    emit::emit(&erofs::layout(&specimens(&KINDS), &options()).unwrap(), file.path()).unwrap();
    let said = judge::output(dump.env("TZ", "UTC").arg("-s").arg(file.path()));
    for line in [
        "Filesystem magic number:                      0xE0F5E1E2",
        "Filesystem inode metadata start block:        0",
        "Filesystem root nid:                          128",
        "Filesystem created:                           Tue Nov 14 22:13:20 2023",
        "Filesystem features:                          sb_csum mtime chunked_file",
        "Filesystem UUID:                              30313233-3435-3637-3839-616263646566",
    ] {
        assert!(said.contains(line), "`{line}` is not in {said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn any_tree_is_read_back_whole(tree in trees()) {
        let layout = erofs::layout(&tree, &options()).unwrap();
        prop_assert_eq!(&layout, &erofs::layout(&tree, &options()).unwrap());
        let image = bytes(&layout);
        let reader = Reader::new(&image);
        assert_same(&reader.nodes, &told(&tree, EPOCH));
        prop_assert_eq!(reader.groups(), groups(&tree));
        if let Some(found) = extracted(&tree) {
            assert_same(&found, &extractable(told(&tree, EPOCH)));
        }
    }
}
