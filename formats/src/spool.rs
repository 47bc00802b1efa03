//! Compressed parts of a disk, in files of their own until they are emitted.
//!
//! ```text
//! disk ─▶ unit ─▶ ┌ thread ┐ ─▶ packed ─▶ spool
//!         unit ─▶ │ thread │ ─▶ packed ─▶ Cache     in the order of the disk
//!         unit ─▶ └ thread ┘ ─▶ known
//! ```
//!
//! What compression leaves of a disk is known only when it is done, but the tables that say where it
//! is come before it. So it goes to a file first, and the output's [`Layout`] takes it from there.
//! Every unit is compressed on its own: the bytes do not depend on the number of threads, nor on what
//! was known.

mod cache;
mod file;
mod memo;
mod packed;
mod worker;

pub use cache::Cache;
pub use memo::Memo;

use crate::emit;
use crate::layout::Layout;
use crate::pool;
use crate::runs;
use packed::Packed;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use worker::Worker;

/// Where compressed parts go, and who compresses them.
#[derive(Clone, Debug)]
pub struct Spool {
    /// A file that is made, or replaced, and so is the one that has `.blocks` after its name. They
    /// have to stay until the output is emitted.
    pub path: PathBuf,
    /// How many threads compress. The bytes do not depend on it.
    pub threads: NonZero<usize>,
    /// What other spools have, whose files are still there. None: this is the only one.
    pub memo: Option<Memo>,
    /// What was compressed for other outputs, at any time. None: nothing is kept.
    pub cache: Option<Cache>,
}

/// Why a disk could not be compressed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk cannot be read.
    #[error(transparent)]
    Read(emit::Error),
    /// The file for compressed parts.
    #[error("cannot write `{path}`")]
    Spool {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A unit of a disk that is not all zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Its number.
    pub(crate) number: u64,
    /// Where it is in what was packed, bytes.
    pub(crate) at: u64,
    /// Bytes that are there. None: packing gained nothing.
    pub(crate) len: usize,
}

/// How units are compressed, and what is around each of them.
pub(crate) trait Codec: Sync {
    /// Bytes before a unit.
    const HEAD: usize = 0;
    /// All of it is filled with zeros to a multiple of this, bytes.
    const MULTIPLE: usize = 1;

    /// Different for all that make different bytes of the same. It becomes a part of file names.
    fn name(&self) -> &'static str;

    /// To find a unit that is known takes much less time than to pack it.
    fn is_slow(&self) -> bool {
        true
    }

    /// What counts of a unit; it has only zeros after that.
    fn trim<'b>(&self, _number: u64, bytes: &'b [u8]) -> &'b [u8] {
        bytes
    }

    /// What is made of a unit, whatever its number. None: nothing is gained.
    fn pack(&self, bytes: &[u8]) -> io::Result<Option<Vec<u8>>>;

    /// What stands for a unit that packing gains nothing with.
    fn stored(&self, _bytes: &[u8]) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    /// What is before a unit, by its number and the bytes of what was made of it.
    fn head(&self, _number: u64, _len: usize) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// Bytes of a unit that was packed to `len` bytes, with what is around it.
fn whole<C: Codec>(len: usize) -> usize {
    (C::HEAD + len).next_multiple_of(C::MULTIPLE)
}

impl Spool {
    /// The units of `disk` that are not all zeros, ascending, of `size` bytes each (the last is filled
    /// with zeros), and what `codec` made of them, one after the other.
    ///
    /// # Errors
    /// The disk cannot be read, or the spool cannot be written.
    pub(crate) fn pack<C: Codec>(
        &self,
        disk: &Layout,
        size: usize,
        codec: &C,
    ) -> Result<(Vec<Unit>, Layout), Error> {
        let cache = self.cache.as_ref().filter(|_| codec.is_slow());
        let known = cache.map(|cache| (cache, cache.open(codec.name())));
        let known = known.as_ref().map(|(cache, known)| (*cache, known));
        let mut packed = Packed::new(self, codec, known);
        let worker = || {
            let mut worker = Worker::new(self, codec, known);
            move |(number, unit): (u64, Layout)| Ok((number, worker.make(number, &unit)?))
        };
        pool::scope(self.threads, size, worker, |mut pool| {
            let unit = size as u64;
            let runs = runs::runs(disk, unit);
            let units = runs.iter().flat_map(|run| (run.first..).zip(run.content.chunks(unit)));
            for job in units {
                if let Some(done) = pool.submit(job) {
                    packed.push(done?)?;
                }
            }
            while let Some(done) = pool.next() {
                packed.push(done?)?;
            }
            packed.finish()
        })
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Spool { path: path.to_owned(), source }
}
