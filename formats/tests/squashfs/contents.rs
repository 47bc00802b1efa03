//! What is there once, and what is not there at all.

use crate::reader::Reader;
use crate::specimens::{add, plain};
use crate::tables::number;
use crate::{image, noise, options, spool, told};
use mkimage_formats::squashfs::{self, Options};
use mkimage_formats::{Kind, Layout, Tree, TreePath};

fn tree(files: impl IntoIterator<Item = (&'static str, Layout)>) -> Tree {
    let mut tree = Tree::new();
    for (name, content) in files {
        add(&mut tree, name, plain(), Kind::File(content));
    }
    tree
}

/// Bytes of data blocks and fragments.
fn data(tree: &Tree) -> usize {
    let image = image(tree, &options());
    Reader::new(&image);
    number(&image, 0x40, 8) - 96
}

#[test]
fn the_same_content_is_there_once_wherever_it_is_from() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let content = noise(300_000);
    mkimage_formats::emit::emit(&content, file.path()).unwrap();
    let slice = Layout::file(file.path()).unwrap();
    let mut pieces = slice.window(0, 1000);
    pieces.append(content.window(1000, 299_000));
    let once = data(&tree([("a", content.clone())]));
    for (name, other) in [("the same", content.clone()), ("a slice", slice), ("pieces", pieces)] {
        let all = tree([("a", content.clone()), ("b", other.clone()), ("c", other)]);
        assert_eq!(data(&all), once, "{name}");
    }
    let mut longer = content.clone();
    longer.push(vec![0]);
    let other = Layout::from(vec![7; 300_000]);
    assert!(data(&tree([("a", content.clone()), ("b", longer)])) > once + 300_000);
    assert!(data(&tree([("a", content), ("b", other)])) > once);
}

#[test]
fn the_same_holes_are_there_once() {
    let mut holed = noise(200_000);
    holed.append(Layout::hole(1 << 20));
    holed.append(noise(7));
    let once = data(&tree([("a", holed.clone())]));
    assert!(once < 202_000, "{once}");
    assert_eq!(data(&tree([("a", holed.clone()), ("b", holed)])), once);
}

#[test]
fn blocks_of_zeros_are_holes_whatever_the_layout_says() {
    let all = tree([("a", vec![0; 256 << 10].into()), ("b", Layout::hole(256 << 10))]);
    assert_eq!(data(&all), 0);
    let image = image(&all, &options());
    assert_eq!(Reader::new(&image).holes, 4);
}

#[test]
fn a_fragment_of_zeros_is_there() {
    for content in [Layout::from(vec![0; 5]), Layout::hole(5)] {
        let image = image(&tree([("a", content)]), &options());
        let reader = Reader::new(&image);
        assert_eq!(reader.nodes[&TreePath::new("a").unwrap()].content, [0; 5]);
    }
}

#[test]
fn a_hole_of_a_tebibyte_takes_no_space() {
    let (_dir, spool) = spool(2);
    let options = Options { block_size: 1 << 20, ..options() };
    let out = squashfs::layout(&tree([("a", Layout::hole(1 << 40))]), &options, &spool).unwrap();
    // The sizes of a million blocks, compressed.
    assert!(out.len() < 64 << 10, "{}", out.len());
}

#[test]
fn a_file_that_became_shorter_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(1000).unwrap();
    let layout = Layout::file(file.path()).unwrap();
    file.as_file().set_len(999).unwrap();
    let want =
        format!("`{}` changed while it was being read: 999 of 1000 bytes from byte 0", file.path().display());
    assert_eq!(told(&tree([("a", layout.clone())])), want);
    // Read to be compared, too.
    assert_eq!(told(&tree([("a", layout), ("b", noise(1000))])), want);
}
