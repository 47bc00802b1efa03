//! Trees with a specimen of everything, and what file systems are made of.

use crate::image::{Image, file, path};
use mkimage_formats::fat::{self, Options};
use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{Content, Kind, Layout, Meta, Node, Tree};

pub(crate) fn add(tree: &mut Tree, name: impl AsRef<[u8]>, kind: Kind) {
    let meta = Meta::new(0o644, Time::from_unix(1_600_000_000));
    tree.insert(path(name), Node { meta, kind, origin: OriginId::default() }).unwrap();
}

impl Image {
    pub(crate) fn new(tree: &Tree, options: &Options) -> Self {
        Self::emit(&fat::layout(tree, options).unwrap())
    }
}

/// What an EFI system partition has, a UKI of `len` bytes.
pub(crate) fn esp(len: u64) -> Tree {
    let mut t = Tree::new();
    for folder in ["EFI", "EFI/BOOT", "EFI/Linux", "loader"] {
        add(&mut t, folder, Kind::Dir);
    }
    add(&mut t, "EFI/BOOT/BOOTX64.EFI", file(vec![0xa5; 12_345]));
    let mut uki = Layout::from(b"MZ".to_vec());
    uki.push(Content::Hole(len - 2));
    add(&mut t, "EFI/Linux/linuxkit.efi", Kind::File(uki));
    add(&mut t, "loader/loader.conf", file("timeout 3\n"));
    t
}

/// Names and lengths of all sorts, in a file system of any kind.
pub(crate) fn specimens() -> Tree {
    let mut t = esp(100_000);
    for folder in ["empty", "lengths", "names", "many"] {
        add(&mut t, folder, Kind::Dir);
    }
    for len in [0, 1, 511, 512, 513, 4095, 4096, 4097, 40_960] {
        add(&mut t, format!("lengths/{len}"), file(vec![b'x'; len]));
    }
    let mut pieces = Layout::from(b"head".to_vec());
    pieces.append(Layout::hole(10_000));
    pieces.push(b"tail".to_vec());
    add(&mut t, "lengths/in-pieces", Kind::File(pieces));
    add(&mut t, "lengths/z-other-name", Kind::HardLink(path("lengths/in-pieces")));
    for name in [
        "UPPER.TXT",
        "lower.txt",
        "Mixed.Txt",
        ".hidden",
        "x.tar.gz",
        "a b",
        "it's+,;=[]",
        "no-extension-and-long",
        "\u{fc}\u{df}.txt",
        "\u{65e5}\u{672c}",
        "a-long-name-that-is-cut-1.conf",
        "a-long-name-that-is-cut-2.conf",
        "a-long-name-that-is-cut-3.conf",
    ] {
        add(&mut t, format!("names/{name}"), file(name));
    }
    add(&mut t, format!("names/{}", "n".repeat(255)), file("255"));
    for n in 0..100 {
        add(&mut t, format!("many/number-{n}.txt"), file(format!("{n}")));
    }
    t
}
