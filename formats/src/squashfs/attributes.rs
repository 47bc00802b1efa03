//! Extended attributes: sets of them, which inodes name by number.
//!
//! ```text
//! ├ Attribute ┼ name ┼ length u32 ┼ value ┼ Attribute ┼ ...
//! ```

use super::error::Error;
use super::metadata::Metadata;
use super::structs::{Attribute, Set};
use crate::tree::{TreePath, Xattrs};
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

/// `SQUASHFS_XATTR_*`: what a name begins with is not kept, only its number.
const PREFIXES: [(u16, &[u8]); 3] = [(0, b"user."), (1, b"trusted."), (2, b"security.")];
/// Linux's `XATTR_NAME_MAX` and `XATTR_SIZE_MAX`, bytes.
const MAX_NAME: usize = 255;
const MAX_VALUE: usize = 65536;

/// The number of what `name` begins with, and the rest of it.
fn split(name: &[u8]) -> Option<(u16, &[u8])> {
    let mut known = PREFIXES.iter().filter_map(|&(kind, prefix)| Some((kind, name.strip_prefix(prefix)?)));
    known.next().filter(|(_, rest)| !rest.is_empty())
}

/// Those of the node at `path` have a place.
pub(super) fn check(path: &TreePath, xattrs: &Xattrs) -> Result<(), Error> {
    for (name, value) in xattrs {
        let text = || String::from_utf8_lossy(name).escape_debug().to_string();
        if split(name).is_none() {
            return Err(Error::AttributeKind { path: path.clone(), name: text() });
        }
        if name.len() > MAX_NAME || value.len() > MAX_VALUE {
            return Err(Error::Attribute { path: path.clone(), name: text(), value: value.len() });
        }
    }
    Ok(())
}

/// Adds a set that was checked to `out`.
pub(super) fn write(xattrs: &Xattrs, out: &mut Metadata) -> Result<Set, Error> {
    let at = out.position()?;
    let mut size = 0;
    for (name, value) in xattrs {
        let (kind, rest) = split(name).expect("checked before");
        let attribute = Attribute { kind: U16::new(kind), size: U16::new(length(rest)) };
        for part in [attribute.as_bytes(), rest, &length::<u32>(value).to_le_bytes(), value] {
            out.write(part)?;
        }
        size += name.len() + 1 + value.len();
    }
    let count = u32::try_from(xattrs.len()).expect("attributes are in memory");
    // It only becomes a number of blocks (`fs/squashfs/inode.c`).
    let size = U32::new(u32::try_from(size).unwrap_or(u32::MAX));
    Ok(Set { attributes: U64::new(at.number()), count: U32::new(count), size })
}

fn length<N: TryFrom<usize>>(bytes: &[u8]) -> N {
    N::try_from(bytes.len()).ok().expect("checked before")
}
