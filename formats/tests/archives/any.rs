//! Trees: one that holds a specimen of everything, and arbitrary ones.

use mkimage_formats::tree::{Origin, OriginId, Owner, Time, Xattrs};
use mkimage_formats::{Kind, Layout, Meta, Node, Tree, TreePath};
use proptest::prelude::*;
use std::sync::Arc;

pub(crate) fn path(name: impl AsRef<[u8]>) -> TreePath {
    TreePath::new(name).unwrap()
}

pub(crate) fn file(content: &str) -> Kind {
    Kind::File(Layout::from(content.as_bytes().to_vec()))
}

/// The content of a file of either kind of name.
pub(crate) fn content<'a>(tree: &'a Tree, node: &'a Node) -> Option<&'a Layout> {
    match &node.kind {
        Kind::File(layout) => Some(layout),
        Kind::HardLink(first) => content(tree, tree.get(first)?),
        _ => None,
    }
}

/// Everything that both kinds of archive hold, and what only tar does.
pub(crate) fn specimens(text_only: bool) -> Tree {
    let mut tree = Tree::new();
    let origin = tree.add_origin(Origin { source: "docker.io/a/b:v1".into(), location: "init[0]".into() });
    let old = Meta::new(0o644, Time::from_unix(1_492_533_000));
    let mut add = |name: &[u8], meta: &Meta, kind| {
        let node = Node { meta: meta.clone(), kind, origin };
        tree.insert(path(name), node).unwrap();
    };
    let mut long = String::from("long");
    add(b"", &Meta { mode: 0o755, ..old.clone() }, Kind::Dir);
    add(b"long", &Meta { mode: 0o755, ..old.clone() }, Kind::Dir);
    for _ in 0..4 {
        long += "/";
        long += &"n".repeat(60);
        add(long.as_bytes(), &Meta { mode: 0o711, ..old.clone() }, Kind::Dir);
    }
    add(format!("{long}/file").as_bytes(), &old, file("deep"));
    add(b"long-target", &old, Kind::Symlink(long.as_bytes().into()));
    add(b"link", &Meta { mode: 0o777, ..old.clone() }, Kind::Symlink(b"../etc//x".as_slice().into()));
    add("uni-\u{e9}".as_bytes(), &old, file("\u{fc}"));
    add(b"z", &Meta { mode: 0o4755, uid: 7, gid: 8, ..old.clone() }, file("content of z"));
    add(b"name-after-z", &old, Kind::HardLink(path("z")));
    add(b"zz", &old, Kind::HardLink(path("z")));
    add(b"null", &Meta { mode: 0o666, ..old.clone() }, Kind::Char { major: 1, minor: 3 });
    add(b"disk", &Meta { mode: 0o660, gid: 6, ..old.clone() }, Kind::Block { major: 259, minor: 70_000 });
    add(b"pipe", &old, Kind::Fifo);
    add(b"big-ids", &Meta { uid: 3_000_000, gid: u32::MAX - 2, ..old.clone() }, file("i"));
    add(b"empty", &old, file(""));
    add(b"before-1970", &Meta { mtime: Time::from_unix(-5), ..old.clone() }, file("n"));
    if text_only {
        return tree;
    }
    add(b"not-utf8-\xff", &old, file("b"));
    add("new\nline-\u{e9}".as_bytes(), &old, file("l"));
    add(b"fraction", &Meta { mtime: Time { seconds: -2, nanos: 250_000_000 }, ..old.clone() }, file("f"));
    let owner = Some(Arc::new(Owner { user: "user".into(), group: "gr\u{f6}up".into() }));
    let mut xattrs = Xattrs::new();
    xattrs.insert(b"user.note".to_vec(), b"hello".to_vec());
    xattrs.insert(b"security.capability".to_vec(), b"\x01\0\n=\xff".to_vec());
    add(b"attributes", &Meta { owner, xattrs: Some(Arc::new(xattrs)), ..old }, file("a"));
    tree
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[a-c]{1,2}".prop_map(String::into_bytes),
        "[a-c\u{e9}. =]{1,120}".prop_map(String::into_bytes),
        // Without a newline, at which the crate that reads them back ends a record.
        proptest::collection::vec(11..=255u8, 1..8),
    ]
}

fn meta() -> impl Strategy<Value = Meta> {
    let time = (any::<i32>(), prop_oneof![Just(0), 0..1_000_000_000u32]);
    (0..0o10000u16, any::<u32>(), 0..70_000u32, time).prop_map(|(mode, uid, gid, (seconds, nanos))| Meta {
        mode,
        uid,
        gid,
        mtime: Time { seconds: seconds.into(), nanos },
        ..Meta::default()
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..1100);
    prop_oneof![
        3 => Just(Kind::Dir),
        3 => bytes.prop_map(|b| Kind::File(b.into())),
        1 => "[a-z/.]{1,150}".prop_map(|s| Kind::Symlink(s.into_bytes().into())),
        1 => (0..4096u32, 0..1u32 << 20).prop_map(|(major, minor)| Kind::Block { major, minor }),
        1 => (0..4096u32, 0..1u32 << 20).prop_map(|(major, minor)| Kind::Char { major, minor }),
        1 => Just(Kind::Fifo),
    ]
}

/// Any tree: what does not fit where it falls is left out.
pub(crate) fn trees() -> impl Strategy<Value = Tree> {
    let step =
        (proptest::collection::vec(name(), 1..4), meta(), kind(), any::<Option<proptest::sample::Index>>());
    proptest::collection::vec(step, 0..40).prop_map(|steps| {
        let mut tree = Tree::new();
        for (parts, meta, mut kind, link) in steps {
            let Ok(path) = TreePath::new(parts.join(&b'/')) else { continue };
            let files: Vec<_> = tree.iter().filter(|(_, n)| !n.is_dir()).map(|(p, _)| p.clone()).collect();
            if let (Some(link), false, false) = (link, files.is_empty(), kind == Kind::Dir) {
                kind = Kind::HardLink(link.get(&files).clone());
            }
            if path.is_root() && kind != Kind::Dir {
                continue;
            }
            // It is refused, for example, below a file.
            let _ = tree.insert(path, Node { meta, kind, origin: OriginId::default() });
        }
        tree
    })
}
