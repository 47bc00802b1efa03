//! Paths inside a tree.

use super::Error;
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A path inside a tree: no leading slash, no empty, `.` or `..` component. The root is empty.
///
/// Byte order puts every folder before what is in it. Clones share the bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TreePath(pub(super) Arc<[u8]>);

/// The longest path or target of a symbolic link that Linux takes: `PATH_MAX` of its
/// include/uapi/linux/limits.h without the zero at the end, bytes.
pub const MAX_PATH: usize = 4095;
/// What an error shows of a path that is too long, bytes.
const MAX_SHOWN: usize = 40;

impl TreePath {
    /// The path that `name` means at the root: slashes at both ends, doubled slashes and `.` are
    /// dropped.
    ///
    /// # Errors
    /// A component is `..`, a byte is NUL, or Linux takes no path that long.
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
        if path.len() > MAX_PATH {
            return Err(Error::Long { start: lossy(&path[..MAX_SHOWN]), len: path.len() });
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
        Some(TreePath(self.folder()?.into()))
    }

    /// The bytes of [`TreePath::parent`].
    #[must_use]
    pub fn folder(&self) -> Option<&[u8]> {
        folder(&self.0)
    }

    /// The bytes of all folders that this is in, the nearest first, the root last.
    pub fn folders(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::successors(self.folder(), |path| folder(path))
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

/// What has no slash is in the root, which is in nothing.
fn folder(path: &[u8]) -> Option<&[u8]> {
    let cut = path.iter().rposition(|b| *b == b'/').unwrap_or(0);
    (!path.is_empty()).then(|| &path[..cut])
}

/// So that maps are asked with the bytes of a path; order and hash are those of the bytes.
impl Borrow<[u8]> for TreePath {
    fn borrow(&self) -> &[u8] {
        &self.0
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeSet, HashSet};

    fn path(s: &str) -> TreePath {
        TreePath::new(s).unwrap()
    }

    #[test]
    fn maps_find_a_path_by_its_bytes() {
        let paths = ["a", "a-b", "a/b"].map(path);
        let (sorted, hashed) = (BTreeSet::from(paths.clone()), HashSet::from(paths.clone()));
        for path in &paths {
            assert!(sorted.contains(path.as_bytes()) && hashed.contains(path.as_bytes()), "{path}");
        }
        assert!(!sorted.contains(&b"b"[..]));
    }

    #[test]
    fn paths_are_cleaned_and_never_leave_the_tree() {
        assert_eq!(path("./etc//hosts/"), path("etc/hosts"));
        assert_eq!(path("/"), TreePath::root());
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), Some(TreePath::root()));
        assert_eq!(path("a/b").name(), b"b");
        assert_eq!(path("a/b/c").folders().collect::<Vec<_>>(), [&b"a/b"[..], b"a", b""]);
        assert_eq!(TreePath::root().folders().count(), 0);
        assert!(path("a/b").starts_with(&path("a")) && !path("ab").starts_with(&path("a")));
        for name in ["..", "a/../b", "a\0"] {
            assert!(TreePath::new(name).is_err(), "{name}");
        }
    }

    /// Each of its folders has a path, too: of a MiB of them come 256 GiB.
    #[test]
    fn a_path_is_no_longer_than_linux_takes() {
        assert_eq!(path(&"/a".repeat(2048)).as_bytes().len(), 4095);
        assert_eq!(
            TreePath::new("/a".repeat(2048) + "b").unwrap_err().to_string(),
            format!("the path `{}...` has 4096 bytes; Linux takes up to 4095", "a/".repeat(20)),
        );
    }
}
