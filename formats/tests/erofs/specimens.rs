//! A tree that holds a specimen of everything.

use crate::any::{self, path};
use mkimage_formats::tree::{OriginId, Time, Xattrs};
use mkimage_formats::{Kind, Layout, Meta, Node, Tree};
use std::sync::Arc;

pub(crate) const EPOCH: Time = Time::from_unix(1_700_000_000);

pub(crate) fn add(tree: &mut Tree, name: impl AsRef<[u8]>, meta: Meta, kind: Kind) {
    tree.insert(path(name), Node { meta, kind, origin: OriginId::default() }).unwrap();
}

pub(crate) fn plain() -> Meta {
    Meta::new(0o644, EPOCH)
}

/// Bytes, a hole and bytes; blocks where `at` and `len` are multiples of 4 KiB.
pub(crate) fn holed(at: usize, hole: u64, len: usize) -> Layout {
    let mut layout = Layout::from(vec![1; at]);
    layout.append(Layout::hole(hole));
    layout.push(vec![2; len]);
    layout
}

/// The tree, with attributes of `kinds`.
pub(crate) fn specimens(kinds: &[&str]) -> Tree {
    let mut t = any::specimens(false);
    for folder in ["sizes", "targets", "holes", "xattrs", "folders", "folders/empty", "folders/full"] {
        add(&mut t, folder, Meta::new(0o755, EPOCH), Kind::Dir);
    }
    for len in [0, 1, 2047, 2048, 2049, 4032, 4095, 4096, 4097, 6144, 6145, 8192, 100_000] {
        let bytes: Vec<_> = (0..len).map(|n: u32| n.to_le_bytes()[0]).collect();
        add(&mut t, format!("sizes/{len}"), plain(), Kind::File(bytes.clone().into()));
        let extended = Meta { uid: 70_000, ..plain() };
        add(&mut t, format!("sizes/{len}-extended"), extended, Kind::File(bytes.into()));
    }
    for len in [1, 59, 60, 255, 1024, 2048, 2049, 4095] {
        let target = "../".repeat(2000).into_bytes()[..len].into();
        add(&mut t, format!("targets/{len}"), plain(), Kind::Symlink(target));
    }
    add(&mut t, "targets/again", plain(), Kind::HardLink(path("targets/4095")));
    for (n, layout) in [
        holed(4096, 4096, 4096),
        holed(5000, 100_000, 5),
        holed(0, 1 << 20, 1),
        holed(1, 10_000, 0),
        holed(10, 4095, 10),
        holed(100, 4096, 100),
        Layout::hole(5),
        Layout::hole(1 << 20),
        Layout::hole((1 << 20) + 5),
    ]
    .into_iter()
    .enumerate()
    {
        add(&mut t, format!("holes/{n}"), plain(), Kind::File(layout));
    }
    for n in 0..2000 {
        let name = format!("folders/full/{}{n}", "n".repeat(n % 250));
        add(&mut t, name, plain(), Kind::File(vec![b'x'; n % 77].into()));
    }
    for n in 0..200 {
        add(&mut t, format!("folders/{}{n}", "d".repeat(251)), Meta::new(0o700, EPOCH), Kind::Dir);
    }
    for (n, len) in [0, 1, 3, 4, 5, 100, 2000, 4050, 5000, 65_535].into_iter().enumerate() {
        let xattrs = kinds.iter().map(|kind| (kind.as_bytes().to_vec(), vec![7; len]));
        let meta = |mode| Meta {
            xattrs: Some(Arc::new(Xattrs::from_iter(
                xattrs.clone().take((1 + n % kinds.len()).min(262_000 / (len + 40))),
            ))),
            ..Meta::new(mode, EPOCH)
        };
        add(&mut t, format!("xattrs/file-{len}"), meta(0o600), Kind::File(vec![5; 300].into()));
        add(&mut t, format!("xattrs/dir-{len}"), meta(0o700), Kind::Dir);
        add(&mut t, format!("xattrs/link-{len}"), meta(0o777), Kind::Symlink(b"target".as_slice().into()));
        add(&mut t, format!("xattrs/pipe-{len}"), meta(0o600), Kind::Fifo);
    }
    let long = Xattrs::from([(format!("user.{}", "n".repeat(255)).into_bytes(), Vec::new())]);
    let meta = Meta { xattrs: Some(Arc::new(long)), ..plain() };
    add(&mut t, "xattrs/name", meta, any::file(""));
    let none = Meta { xattrs: Some(Arc::new(Xattrs::new())), ..plain() };
    add(&mut t, "xattrs/none", none, any::file("none"));
    t
}
