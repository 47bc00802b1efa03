//! Putting nodes into a tree as unpacking an archive on top of a file system would.
//!
//! - A folder on the way that is a symbolic link is followed, inside the tree: after
//!   `lib -> usr/lib`, the entry `lib/x` is at `usr/lib/x`. Absolute links start at the tree's root.
//! - A folder on the way that is missing is made.
//! - What is at the path itself is replaced, and not followed: a folder replaces a symbolic link.
//! - But a folder that holds something stays, as Linux keeps it when it unpacks an initrd: a link
//!   or file for its path is dropped.

use super::T0;
use mkimage_formats::tree::{self, OriginId};
use mkimage_formats::{Kind, Meta, Node, Tree, TreePath};
use std::cell::Cell;
use std::collections::VecDeque;

/// How many symbolic links Linux follows on a path (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;
/// Bytes of the paths of folders that are made since they are missing. Archives have an entry for
/// each folder, but for a few; of one long name for each file come hundreds of times its length.
const MAX_IMPLIED: usize = 16 << 20;

/// Why a node cannot be put into a tree.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Links that lead nowhere.
    #[error("more than {MAX_LINKS} symbolic links lead to the folder of `{path}`")]
    Loop {
        /// What was to be put there.
        path: TreePath,
    },
    /// Long names that stand alone.
    #[error(
        "`{path}` is in folders that have no entry; the paths of all such have more than {} MiB",
        MAX_IMPLIED >> 20
    )]
    Implied {
        /// What was to be put there.
        path: TreePath,
    },
    /// There is something else on the way.
    #[error(transparent)]
    Tree(#[from] tree::Error),
}

/// Folders that are made because something is in them.
pub(super) struct Implied {
    origin: OriginId,
    /// Bytes of their paths.
    bytes: Cell<usize>,
}

impl Implied {
    pub(super) fn new(origin: OriginId) -> Self {
        Implied { origin, bytes: Cell::new(0) }
    }
}

/// Puts `node` at `path`; returns where that is when links have been followed.
pub(super) fn put(tree: &mut Tree, path: &TreePath, node: Node) -> Result<TreePath, Error> {
    let folders = Implied::new(node.origin);
    put_below(tree, path, node, &folders)
}

/// As [`put`]; folders that are missing on the way are of `folders`.
pub(super) fn put_below(
    tree: &mut Tree,
    path: &TreePath,
    mut node: Node,
    folders: &Implied,
) -> Result<TreePath, Error> {
    let path = resolve(tree, path)?;
    if let Kind::HardLink(target) = &mut node.kind {
        *target = resolve(tree, target)?;
    }
    make_parents(tree, &path, folders)?;
    match tree.insert(path.clone(), node) {
        Err(tree::Error::NotEmpty { .. }) | Ok(()) => Ok(path),
        Err(e) => Err(e.into()),
    }
}

/// Where `path` is when the symbolic links among its folders are followed. The last component is
/// not.
pub(super) fn resolve(tree: &Tree, path: &TreePath) -> Result<TreePath, Error> {
    if path.folder().is_none_or(|p| p.is_empty() || tree.get(p).is_some_and(Node::is_dir)) {
        return Ok(path.clone()); // a folder's own folders are folders
    }
    let mut left: VecDeque<Vec<u8>> = parts(path.as_bytes()).collect();
    let (mut at, mut links): (Vec<Vec<u8>>, usize) = (Vec::new(), 0);
    while let Some(part) = left.pop_front() {
        if part == b".." {
            at.pop(); // and the root's parent is the root
            continue;
        }
        at.push(part);
        let here = TreePath::new(at.join(&b'/'))?;
        let Some(Node { kind: Kind::Symlink(target), .. }) = tree.get(&here).filter(|_| !left.is_empty())
        else {
            continue;
        };
        links += 1;
        if links > MAX_LINKS {
            return Err(Error::Loop { path: path.clone() });
        }
        at.pop();
        if target.first() == Some(&b'/') {
            at.clear();
        }
        for part in parts(target).collect::<Vec<_>>().into_iter().rev() {
            left.push_front(part);
        }
    }
    Ok(TreePath::new(at.join(&b'/'))?)
}

