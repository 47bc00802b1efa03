//! A root file system as data: each path once, with what is there.
//!
//! Paths and names are bytes, as in the archives they come from. They are never resolved on the
//! host: a tree can hold device nodes, owners and names that the host could not.
//!
//! ```
//! use mkimage_formats::tree::{Error, Kind, Meta, Node, OriginId, Time, Tree, TreePath};
//!
//! # fn main() -> Result<(), Error> {
//! let node = |mode, kind| Node { meta: Meta::new(mode, Time::from_unix(0)), kind, origin: OriginId::default() };
//! let mut tree = Tree::new();
//! tree.insert(TreePath::new("etc")?, node(0o755, Kind::Dir))?;
//! tree.insert(TreePath::new("etc/motd")?, node(0o644, Kind::File(b"hello".to_vec().into())))?;
//! tree.insert(TreePath::new("null")?, node(0o666, Kind::Char { major: 1, minor: 3 }))?;
//! let paths: Vec<String> = tree.iter().map(|(path, _)| path.to_string()).collect();
//! assert_eq!(paths, ["etc", "etc/motd", "null"]);
//! # Ok(())
//! # }
//! ```

use crate::layout::Layout;
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::sync::Arc;

pub(crate) mod limits;
mod path;

pub use limits::LimitError;
pub use path::{MAX_PATH, TreePath};

/// A point in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// 0 to 999,999,999, towards the future.
    pub nanos: u32,
}

impl Time {
    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Time { seconds, nanos: 0 }
    }
}

/// Names of an owner, which tar headers carry beside the numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// `uname`.
    pub user: String,
    /// `gname`.
    pub group: String,
}

/// Extended attributes: full name (`security.capability`) to value.
pub type Xattrs = BTreeMap<Vec<u8>, Vec<u8>>;

/// What every kind of node has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Permissions, set-id and sticky bits: 0 to 0o7777.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last modification.
    pub mtime: Time,
    /// Owner's names, if known.
    pub owner: Option<Arc<Owner>>,
    /// Extended attributes, if any.
    pub xattrs: Option<Arc<Xattrs>>,
}

impl Meta {
    /// Of root's, with permissions `mode`, last modified at `mtime`.
    #[must_use]
    pub fn new(mode: u16, mtime: Time) -> Self {
        Meta { mode: mode & 0o7777, mtime, ..Meta::default() }
    }
}

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Dir,
    /// A regular file with its content.
    File(Layout),
    /// A symbolic link with its target, as it is.
    Symlink(Box<[u8]>),
    /// One more name of the regular file (or other node, but no folder) at that path, which is
    /// not a hard link itself. All but the name is that node's: see [`Tree::insert`].
    HardLink(TreePath),
    /// A character device.
    Char {
        /// Driver.
        major: u32,
        /// Unit.
        minor: u32,
    },
    /// A block device.
    Block {
        /// Driver.
        major: u32,
        /// Unit.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
}

/// Which of [`Tree::origins`] a node is from. The default is none of them, and sorts last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginId(u32);

impl Default for OriginId {
    fn default() -> Self {
        OriginId(u32::MAX)
    }
}

/// Where nodes come from: an image at its place in a specification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `LINUXKIT.source`: the image's reference.
    pub source: String,
    /// `LINUXKIT.location`: the place, for example `init[0]`.
    pub location: String,
}

/// A path's node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Permissions, owner, time.
    pub meta: Meta,
    /// What it is.
    pub kind: Kind,
    /// Whose it is.
    pub origin: OriginId,
}

impl Node {
    /// This is a folder.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Dir)
    }
}

/// A root file system. Clones share the nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<TreePath, Arc<Node>>,
    /// The hard links to a node: its path to theirs, which all come after it in byte order.
    links: BTreeMap<TreePath, BTreeSet<TreePath>>,
    origins: Vec<Origin>,
}

impl Tree {
    /// Nothing, not even a root folder.
    #[must_use]
    pub fn new() -> Self {
        Tree::default()
    }

    /// Adds an origin. Nodes of later origins come later in archives that keep origins apart.
    ///
    /// # Panics
    /// There are 2³² of them.
    pub fn add_origin(&mut self, origin: Origin) -> OriginId {
        self.origins.push(origin);
        OriginId(u32::try_from(self.origins.len() - 1).expect("fewer than 2^32 origins"))
    }

    /// The origins, in the order they were added.
    pub fn origins(&self) -> impl Iterator<Item = (OriginId, &Origin)> {
        (0..).map(OriginId).zip(&self.origins)
    }

    /// One origin; none if the node was made without.
    #[must_use]
    pub fn origin(&self, id: OriginId) -> Option<&Origin> {
        self.origins.get(usize::try_from(id.0).ok()?)
    }

    /// What is at `path` (a [`TreePath`], or its bytes) itself; links are not followed.
    #[must_use]
    pub fn get<P: Ord + ?Sized>(&self, path: &P) -> Option<&Node>
    where
        TreePath: Borrow<P>,
    {
        self.nodes.get(path).map(|node| &**node)
    }

