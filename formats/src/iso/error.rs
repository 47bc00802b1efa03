//! What does not fit.

use crate::tree::{LimitError, TreePath};
use crate::{emit, gpt, mbr};

/// Why an image cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text of the volume descriptor.
    #[error("{field} `{value}` has {} characters; {limit} of printable ASCII are allowed", value.chars().count())]
    Text {
        /// Which one.
        field: &'static str,
        /// What was asked for.
        value: String,
        /// Bytes of the field.
        limit: usize,
    },
    /// A node that no file system has for Linux.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Path tables have room for so many.
    #[error("{count} folders; ISO 9660 numbers {limit}")]
    Folders {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A boot entry's image.
    #[error("the boot image `{path}` is not a file with content in the tree")]
    BootImage {
        /// The image.
        path: TreePath,
    },
    /// The boot catalog's place among the files.
    #[error("the boot catalog cannot be at `{path}`: its folder is missing, or the name is taken")]
    Catalog {
        /// The path.
        path: TreePath,
    },
    /// A boot information table has no room.
    #[error("the boot image `{path}` has {len} bytes; a boot information table needs 64 to {limit}")]
    InfoTable {
        /// The image.
        path: TreePath,
        /// Its bytes.
        len: u64,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// A boot image's sum cannot be taken.
    #[error("cannot read the boot image `{path}`")]
    Read {
        /// The image.
        path: TreePath,
        /// Why.
        source: emit::Error,
    },
    /// The tree is not the one that was planned.
    #[error("`{path}` was planned with {planned} bytes and has {found}")]
    Changed {
        /// The file.
        path: TreePath,
        /// Bytes that its place has.
        planned: u64,
        /// Bytes that it has now.
        found: u64,
    },
    /// Too large for a partition.
    #[error("an image of {sectors} sectors; a master boot record counts to 4294967295")]
    Sectors {
        /// 512-byte sectors.
        sectors: u64,
        /// What it does not fit into.
        source: std::num::TryFromIntError,
    },
    /// The EFI system partition has no place.
    #[error("the EFI system partition `{path}` is not a file with content in the tree")]
    Esp {
        /// What was to be the partition.
        path: TreePath,
    },
    /// The master boot record.
    #[error("cannot make the image boot from a disk")]
    Mbr(#[from] mbr::Error),
    /// The GUID partition table.
    #[error("cannot make the image boot from a disk")]
    Gpt(#[from] gpt::Error),
    /// Blocks are counted in 32 bits.
    #[error("an image of {blocks} blocks; ISO 9660 counts to 4294967295")]
    Blocks {
        /// Blocks of 2,048 bytes.
        blocks: u64,
        /// What they do not fit into.
        source: std::num::TryFromIntError,
    },
    /// Lengths of folders, too.
    #[error("a folder's records take {len} bytes; ISO 9660 counts to 4294967295")]
    Folder {
        /// Bytes.
        len: usize,
        /// What they do not fit into.
        source: std::num::TryFromIntError,
    },
    /// Readers know no other name for the folder that they are moved to.
    #[error("folders below the eighth level have to move to `rr_moved`, which is no folder")]
    Moved,
}
