//! Extended attributes, which follow an inode.

use super::error::Error;
use super::structs::XattrEntry;
use crate::tree::{TreePath, Xattrs};
use zerocopy::IntoBytes;
use zerocopy::little_endian::U16;

/// `EROFS_XATTR_INDEX_*`: what a name begins with is not kept, only its number.
const PREFIXES: [(u8, &[u8]); 5] = [
    (1, b"user."),
    (2, b"system.posix_acl_access"),
    (3, b"system.posix_acl_default"),
    (4, b"trusted."),
    (6, b"security."),
];

/// `struct erofs_xattr_ibody_header`: none of the attributes is shared with other inodes.
pub(super) const HEADER: [u8; 12] = [0; 12];
/// [`count`] of these is the largest that its field holds.
const MAX: usize = HEADER.len() + 4 * (u16::MAX as usize - 1);

/// The attributes of the node at `path`; nothing if there are none.
pub(super) fn encode(path: &TreePath, xattrs: &Xattrs) -> Result<Vec<u8>, Error> {
    if xattrs.is_empty() {
        return Ok(Vec::new());
    }
    let mut out = HEADER.to_vec();
    for (name, value) in xattrs {
        let text = || String::from_utf8_lossy(name).escape_debug().to_string();
        let known = PREFIXES.iter().find_map(|&(index, prefix)| {
            // The name of an access control list is all prefix.
            name.strip_prefix(prefix)
                .filter(|rest| rest.is_empty() != prefix.ends_with(b"."))
                .map(|rest| (index, rest))
        });
        let Some((name_index, rest)) = known else {
            return Err(Error::AttributeKind { path: path.clone(), name: text() });
        };
        let (Ok(name_len), Ok(value_size)) = (u8::try_from(rest.len()), u16::try_from(value.len())) else {
            return Err(Error::Attribute { path: path.clone(), name: text(), value: value.len() });
        };
        let entry = XattrEntry { name_len, name_index, value_size: U16::new(value_size) };
        for part in [entry.as_bytes(), rest, value] {
            out.extend_from_slice(part);
        }
        out.resize(out.len().next_multiple_of(4), 0);
    }
    match out.len() {
        len if len > MAX => Err(Error::Attributes { path: path.clone(), len }),
        _ => Ok(out),
    }
}

/// `i_xattr_icount` of attributes that take `len` bytes: the header counts for one.
pub(super) fn count(len: usize) -> U16 {
    let count = len.checked_sub(HEADER.len()).map_or(0, |rest| rest / 4 + 1);
    U16::new(u16::try_from(count).expect("checked when they were encoded"))
}
