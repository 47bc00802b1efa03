//! What is in the tree, by folder.

use super::structs::BLOCK;
use super::{Error, View};
use crate::layout::Layout;
use crate::tree::{Kind, Meta, Node, Tree, TreePath, limits};
use std::collections::BTreeMap;

/// \[ECMA-119\] §6.9: path tables number folders in 16 bits, the root and `/rr_moved` too.
const MAX_FOLDERS: usize = 65_535;
/// \[ECMA-119\] §6.8.2.1: levels of folders in the primary tree, of which the root is the first. Seven
/// names of 31 bytes always make a path of the 255 that are allowed.
const LEVELS: u8 = 8;
/// \[RRIP\] §4.1.5: where the folders are that would be further down, a name that readers know.
const MOVED: &[u8] = b"rr_moved";

/// The number of the root in [`Nodes::folders`].
pub(super) const ROOT: usize = 0;

/// A folder.
pub(super) struct Folder<'t> {
    pub(super) name: &'t [u8],
    pub(super) meta: &'t Meta,
    /// The folder that it is in, which for the root is the root.
    pub(super) parent: usize,
    /// The folders in it, by name.
    pub(super) folders: Vec<usize>,
    /// What else is in it, by name, but the boot catalog, which is first.
    pub(super) files: Vec<usize>,
    /// The folders in it in the primary tree.
    pub(super) primary: Vec<usize>,
    /// Its number among those that the primary tree has in `/rr_moved`.
    pub(super) moved: Option<usize>,
    /// Serial number.
    pub(super) serial: u32,
}

impl<'t> Folder<'t> {
    fn new(name: &'t [u8], meta: &'t Meta, parent: usize) -> Self {
        let (folders, files, primary) = (Vec::new(), Vec::new(), Vec::new());
        Folder { name, meta, parent, folders, files, primary, moved: None, serial: 0 }
    }

    /// Names of the folder: its own, its `.`, and the `..` of each folder in it.
    pub(super) fn links(&self) -> usize {
        // Where all have moved away, as many records are left for them.
        2 + if self.primary.is_empty() { self.folders.len() } else { self.primary.len() }
    }
}

/// A name of something that is no folder.
pub(super) struct File<'t> {
    pub(super) path: &'t TreePath,
    /// What it is; never a hard link.
    pub(super) node: &'t Node,
    /// The number of the first name of what it is.
    pub(super) first: usize,
    /// How many names that has, if this is the first.
    pub(super) links: usize,
    /// And its serial number.
    pub(super) serial: u32,
}

impl<'t> File<'t> {
    /// Its content, if it has any.
    pub(super) fn content(&self) -> Option<&'t Layout> {
        match &self.node.kind {
            Kind::File(content) => Some(content).filter(|content| !content.is_empty()),
            _ => None,
        }
    }
}

/// What the image has that the tree does not.
pub(super) struct Added<'t> {
    /// The root, if the tree has none, and `/rr_moved`.
    pub(super) folder: Meta,
    /// The boot catalog, if it is seen.
    pub(super) catalog: Option<(&'t TreePath, Node)>,
}

/// The nodes of a tree.
pub(super) struct Nodes<'t> {
    pub(super) folders: Vec<Folder<'t>>,
    pub(super) files: Vec<File<'t>>,
    /// The folders of the primary tree, each before those in it.
    pub(super) order: Vec<usize>,
    /// `/rr_moved`.
    pub(super) moved: Option<usize>,
    /// The file that is the boot catalog, the last.
    pub(super) catalog: Option<usize>,
}

impl<'t> Nodes<'t> {
    /// All of `tree`, and what is `added`.
    pub(super) fn new(tree: &'t Tree, added: &'t Added<'t>) -> Result<Self, Error> {
        let root = tree.get(&TreePath::root()).map_or(&added.folder, |node| &node.meta);
        let mut folders = vec![Folder::new(b"", root, ROOT)];
        let mut files = Vec::with_capacity(tree.len());
        let mut numbers = BTreeMap::from([(&b""[..], ROOT)]);
        // Of those that have several names, the first.
        let mut firsts = BTreeMap::new();
        // A tree has the folder of each of its nodes, and what a hard link names, before them.
        for (path, node) in tree.iter().filter(|(path, _)| !path.is_root()) {
            check(path, &node.kind)?;
            let parent = numbers[path.folder().unwrap_or_default()];
            if node.is_dir() {
                let number = folders.len();
                numbers.insert(path.as_bytes(), number);
                folders[parent].folders.push(number);
                folders.push(Folder::new(path.name(), &node.meta, parent));
                continue;
            }
            let number = files.len();
            let links = 1 + tree.links(path).count();
            if links > 1 {
                firsts.insert(path, (number, node));
            }
            let (first, node) = match &node.kind {
                Kind::HardLink(first) => firsts[first],
                _ => (number, node),
            };
            folders[parent].files.push(number);
            files.push(File { path, node, first, links, serial: 0 });
        }
        let mut catalog = None;
        if let Some((path, node)) = &added.catalog {
            let first = files.len();
            let parent = path.folder().and_then(|folder| numbers.get(folder));
            let parent = parent.filter(|_| tree.get(*path).is_none());
            let parent = *parent.ok_or_else(|| Error::Catalog { path: (*path).clone() })?;
            check(path, &node.kind)?;
            folders[parent].files.insert(0, first);
            files.push(File { path, node, first, links: 1, serial: 0 });
            catalog = Some(first);
        }
        let mut nodes = Nodes { folders, files, order: Vec::new(), moved: None, catalog };
        nodes.relocate(&added.folder)?;
        let count = nodes.folders.len();
        if count > MAX_FOLDERS {
            return Err(Error::Folders { count, limit: MAX_FOLDERS });
        }
        nodes.order = nodes.preorder(View::Primary);
        nodes.number();
        Ok(nodes)
    }

