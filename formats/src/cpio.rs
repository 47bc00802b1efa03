//! Archives that the Linux kernel unpacks into its first root file system: `cpio` in `newc` form.
//!
//! ```text
//! ├─ header, name, NUL ─┼─ content ─┤ ... ├─ TRAILER!!! ─┤
//! each padded to 4 bytes                      whole archive padded to 512
//! ```
//!
//! A header is "070701" and thirteen numbers of eight hexadecimal digits. Names that share an
//! inode number are hard links; the content is with the first of them, and the others have none.
//! Extended attributes and owners' names have no place in it, and times before 1970 or after 2106
//! become the nearest that has.
//!
//! ```
//! use mkimage_formats::emit::Stream;
//! use mkimage_formats::{Kind, Meta, Node, Tree, TreePath, cpio};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut tree = Tree::new();
//! let node = Node { meta: Meta::new(0o644, Default::default()), kind: Kind::File(b"hello".to_vec().into()), origin: Default::default() };
//! tree.insert(TreePath::new("motd")?, node)?;
//! let mut out = Stream::new(Vec::new());
//! cpio::write(&tree, tree.iter().map(|(path, _)| path), &mut out)?;
//! assert!(out.into_inner().starts_with(b"070701"));
//! # Ok(())
//! # }
//! ```
//!
//! \[CPIO\] Linux, *Documentation/driver-api/early-userspace/buffer-format.rst*.

use crate::emit::{self, Sink};
use crate::layout::Layout;
use crate::tree::{Kind, MAX_PATH, Meta, Tree, TreePath};
use cpio::newc::{Builder, ModeFileType, trailer};
use std::collections::{BTreeMap, BTreeSet};

/// The first inode number, which LinuxKit chose.
const FIRST_INODE: u32 = 721;
/// The device that all inodes are on, which LinuxKit chose.
const DEVICE: (u32, u32) = (3, 1);
/// A header without the name.
const HEADER: usize = 110;

/// Why a tree cannot be a cpio archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Writing failed.
    #[error(transparent)]
    Emit(#[from] emit::Error),
    /// Sizes have 32 bits.
    #[error("`{path}` has {len} bytes; a file in an initrd can have {}", u32::MAX)]
    FileSize {
        /// The file.
        path: TreePath,
        /// Its length, bytes.
        len: u64,
    },
    /// Linux skips longer ones without a word.
    #[error("the {what} of `{path}` has {len} bytes; Linux unpacks up to {MAX_PATH}")]
    NameLen {
        /// Whose.
        path: TreePath,
        /// "name" or "link target".
        what: &'static str,
        /// Its length, bytes.
        len: usize,
    },
    /// Inode numbers have 32 bits.
    #[error("an initrd holds fewer than 2^32 files")]
    Count,
}

/// Writes the nodes of `tree` at `paths`, folders before what is in them, as one archive. Hard
/// links between them stay hard links; a link without its first name becomes a file of its own.
///
/// # Errors
/// A content cannot be read, `out` fails, or the archive cannot hold a node.
pub fn write<'a>(
    tree: &Tree,
    paths: impl IntoIterator<Item = &'a TreePath>,
    out: &mut dyn Sink,
) -> Result<(), Error> {
    let paths: BTreeSet<&TreePath> = paths.into_iter().collect();
    let mut archive = Archive { out, inode: FIRST_INODE, len: 0 };
    // What has several names here: the first name's path to the inode's number, and how many.
    let mut shared: BTreeMap<&TreePath, (u32, u32)> = BTreeMap::new();
    for &path in &paths {
        let Some(node) = tree.get(path) else { continue };
        let (first, node) = match &node.kind {
            Kind::HardLink(first) => (first, tree.get(first).unwrap_or(node)),
            _ => (path, node),
        };
        if let Some(&(inode, links)) = shared.get(first) {
            archive.entry(path, inode, links, &node.meta, &node.kind, true)?;
            continue;
        }
        let mut links = tree.links(first).peekable();
        let names = match links.peek() {
            Some(_) => [first].into_iter().chain(links).filter(|p| paths.contains(p)).count(),
            None => 1,
        };
        let links = if node.is_dir() { 2 } else { u32::try_from(names).unwrap_or(u32::MAX) };
        let inode = archive.next_inode()?;
        if names > 1 {
            shared.insert(first, (inode, links));
        }
        archive.entry(path, inode, links, &node.meta, &node.kind, false)?;
    }
    archive.close()
}

