//! What Linux reads from no file system, whatever its structures have room for.
//!
//! \[LINUX\] Linux 6.6: include/uapi/linux/limits.h `NAME_MAX`; include/linux/kdev_t.h
//! `MINORBITS`.

use super::{Kind, MAX_PATH, TreePath};

/// `NAME_MAX`, bytes.
const MAX_NAME: usize = 255;
/// 12 bits.
const MAX_MAJOR: u32 = (1 << 12) - 1;
/// `MINORBITS`.
const MAX_MINOR: u32 = (1 << 20) - 1;

/// Why Linux could not read a node from any file system.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// A name in a folder.
    #[error("the name of `{path}` has {len} bytes; Linux allows {MAX_NAME}")]
    Name {
        /// The node.
        path: TreePath,
        /// Bytes of its name.
        len: usize,
    },
    /// A symbolic link.
    #[error("the target of the symbolic link `{path}` has {len} bytes; 1 to {MAX_PATH} are allowed")]
    Target {
        /// The link.
        path: TreePath,
        /// Bytes of its target.
        len: usize,
    },
    /// A device number.
    #[error("the device `{path}` has the number {major}:{minor}; Linux allows {MAX_MAJOR}:{MAX_MINOR}")]
    Device {
        /// The device.
        path: TreePath,
        /// Driver.
        major: u32,
        /// Unit.
        minor: u32,
    },
}

/// Checks the last component of `path`.
pub(crate) fn check_name(path: &TreePath) -> Result<(), LimitError> {
    match path.name().len() {
        ..=MAX_NAME => Ok(()),
        len => Err(LimitError::Name { path: path.clone(), len }),
    }
}

/// Checks the target of the symbolic link at `path`, if it is one.
pub(crate) fn check_target(path: &TreePath, kind: &Kind) -> Result<(), LimitError> {
    match kind {
        Kind::Symlink(target) if !(1..=MAX_PATH).contains(&target.len()) => {
            Err(LimitError::Target { path: path.clone(), len: target.len() })
        }
        _ => Ok(()),
    }
}

/// Checks the number of the device at `path`, if it is one.
pub(crate) fn check_device(path: &TreePath, kind: &Kind) -> Result<(), LimitError> {
    match *kind {
        Kind::Char { major, minor } | Kind::Block { major, minor }
            if major > MAX_MAJOR || minor > MAX_MINOR =>
        {
            Err(LimitError::Device { path: path.clone(), major, minor })
        }
        _ => Ok(()),
    }
}