    /// Puts `node` at `path`. A folder that replaces a folder keeps what is in it; a node that is
    /// replaced lives on under its other names, as on a disk.
    ///
    /// Of the names of one node the first in byte order has the content, and the others are hard
    /// links to it: who goes through a tree in order meets the content first. A hard link whose
    /// path comes before its target's therefore swaps roles with it.
    ///
    /// # Errors
    /// The parent is missing or no folder; a folder that is not empty would become something
    /// else; a hard link's target is missing or a folder.
    pub fn insert(&mut self, path: TreePath, node: Node) -> Result<(), Error> {
        if let Some(folder) = path.folder().filter(|folder| !folder.is_empty()) {
            match self.get(folder).map(Node::is_dir) {
                Some(true) => {}
                Some(false) => return Err(Error::NotADir { parent: TreePath(folder.into()), path }),
                None => return Err(Error::NoParent { parent: TreePath(folder.into()), path }),
            }
        }
        let there = self.get(&path);
        if !node.is_dir() && there.is_some_and(Node::is_dir) && self.below(&path).next().is_some() {
            return Err(Error::NotEmpty { path });
        }
        let Kind::HardLink(target) = node.kind else {
            if there.is_some() {
                self.detach(&path);
            }
            self.nodes.insert(path, node.into());
            return Ok(());
        };
        let target = match self.nodes.get(&target).map(|n| &n.kind) {
            Some(Kind::HardLink(first)) => first.clone(),
            Some(Kind::Dir) | None => return Err(Error::LinkTarget { path, target }),
            Some(_) => target,
        };
        if target != path {
            self.detach(&path);
            self.link(path, target, node.origin);
        }
        Ok(())
    }

    /// Makes `path`, where nothing is, one more name of `target`.
    fn link(&mut self, path: TreePath, target: TreePath, origin: OriginId) {
        let mut names = self.links.remove(&target).unwrap_or_default();
        let mut content = self.nodes.remove(&target).expect("the caller saw the target");
        let name = |origin, first: &TreePath| {
            Arc::new(Node { meta: content.meta.clone(), kind: Kind::HardLink(first.clone()), origin })
        };
        if target < path {
            self.nodes.insert(path.clone(), name(origin, &target));
            self.nodes.insert(target.clone(), content);
            names.insert(path);
            self.links.insert(target, names);
            return;
        }
        let was = name(content.origin, &path);
        names.insert(target.clone());
        self.nodes.insert(target, was);
        Arc::make_mut(&mut content).origin = origin;
        self.give(path, content, names);
    }

    /// Puts `content` at `path`, with `names` as hard links to it.
    fn give(&mut self, path: TreePath, content: Arc<Node>, names: BTreeSet<TreePath>) {
        for name in &names {
            if let Some(node) = self.nodes.get_mut(name) {
                Arc::make_mut(node).kind = Kind::HardLink(path.clone());
            }
        }
        self.nodes.insert(path.clone(), content);
        if !names.is_empty() {
            self.links.insert(path, names);
        }
    }

    /// Takes away what is at `path` alone; what it names lives on under its other names.
    fn detach(&mut self, path: &TreePath) {
        let Some(mut node) = self.nodes.remove(path) else { return };
        if let Kind::HardLink(first) = &node.kind {
            if let Some(names) = self.links.get_mut(first) {
                names.remove(path);
                if names.is_empty() {
                    self.links.remove(first);
                }
            }
            return;
        }
        let Some(mut names) = self.links.remove(path) else { return };
        let Some(heir) = names.pop_first() else { return };
        if let Some(name) = self.nodes.get(&heir) {
            Arc::make_mut(&mut node).origin = name.origin;
        }
        self.give(heir, node, names);
    }

    /// Takes away `path` and all below it.
    pub fn remove(&mut self, path: &TreePath) {
        let gone: Vec<_> = self.below(path).map(|(p, _)| p.clone()).collect();
        for p in gone.iter().chain([path]) {
            self.detach(p);
        }
    }

    /// The hard links to the node at `path`, in byte order; none if `path` is one itself.
    pub fn links(&self, path: &TreePath) -> impl Iterator<Item = &TreePath> {
        self.links.get(path).into_iter().flatten()
    }

    /// What is below the folder `path`, at any depth, itself not.
    pub fn below(&self, path: &TreePath) -> impl Iterator<Item = (&TreePath, &Node)> {
        let mut first = path.0.to_vec();
        if !path.is_root() {
            first.push(b'/');
        }
        let last = first.clone();
        self.nodes
            .range(TreePath(first.into())..)
            .take_while(move |(p, _)| p.0.starts_with(&last))
            .filter(|(p, _)| !p.is_root())
            .map(|(p, node)| (p, &**node))
    }

    /// Every path with its node, in byte order: folders before what is in them.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &Node)> {
        self.nodes.iter().map(|(path, node)| (path, &**node))
    }

    /// How many paths there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// There is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

/// A path with its node, which clones of the tree may have too.
type Shared = (TreePath, Arc<Node>);