    /// The folders that a tree has in `folder`.
    pub(super) fn folders_in(&self, folder: usize, view: View) -> &[usize] {
        match view {
            View::Primary => &self.folders[folder].primary,
            View::Joliet => &self.folders[folder].folders,
        }
    }

    /// The folder that a tree has `folder` in.
    pub(super) fn parent(&self, folder: usize, view: View) -> usize {
        let inside = &self.folders[folder];
        match (view, inside.moved.and(self.moved)) {
            (View::Primary, Some(moved)) => moved,
            _ => inside.parent,
        }
    }

    /// A tree has `folder`.
    pub(super) fn has(&self, folder: usize, view: View) -> bool {
        // One that is made for those that move is in no folder of the tree.
        let made = self.moved == Some(folder) && !self.folders[ROOT].folders.contains(&folder);
        view == View::Primary || !made
    }

    /// The names of files in the order of places.
    pub(super) fn files_in_order(&self) -> impl Iterator<Item = usize> {
        self.order.iter().flat_map(|&folder| &self.folders[folder].files).copied()
    }

    fn preorder(&self, view: View) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.folders.len());
        let mut next = vec![ROOT];
        while let Some(folder) = next.pop() {
            order.push(folder);
            next.extend(self.folders_in(folder, view).iter().rev());
        }
        order
    }

    /// Moves folders that are too far down to where readers who know no Rock Ridge see them.
    fn relocate(&mut self, made: &'t Meta) -> Result<(), Error> {
        let mut levels = vec![1; self.folders.len()];
        let mut moved = Vec::new();
        for folder in self.preorder(View::Joliet) {
            let inside = &mut self.folders[folder];
            if levels[folder] < LEVELS {
                inside.primary.clone_from(&inside.folders);
            } else {
                moved.extend_from_slice(&inside.folders);
            }
            for &below in &inside.folders {
                // Those that move are in a folder of the root.
                levels[below] = if levels[folder] < LEVELS { levels[folder] + 1 } else { 3 };
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        let root = &self.folders[ROOT];
        if root.files.iter().any(|&file| self.files[file].path.as_bytes() == MOVED) {
            return Err(Error::Moved);
        }
        let there = root.folders.iter().copied().find(|&folder| self.folders[folder].name == MOVED);
        let there = there.unwrap_or_else(|| {
            self.folders.push(Folder::new(MOVED, made, ROOT));
            self.folders.len() - 1
        });
        for (folder, number) in moved.iter().zip(1..) {
            self.folders[*folder].moved = Some(number);
        }
        self.folders[there].primary.extend(moved);
        let top = &mut self.folders[ROOT].primary;
        top.retain(|folder| *folder != there);
        top.insert(0, there);
        self.moved = Some(there);
        Ok(())
    }

    /// Gives out serial numbers, folders first. The boot catalog has none.
    fn number(&mut self) {
        let mut serials = 1..;
        for &folder in &self.order {
            self.folders[folder].serial = serials.next().expect("without end");
        }
        for &folder in &self.order {
            for &name in &self.folders[folder].files {
                let first = self.files[name].first;
                if self.files[first].serial == 0 && self.catalog != Some(first) {
                    self.files[first].serial = serials.next().expect("without end");
                }
            }
        }
    }
}

/// Checks that a node fits.
fn check(path: &TreePath, kind: &Kind) -> Result<(), Error> {
    limits::check_name(path)?;
    limits::check_target(path, kind)?;
    let Kind::File(content) = kind else { return Ok(()) };
    // Records are written before there are places: they have numbers for all of a content.
    let blocks = content.len().div_ceil(BLOCK);
    u32::try_from(blocks).map(drop).map_err(|source| Error::Blocks { blocks, source })
}
