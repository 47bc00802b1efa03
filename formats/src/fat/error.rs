//! What can be wrong with a tree or with options.

use super::Kind;
use crate::tree::TreePath;

/// Why a file system cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// FAT's names are UTF-16.
    #[error("the name of `{path}` is not UTF-8, and FAT has no bytes for names")]
    NotText {
        /// The path.
        path: TreePath,
        /// Where it is not.
        source: std::str::Utf8Error,
    },
    /// A component of a path is too long.
    #[error("the name of `{path}` has {len} UTF-16 units; FAT allows {limit}")]
    Name {
        /// The path.
        path: TreePath,
        /// Units of its last component.
        len: usize,
        /// Units that are allowed.
        limit: usize,
    },
    /// A component of a path has a character that is not allowed.
    #[error(
        "the name of `{path}` has {character:?} in it; FAT allows no controls and none of \" * / : < > ? \\ |"
    )]
    Character {
        /// The path.
        path: TreePath,
        /// The character.
        character: char,
    },
    /// A component of a path ends with what readers leave out.
    #[error("the name of `{path}` ends with {character:?}, which FAT leaves out at the end of names")]
    NameEnd {
        /// The path.
        path: TreePath,
        /// The character.
        character: char,
    },
    /// FAT does not tell capitals from small letters.
    #[error("`{path}` and `{other}` are one name on FAT, which does not tell capitals from small letters")]
    SameName {
        /// The path.
        path: TreePath,
        /// What has the name already.
        other: TreePath,
    },
    /// FAT has folders and files.
    #[error("`{path}` is a {kind}; FAT holds folders and files")]
    Kind {
        /// The path.
        path: TreePath,
        /// What it is.
        kind: &'static str,
    },
    /// A file's length has 32 bits.
    #[error("the file `{path}` has {len} bytes; FAT allows {limit}")]
    File {
        /// The path.
        path: TreePath,
        /// Its bytes.
        len: u64,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// A folder's length is limited, too.
    #[error("the folder `/{path}` needs {entries} entries; FAT allows {limit}")]
    Folder {
        /// The path.
        path: TreePath,
        /// Entries of its names.
        entries: u64,
        /// Entries that are allowed.
        limit: u64,
    },
    /// The volume's name.
    #[error(
        "the label `{label}` is not of 1 to {limit} ASCII characters without \" * + , . / : ; < = > ? [ \\ ] |"
    )]
    Label {
        /// What was asked for.
        label: String,
        /// Characters that are allowed.
        limit: usize,
    },
    /// A file system is of whole sectors.
    #[error("a file system of {len} bytes is not of whole sectors of {unit} bytes")]
    Unit {
        /// Bytes that were asked for.
        len: u64,
        /// Bytes of a sector.
        unit: u64,
    },
    /// The length is not enough.
    #[error("the file system needs {needed} bytes, and has {len}")]
    TooSmall {
        /// Bytes that would do.
        needed: u64,
        /// Bytes that were asked for.
        len: u64,
    },
    /// The length is too much.
    #[error("{kind} of {len} bytes has too many clusters; it can have {limit} bytes")]
    TooLarge {
        /// Which FAT was asked for.
        kind: Kind,
        /// Bytes that were asked for.
        len: u64,
        /// Bytes that it can have.
        limit: u64,
    },
    /// The tree is too large for this FAT.
    #[error("the tree needs {clusters} clusters of {cluster} bytes; {kind} has up to {limit}")]
    Clusters {
        /// Which FAT.
        kind: Kind,
        /// Clusters that are needed.
        clusters: u64,
        /// Bytes of a cluster.
        cluster: u64,
        /// Clusters that there can be.
        limit: u64,
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
    /// Each long name has a short one too, of eight characters and three, which is a name as well.
    #[error("`{path}` is the short name that FAT gives to another file of its folder")]
    ShortName {
        /// The path.
        path: TreePath,
    },
    /// What is left for hadris to refuse.
    #[error("the tree does not fit into FAT")]
    Structures(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// All other names that are there already have been found.
pub(super) fn short_name(e: hadris_fs::PathError) -> Error {
    let path = e.path().filter(|_| e.kind() == hadris_fs::ErrorKind::AlreadyExists);
    match path.and_then(|path| TreePath::new(path).ok()) {
        Some(path) => Error::ShortName { path },
        None => refused(e),
    }
}

pub(super) fn refused(e: hadris_fs::PathError) -> Error {
    Error::Structures(Box::new(e))
}
