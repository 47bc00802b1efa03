//! Images of one small tree, dumped so that every byte is accounted for, and their digests.
//!
//! ```text
//! 00008000    2048 volume descriptor: type=01 id="CD001" ...
//! └─ offset   └─ bytes        └─ fields that are not zero or spaces
//! ```
//!
//! When bytes change on purpose, `UPDATE_GOLDEN=1 cargo test -p mkimage-formats --test golden`
//! writes `testdata/golden` anew; its diff says which fields moved.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

mod archives;
mod blocks;
mod dump;
mod erofs;
mod fat;
mod gpt;
mod hybrid;
mod hyper_v;
mod iso;
mod pe;
mod squashfs;
#[path = "../squashfs/tables.rs"]
mod squashfs_tables;
mod uboot;
mod virtual_disks;

use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{Kind, Layout, Meta, Node, Tree, TreePath};

/// What makes the dumps.
const COMMAND: &str = "cargo test -p mkimage-formats --test golden";

fn path(name: &str) -> TreePath {
    TreePath::new(name).unwrap()
}

/// One of each kind, and a path of more than eight levels. The contents are in `dir`.
fn specimen(dir: &std::path::Path) -> Tree {
    let mut tree = Tree::new();
    let mut add = |name: &str, mode, kind| {
        let meta = Meta { uid: 3, gid: 5, ..Meta::new(mode, Time::from_unix(1_600_000_000)) };
        tree.insert(path(name), Node { meta, kind, origin: OriginId::default() }).unwrap();
    };
    let file = |name: &str, content: &[u8]| {
        let host = dir.join(name);
        std::fs::write(&host, content).unwrap();
        Kind::File(Layout::file(host).unwrap())
    };
    add("boot", 0o755, Kind::Dir);
    add("boot/loader", 0o644, file("loader", &[0xf4; 2048]));
    add("dev", 0o755, Kind::Dir);
    add("dev/console", 0o600, Kind::Char { major: 5, minor: 1 });
    add("empty", 0o644, file("empty", b""));
    add("hello", 0o4755, file("hello", b"hello\n"));
    add("link", 0o777, Kind::Symlink(b"../usr/./bin".as_slice().into()));
    add("other-name", 0o4755, Kind::HardLink(path("hello")));
    let mut deep = String::from("1");
    add(&deep, 0o755, Kind::Dir);
    for level in 2..10 {
        deep = format!("{deep}/{level}");
        add(&deep, 0o755, Kind::Dir);
    }
    add(&format!("{deep}/file"), 0o644, file("deep", b"deep\n"));
    tree
}
