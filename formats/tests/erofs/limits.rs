//! What does not fit, and what each is told; and how much memory it takes.

use crate::any::{file, path};
use crate::options;
use crate::specimens::{add, plain};
use mkimage_formats::erofs::{self, Options};
use mkimage_formats::tree::Xattrs;
use mkimage_formats::{Content, Kind, Layout, Meta, Tree};
use std::sync::Arc;

fn told(tree: &Tree) -> String {
    erofs::layout(tree, &options()).unwrap_err().to_string()
}

#[test]
fn a_node_that_does_not_fit_is_told_why() {
    let link = |len: usize| Kind::Symlink(vec![b'x'; len].into());
    let table = [
        (
            "n".repeat(256),
            file(""),
            format!("the name of `{}` has 256 bytes; Linux allows 255", "n".repeat(256)),
        ),
        (
            "l".into(),
            link(0),
            "the target of the symbolic link `l` has 0 bytes; 1 to 4095 are allowed".into(),
        ),
        (
            "l".into(),
            link(4096),
            "the target of the symbolic link `l` has 4096 bytes; 1 to 4095 are allowed".into(),
        ),
        (
            "d".into(),
            Kind::Char { major: 4096, minor: 0 },
            "the device `d` has the number 4096:0; Linux allows 4095:1048575".into(),
        ),
        (
            "d".into(),
            Kind::Block { major: 1, minor: 1 << 20 },
            "the device `d` has the number 1:1048576; Linux allows 4095:1048575".into(),
        ),
    ];
    for (name, kind, want) in table {
        let mut tree = Tree::new();
        add(&mut tree, name, plain(), kind);
        assert_eq!(told(&tree), want);
    }
    let mut tree = Tree::new();
    add(&mut tree, "", plain(), file(""));
    assert_eq!(told(&tree), "the root is not a folder");
}

#[test]
fn attributes_that_do_not_fit_are_told_why() {
    let long = format!("user.{}", "n".repeat(256));
    let table = [
        (
            vec![("system.other", 1)],
            "`f` has the attribute `system.other`; EROFS knows `user.`, `trusted.`, `security.` and POSIX ACLs".into(),
        ),
        (
            vec![("user.", 1)],
            "`f` has the attribute `user.`; EROFS knows `user.`, `trusted.`, `security.` and POSIX ACLs".into(),
        ),
        (
            vec![("system.posix_acl_access2", 1)],
            "`f` has the attribute `system.posix_acl_access2`; EROFS knows `user.`, `trusted.`, `security.` and POSIX ACLs".into(),
        ),
        (
            vec![(long.as_str(), 1)],
            format!("the attribute `{long}` of `f` has 1 bytes; 255 of name and 65535 of value are allowed"),
        ),
        (
            vec![("user.v", 65_536)],
            "the attribute `user.v` of `f` has 65536 bytes; 255 of name and 65535 of value are allowed".into(),
        ),
        (
            vec![("user.a", 65_535), ("user.b", 65_535), ("user.c", 65_535), ("user.d", 65_535)],
            "the attributes of `f` take 262172 bytes; 262148 are allowed".into(),
        ),
    ];
    for (attributes, want) in table {
        let xattrs = attributes.iter().map(|&(name, len)| (name.as_bytes().to_vec(), vec![1; len]));
        let meta = Meta { xattrs: Some(Arc::new(Xattrs::from_iter(xattrs))), ..plain() };
        let mut tree = Tree::new();
        add(&mut tree, "f", meta, file(""));
        assert_eq!(told(&tree), want);
    }
}

#[test]
fn a_label_that_does_not_fit_is_told_why() {
    for label in ["seventeen letters", "a\0b"] {
        let options = Options { label: label.into(), ..options() };
        let text = erofs::layout(&Tree::new(), &options).unwrap_err().to_string();
        assert_eq!(text, format!("label `{label}` has {} bytes; 16 without NUL are allowed", label.len()));
    }
    let options = Options { label: "sixteen letters!".into(), ..options() };
    assert!(erofs::layout(&Tree::new(), &options).is_ok());
}

#[test]
fn contents_are_slices_of_their_file() {
    let layer = Layout::file(std::env::current_exe().unwrap()).unwrap();
    let mut tree = Tree::new();
    for n in 0..200 {
        add(&mut tree, format!("{n}"), plain(), Kind::File(layer.window(n * 512, 5000 * n)));
    }
    add(&mut tree, "again", plain(), Kind::HardLink(path("7")));
    let out = erofs::layout(&tree, &options()).unwrap();
    let in_memory: u64 =
        out.extents().iter().filter(|c| matches!(c, Content::Bytes(_))).map(Content::len).sum();
    // Not one byte of a file: inodes, names, and gaps of less than half a block after tails.
    assert!(in_memory < 4096 + 201 * (64 + 20) + 200 * 2048 && out.len() > 50 << 20, "{in_memory}");
}

/// So many TiB of a file that takes no space.
fn tebibytes(file: &tempfile::NamedTempFile, count: usize) -> Layout {
    file.as_file().set_len(1 << 40).unwrap();
    let one = Layout::file(file.path()).unwrap();
    let mut all = Layout::default();
    std::iter::repeat_n(one, count).for_each(|one| all.append(one));
    all
}

#[test]
fn blocks_are_counted_not_wrapped() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut tree = Tree::new();
    add(&mut tree, "f", plain(), Kind::File(tebibytes(&file, 15)));
    assert!(erofs::layout(&tree, &options()).is_ok());
    add(&mut tree, "f", plain(), Kind::File(tebibytes(&file, 16)));
    assert_eq!(told(&tree), "the file system has 4294967298 blocks of 4 KiB; EROFS counts 4294967295");
}

#[test]
fn the_table_of_a_large_file_with_holes_has_1_mib() {
    let mut tree = Tree::new();
    let mut disk = Layout::from(vec![1]);
    disk.pad_to(1 << 44);
    add(&mut tree, "f", plain(), Kind::File(disk));
    let out = erofs::layout(&tree, &options()).unwrap();
    // The superblock, two inodes and the table; and one chunk of 64 MiB.
    assert_eq!(out.len(), 4096 + (1 << 20) + 4096 + (64 << 20));
}
