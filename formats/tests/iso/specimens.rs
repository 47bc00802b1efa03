//! A tree that holds a specimen of everything, and what images are made of.

use crate::image::{Image, file, path};
use mkimage_formats::iso::{self, Options};
use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{Kind, Layout, Meta, Node, Tree, TreePath};

pub(crate) fn link(target: impl AsRef<[u8]>) -> Kind {
    Kind::Symlink(target.as_ref().into())
}

pub(crate) fn add(tree: &mut Tree, name: impl AsRef<[u8]>, mode: u16, kind: Kind) {
    let meta = Meta::new(mode, Time::from_unix(1_600_000_000));
    tree.insert(path(name), Node { meta, kind, origin: OriginId::default() }).unwrap();
}

/// What `path` is, once a hard link is followed.
pub(crate) fn resolve<'t>(tree: &'t Tree, path: &'t TreePath) -> (&'t TreePath, &'t Node) {
    match tree.get(path).unwrap() {
        Node { kind: Kind::HardLink(first), .. } => (first, tree.get(first).unwrap()),
        node => (path, node),
    }
}

impl Image {
    pub(crate) fn new(tree: &Tree, options: &Options) -> Self {
        Self::emit(&iso::layout(tree, options).unwrap())
    }
}

/// Everything, down to the eighth level of folders.
pub(crate) fn specimens() -> Tree {
    let mut t = Tree::new();
    add(&mut t, "", 0o755, Kind::Dir);
    for folder in ["boot", "dev", "empty", "files", "links", "names", "names/same", "names/long"] {
        add(&mut t, folder, 0o755, Kind::Dir);
    }
    add(&mut t, "boot/kernel", 0o644, file(vec![0xa5; 5000]));
    add(&mut t, "boot/loader", 0o644, file(vec![0x5a; 2048]));

    add(&mut t, "dev/console", 0o600, Kind::Char { major: 5, minor: 1 });
    add(&mut t, "dev/pts300", 0o620, Kind::Char { major: 136, minor: 300 });
    add(&mut t, "dev/nvme", 0o660, Kind::Block { major: 259, minor: 0xf_fffe });
    add(&mut t, "dev/high", 0o660, Kind::Block { major: 0xfff, minor: 1 });
    add(&mut t, "dev/pipe", 0o622, Kind::Fifo);
    add(&mut t, "dev/tty", 0o600, Kind::HardLink(path("dev/console")));
    add(&mut t, "dev/pipe2", 0o600, Kind::HardLink(path("dev/pipe")));

    add(&mut t, "files/setuid", 0o4755, file("s"));
    add(&mut t, "files/sticky", 0o1777, Kind::Dir);
    add(&mut t, "files/none", 0, file("n"));
    add(&mut t, "files/nothing", 0o644, file(""));
    add(&mut t, "files/block", 0o644, file(vec![1; 2048]));
    add(&mut t, "files/block-and-one", 0o644, file(vec![2; 2049]));
    let mut pieces = Layout::from(b"head".to_vec());
    pieces.append(Layout::hole(10_000));
    pieces.push(b"tail".to_vec());
    add(&mut t, "files/in-pieces", 0o644, Kind::File(pieces));
    add(&mut t, "files/a-name-of-block", 0o600, Kind::HardLink(path("files/block")));
    add(&mut t, "names/a-third-name", 0o600, Kind::HardLink(path("files/a-name-of-block")));
    let owners = [(u32::MAX - 1, u32::MAX - 2), (1000, 100), (0, 5)];
    for (n, (uid, gid)) in owners.into_iter().enumerate() {
        let meta = Meta { uid, gid, ..Meta::new(0o640, Time { seconds: -5, nanos: 5 }) };
        let node = Node { meta, kind: file([b'0' + u8::try_from(n).unwrap()]), origin: OriginId::default() };
        t.insert(path(format!("files/owner-{n}")), node).unwrap();
    }

    for (n, target) in ["a", "..", ".", "/", "/etc/x", "../a/./b", "a/", "/a/b/"].into_iter().enumerate() {
        add(&mut t, format!("links/short-{n}"), 0o777, link(target));
    }
    for len in (244..256).chain([498, 499, 500, 501, 502, 1023]) {
        for (name, part) in [("dirs", "usr/lib/"), ("up", "../"), ("one", "x")] {
            let target = part.repeat(1024)[..len].trim_end_matches('/').to_owned();
            add(&mut t, format!("links/{name}-{len}"), 0o777, link(target));
        }
    }
    add(&mut t, "links/again", 0o777, Kind::HardLink(path("links/dirs-500")));

    let names: [&[u8]; 12] = [
        b"MixedCase.Txt",
        b".hidden",
        b"x.tar.gz",
        b"dot.",
        b"a b",
        b"it's",
        b"*:;?\\\"",
        "\u{fc}\u{df}.txt".as_bytes(),
        "\u{65e5}\u{672c}".as_bytes(),
        "smile-\u{1f600}".as_bytes(),
        b"not-utf8-\xff\xfe",
        b"tab\tnewline\nend",
    ];
    for name in names {
        add(&mut t, [b"names/", name].concat(), 0o644, file(name));
    }
    for n in 0..12 {
        // Equal in the first 30 characters, and in the first 64.
        add(&mut t, format!("names/same/{}{n}", "s".repeat(30)), 0o644, file([n]));
        add(&mut t, format!("names/same/{}{n}.c", "t".repeat(64)), 0o644, file([n]));
    }
    for len in [200, 249, 250, 251, 253] {
        add(&mut t, format!("names/long/{}", "n".repeat(len)), 0o644, file([1]));
    }
    t
}

/// Folders below the eighth level, with a file and a link in each.
pub(crate) fn deep() -> Tree {
    let mut t = Tree::new();
    for start in ["a", "b"] {
        let mut folder = start.to_owned();
        add(&mut t, &folder, 0o755, Kind::Dir);
        for level in 2..20 {
            folder += &format!("/level-{level}");
            add(&mut t, &folder, 0o700 + level, Kind::Dir);
            add(&mut t, format!("{folder}/file"), 0o644, file(folder.as_bytes()));
            add(&mut t, format!("{folder}/link"), 0o777, link("../".repeat(90) + "x"));
        }
    }
    t
}
