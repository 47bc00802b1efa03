//! What a segment is made from, as one number.
//!
//! ```text
//! archive   ├─ header ─┼─ bytes ─┼─ of a layer ─┼─ of a file ─┼─ zeros ─┤
//! hashed       as it is            which, where    as they are   how many
//! ```
//! The archive itself is the description: whatever could make it another one is in it. Only the
//! bytes of verified files are not read for it. What they are is said by the file's own digest.

use super::Compression;
use mkimage_formats::Slice;
use mkimage_formats::emit::{self, Sink, Stream};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};

/// Raised whenever one archive becomes other bytes than before: the tests pin them.
const FORMAT: u32 = 2;

/// The SHA-256 of what a segment is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key([u8; 32]);

impl Key {
    /// The name of the segment's file.
    pub(super) fn hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A sink that hands on what it gets, and finds the key of all of it.
pub(super) struct Keyed<'a>(Stream<Both<'a>>);

impl<'a> Keyed<'a> {
    /// For archives that are compressed like this. Without `next`, only the key is made.
    pub(super) fn new(compression: Compression, next: Option<&'a mut dyn Write>) -> Self {
        let mut hash = Sha256::new();
        hash.update(format!("mkimage initrd segment {FORMAT} {compression}\n"));
        Keyed(Stream::new(Both { hash, hashing: true, next }))
    }

    pub(super) fn key(self) -> Key {
        Key(self.0.into_inner().hash.finalize().into())
    }

    fn tag(&mut self, tag: u8, len: u64) {
        let hash = &mut self.0.get_mut().hash;
        hash.update([tag]);
        hash.update(len.to_le_bytes());
    }

    /// Hands on, if there is somebody, what the hash knows already.
    fn pass(
        &mut self,
        give: impl FnOnce(&mut Stream<Both<'a>>) -> Result<(), emit::Error>,
    ) -> Result<(), emit::Error> {
        if self.0.get_mut().next.is_none() {
            return Ok(());
        }
        self.0.get_mut().hashing = false;
        let given = give(&mut self.0);
        self.0.get_mut().hashing = true;
        given
    }
}

impl Sink for Keyed<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), emit::Error> {
        self.tag(b'B', bytes.len() as u64);
        self.0.bytes(bytes)
    }

    fn slice(&mut self, slice: &Slice) -> Result<(), emit::Error> {
        let Some(sha256) = slice.source.sha256() else {
            self.tag(b'B', slice.len);
            return self.0.slice(slice);
        };
        self.tag(b'S', slice.len);
        let hash = &mut self.0.get_mut().hash;
        hash.update(sha256);
        hash.update(slice.at.to_le_bytes());
        self.pass(|out| out.slice(slice))
    }

    fn hole(&mut self, len: u64) -> Result<(), emit::Error> {
        self.tag(b'H', len);
        self.pass(|out| out.hole(len))
    }
}

/// A writer to the hash and to what comes next.
struct Both<'a> {
    hash: Sha256,
    /// What is written is hashed as well.
    hashing: bool,
    next: Option<&'a mut dyn Write>,
}

impl Write for Both<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = match &mut self.next {
            Some(next) => next.write(bytes)?,
            None => bytes.len(),
        };
        if self.hashing {
            self.hash.update(&bytes[..n]);
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
