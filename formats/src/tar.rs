//! Tar archives, in the dialect of PAX that LinuxKit writes.
//!
//! ```text
//! ├ x header ┼ records ┼─ header ─┼── content ──┤ ... ├─ zeros ─┤
//!     512      n × 512     512        n × 512            1024
//! ```
//!
//! An entry has an `x` header with records where the plain one cannot say it all: origins
//! (`LINUXKIT.*`), extended attributes (`SCHILY.xattr.*`), and values that are too long, too large
//! or too fine. The field itself then holds what fits of them, or zero.
//!
//! ```
//! use mkimage_formats::emit::Stream;
//! use mkimage_formats::{Kind, Meta, Node, Tree, TreePath, tar};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut tree = Tree::new();
//! let node = Node { meta: Meta::new(0o644, Default::default()), kind: Kind::File(b"hello".to_vec().into()), origin: Default::default() };
//! tree.insert(TreePath::new("motd")?, node)?;
//! let mut out = Stream::new(Vec::new()); // or `emit::Partial`, for a file
//! tar::write(&tree, &mut out)?;
//! assert_eq!(out.into_inner().len() as u64, tar::len(&tree)?);
//! # Ok(())
//! # }
//! ```
//!
//! \[PAX\] IEEE Std 1003.1-2017, *pax*, "pax Interchange Format" and "ustar Interchange Format".

use crate::emit::{self, Sink};
use crate::layout::Slice;
use crate::tree::{Kind, Meta, Node, Tree, TreePath};
use zerocopy::{FromZeros, Immutable, IntoBytes};

mod pax;

use pax::Records;

/// Everything is in blocks of 512 bytes.
const BLOCK: u64 = 512;
/// The largest number in seven octal digits: identifiers, device numbers.
const MAX_8: u32 = 0o7_777_777;

/// \[PAX\] "ustar Interchange Format". Numbers are octal digits, zeros in front, NUL at the end.
#[derive(FromZeros, IntoBytes, Immutable)]
#[repr(C)]
struct Header {
    name: [u8; 100],     // 000
    mode: [u8; 8],       // 064
    uid: [u8; 8],        // 06c
    gid: [u8; 8],        // 074
    size: [u8; 12],      // 07c
    mtime: [u8; 12],     // 088
    checksum: [u8; 8],   // 094 byte sum, itself taken as spaces: six digits, NUL, space
    typeflag: u8,        // 09c
    linkname: [u8; 100], // 09d
    magic: [u8; 6],      // 101 "ustar" NUL
    version: [u8; 2],    // 107 "00"
    uname: [u8; 32],     // 109
    gname: [u8; 32],     // 129
    devmajor: [u8; 8],   // 149
    devminor: [u8; 8],   // 151
    prefix: [u8; 155],   // 159 not used: long paths are records
    reserved: [u8; 12],  // 1f4
}
const _: () = assert!(size_of::<Header>() == 512);

/// Why a tree cannot be a tar archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Writing failed.
    #[error(transparent)]
    Emit(#[from] emit::Error),
    /// No record holds device numbers.
    #[error("device `{path}` has number {number}; tar allows {MAX_8}")]
    Device {
        /// The device.
        path: TreePath,
        /// Its major or minor number.
        number: u32,
    },
    /// Records separate names from values with an equals sign.
    #[error("extended attribute `{name}` of `{path}` has `=` in its name; tar cannot hold it")]
    XattrName {
        /// Whose attribute.
        path: TreePath,
        /// The attribute.
        name: String,
    },
}

/// Writes all of `tree`, each path once, folders before what is in them and files before hard
/// links to them.
///
/// # Errors
/// A content cannot be read, `out` fails, or tar cannot hold a node.
pub fn write(tree: &Tree, out: &mut dyn Sink) -> Result<(), Error> {
    for (path, node) in tree.iter() {
        entry(tree, path, node, out)?;
    }
    Ok(out.bytes(&[0; 1024])?)
}

/// Bytes that [`write()`] would write. No content is read.
///
/// # Errors
/// Tar cannot hold a node.
pub fn len(tree: &Tree) -> Result<u64, Error> {
    let mut counter = Counter(0);
    write(tree, &mut counter)?;
    Ok(counter.0)
}

/// The largest number in eleven octal digits: a length in bytes, or a time.
pub(crate) const MAX_USTAR: u64 = (8 << 30) - 1;

/// The header of a file, without records: for archives of a few files that are not a [`Tree`]. None if
/// the name has more than 100 bytes, or the file more than [`MAX_USTAR`]; a later time becomes that.
pub(crate) fn ustar_header(name: &str, len: u64, mtime: u64) -> Option<Vec<u8>> {
    let mut header = Header::new_zeroed();
    header.name.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
    (header.mode, header.uid, header.gid) = (octal(0o644)?, zero(), zero());
    (header.size, header.mtime) = (octal(len)?, octal(mtime.min(MAX_USTAR))?);
    (header.devmajor, header.devminor) = (zero(), zero());
    header.typeflag = b'0';
    Some(header.sealed().as_bytes().to_vec())
}

/// A sink that only counts.
struct Counter(u64);

impl Sink for Counter {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), emit::Error> {
        self.0 += bytes.len() as u64;
        Ok(())
    }

    fn slice(&mut self, slice: &Slice) -> Result<(), emit::Error> {
        self.0 += slice.len;
        Ok(())
    }

    fn hole(&mut self, len: u64) -> Result<(), emit::Error> {
        self.0 += len;
        Ok(())
    }
}