struct Archive<'a> {
    out: &'a mut dyn Sink,
    /// The next inode's number.
    inode: u32,
    /// Bytes written.
    len: u64,
}

impl Archive<'_> {
    fn next_inode(&mut self) -> Result<u32, Error> {
        let inode = self.inode;
        self.inode = inode.checked_add(1).ok_or(Error::Count)?;
        Ok(inode)
    }

    /// One name; `repeated` if the inode's content was written before.
    fn entry(
        &mut self,
        path: &TreePath,
        inode: u32,
        links: u32,
        meta: &Meta,
        kind: &Kind,
        repeated: bool,
    ) -> Result<(), Error> {
        let name = if path.is_root() { b"." } else { path.as_bytes() };
        let limit = |what, len| match len > MAX_PATH {
            true => Err(Error::NameLen { path: path.clone(), what, len }),
            false => Ok(()),
        };
        limit("name", name.len())?;
        let (mut rdev, mut content) = ((0, 0), Layout::default());
        let kind = match kind {
            Kind::Dir => ModeFileType::Directory,
            Kind::File(layout) => {
                content = layout.clone();
                ModeFileType::Regular
            }
            Kind::Symlink(target) => {
                limit("link target", target.len())?;
                content.push(target.to_vec());
                ModeFileType::Symlink
            }
            Kind::Char { major, minor } => {
                rdev = (*major, *minor);
                ModeFileType::Char
            }
            Kind::Block { major, minor } => {
                rdev = (*major, *minor);
                ModeFileType::Block
            }
            Kind::Fifo => ModeFileType::Fifo,
            Kind::HardLink(_) => unreachable!("a hard link's first name is none itself"),
        };
        let Ok(size) = u32::try_from(content.len()) else {
            return Err(Error::FileSize { path: path.clone(), len: content.len() });
        };
        let time = meta.mtime.seconds.clamp(0, u32::MAX.into());
        // The crate takes names that are UTF-8; ours are any bytes. One of the same length
        // holds the place.
        let mut header = Builder::new(&"?".repeat(name.len()))
            .ino(inode)
            .mode(meta.mode.into())
            .set_mode_file_type(kind)
            .uid(meta.uid)
            .gid(meta.gid)
            .nlink(links)
            .mtime(u32::try_from(time).unwrap_or(0)) // clamped
            .dev_major(DEVICE.0)
            .dev_minor(DEVICE.1)
            .rdev_major(rdev.0)
            .rdev_minor(rdev.1)
            .write(Vec::new(), if repeated { 0 } else { size })
            .finish()
            .map_err(emit::Error::Stream)?;
        header[HEADER..][..name.len()].copy_from_slice(name);
        self.bytes(&header)?;
        if !repeated {
            self.out.layout(&content)?;
            self.len += content.len();
            self.pad_to_multiple(4)?;
        }
        Ok(())
    }

    fn close(mut self) -> Result<(), Error> {
        let end = trailer(Vec::new()).map_err(emit::Error::Stream)?;
        self.bytes(&end)?;
        self.pad_to_multiple(512)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.len += bytes.len() as u64;
        Ok(self.out.bytes(bytes)?)
    }

    fn pad_to_multiple(&mut self, unit: u64) -> Result<(), Error> {
        let missing = self.len.next_multiple_of(unit) - self.len;
        self.len += missing;
        match missing {
            0 => Ok(()),
            n => Ok(self.out.hole(n)?),
        }
    }
}
