//! What does not fit.

use crate::tree::{LimitError, TreePath};

/// Why a tree cannot be an EROFS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The volume's name.
    #[error("label `{label}` has {} bytes; 16 without NUL are allowed", label.len())]
    Label {
        /// What was asked.
        label: String,
    },
    /// The root of the tree.
    #[error("the root is not a folder")]
    Root,
    /// A node that no file system has for Linux.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The beginning of an attribute's name.
    #[error(
        "`{path}` has the attribute `{name}`; EROFS knows `user.`, `trusted.`, `security.` and POSIX ACLs"
    )]
    AttributeKind {
        /// The node.
        path: TreePath,
        /// The attribute.
        name: String,
    },
    /// The length of an attribute.
    #[error(
        "the attribute `{name}` of `{path}` has {value} bytes; 255 of name and 65535 of value are allowed"
    )]
    Attribute {
        /// The node.
        path: TreePath,
        /// The attribute.
        name: String,
        /// Bytes of its value.
        value: usize,
    },
    /// All attributes of a node.
    #[error("the attributes of `{path}` take {len} bytes; 262148 are allowed")]
    Attributes {
        /// The node.
        path: TreePath,
        /// Bytes.
        len: usize,
    },
    /// The whole file system.
    #[error("the file system has {blocks} blocks of 4 KiB; EROFS counts 4294967295")]
    Blocks {
        /// Blocks.
        blocks: u64,
    },
}
