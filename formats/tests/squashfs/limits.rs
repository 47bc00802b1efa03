//! What does not fit, and what each is told.

use crate::any::file;
use crate::specimens::{EPOCH, add, plain};
use crate::{image, options, spool, told};
use mkimage_formats::squashfs::{self, Options};
use mkimage_formats::tree::Xattrs;
use mkimage_formats::{Kind, Layout, Meta, Tree};
use std::sync::Arc;

#[test]
fn a_node_that_does_not_fit_is_told_why() {
    let link = |len: usize| Kind::Symlink(vec![b'x'; len].into());
    let long = "n".repeat(256);
    let table = [
        (long.as_str(), file(""), format!("the name of `{long}` has 256 bytes; Linux allows 255")),
        ("l", link(0), "the target of the symbolic link `l` has 0 bytes; 1 to 4095 are allowed".into()),
        ("l", link(4096), "the target of the symbolic link `l` has 4096 bytes; 1 to 4095 are allowed".into()),
        (
            "d",
            Kind::Char { major: 4096, minor: 0 },
            "the device `d` has the number 4096:0; Linux allows 4095:1048575".into(),
        ),
        (
            "d",
            Kind::Block { major: 1, minor: 1 << 20 },
            "the device `d` has the number 1:1048576; Linux allows 4095:1048575".into(),
        ),
        ("", file(""), "the root is not a folder".into()),
    ];
    for (name, kind, want) in table {
        let mut tree = Tree::new();
        add(&mut tree, name, plain(), kind);
        assert_eq!(told(&tree), want);
    }
}

#[test]
fn attributes_that_do_not_fit_are_told_why() {
    let kind =
        |name| format!("`f` has the attribute `{name}`; SquashFS knows `user.`, `trusted.` and `security.`");
    let length = |name: &str, len: usize| {
        format!("the attribute `{name}` of `f` has {len} bytes; 255 of name and 65536 of value are allowed")
    };
    let (long, longest) = (format!("user.{}", "n".repeat(251)), format!("user.{}", "n".repeat(250)));
    let table = [
        ("system.posix_acl_access", 1, Some(kind("system.posix_acl_access"))),
        ("user.", 1, Some(kind("user."))),
        ("users", 1, Some(kind("users"))),
        (&long, 1, Some(length(&long, 1))),
        ("user.v", 65_537, Some(length("user.v", 65_537))),
        (&longest, 65_536, None),
    ];
    for (name, len, want) in table {
        let xattrs = Xattrs::from([(name.as_bytes().to_vec(), vec![1; len])]);
        let meta = Meta { xattrs: Some(Arc::new(xattrs)), ..plain() };
        let mut tree = Tree::new();
        add(&mut tree, "f", meta, file(""));
        let (_dir, spool) = spool(1);
        let found = squashfs::layout(&tree, &options(), &spool);
        assert_eq!(found.err().map(|e| e.to_string()), want);
    }
}

#[test]
fn a_size_of_blocks_that_does_not_fit_is_told_why() {
    for block_size in [0, 2048, 4097, 131_071, 2 << 20] {
        let (_dir, spool) = spool(1);
        let options = Options { block_size, ..options() };
        let text = squashfs::layout(&Tree::new(), &options, &spool).unwrap_err().to_string();
        assert_eq!(
            text,
            format!("blocks of {block_size} bytes; SquashFS has powers of two from 4096 to 1048576")
        );
    }
}

/// Sparse files say any length, and their sizes of blocks are in memory.
#[test]
fn blocks_are_counted_before_they_are_made() {
    let count = |lens: &[u64]| {
        let mut tree = Tree::new();
        for (n, len) in lens.iter().enumerate() {
            add(&mut tree, format!("{n}"), plain(), Kind::File(Layout::hole(*len)));
        }
        let (_dir, spool) = spool(1);
        let options = Options { block_size: 1 << 20, ..options() };
        squashfs::layout(&tree, &options, &spool).unwrap_err().to_string()
    };
    let said = |count: u64| {
        format!("the files have {count} blocks; 67108864 are allowed, so that their sizes fit into memory")
    };
    assert_eq!(count(&[1 << 45, (1 << 45) + (1 << 20)]), said((1 << 26) + 1));
    assert_eq!(count(&[u64::MAX >> 1; 3]), said(3 * ((1 << 43) - 1)));
}

/// A tree with so many owners; the root, of root's, is one.
fn owners(count: u32) -> Tree {
    let mut tree = Tree::new();
    for n in 1..count {
        add(&mut tree, format!("{n}"), Meta { uid: 100_000 + n, ..plain() }, Kind::Fifo);
    }
    tree
}

#[test]
fn owners_are_counted_not_wrapped() {
    assert_eq!(
        told(&owners(65_536)),
        "the files have 65536 different users and groups; SquashFS holds 65535"
    );
    let image = image(&owners(65_535), &options());
    assert_eq!(image[0x1a..0x1c], [0xff, 0xff]);
}

#[test]
fn times_that_do_not_fit_become_the_nearest() {
    for (seconds, want) in [(-5, 0), (1 << 33, u32::MAX), (1_700_000_000, 1_700_000_000)] {
        let epoch = mkimage_formats::tree::Time { seconds, ..EPOCH };
        let image = image(&Tree::new(), &Options { epoch, ..options() });
        assert_eq!(image[8..12], want.to_le_bytes());
    }
}
