//! What is known of nodes before anything is compressed.

use super::attributes;
use super::error::Error;
use super::structs::{BLOCK_DEVICE, CHAR_DEVICE, DIR, FIFO, FILE, NONE, SYMLINK};
use crate::layout::Layout;
use crate::tree::{Kind, Meta, Node, Tree, TreePath, Xattrs, limits};
use std::collections::{BTreeMap, BTreeSet};

/// Every node once, the root first, folders before what is in them.
pub(super) struct Inodes<'t> {
    pub(super) list: Vec<Inode<'t>>,
    /// Contents of files, in the order of their inodes.
    pub(super) files: Vec<&'t Layout>,
    /// Users and groups, ascending.
    pub(super) ids: Vec<u32>,
    /// Sets of attributes, by number.
    pub(super) sets: Vec<&'t Xattrs>,
}

/// A node, and what is known of it from all of the tree.
pub(super) struct Inode<'t> {
    pub(super) path: &'t TreePath,
    pub(super) meta: &'t Meta,
    pub(super) kind: &'t Kind,
    pub(super) nlink: u32,
    /// Which of the inodes its folder is; the root is in itself.
    pub(super) parent: usize,
    /// Its set of attributes, or [`NONE`].
    pub(super) xattr: u32,
    pub(super) body: Body<'t>,
}

/// What an inode leads to.
pub(super) enum Body<'t> {
    /// Names, and which of the inodes they lead to, in byte order.
    Folder(Vec<(&'t [u8], usize)>),
    /// Which of the contents.
    File(usize),
    Nothing,
}

impl<'t> Inodes<'t> {
    /// The nodes of `tree`, whose root is `root`, at `top`.
    pub(super) fn new(tree: &'t Tree, top: &'t TreePath, root: &'t Node) -> Result<Self, Error> {
        if !root.is_dir() {
            return Err(Error::Root);
        }
        let mut inodes = Inodes { list: Vec::new(), files: Vec::new(), ids: Vec::new(), sets: Vec::new() };
        let mut numbers = BTreeMap::new();
        inodes.add(top, root, 0, 0, &mut numbers)?;
        // Those that others refer to: folders, and nodes that have several names.
        let mut known = BTreeMap::from([(top, 0)]);
        for (path, node) in tree.iter().filter(|(path, _)| !path.is_root()) {
            limits::check_name(path)?;
            // A tree has the folder of each of its nodes, and what a hard link names, before them.
            let parent = known[&path.parent().unwrap_or_default()];
            let index = match &node.kind {
                Kind::HardLink(first) => known[first],
                _ => {
                    let links = tree.links(path).count();
                    let index = inodes.add(path, node, parent, links, &mut numbers)?;
                    if node.is_dir() || links > 0 {
                        known.insert(path, index);
                    }
                    index
                }
            };
            let folder = &mut inodes.list[parent];
            folder.nlink += u32::from(node.is_dir());
            if let Body::Folder(entries) = &mut folder.body {
                entries.push((path.name(), index));
            }
        }
        let ids: BTreeSet<u32> = inodes.list.iter().flat_map(|i| [i.meta.uid, i.meta.gid]).collect();
        inodes.ids = ids.into_iter().collect();
        match u16::try_from(inodes.ids.len()) {
            Ok(_) => Ok(inodes),
            Err(_) => Err(Error::Ids { count: inodes.ids.len() }),
        }
    }

    /// Adds the node at `path`, which has so many further names.
    fn add(
        &mut self,
        path: &'t TreePath,
        node: &'t Node,
        parent: usize,
        links: usize,
        numbers: &mut BTreeMap<&'t Xattrs, u32>,
    ) -> Result<usize, Error> {
        limits::check_target(path, &node.kind)?;
        limits::check_device(path, &node.kind)?;
        let mut xattr = NONE;
        if let Some(xattrs) = node.meta.xattrs.as_deref().filter(|xattrs| !xattrs.is_empty()) {
            attributes::check(path, xattrs)?;
            xattr = *numbers.entry(xattrs).or_insert_with(|| {
                self.sets.push(xattrs);
                count(self.sets.len()) - 1
            });
        }
        let body = match &node.kind {
            Kind::Dir => Body::Folder(Vec::new()),
            Kind::File(content) => {
                self.files.push(content);
                Body::File(self.files.len() - 1)
            }
            _ => Body::Nothing,
        };
        let nlink = count(if node.is_dir() { 2 } else { 1 + links });
        let (meta, kind) = (&node.meta, &node.kind);
        self.list.push(Inode { path, meta, kind, nlink, parent, xattr, body });
        Ok(self.list.len() - 1)
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        count(self.list.len())
    }

    /// How many users and groups there are.
    pub(super) fn id_count(&self) -> u16 {
        u16::try_from(self.ids.len()).expect("they were counted")
    }

    /// Where `id` is in the table of ids.
    pub(super) fn id(&self, id: u32) -> u16 {
        let n = self.ids.binary_search(&id).expect("it has those of all inodes");
        u16::try_from(n).expect("they were counted")
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).expect("nodes are counted in memory")
}

/// The number of the `index`-th inode: 0 is no file.
pub(super) fn number(index: usize) -> u32 {
    count(index) + 1
}

impl Inode<'_> {
    /// The type, not an extended one.
    pub(super) fn file_type(&self) -> u16 {
        match self.kind {
            Kind::Dir => DIR,
            Kind::File(_) | Kind::HardLink(_) => FILE,
            Kind::Symlink(_) => SYMLINK,
            Kind::Block { .. } => BLOCK_DEVICE,
            Kind::Char { .. } => CHAR_DEVICE,
            Kind::Fifo => FIFO,
        }
    }
}
