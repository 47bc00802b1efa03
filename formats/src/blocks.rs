//! A stream in blocks that are compressed on several threads and written in order.
//!
//! ```text
//! stream  ├── block ──┼── block ──┼── block ──┼─ last ─┤
//!                 ├───┤   each may refer to what is before it
//! ```
//!
//! Blocks are cut by length alone.

use crate::pool::{self, Pool};
use std::io::{self, Write};
use std::num::NonZero;

/// A block of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The end of what is before it: up to the window of the compressor, bytes.
    pub before: Vec<u8>,
    /// Its bytes; the last one may have none.
    pub bytes: Vec<u8>,
    /// Nothing comes after it.
    pub last: bool,
}

/// How a stream is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Bytes in a block.
    pub block: usize,
    /// Bytes before a block that its compressor looks at.
    pub window: usize,
}

/// Writes what `feed` gives to `out`, each block through `pack`.
///
/// # Errors
/// What `feed` says, or what `failed` makes of an error of `pack` or `out`.
pub fn each<E>(
    threads: NonZero<usize>,
    cut: Cut,
    pack: impl Fn(&Block) -> io::Result<Vec<u8>> + Sync,
    out: &mut dyn Write,
    feed: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    failed: impl Fn(io::Error) -> E,
) -> Result<(), E> {
    pool::scope(
        threads,
        cut.block,
        || |block| pack(&block),
        |pool| {
            let mut cutter = Cutter { cut, pool, before: Vec::new(), bytes: Vec::new(), out };
            feed(&mut cutter)?;
            cutter.finish().map_err(failed)
        },
    )
}

/// The end that is written to.
struct Cutter<'o> {
    cut: Cut,
    pool: Pool<Block, io::Result<Vec<u8>>>,
    before: Vec<u8>,
    bytes: Vec<u8>,
    out: &'o mut dyn Write,
}

impl Cutter<'_> {
    fn submit(&mut self, last: bool) -> io::Result<()> {
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(self.cut.block));
        let window = bytes[bytes.len().saturating_sub(self.cut.window)..].to_vec();
        let before = std::mem::replace(&mut self.before, window);
        match self.pool.submit(Block { before, bytes, last }) {
            Some(packed) => self.out.write_all(&packed?),
            None => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.submit(true)?;
        while let Some(packed) = self.pool.next() {
            self.out.write_all(&packed?)?;
        }
        Ok(())
    }
}

impl Write for Cutter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.cut.block - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..n]);
        if self.bytes.len() == self.cut.block {
            self.submit(false)?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
