//! Where a file system can share blocks, an output shares those of its payload.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "archives/judge.rs"]
mod judge;

use mkimage_formats::{Kind, Layout, Meta, Node, OriginId, Tree, TreePath, emit, iso, qcow2};
use std::path::{Path, PathBuf};
use std::process::Command;

const MIB: u64 = 1 << 20;

/// A btrfs in a file, as long as this lives.
struct Mounted(PathBuf);

impl Mounted {
    /// None: nobody here may mount.
    fn new(dir: &Path) -> Option<Self> {
        let (image, point) = (dir.join("btrfs"), dir.join("mounted"));
        std::fs::File::create(&image).unwrap().set_len(256 * MIB).unwrap();
        let made = judge::program("mkfs.btrfs")?.arg("--quiet").arg(&image).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        std::fs::create_dir(&point).unwrap();
        let mount = Command::new("mount").args(["-o", "loop"]).args([&image, &point]).output().unwrap();
        if !mount.status.success() {
            let why = String::from_utf8_lossy(&mount.stderr);
            judge::skip::here(format_args!("nobody may mount a file system: {why}"));
            return None;
        }
        Some(Mounted(point))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(&self.0).status();
        // A test that has failed already says why.
        assert!(std::thread::panicking() || done.unwrap().success());
    }
}

/// Bytes of the file that no other shares.
fn exclusive(path: &Path) -> u64 {
    let mut du = Command::new("btrfs");
    let table = judge::output(du.args(["filesystem", "du", "--raw", "--summarize"]).arg(path));
    table.lines().last().unwrap().split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_payload_at_whole_blocks_takes_no_room_in_an_output() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mounted) = Mounted::new(dir.path()) else { return };
    let at = |name: &str| mounted.0.join(name);
    // It begins with a block, and ends within one.
    let len = usize::try_from(32 * MIB).unwrap() + 999;
    let payload: Vec<u8> = (0..len).map(|n| (n ^ (n >> 8) ^ (n >> 16)).to_le_bytes()[0]).collect();
    std::fs::write(at("payload"), &payload).unwrap();
    std::fs::File::open(at("payload")).unwrap().sync_all().unwrap();

    let mut disk = Layout::from(vec![1; 4096]);
    disk.append(Layout::file(at("payload")).unwrap());
    disk.pad_to_multiple(MIB);
    emit::emit(&disk, at("raw")).unwrap();
    emit::emit(&qcow2::layout(&disk, &qcow2::Options::default()).unwrap(), at("qcow2")).unwrap();
    let mut tree = Tree::new();
    // One after the other, one of the two large ones would begin within a block.
    for (name, content) in [
        ("a", Layout::from(vec![1; 100])),
        ("b", Layout::file(at("payload")).unwrap()),
        ("c", Layout::from(vec![1; 3000])),
        ("d", Layout::file(at("payload")).unwrap()),
    ] {
        let node = Node { meta: Meta::default(), kind: Kind::File(content), origin: OriginId::default() };
        tree.insert(TreePath::new(name).unwrap(), node).unwrap();
    }
    emit::emit(&iso::layout(&tree, &iso::Options::default()).unwrap(), at("iso")).unwrap();
    for name in ["raw", "qcow2", "iso"] {
        assert!(exclusive(&at(name)) < MIB, "{name}: {}", exclusive(&at(name)));
    }
    let raw = std::fs::read(at("raw")).unwrap();
    assert!(raw[4096..][..len] == payload && raw.len() as u64 == disk.len());
}
