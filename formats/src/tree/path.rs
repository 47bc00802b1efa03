//! Paths inside a tree.

use super::Error;
use std::fmt;

/// A path inside a tree: no leading slash, no empty, `.` or `..` component. The root is empty.
///
/// Byte order puts every folder before what is in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TreePath(pub(super) Box<[u8]>);

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

#[cfg(test)]
mod tests {
    use super::*;

    fn path(s: &str) -> TreePath {
        TreePath::new(s).unwrap()
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
}
