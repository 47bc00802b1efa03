//! Compressed parts of a disk, in a file of their own until they are emitted.
//!
//! ```text
//! disk ─▶ unit ─▶ ┌ thread ┐ ─▶ packed ─▶ spool
//!         unit ─▶ │ thread │ ─▶ packed      in the order of the disk
//!         ...     └   ...  ┘    ...
//! ```
//!
//! What compression leaves of a disk is known only when it is done, but the tables that say where it
//! is come before it. So it goes to a file first, and the output's [`Layout`] takes it from there.
//! Every unit is compressed on its own: the bytes do not depend on the number of threads.

mod memo;

pub use memo::Memo;

use crate::emit::{self, Reader};
use crate::layout::{Content, Layout};
use crate::pool;
use crate::runs;
use memo::New;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// What a unit is compared with, piece by piece.
const ZEROS: [u8; 4096] = [0; 4096];

/// Where compressed parts go, and who compresses them.
#[derive(Clone, Debug)]
pub struct Spool {
    /// A file that is made, or replaced. It has to stay until the output is emitted.
    pub path: PathBuf,
    /// How many threads compress. The bytes do not depend on it.
    pub threads: NonZero<usize>,
    /// What other spools have, whose files are still there. None: this is the only one.
    pub memo: Option<Memo>,
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
    /// Where it is in the spool, bytes.
    pub(crate) at: u64,
    /// Bytes that are there. None: packing gained nothing.
    pub(crate) len: usize,
}

/// How units are compressed, and what is around each in the spool.
pub(crate) struct Codec<P> {
    /// Different for each `pack`.
    pub(crate) name: &'static str,
    /// What is made of a unit, whatever its number.
    pub(crate) pack: P,
    /// What is before a unit, by its number and the bytes of what was made of it.
    pub(crate) head: fn(u64, usize) -> io::Result<Vec<u8>>,
    /// All of it is filled with zeros to a multiple of this, bytes.
    pub(crate) multiple: usize,
}

impl Spool {
    /// The units of `disk` that are not all zeros, ascending, of `size` bytes each (the last is filled
    /// with zeros), and what `pack` made of them, one after the other.
    ///
    /// # Errors
    /// The disk cannot be read, or the spool cannot be written.
    pub(crate) fn pack(
        &self,
        disk: &Layout,
        size: usize,
        pack: impl Fn(u64, &[u8]) -> io::Result<Vec<u8>> + Sync,
    ) -> Result<(Vec<Unit>, Layout), Error> {
        self.run(disk, size, |number, unit, reader| {
            let bytes = reader.read(unit).map_err(Error::Read)?;
            let packed = if is_zero(&bytes) { None } else { Some(pack(number, &bytes)) };
            packed.transpose().map_err(|source| self.failed(source))
        })
    }

    /// As [`Spool::pack`], by a codec that others may have compressed the same bytes with.
    pub(crate) fn pack_once<P: Fn(&[u8]) -> io::Result<Vec<u8>> + Sync>(
        &self,
        disk: &Layout,
        size: usize,
        codec: &Codec<P>,
    ) -> Result<(Vec<Unit>, Layout), Error> {
        let news = Mutex::new(Vec::new());
        let (units, packed) = self.run(disk, size, |number, unit, reader| {
            let known = self.memo.as_ref().and_then(|memo| memo.get(codec.name, unit));
            let packed = match &known {
                Some(known) => reader.read(&known.clone().into()).map_err(Error::Read)?,
                None => {
                    let bytes = reader.read(unit).map_err(Error::Read)?;
                    if is_zero(&bytes) {
                        return Ok(None);
                    }
                    (codec.pack)(&bytes).map_err(|source| self.failed(source))?
                }
            };
            let mut out = (codec.head)(number, packed.len()).map_err(|source| self.failed(source))?;
            if let ([Content::Slice(of)], None, Some(_)) = (unit.extents(), known, &self.memo) {
                let new = New { of: of.clone(), number, skip: out.len() as u64, len: packed.len() as u64 };
                news.lock().unwrap_or_else(PoisonError::into_inner).push(new);
            }
            out.extend_from_slice(&packed);
            out.resize(out.len().next_multiple_of(codec.multiple), 0);
            Ok(Some(out))
        })?;
        if let (Some(memo), [Content::Slice(spool)]) = (&self.memo, packed.extents()) {
            memo.add(codec.name, news.into_inner().unwrap_or_else(PoisonError::into_inner), &units, spool);
        }
        Ok((units, packed))
    }

    fn run(
        &self,
        disk: &Layout,
        size: usize,
        pack: impl Fn(u64, &Layout, &mut Reader) -> Result<Option<Vec<u8>>, Error> + Sync,
    ) -> Result<(Vec<Unit>, Layout), Error> {
        let failed = |source| self.failed(source);
        let out = BufWriter::with_capacity(256 << 10, File::create(&self.path).map_err(failed)?);
        let mut packed = Packed { units: Vec::new(), at: 0, out };
        let worker = || {
            let (mut reader, pack) = (Reader::default(), &pack);
            move |(number, unit): (u64, Layout)| Ok((number, pack(number, &unit, &mut reader)?))
        };
        pool::scope(self.threads, size, worker, |mut pool| {
            let unit = size as u64;
            let runs = runs::runs(disk, unit);
            let units = runs.iter().flat_map(|run| (run.first..).zip(run.content.chunks(unit)));
            for job in units {
                if let Some(done) = pool.submit(job) {
                    packed.push(done?).map_err(failed)?;
                }
            }
            while let Some(done) = pool.next() {
                packed.push(done?).map_err(failed)?;
            }
            packed.out.flush().map_err(failed)
        })?;
        Ok((packed.units, Layout::file(&self.path).map_err(failed)?))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Spool { path: self.path.clone(), source }
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(ZEROS.len()).all(|chunk| *chunk == ZEROS[..chunk.len()])
}

/// What became of units, in their order.
struct Packed {
    units: Vec<Unit>,
    /// Bytes in the spool.
    at: u64,
    out: BufWriter<File>,
}

impl Packed {
    /// Adds a unit, if it is not all zeros.
    fn push(&mut self, (number, packed): (u64, Option<Vec<u8>>)) -> io::Result<()> {
        let Some(packed) = packed else { return Ok(()) };
        self.out.write_all(&packed)?;
        self.units.push(Unit { number, at: self.at, len: packed.len() });
        self.at += packed.len() as u64;
        Ok(())
    }
}