fn entry(tree: &Tree, path: &TreePath, node: &Node, out: &mut dyn Sink) -> Result<(), Error> {
    let name = if path.is_root() { b"." } else { path.as_bytes() };
    let mut records = Records::default();
    if let Some(origin) = tree.origin(node.origin) {
        records.add("LINUXKIT.location", &origin.location);
        records.add("LINUXKIT.source", &origin.source);
    }
    let mut header = header(&node.meta, &mut records);
    header.name = records.name("path", name);
    let mut content = None;
    match &node.kind {
        Kind::Dir => header.typeflag = b'5',
        Kind::File(layout) => {
            header.typeflag = b'0';
            header.size = octal(layout.len()).unwrap_or_else(|| {
                records.add("size", layout.len().to_string());
                zero()
            });
            content = Some(layout);
        }
        Kind::Symlink(target) => {
            header.typeflag = b'2';
            header.linkname = records.name("linkpath", target);
        }
        Kind::HardLink(first) => {
            header.typeflag = b'1';
            header.linkname = records.name("linkpath", first.as_bytes());
        }
        Kind::Char { major, minor } => {
            header.typeflag = b'3';
            header.devices(path, *major, *minor)?;
        }
        Kind::Block { major, minor } => {
            header.typeflag = b'4';
            header.devices(path, *major, *minor)?;
        }
        Kind::Fifo => header.typeflag = b'6',
    }
    if let (Some(xattrs), false) = (&node.meta.xattrs, matches!(node.kind, Kind::HardLink(_))) {
        for (key, value) in &**xattrs {
            if key.contains(&b'=') {
                let name = String::from_utf8_lossy(key).into_owned();
                return Err(Error::XattrName { path: path.clone(), name });
            }
            records.add([b"SCHILY.xattr.", &**key].concat(), value);
        }
    }
    if let Some(records) = records.into_bytes() {
        let mut x = Header::new_zeroed();
        x.name = fitting(&pax_name(path));
        x.size = octal(records.len() as u64).unwrap_or(zero()); // far below 8 GiB
        (x.mode, x.uid, x.gid, x.mtime) = (zero(), zero(), zero(), zero());
        x.typeflag = b'x';
        out.bytes(x.sealed().as_bytes())?;
        out.bytes(&records)?;
        pad(records.len() as u64, out)?;
    }
    out.bytes(header.sealed().as_bytes())?;
    if let Some(layout) = content {
        out.layout(layout)?;
        pad(layout.len(), out)?;
    }
    Ok(())
}

/// The fields that every kind of entry has.
fn header(meta: &Meta, records: &mut Records) -> Header {
    let mut header = Header::new_zeroed();
    (header.size, header.devmajor, header.devminor) = (zero(), zero(), zero());
    header.mode = octal(meta.mode.into()).unwrap_or(zero()); // at most 0o7777
    let mut id = |key, id: u32| {
        octal(id.into()).unwrap_or_else(|| {
            records.add(key, id.to_string());
            zero()
        })
    };
    (header.uid, header.gid) = (id("uid", meta.uid), id("gid", meta.gid));
    let seconds = u64::try_from(meta.mtime.seconds).ok().and_then(octal);
    if seconds.is_none() || meta.mtime.nanos != 0 {
        records.add("mtime", pax::time(meta.mtime));
    }
    header.mtime = seconds.unwrap_or(zero());
    if let Some(owner) = &meta.owner {
        header.uname = records.name("uname", owner.user.as_bytes());
        header.gname = records.name("gname", owner.group.as_bytes());
    }
    header
}

impl Header {
    fn devices(&mut self, path: &TreePath, major: u32, minor: u32) -> Result<(), Error> {
        let field = |n: u32| octal(n.into()).ok_or_else(|| Error::Device { path: path.clone(), number: n });
        (self.devmajor, self.devminor) = (field(major)?, field(minor)?);
        Ok(())
    }

    fn sealed(mut self) -> Self {
        (self.magic, self.version) = (*b"ustar\0", *b"00");
        self.checksum = *b"        ";
        let sum: u32 = self.as_bytes().iter().copied().map(u32::from).sum();
        self.checksum[..7].copy_from_slice(&octal::<7>(sum.into()).unwrap_or(zero())); // at most 512 × 255
        self
    }
}

/// A field with the number zero.
const fn zero<const N: usize>() -> [u8; N] {
    let mut field = [b'0'; N];
    field[N - 1] = 0;
    field
}

/// `number` as a field, if its digits fit.
fn octal<const N: usize>(mut number: u64) -> Option<[u8; N]> {
    let mut field = zero();
    for digit in field[..N - 1].iter_mut().rev() {
        *digit = b"01234567"[usize::try_from(number % 8).ok()?];
        number /= 8;
    }
    (number == 0).then_some(field)
}

/// As much of the ASCII characters of `name` as fits.
fn fitting<const N: usize>(name: &[u8]) -> [u8; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(name.iter().filter(|b| b.is_ascii())) {
        *to = *from;
    }
    field
}

/// The name of the entry that holds the records of `path`.
fn pax_name(path: &TreePath) -> Vec<u8> {
    let folder = path.parent().filter(|p| !p.is_root());
    let mut name = folder.map_or_else(Vec::new, |p| [p.as_bytes(), b"/"].concat());
    name.extend_from_slice(b"PaxHeaders.0");
    if !path.is_root() {
        name.push(b'/');
        name.extend_from_slice(path.name());
    }
    name
}

/// Zeros to a whole block after `len` bytes.
fn pad(len: u64, out: &mut dyn Sink) -> Result<(), emit::Error> {
    match len.next_multiple_of(BLOCK) - len {
        0 => Ok(()),
        n => out.hole(n),
    }
}
