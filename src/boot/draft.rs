//! The tree of a medium on its way.

use super::{Error, Files, Payload};
use mkimage_formats::tree::Time;
use mkimage_formats::{Kind, Layout, Meta, Node, OriginId, Tree, TreePath};

/// What a file system will have.
pub(super) struct Draft {
    pub(super) tree: Tree,
    epoch: Time,
    /// Permissions of files that are added.
    mode: u16,
}

impl Draft {
    /// `root`, if there is one, and what comes to it.
    pub(super) fn new(root: Option<&Tree>, epoch: Time) -> Self {
        Draft { tree: root.cloned().unwrap_or_default(), epoch, mode: 0o444 }
    }

    /// Nothing yet; its files may be written to.
    pub(super) fn writable(epoch: Time) -> Self {
        Draft { tree: Tree::new(), epoch, mode: 0o644 }
    }

    /// Adds a file and the folders above it, or gives it another content.
    pub(super) fn file(&mut self, path: &str, content: impl Into<Layout>) -> Result<(), Error> {
        for (at, _) in path.match_indices('/') {
            let folder = TreePath::new(&path[..at])?;
            if self.tree.get(&folder).is_none_or(|node| !node.is_dir()) {
                self.insert(folder, 0o755, Kind::Dir)?;
            }
        }
        self.insert(TreePath::new(path)?, self.mode, Kind::File(content.into()))
    }

    /// Adds kernel and initrd.
    pub(super) fn payload(&mut self, payload: &Payload, files: Files) -> Result<(), Error> {
        self.file(files.kernel, payload.kernel.content.clone())?;
        if !payload.initrd.content.is_empty() {
            self.file(files.initrd, payload.initrd.content.clone())?;
        }
        Ok(())
    }

    fn insert(&mut self, path: TreePath, mode: u16, kind: Kind) -> Result<(), Error> {
        let node = Node { meta: Meta::new(mode, self.epoch), kind, origin: OriginId::default() };
        self.tree.insert(path, node)?;
        Ok(())
    }
}
