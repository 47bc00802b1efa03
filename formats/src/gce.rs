//! The archive that Google Compute Engine imports a disk from: one file, `disk.raw`, in GNU tar's
//! old format, to be compressed by gzip.
//!
//! ```text
//! 0        512                                                        a multiple of 10 KiB
//! ├─ Header ─┼─ Extension ─┼─ ... ─┼──── disk without its holes ────┼── zeros ──┤
//! ```
//!
//! ```
//! use mkimage_formats::emit::Partial;
//! use mkimage_formats::{Layout, gce, gzip};
//! use std::num::NonZero;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let out = dir.path().join("disk.tar.gz");
//! let mut disk = Layout::from(vec![1; 512]);
//! disk.pad_to(gce::UNIT);
//! let mut file = Partial::create(&out)?;
//! gzip::layout(&gce::archive(&disk, Default::default())?, NonZero::<usize>::MIN, &mut file)?;
//! file.commit()?;
//! # assert!(std::fs::read(&out)?.starts_with(&[0x1f, 0x8b]));
//! # Ok(())
//! # }
//! ```
//!
//! \[GNU\] *GNU tar*, "Basic Tar Format" and "Storing Sparse Files, Old GNU Format". \[GCE\] Google
//! Cloud, *Manually import boot disks*: `tar --format=oldgnu -Sczf`, and a disk of whole GiB.

use crate::layout::Layout;
use crate::runs::runs;
use crate::tree::Time;
use zerocopy::{Immutable, IntoBytes};

/// What a disk's length must be a multiple of, bytes (\[GCE\]).
pub const UNIT: u64 = 1 << 30;

/// What fills archives, bytes: the record of 20 blocks that tar writes to tapes.
const RECORD: u64 = 20 * 512;
/// Holes are told in this unit, bytes: each costs the archive 24, and gzip knows what to do with
/// short ones.
const GRAIN: u64 = 64 << 10;

/// The archive of `disk`, whose file was modified at `epoch`; not compressed.
///
/// # Errors
/// The disk is no whole number of [`UNIT`]s.
pub fn archive(disk: &Layout, epoch: Time) -> Result<Layout, Error> {
    let size = disk.len();
    if size == 0 || !size.is_multiple_of(UNIT) {
        return Err(Error::Size { size });
    }
    let (mut spans, mut content) = (Vec::new(), Layout::default());
    for run in runs(disk, GRAIN) {
        spans.push(Span { at: run.first * GRAIN, len: run.content.len() });
        content.append(run.content);
    }
    // GNU tar ends a file that ends with a hole by an empty span, and reads one after any other.
    spans.push(Span { at: size, len: 0 });

    let (first, rest) = spans.split_at(spans.len().min(4));
    let mut out =
        Layout::from(Header::new(size, content.len(), epoch, first, !rest.is_empty()).as_bytes().to_vec());
    let mut rest = rest.chunks(21).peekable();
    while let Some(spans) = rest.next() {
        let more = u8::from(rest.peek().is_some());
        let extension = Extension { spans: entries(spans), more, unused: [0; 7] };
        out.push(extension.as_bytes().to_vec());
    }
    out.append(content);
    // Two blocks of zeros end an archive.
    out.pad_to((out.len() + 1024).next_multiple_of(RECORD));
    Ok(out)
}

/// Part of the file that is there, bytes.
struct Span {
    at: u64,
    len: u64,
}

/// A number: octal digits and NUL, or, beyond 8 GiB, big-endian after a byte of 0x80.
type Number = [u8; 12];

fn number(n: u64) -> Number {
    let mut field = [0; 12];
    if n < 1 << 33 {
        field[..11].copy_from_slice(format!("{n:011o}").as_bytes());
    } else {
        field[0] = 0x80;
        field[4..].copy_from_slice(&n.to_be_bytes());
    }
    field
}

/// `struct sparse`.
#[derive(Clone, Copy, IntoBytes, Immutable)]
#[repr(C)]
struct Entry {
    at: Number,
    len: Number,
}

/// As many as there is room for; an entry of zeros is none.
fn entries<const N: usize>(spans: &[Span]) -> [Entry; N] {
    let mut entries = [Entry { at: [0; 12], len: [0; 12] }; N];
    for (entry, span) in entries.iter_mut().zip(spans) {
        *entry = Entry { at: number(span.at), len: number(span.len) };
    }
    entries
}

/// `struct oldgnu_header`, laid over `struct posix_header`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Header {
    name: [u8; 100],   // 000
    mode: [u8; 8],     // 064
    uid: [u8; 8],      // 06c
    gid: [u8; 8],      // 074
    size: Number,      // 07c of what is in the archive
    mtime: Number,     // 088
    checksum: [u8; 8], // 094 sum of all bytes, itself taken as spaces
    kind: u8,          // 09c 'S': a file with holes
    link: [u8; 100],   // 09d
    magic: [u8; 8],    // 101 "ustar  "
    user: [u8; 32],    // 109
    group: [u8; 32],   // 129
    unused: [u8; 57],  // 149
    spans: [Entry; 4], // 182
    more: u8,          // 1e2 an Extension follows
    real_size: Number, // 1e3
    padding: [u8; 17], // 1ef
}
const _: () = assert!(size_of::<Header>() == 512);

/// `struct sparse_header`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Extension {
    spans: [Entry; 21], // 000
    more: u8,           // 1f8 another follows
    unused: [u8; 7],    // 1f9
}
const _: () = assert!(size_of::<Extension>() == 512);

impl Header {
    fn new(real_size: u64, size: u64, epoch: Time, spans: &[Span], more: bool) -> Self {
        let mut header = Header {
            name: padded(b"disk.raw"),
            mode: *b"0000644\0",
            uid: *b"0000000\0",
            gid: *b"0000000\0",
            size: number(size),
            mtime: number(u64::try_from(epoch.seconds).unwrap_or(0)),
            checksum: [b' '; 8],
            kind: b'S',
            link: [0; 100],
            magic: *b"ustar  \0",
            user: padded(b"root"),
            group: padded(b"root"),
            unused: [0; 57],
            spans: entries(spans),
            more: more.into(),
            real_size: number(real_size),
            padding: [0; 17],
        };
        let sum: u32 = header.as_bytes().iter().map(|&b| u32::from(b)).sum();
        header.checksum = padded(format!("{sum:06o}\0 ").as_bytes());
        header
    }
}

/// Text with zeros after it.
fn padded<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut field = [0; N];
    field[..text.len()].copy_from_slice(text);
    field
}

/// Why a disk cannot be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not whole GiB.
    #[error("the disk has {size} bytes; Google Compute Engine takes whole GiB")]
    Size {
        /// Bytes.
        size: u64,
    },
}
