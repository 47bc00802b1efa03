//! EROFS: a read-only file system that Linux mounts as its root. Integers are little-endian, a
//! block has 4 KiB.
//!
//! ```text
//! 0      1024         4096
//! ├─ 0 ──┼─ SuperBlock ─┼─ inodes ────────────────────┼─ blocks of folders and files ─┤
//!                       │                             │
//!           one inode:  ├─ Compact or Extended ─┼─ attributes ─┼─ tail, or chunks ─┤
//! ```
//!
//! The superblock has a block of its own: its checksum covers the block, and would otherwise be
//! one of files' tails, which are not read here.
//!
//! ```
//! use mkimage_formats::gpt::Guid;
//! use mkimage_formats::{Kind, Meta, Node, Tree, TreePath, emit, erofs};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let out = dir.path().join("root.erofs");
//! let mut tree = Tree::new();
//! let node = Node { meta: Meta::new(0o644, Default::default()), kind: Kind::File(b"hello".to_vec().into()), origin: Default::default() };
//! tree.insert(TreePath::new("motd")?, node)?;
//! let options = erofs::Options { label: "root".into(), uuid: Guid::derived(b"seed", "erofs"), epoch: Default::default() };
//! emit::emit(&erofs::layout(&tree, &options)?, &out)?;
//! # assert_eq!(std::fs::read(&out)?[1024..1028], 0xe0f5_e1e2_u32.to_le_bytes());
//! # Ok(())
//! # }
//! ```
//!
//! \[EROFS\] *EROFS - Enhanced Read-Only File System* and `fs/erofs/erofs_fs.h`, both of Linux 6.1.
//! Linux 5.4 mounts what is made here; 5.15 if a file has holes of whole chunks.

mod attributes;
mod content;
mod error;
mod folder;
mod inode;
mod structs;

pub use error::Error;

use crate::gpt::Guid;
use crate::layout::Layout;
use crate::tree::{Kind, Meta, Node, OriginId, Time, Tree, TreePath};
use content::Writer;
use inode::{Inode, Place};
use std::collections::BTreeMap;
use structs::{BLOCK, SuperBlock};

/// What the tree does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The volume's name: up to 16 bytes.
    pub label: String,
    /// The volume's identifier.
    pub uuid: Guid,
    /// When the file system was made. A node that was modified just then takes less space.
    pub epoch: Time,
}

/// A file system of all that is in `tree`. A root folder that it does not have is of root's, of
/// mode 0755, and of `options.epoch`.
///
/// # Errors
/// Something in the tree has no place in an EROFS: [`Error`] tells what, and the limit.
pub fn layout(tree: &Tree, options: &Options) -> Result<Layout, Error> {
    let label = label(&options.label)?;
    let root = Node { meta: Meta::new(0o755, options.epoch), kind: Kind::Dir, origin: OriginId::default() };
    let inodes = inodes(tree, tree.get(&TreePath::root()).unwrap_or(&root))?;
    let mut places = Vec::with_capacity(inodes.len());
    let (mut end, mut blocks) = (BLOCK, 0);
    for inode in &inodes {
        let place = Place::new(inode, options.epoch, end, blocks);
        end = place.end;
        blocks += place.blocks;
        places.push(place);
    }
    let first = end.div_ceil(BLOCK);
    // fsck.erofs 1.5 reads the header of attributes after every inode, also where there are none.
    if blocks == 0 && first * BLOCK - end < attributes::HEADER.len() as u64 {
        blocks = 1;
    }
    let count = first + blocks;
    let Ok(count) = u32::try_from(count) else { return Err(Error::Blocks { blocks: count }) };

    let chunked = places.iter().any(Place::is_chunked);
    let superblock = SuperBlock::new(options, label, inodes.len() as u64, count, chunked);
    let mut out = Writer::from(superblock.sealed_block());
    let mut data = Layout::default();
    for (n, inode) in inodes.iter().enumerate() {
        inode.write(n, &places, first, &mut out, &mut data);
    }
    data.pad_to(blocks * BLOCK);
    out.pad_to(first * BLOCK);
    let mut out = out.finish();
    out.append(data);
    Ok(out)
}

/// The label as it is on the disk.
fn label(text: &str) -> Result<[u8; 16], Error> {
    let mut label = [0; 16];
    match label.get_mut(..text.len()) {
        Some(start) if !text.contains('\0') => start.copy_from_slice(text.as_bytes()),
        _ => return Err(Error::Label { label: text.into() }),
    }
    Ok(label)
}

/// Every node once, the root first, with the entries of each folder.
fn inodes<'t>(tree: &'t Tree, root: &'t Node) -> Result<Vec<Inode<'t>>, Error> {
    if !root.is_dir() {
        return Err(Error::Root);
    }
    let mut inodes = vec![Inode::new(&TreePath::root(), root, 0, 0)?];
    // Those that others refer to: folders, and nodes that have several names.
    let mut known = BTreeMap::from([(TreePath::root(), 0)]);
    for (path, node) in tree.iter().filter(|(path, _)| !path.is_root()) {
        // A tree has the folder of each of its nodes, and what a hard link names, before them.
        let parent = known[&path.parent().unwrap_or_default()];
        let index = match &node.kind {
            Kind::HardLink(first) => known[first],
            _ => {
                let index = inodes.len();
                let links = tree.links(path).count();
                inodes.push(Inode::new(path, node, parent, links)?);
                if node.is_dir() || links > 0 {
                    known.insert(path.clone(), index);
                }
                index
            }
        };
        inodes[parent].add(path, index, node.is_dir())?;
    }
    Ok(inodes)
}
