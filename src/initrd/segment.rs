//! A compressed segment in a file of its own.
//!
//! ```text
//! 0            len        len + 24
//! ├── segment ──┼── Trailer ──┤
//! ```
//! In a cache, a file's name is the [`Key`] of what it was made from. It gets that name when it
//! is complete, and is read through before it is used: one that is damaged is made again.

use super::key::Key;
use crate::oci;
use mkimage_formats::emit::Unfinished;
use mkimage_formats::{Layout, Slice, Source};
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tempfile::TempPath;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What a segment's file ends with.
#[derive(Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Trailer {
    magic: [u8; 8],    // 00
    len: U64,          // 08 of the segment, bytes
    crc32c: U32,       // 10 of the segment
    reserved: [u8; 4], // 14 zero
}
const _: () = assert!(size_of::<Trailer>() == 24);

impl Trailer {
    fn new(len: u64, crc32c: u32) -> Self {
        Trailer { magic: *b"mkimgseg", len: len.into(), crc32c: crc32c.into(), reserved: [0; 4] }
    }
}

/// Bytes that are read and written at once.
const BUFFER: usize = 256 << 10;
/// Bytes of a segment that is kept in memory rather than read once more.
const SMALL: u64 = 16 << 10;

/// A segment that is complete.
pub(super) struct Segment {
    pub(super) content: Layout,
    pub(super) crc32c: u32,
}

impl Segment {
    fn at(path: PathBuf, len: u64, crc32c: u32) -> io::Result<Self> {
        let source = Source::new(path)?;
        Ok(Segment { content: Slice { source, at: 0, len }.into(), crc32c })
    }

    /// The segment of this key in the cache, which now has been used; none if it is missing,
    /// damaged or not to be read.
    pub(super) fn find(folder: &Path, key: Key) -> Option<Self> {
        let path = folder.join(key.hex());
        let writable = File::options().read(true).write(true).open(&path);
        let mut file = writable.or_else(|_| File::open(&path)).ok()?;
        let trailer_len = size_of::<Trailer>() as u64;
        let len = file.metadata().ok()?.len().checked_sub(trailer_len)?;
        let (mut left, mut crc32c) = (len, 0);
        let mut buffer = vec![0; usize::try_from(len).map_or(BUFFER, |len| len.min(BUFFER))];
        while left > 0 {
            let piece = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
            file.read_exact(&mut buffer[..piece]).ok()?;
            crc32c = crc32c::crc32c_append(crc32c, &buffer[..piece]);
            left -= piece as u64;
        }
        let mut trailer = Trailer::new(0, 0);
        file.read_exact(trailer.as_mut_bytes()).ok()?;
        if trailer != Trailer::new(len, crc32c) {
            return None;
        }
        // Who cleans the cache looks at it; a cache that cannot be written is not cleaned.
        let _ = file.set_modified(SystemTime::now());
        if len <= SMALL {
            return Some(Segment { content: buffer.into(), crc32c });
        }
        Segment::at(path, len, crc32c).ok()
    }
}

/// A segment on its way.
pub(super) struct Draft {
    out: BufWriter<File>,
    path: TempPath,
    unfinished: Unfinished,
    len: u64,
    crc32c: u32,
}

impl Draft {
    /// A new file in `folder`. Its name is nothing that an output could have in it.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        let file = tempfile::Builder::new().prefix("segment-").suffix(".partial").tempfile_in(folder)?;
        let (file, path) = file.into_parts();
        let unfinished = Unfinished::new(path.to_path_buf());
        Ok(Draft { out: BufWriter::with_capacity(BUFFER, file), path, unfinished, len: 0, crc32c: 0 })
    }

    pub(super) fn pad_to_multiple(&mut self, unit: u64) -> io::Result<()> {
        while !self.len.is_multiple_of(unit) {
            self.write_all(&[0])?;
        }
        Ok(())
    }

    /// Keeps it in the cache. What a power failure leaves of it has not its checksum, so that
    /// nobody needs to wait for the disk.
    pub(super) fn keep(mut self, folder: &Path, key: Key) -> io::Result<Segment> {
        self.out.write_all(Trailer::new(self.len, self.crc32c).as_bytes())?;
        let file = self.out.into_inner()?;
        oci::open_to_all(&file)?;
        let path = folder.join(key.hex());
        if let Err(e) = oci::rename(self.path, &path) {
            // On Windows one that another build reads is not replaced; nor need it be.
            return Segment::find(folder, key).ok_or(e);
        }
        drop(self.unfinished);
        Segment::at(path, self.len, self.crc32c)
    }

    /// Leaves it in its folder, which does not last.
    pub(super) fn leave(self) -> io::Result<Segment> {
        self.out.into_inner()?;
        Segment::at(self.path.keep()?, self.len, self.crc32c)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.crc32c = crc32c::crc32c_append(self.crc32c, &bytes[..n]);
        self.len += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