impl IntoIterator for Tree {
    type Item = (TreePath, Node);
    type IntoIter = std::iter::Map<btree_map::IntoIter<TreePath, Arc<Node>>, fn(Shared) -> Self::Item>;

    /// Every path with its node, as [`Tree::iter`]; each is freed as it is used.
    fn into_iter(self) -> Self::IntoIter {
        self.nodes.into_iter().map(|(path, node)| (path, Arc::unwrap_or_clone(node)))
    }
}

/// Why a path or a node cannot be in a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a path inside a tree.
    #[error("`{name}` is not a path inside the file system: {why}")]
    Path {
        /// The name.
        name: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// A path that no program can give to Linux.
    #[error("the path `{start}...` has {len} bytes; Linux takes up to {MAX_PATH}")]
    Long {
        /// Its beginning.
        start: String,
        /// Bytes.
        len: usize,
    },
    /// The folder must come first.
    #[error("`{path}` has no folder `{parent}` to be in")]
    NoParent {
        /// What was to be inserted.
        path: TreePath,
        /// What it would be in.
        parent: TreePath,
    },
    /// The parent is something else.
    #[error("`{path}` cannot be in `{parent}`, which is no folder")]
    NotADir {
        /// What was to be inserted.
        path: TreePath,
        /// What it would be in.
        parent: TreePath,
    },
    /// Hard links are further names of something that is there already.
    #[error("`{path}` cannot be a hard link to `{target}`, which is not there or a folder")]
    LinkTarget {
        /// What was to be inserted.
        path: TreePath,
        /// What it would be a name of.
        target: TreePath,
    },
    /// Something else would replace a folder that has contents.
    #[error("`{path}` is a folder that is not empty, and cannot become something else")]
    NotEmpty {
        /// The folder.
        path: TreePath,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(s: &str) -> TreePath {
        TreePath::new(s).unwrap()
    }
    fn node(kind: Kind) -> Node {
        Node { meta: Meta::default(), kind, origin: OriginId::default() }
    }

    #[test]
    fn a_node_needs_its_folder() {
        let mut t = Tree::new();
        assert!(matches!(t.insert(path("a/b"), node(Kind::Fifo)), Err(Error::NoParent { .. })));
        t.insert(path("a"), node(Kind::Dir)).unwrap();
        t.insert(path("a-b"), node(Kind::Fifo)).unwrap();
        t.insert(path("a/b"), node(Kind::Fifo)).unwrap();
        assert!(matches!(t.insert(path("a/b/c"), node(Kind::Fifo)), Err(Error::NotADir { .. })));
        assert!(matches!(t.insert(path("a"), node(Kind::Fifo)), Err(Error::NotEmpty { .. })));
        assert_eq!(t.below(&path("a")).count(), 1);
        t.remove(&path("a"));
        assert_eq!(t.iter().map(|(p, _)| p.to_string()).collect::<Vec<_>>(), ["a-b"]);
    }

    fn file(content: &str) -> Node {
        node(Kind::File(Layout::from(content.as_bytes().to_vec())))
    }
    fn link(target: &str) -> Node {
        node(Kind::HardLink(path(target)))
    }
    fn listed(t: &Tree) -> Vec<String> {
        let kind = |n: &Node| match &n.kind {
            Kind::File(l) => format!("{} bytes", l.len()),
            Kind::HardLink(first) => format!("-> {first}"),
            other => format!("{other:?}"),
        };
        t.iter().map(|(p, n)| format!("{p} {}", kind(n))).collect()
    }

    #[test]
    fn the_first_name_has_the_content_whatever_came_first() {
        let mut t = Tree::new();
        t.insert(path("m"), file("1")).unwrap();
        t.insert(path("z"), link("m")).unwrap();
        t.insert(path("a"), link("z")).unwrap();
        assert_eq!(listed(&t), ["a 1 bytes", "m -> a", "z -> a"]);
        t.insert(path("m"), link("z")).unwrap(); // it is that already
        t.insert(path("a"), link("a")).unwrap();
        assert_eq!(listed(&t), ["a 1 bytes", "m -> a", "z -> a"]);
        assert_eq!(t.links(&path("a")).count(), 2);
        assert!(matches!(t.insert(path("b"), link("c")), Err(Error::LinkTarget { .. })));
    }

    #[test]
    fn content_lives_as_long_as_one_of_its_names() {
        let mut t = Tree::new();
        t.insert(path("a"), file("1")).unwrap();
        t.insert(path("b"), link("a")).unwrap();
        t.insert(path("c"), link("a")).unwrap();
        t.insert(path("a"), file("22")).unwrap();
        assert_eq!(listed(&t), ["a 2 bytes", "b 1 bytes", "c -> b"]);
        t.remove(&path("c"));
        assert_eq!(t.links(&path("b")).count(), 0);
        t.insert(path("c"), link("a")).unwrap();
        t.remove(&path("a"));
        assert_eq!(listed(&t), ["b 1 bytes", "c 2 bytes"]);
    }
}
