//! SquashFS 4.0: a compressed read-only file system that Linux mounts as its root. Integers are
//! little-endian.
//!
//! ```text
//! 0            96                                                              multiple of 4096
//! ├ SuperBlock ┼ options ┼ data, fragments ┼ inodes ┼ folders ┼ fragments ┼ export ┼ ids ┼ xattrs ┼ 0 ┤
//!                        │                 └──────────── tables in metadata blocks ───────────────┘
//!            data block: compressed, or as it was
//!            fragment:   ├ file ┼ tail ┼ file ┤ compressed together
//! ```
//!
//! A file is cut into blocks, and its tail shares a block, the fragment, with other tails. Blocks of
//! zeros are not there, and files of the same content have the same blocks. Tables are compressed in
//! metadata blocks of 8 KiB; what is in one is found by a reference: where the block is in the
//! table, and where the thing is in the unpacked block.
//!
//! Blocks are compressed on several threads and go to a [`Spool`], from which the output's
//! [`Layout`] takes them.
//!
//! ```
//! use mkimage_formats::spool::Spool;
//! use mkimage_formats::{Tree, emit, squashfs};
//! use std::num::NonZero;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (path, out) = (dir.path().join("spool"), dir.path().join("root.squashfs"));
//! let spool = Spool { path, threads: NonZero::<usize>::MIN, memo: None, cache: None };
//! let image = squashfs::layout(&Tree::new(), &squashfs::Options::default(), &spool)?;
//! emit::emit(&image, &out)?;
//! # assert!(std::fs::read(&out)?.starts_with(b"hsqs"));
//! # Ok(())
//! # }
//! ```
//!
//! \[SQUASHFS\] *Squashfs 4.0 Filesystem* and `fs/squashfs/squashfs_fs.h`, both of Linux 6.1, where
//! structures have the names that are given here. `mksquashfs` of squashfs-tools 4.5 is what other
//! choices are taken from.

mod attributes;
mod data;
mod error;
mod folder;
mod inode;
mod metadata;
mod pack;
mod same;
mod structs;
mod tables;

pub use error::Error;
pub use pack::Compression;

use crate::layout::Layout;
use crate::spool::Spool;
use crate::tree::{Kind, Meta, Node, OriginId, Time, Tree, TreePath};
use data::Data;
use inode::Inodes;
use pack::Packer;
use structs::{COMPRESSOR_OPTIONS, DUPLICATES, EXPORTABLE, SuperBlock};
use tables::Tables;
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

/// What the tree does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How blocks are compressed.
    pub compression: Compression,
    /// Bytes of a block before it is compressed: a power of two from 4 KiB to 1 MiB.
    pub block_size: u32,
    /// When the file system was made.
    pub epoch: Time,
}

impl Default for Options {
    /// As `mksquashfs`: gzip and 128 KiB. The time is 1970.
    fn default() -> Self {
        Options { compression: Compression::Gzip, block_size: 128 << 10, epoch: Time::default() }
    }
}

/// Blocks may have this size, bytes.
#[must_use]
pub fn is_block_size(size: u32) -> bool {
    size.is_power_of_two() && (4 << 10..=1 << 20).contains(&size)
}

/// Bytes that the file system is a multiple of, so that a block device can hold it.
const PADDING: u64 = 4 << 10;

/// A file system of all that is in `tree`. A root folder that it does not have is of root's, of
/// mode 0755, and of `options.epoch`. Reads all files; the output takes blocks from `spool`.
///
/// Times have whole seconds from 1970 to 2106: what is before or after becomes the nearest.
///
/// # Errors
/// Something in the tree has no place in a SquashFS: [`Error`] tells what, and the limit. A file
/// cannot be read, or the spool cannot be written.
pub fn layout(tree: &Tree, options: &Options, spool: &Spool) -> Result<Layout, Error> {
    let block_size = options.block_size;
    if !is_block_size(block_size) {
        return Err(Error::BlockSize { size: block_size });
    }
    let root = Node { meta: Meta::new(0o755, options.epoch), kind: Kind::Dir, origin: OriginId::default() };
    let top = TreePath::root();
    let inodes = Inodes::new(tree, &top, tree.get(&top).unwrap_or(&root))?;
    let packer = Packer::new(options.compression, block_size);
    let compressor = packer.options();
    let start = (size_of::<SuperBlock>() + compressor.len()) as u64;
    let data = Data::new(&inodes.files, block_size, &packer, spool, start)?;
    let tables = Tables::new(&inodes, &data, &packer)?;

    let with_options = if compressor.is_empty() { 0 } else { COMPRESSOR_OPTIONS };
    let superblock = SuperBlock {
        magic: *b"hsqs",
        inodes: U32::new(inodes.count()),
        mkfs_time: seconds(options.epoch),
        block_size: U32::new(block_size),
        fragments: U32::new(data.fragment_count()),
        compression: U16::new(options.compression.id()),
        block_log: U16::from_bytes([block_size.trailing_zeros().to_le_bytes()[0], 0]),
        flags: U16::new(DUPLICATES | EXPORTABLE | with_options),
        ids: U16::new(inodes.id_count()),
        major: U16::new(4),
        minor: U16::ZERO,
        root: U64::new(tables.root),
        bytes_used: U64::new(tables.end),
        id_table: U64::new(tables.ids),
        xattr_table: U64::new(tables.xattrs),
        inode_table: U64::new(tables.inodes),
        directory_table: U64::new(tables.folders),
        fragment_table: U64::new(tables.fragments),
        export_table: U64::new(tables.export),
    };
    let mut out = Layout::from([superblock.as_bytes(), &compressor].concat());
    out.append(data.into_layout());
    out.push(tables.bytes);
    out.pad_to_multiple(PADDING);
    Ok(out)
}

/// A time as superblock and inodes have it.
fn seconds(time: Time) -> U32 {
    U32::new(u32::try_from(time.seconds.max(0)).unwrap_or(u32::MAX))
}
