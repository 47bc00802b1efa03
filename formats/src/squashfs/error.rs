//! What does not fit, and what could not be done.

use crate::tree::{LimitError, TreePath};
use crate::{emit, spool};
use std::io;

/// Blocks of all files. Each takes 4 bytes of an inode, and those of zeros, which a sparse file may
/// have any number of, nothing else. 8 TiB in blocks of 128 KiB.
pub(super) const MAX_BLOCKS: u64 = 1 << 26;

/// Why a tree cannot be a SquashFS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The size of blocks.
    #[error("blocks of {size} bytes; SquashFS has powers of two from 4096 to 1048576")]
    BlockSize {
        /// What was asked, bytes.
        size: u32,
    },
    /// The root of the tree.
    #[error("the root is not a folder")]
    Root,
    /// A node that no file system has for Linux.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The beginning of an attribute's name.
    #[error("`{path}` has the attribute `{name}`; SquashFS knows `user.`, `trusted.` and `security.`")]
    AttributeKind {
        /// The node.
        path: TreePath,
        /// The attribute.
        name: String,
    },
    /// The length of an attribute.
    #[error(
        "the attribute `{name}` of `{path}` has {value} bytes; 255 of name and 65536 of value are allowed"
    )]
    Attribute {
        /// The node.
        path: TreePath,
        /// The attribute.
        name: String,
        /// Bytes of its value.
        value: usize,
    },
    /// Owners.
    #[error("the files have {count} different users and groups; SquashFS holds 65535")]
    Ids {
        /// How many there are.
        count: usize,
    },
    /// One of the tables.
    #[error("the {table} take {len} bytes; SquashFS finds them in the first 4294967295")]
    Table {
        /// What is in it.
        table: &'static str,
        /// Bytes, compressed.
        len: usize,
    },
    /// All files.
    #[error("the files have {count} blocks; {MAX_BLOCKS} are allowed, so that their sizes fit into memory")]
    Blocks {
        /// How many there are, those of zeros too.
        count: u64,
    },
    /// A folder.
    #[error("the names in `{path}` take {len} bytes; SquashFS allows 4294967292")]
    Folder {
        /// The folder.
        path: TreePath,
        /// Bytes.
        len: u64,
    },
    /// A table could not be compressed.
    #[error("cannot compress with {compression}")]
    Pack {
        /// The compressor.
        compression: super::Compression,
        /// What it said.
        source: io::Error,
    },
    /// A file could not be read, to find out whether another is the same.
    #[error(transparent)]
    Read(#[from] emit::Error),
    /// Blocks could not be compressed.
    #[error(transparent)]
    Spool(#[from] spool::Error),
}