fn parts(path: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    path.split(|b| *b == b'/').filter(|p| !p.is_empty() && *p != b".").map(<[u8]>::to_vec)
}

/// Makes the folders that `path` needs and that are missing.
pub(super) fn make_parents(tree: &mut Tree, path: &TreePath, folders: &Implied) -> Result<(), Error> {
    let is_missing = |folder: &&[u8]| !folder.is_empty() && tree.get(*folder).is_none();
    let missing: Vec<_> = path.folders().take_while(is_missing).collect();
    let bytes = missing.iter().fold(folders.bytes.get(), |bytes, folder| bytes + folder.len());
    if bytes > MAX_IMPLIED {
        return Err(Error::Implied { path: path.clone() });
    }
    folders.bytes.set(bytes);
    for folder in missing.into_iter().rev() {
        let node = Node { meta: Meta::new(0o755, T0), kind: Kind::Dir, origin: folders.origin };
        tree.insert(TreePath::new(folder)?, node)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(s: &str) -> TreePath {
        TreePath::new(s).unwrap()
    }
    fn node(kind: Kind) -> Node {
        Node { meta: Meta::new(0o755, T0), kind, origin: OriginId::default() }
    }
    fn link(target: &str) -> Node {
        node(Kind::Symlink(target.as_bytes().into()))
    }

    #[test]
    fn links_among_folders_are_followed_inside_the_tree() {
        let mut t = Tree::new();
        for (name, target) in
            [("lib", "usr/lib"), ("usr/lib", "/lib64/."), ("up", "../../etc"), ("x/abs", "/../lib")]
        {
            put(&mut t, &path(name), link(target)).unwrap();
        }
        for (name, want) in [
            ("lib/a", "lib64/a"),
            ("up/passwd", "etc/passwd"),
            ("x/abs/b", "lib64/b"),
            ("lib", "lib"), // the link itself
            ("new/c/d", "new/c/d"),
        ] {
            assert_eq!(put(&mut t, &path(name), node(Kind::Fifo)).unwrap(), path(want), "{name}");
        }
        assert!(t.get(&path("lib64")).unwrap().is_dir());
    }

    #[test]
    fn folders_without_an_entry_are_counted_together() {
        let (mut t, origin) = (Tree::new(), OriginId::default());
        let folders = Implied { origin, bytes: Cell::new(MAX_IMPLIED - "a/b".len() - "a".len()) };
        let mut put = |name| put_below(&mut t, &path(name), node(Kind::Fifo), &folders);
        put("a/b/c").unwrap();
        put("a/b/d").unwrap();
        let e = put("e/f").unwrap_err().to_string();
        assert_eq!(e, "`e/f` is in folders that have no entry; the paths of all such have more than 16 MiB");
    }

    #[test]
    fn cyclic_links_are_an_error() {
        let mut t = Tree::new();
        put(&mut t, &path("a"), link("b")).unwrap();
        put(&mut t, &path("b"), link("a")).unwrap();
        let e = put(&mut t, &path("a/x"), node(Kind::Fifo)).unwrap_err().to_string();
        assert_eq!(e, "more than 40 symbolic links lead to the folder of `a/x`");
        // Replacing one of them follows nothing.
        put(&mut t, &path("a"), node(Kind::Dir)).unwrap();
        put(&mut t, &path("b/x"), node(Kind::Fifo)).unwrap();
        assert!(t.get(&path("a/x")).is_some());
    }

    #[test]
    fn a_folder_with_something_in_it_stays() {
        let mut t = Tree::new();
        put(&mut t, &path("lib/modules"), node(Kind::Dir)).unwrap();
        put(&mut t, &path("lib"), link("usr/lib")).unwrap();
        assert!(t.get(&path("lib")).unwrap().is_dir());
        put(&mut t, &path("lib/modules"), link("../x")).unwrap(); // empty: replaced
        assert!(!t.get(&path("lib/modules")).unwrap().is_dir());
        let e = put(&mut t, &path("fifo"), node(Kind::Fifo))
            .and_then(|_| put(&mut t, &path("fifo/x"), node(Kind::Fifo)));
        assert_eq!(e.unwrap_err().to_string(), "`fifo/x` cannot be in `fifo`, which is no folder");
    }
}
