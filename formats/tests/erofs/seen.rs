//! What is told of a node, by the tree, by those who read the image, and by the host.

use crate::any::content;
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::tree::{Time, Xattrs};
use mkimage_formats::{Kind, Layout, Meta, Tree, TreePath};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// With the type.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mtime: Time,
    pub(crate) nlink: u32,
    /// Of a device.
    pub(crate) device: Option<(u32, u32)>,
    /// A file's content, or a symbolic link's target.
    pub(crate) content: Vec<u8>,
    pub(crate) xattrs: Xattrs,
}

pub(crate) type Nodes = BTreeMap<TreePath, Seen>;
/// The names of each node that has several.
pub(crate) type Groups = BTreeSet<BTreeSet<TreePath>>;

pub(crate) fn bytes(layout: &Layout) -> Vec<u8> {
    let mut out = Stream::new(Vec::new());
    out.layout(layout).unwrap();
    out.into_inner()
}

/// The nodes of the tree, all its hard links as what they name, and the root if there is none.
pub(crate) fn told(tree: &Tree, epoch: Time) -> Nodes {
    let mut nodes = Nodes::new();
    let root = Meta::new(0o755, epoch);
    nodes.insert(TreePath::root(), seen(tree, &TreePath::root(), &root, &Kind::Dir, 2));
    for (path, node) in tree.iter() {
        let (first, node) = match &node.kind {
            Kind::HardLink(first) => (first, tree.get(first).unwrap()),
            _ => (path, node),
        };
        let nlink = if node.is_dir() { 2 } else { 1 + tree.links(first).count() };
        nodes.insert(path.clone(), seen(tree, first, &node.meta, &node.kind, nlink));
    }
    for (path, node) in tree.iter().filter(|(path, node)| node.is_dir() && !path.is_root()) {
        assert!(node.is_dir());
        nodes.get_mut(&path.parent().unwrap()).unwrap().nlink += 1;
    }
    nodes
}

fn seen(tree: &Tree, path: &TreePath, meta: &Meta, kind: &Kind, nlink: usize) -> Seen {
    let (letter, device, content) = match kind {
        Kind::Dir => (0o040_000, None, Vec::new()),
        Kind::File(_) => (0o100_000, None, bytes(content(tree, tree.get(path).unwrap()).unwrap())),
        Kind::Symlink(target) => (0o120_000, None, target.to_vec()),
        Kind::Char { major, minor } => (0o020_000, Some((*major, *minor)), Vec::new()),
        Kind::Block { major, minor } => (0o060_000, Some((*major, *minor)), Vec::new()),
        Kind::Fifo => (0o010_000, None, Vec::new()),
        Kind::HardLink(_) => unreachable!("followed"),
    };
    Seen {
        mode: letter | u32::from(meta.mode),
        uid: meta.uid,
        gid: meta.gid,
        mtime: meta.mtime,
        nlink: u32::try_from(nlink).unwrap(),
        device,
        content,
        xattrs: meta.xattrs.as_deref().cloned().unwrap_or_default(),
    }
}

pub(crate) fn groups(tree: &Tree) -> Groups {
    let group = |path: &TreePath| tree.links(path).chain([path]).cloned().collect::<BTreeSet<_>>();
    tree.iter().map(|(path, _)| group(path)).filter(|group| group.len() > 1).collect()
}

/// What is in a folder on the host, and which of the names are of one node. What the links of
/// folders are is a matter of the host's file system: they have one.
pub(crate) fn walk(root: &Path) -> (Nodes, Groups) {
    let (mut nodes, mut names) = (Nodes::new(), BTreeMap::<u64, BTreeSet<TreePath>>::new());
    let mut left = vec![TreePath::root()];
    while let Some(path) = left.pop() {
        let host = root.join(std::ffi::OsStr::from_bytes(path.as_bytes()));
        let meta = host.symlink_metadata().unwrap();
        if meta.is_dir() {
            for entry in std::fs::read_dir(&host).unwrap() {
                let name = TreePath::new(entry.unwrap().file_name().as_bytes()).unwrap();
                left.push(path.join(&name));
            }
        }
        names.entry(meta.ino()).or_default().insert(path.clone());
        nodes.insert(path, on_host(&host, &meta));
    }
    (nodes, names.into_values().filter(|names| names.len() > 1).collect())
}

fn on_host(host: &Path, meta: &std::fs::Metadata) -> Seen {
    let kind = meta.file_type();
    let content = match () {
        () if kind.is_file() => std::fs::read(host).unwrap(),
        () if kind.is_symlink() => std::fs::read_link(host).unwrap().as_os_str().as_bytes().to_vec(),
        () => Vec::new(),
    };
    let device = (kind.is_char_device() || kind.is_block_device()).then(|| {
        let n = meta.rdev();
        let number = |n: u64| u32::try_from(n).unwrap();
        (number(n >> 8 & 0xfff | n >> 32 & 0xffff_f000), number(n & 0xff | n >> 12 & 0xffff_ff00))
    });
    Seen {
        mode: meta.mode(),
        uid: meta.uid(),
        gid: meta.gid(),
        mtime: Time { seconds: meta.mtime(), nanos: u32::try_from(meta.mtime_nsec()).unwrap() },
        nlink: if kind.is_dir() { 1 } else { u32::try_from(meta.nlink()).unwrap() },
        device,
        content,
        xattrs: Xattrs::new(),
    }
}

pub(crate) fn assert_same(found: &Nodes, wanted: &Nodes) {
    for (path, want) in wanted {
        let found = found.get(path).unwrap_or_else(|| panic!("{path} is missing"));
        let shown = |seen: &Seen| Seen {
            content: seen.content[..seen.content.len().min(40)].to_vec(),
            ..seen.clone()
        };
        assert!(found == want, "{path}: {:?} and not {:?}", shown(found), shown(want));
    }
    assert_eq!(found.len(), wanted.len());
}
