//! A root file system as data: each path once, with what is there.
//!
//! Paths and names are bytes, as in the archives they come from. They are never resolved on the
//! host: a tree can hold device nodes, owners and names that the host could not.

use crate::layout::Layout;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A path inside a tree: no leading slash, no empty, `.` or `..` component. The root is empty.
///
/// Byte order puts every folder before what is in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TreePath(Box<[u8]>);

impl TreePath {
    /// The path that `name` means at the root: slashes at both ends, doubled slashes and `.` are
    /// dropped.
    ///
    /// # Errors
    /// A component is `..`, or a byte is NUL.
    pub fn new(name: impl AsRef<[u8]>) -> Result<Self, Error> {
        let name = name.as_ref();
        let bad = |why| Error::Path { name: lossy(name), why };
        if name.contains(&0) {
            return Err(bad("it has a NUL byte"));
        }
        let mut path = Vec::with_capacity(name.len());
        for part in name.split(|b| *b == b'/').filter(|p| !p.is_empty() && *p != b".") {
            if part == b".." {
                return Err(bad("`..` would leave the tree"));
            }
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(part);
        }
        Ok(TreePath(path.into()))
    }

    /// The root folder's path.
    #[must_use]
    pub fn root() -> Self {
        TreePath::default()
    }

    /// The bytes, components separated by one slash; empty for the root.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// This is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder that this is in; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<TreePath> {
        if self.is_root() {
            return None;
        }
        let cut = self.0.iter().rposition(|b| *b == b'/').unwrap_or(0);
        Some(TreePath(self.0[..cut].into()))
    }

    /// The last component; empty for the root.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.0.rsplit(|b| *b == b'/').next().unwrap_or_default()
    }

    /// `rest`, a path of the same kind, below this folder.
    #[must_use]
    pub fn join(&self, rest: &TreePath) -> TreePath {
        match (self.is_root(), rest.is_root()) {
            (true, _) => rest.clone(),
            (_, true) => self.clone(),
            _ => TreePath([&*self.0, b"/", &*rest.0].concat().into()),
        }
    }

    /// This is `folder`, or below it.
    #[must_use]
    pub fn starts_with(&self, folder: &TreePath) -> bool {
        match self.0.strip_prefix(&*folder.0) {
            Some(rest) => folder.is_root() || rest.is_empty() || rest[0] == b'/',
            None => false,
        }
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { "" })?;
        f.write_str(&lossy(&self.0))
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().to_string()
}

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
    /// One more name of the regular file (or other node, but no folder) at that path.
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

/// Which of [`Tree::origins`] a node is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginId(u32);

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

/// A root file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<TreePath, Node>,
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

    /// What is at `path` itself; links are not followed.
    #[must_use]
    pub fn get(&self, path: &TreePath) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Puts `node` at `path`; returns what was there. A folder that replaces a folder keeps what
    /// is in it.
    ///
    /// # Errors
    /// The parent is missing or no folder, or a folder that is not empty would become something
    /// else.
    pub fn insert(&mut self, path: TreePath, node: Node) -> Result<Option<Node>, Error> {
        if let Some(parent) = path.parent().filter(|p| !p.is_root()) {
            match self.nodes.get(&parent) {
                Some(n) if n.is_dir() => {}
                Some(_) => return Err(Error::NotADir { path, parent }),
                None => return Err(Error::NoParent { path, parent }),
            }
        }
        if !node.is_dir() && self.get(&path).is_some_and(Node::is_dir) && self.below(&path).next().is_some() {
            return Err(Error::NotEmpty { path });
        }
        Ok(self.nodes.insert(path, node))
    }

    /// Takes away `path` and all below it.
    pub fn remove(&mut self, path: &TreePath) {
        let gone: Vec<_> = self.below(path).map(|(p, _)| p.clone()).collect();
        for p in gone.iter().chain([path]) {
            self.nodes.remove(p);
        }
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
    }

    /// Every path with its node, in byte order: folders before what is in them.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &Node)> {
        self.nodes.iter()
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
    fn paths_are_cleaned_and_never_leave_the_tree() {
        assert_eq!(path("./etc//hosts/"), path("etc/hosts"));
        assert_eq!(path("/"), TreePath::root());
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), Some(TreePath::root()));
        assert_eq!(path("a/b").name(), b"b");
        assert!(path("a/b").starts_with(&path("a")) && !path("ab").starts_with(&path("a")));
        for name in ["..", "a/../b", "a\0"] {
            assert!(TreePath::new(name).is_err(), "{name}");
        }
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
}
