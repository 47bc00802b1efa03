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

use crate::emit::{self, Sink, Stream};
use crate::layout::{Layout, Slice};
use flate2::{Compress, Compression, FlushCompress, Status};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Bytes that units may take together, unpacked and packed.
const MEMORY: usize = 32 << 20;
/// What a unit is compared with, piece by piece.
const ZEROS: [u8; 4096] = [0; 4096];
/// As `gzip -6`.
const LEVEL: u32 = 6;

/// Where compressed parts go, and who compresses them.
#[derive(Clone, Debug)]
pub struct Spool {
    /// A file that is made, or replaced. It has to stay until the output is emitted.
    pub path: PathBuf,
    /// How many threads compress. The bytes do not depend on it.
    pub threads: NonZero<usize>,
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
        let failed = |source| Error::Spool { path: self.path.clone(), source };
        let out = BufWriter::with_capacity(256 << 10, File::create(&self.path).map_err(failed)?);
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Mutex::new(queue);
        let units = thread::scope(|scope| {
            for _ in 0..self.threads.get() {
                scope.spawn(|| work(&queue, &pack));
            }
            let limit = (MEMORY / (2 * size)).clamp(2, self.threads.get().saturating_mul(4).max(2));
            let pending = VecDeque::new();
            let units = Vec::new();
            let mut cutter =
                Cutter { size, number: 0, bytes: Vec::new(), jobs, limit, pending, units, at: 0, out };
            let mut disk_to_units = Units(Stream::new(&mut cutter));
            disk_to_units.layout(disk).map_err(|e| match e {
                emit::Error::Stream(source) => failed(source),
                e => Error::Read(e),
            })?;
            cutter.finish().map_err(failed)
            // The cutter and its end of the queue go away here, and the threads with them.
        })?;
        Ok((units, Layout::file(&self.path).map_err(failed)?))
    }
}

/// A unit's number and bytes, and where to send what becomes of it: nothing, if it is all zeros.
type Job = (u64, Vec<u8>, SyncSender<Packed>);
type Packed = io::Result<Option<Vec<u8>>>;

/// Takes units from the queue until nobody can put any there.
fn work(queue: &Mutex<Receiver<Job>>, pack: &(impl Fn(u64, &[u8]) -> io::Result<Vec<u8>> + Sync)) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, bytes, done)) = job else { return };
        let zeros = bytes.chunks(ZEROS.len()).all(|chunk| *chunk == ZEROS[..chunk.len()]);
        let packed = if zeros { Ok(None) } else { pack(number, &bytes).map(Some) };
        // Nobody waits for it if something else failed.
        let _ = done.send(packed);
    }
}

/// Cuts what is written to it into units, and collects what becomes of them.
struct Cutter {
    /// Bytes of a unit.
    size: usize,
    /// The unit that is being filled.
    number: u64,
    bytes: Vec<u8>,
    jobs: Sender<Job>,
    /// How many units may be on their way.
    limit: usize,
    pending: VecDeque<(u64, Receiver<Packed>)>,
    units: Vec<Unit>,
    /// Bytes in the spool.
    at: u64,
    out: BufWriter<File>,
}

impl Cutter {
    fn submit(&mut self) -> io::Result<()> {
        if self.pending.len() == self.limit {
            self.receive()?;
        }
        let mut bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(self.size));
        bytes.resize(self.size, 0);
        let (done, packed) = mpsc::sync_channel(1);
        self.jobs.send((self.number, bytes, done)).ok().ok_or_else(gone)?;
        self.pending.push_back((self.number, packed));
        self.number += 1;
        Ok(())
    }

    /// Writes the unit that is next.
    fn receive(&mut self) -> io::Result<()> {
        let Some((number, packed)) = self.pending.pop_front() else { return Ok(()) };
        if let Some(packed) = packed.recv().ok().ok_or_else(gone)?? {
            self.out.write_all(&packed)?;
            self.units.push(Unit { number, at: self.at, len: packed.len() });
            self.at += packed.len() as u64;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<Vec<Unit>> {
        if !self.bytes.is_empty() {
            self.submit()?;
        }
        while !self.pending.is_empty() {
            self.receive()?;
        }
        self.out.flush()?;
        Ok(self.units)
    }
}

/// A thread has panicked, and said why.
fn gone() -> io::Error {
    io::Error::other("a compressing thread has ended")
}

impl Write for Cutter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.size - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..n]);
        if self.bytes.len() == self.size {
            self.submit()?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A sink that passes holes over.
struct Units<'c>(Stream<&'c mut Cutter>);

impl Sink for Units<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), emit::Error> {
        self.0.bytes(bytes)
    }

    fn slice(&mut self, slice: &Slice) -> Result<(), emit::Error> {
        self.0.slice(slice)
    }

    fn hole(&mut self, len: u64) -> Result<(), emit::Error> {
        let cutter = self.0.get_mut();
        let size = cutter.size as u64;
        let begun = cutter.bytes.len() as u64;
        let fill = if begun == 0 { 0 } else { len.min(size - begun) };
        self.0.hole(fill)?;
        self.0.get_mut().number += (len - fill) / size;
        self.0.hole((len - fill) % size)
    }
}

/// \[DEFLATE\] RFC 1951, with the frame of RFC 1950 if `zlib`. `window` is the binary logarithm of
/// how far back references reach.
pub(crate) fn deflate(bytes: &[u8], zlib: bool, window: u8) -> io::Result<Vec<u8>> {
    let mut state = Compress::new_with_window_bits(Compression::new(LEVEL), zlib, window);
    let mut out = Vec::with_capacity(bytes.len() / 2 + 1024);
    loop {
        let read = usize::try_from(state.total_in()).map_err(io::Error::other)?;
        if state.compress_vec(&bytes[read..], &mut out, FlushCompress::Finish)? == Status::StreamEnd {
            return Ok(out);
        }
        out.reserve(bytes.len() / 4 + 1024);
    }
}
