//! What unsquashfs and sqfs2tar make of images.

use crate::any::{path, trees};
use crate::archived::archived;
use crate::judge;
use crate::reader::Reader;
use crate::seen::{Groups, Nodes, assert_same, groups, walk};
use crate::specimens::{EPOCH, add, plain, specimens};
use crate::{KINDS, any, image, noise, options, seen, spool};
use mkimage_formats::squashfs::{Compression, Options};
use mkimage_formats::tree::{Time, Xattrs};
use mkimage_formats::{Kind, Meta, Tree, squashfs};
use proptest::prelude::*;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

const ALL: [Compression; 4] = [Compression::Gzip, Compression::Xz, Compression::Lz4, Compression::Zstd];

/// What a SquashFS holds of the tree: times have whole seconds, from 1970 on.
fn told(tree: &Tree) -> Nodes {
    let mut nodes = seen::told(tree, EPOCH);
    for node in nodes.values_mut() {
        node.mtime = Time::from_unix(node.mtime.seconds.max(0));
    }
    nodes
}

/// What can be extracted: links have no modes on the host, and which attributes and links of
/// folders there are is a matter of its file system.
fn extractable(mut nodes: Nodes) -> Nodes {
    for node in nodes.values_mut() {
        node.xattrs = Xattrs::new();
        match node.mode >> 12 {
            0o04 => node.nlink = 1,
            0o12 => node.mode = 0o120_777,
            _ => {}
        }
    }
    nodes
}

/// unsquashfs extracts the image, and complains about nothing. None without it, or if devices and
/// owners cannot be made here.
fn extracted(image: &[u8]) -> Option<(Nodes, Groups)> {
    let mut unsquashfs = judge::program("unsquashfs")?;
    let dir = tempfile::tempdir().unwrap();
    if dir.path().metadata().unwrap().uid() != 0 {
        judge::skip::missing("only root can extract devices and owners");
        return None;
    }
    let (file, root) = (dir.path().join("image"), dir.path().join("root"));
    std::fs::write(&file, image).unwrap();
    judge::output(unsquashfs.args(["-no-progress", "-no-xattrs", "-d"]).arg(&root).arg(&file));
    let (nodes, groups) = walk(&root);
    Some((extractable(nodes), groups))
}

/// The specimens, and what is only found in a SquashFS.
fn tree() -> Tree {
    let mut tree = specimens(&KINDS);
    let longest = Xattrs::from([(format!("user.{}", "n".repeat(250)).into_bytes(), Vec::new())]);
    let meta = Meta { xattrs: Some(Arc::new(longest)), ..plain() };
    add(&mut tree, "xattrs/name", meta, any::file(""));
    for len in [131_071, 131_072, 131_073, 400_000, 1 << 20] {
        let text: Vec<_> = (0..len).map(|n: u32| (n / 7).to_le_bytes()[0]).collect();
        add(&mut tree, format!("sizes/{len}"), plain(), Kind::File(text.clone().into()));
        add(&mut tree, format!("sizes/{len}-again"), plain(), Kind::File(text.into()));
        let len = usize::try_from(len).unwrap();
        add(&mut tree, format!("sizes/{len}-noise"), plain(), Kind::File(noise(len)));
    }
    tree
}

#[test]
fn the_tree_is_read_back_by_a_strict_reader() {
    let tree = tree();
    for (compression, block_size) in ALL.into_iter().zip([4 << 10, 128 << 10, 4 << 10, 1 << 20]) {
        let image = image(&tree, &Options { compression, block_size, ..options() });
        let reader = Reader::new(&image);
        assert_same(&reader.nodes, &told(&tree));
        assert_eq!(reader.groups(), groups(&tree));
        assert!(reader.indexed > 30 && reader.raw > 0, "{} {}", reader.indexed, reader.raw);
        assert_eq!(reader.holes > 256, block_size == 4 << 10);
    }
}

#[test]
fn the_tree_is_extracted_by_unsquashfs() {
    let tree = tree();
    for (compression, block_size) in ALL.into_iter().zip([128 << 10, 1 << 20, 64 << 10, 4 << 10]) {
        let options = Options { compression, block_size, ..options() };
        let Some((found, names)) = extracted(&image(&tree, &options)) else { return };
        assert_same(&found, &extractable(told(&tree)));
        assert_eq!(names, groups(&tree));
    }
}

/// What sqfs2tar tells: links of folders are no matter of archives.
fn archivable(mut nodes: Nodes) -> Nodes {
    nodes.values_mut().filter(|node| node.mode >> 12 == 0o04).for_each(|node| node.nlink = 1);
    nodes
}

#[test]
fn the_tree_is_archived_by_sqfs2tar() {
    let mut tree = tree();
    // The crate that reads the archive ends a record at a newline, and an attribute has one.
    tree.remove(&path("attributes"));
    for compression in ALL {
        let options = Options { compression, ..options() };
        let Some((found, names)) = archived(&image(&tree, &options)) else { return };
        assert_same(&found, &archivable(told(&tree)));
        assert_eq!(names, groups(&tree));
    }
}

#[test]
fn the_number_of_threads_is_not_in_the_image() {
    let tree = tree();
    let images = [1, 2, 7].map(|threads| {
        let (_dir, spool) = spool(threads);
        seen::bytes(&squashfs::layout(&tree, &options(), &spool).unwrap())
    });
    assert!(images.iter().all(|image| *image == images[0]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn any_tree_is_read_back_whole(tree in trees(), compression in prop::sample::select(&ALL[..])) {
        let image = image(&tree, &Options { compression, ..options() });
        let reader = Reader::new(&image);
        assert_same(&reader.nodes, &told(&tree));
        prop_assert_eq!(reader.groups(), groups(&tree));
        if let Some((found, names)) = extracted(&image) {
            assert_same(&found, &extractable(told(&tree)));
            prop_assert_eq!(names, groups(&tree));
        }
        if let Some((found, names)) = archived(&image) {
            assert_same(&found, &archivable(told(&tree)));
            prop_assert_eq!(names, groups(&tree));
        }
    }
}
