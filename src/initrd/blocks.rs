//! A stream in blocks that are compressed on several threads and written in order.
//!
//! ```text
//! writer ─▶ block ─▶ ┌ thread ┐ ─▶ block ─▶ out
//!           block ─▶ │ thread │ ─▶ block      in the order in which they came
//!           ...      └   ...  ┘    ...
//! ```

use std::collections::VecDeque;
use std::io::{self, Write};
use std::num::NonZero;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Bytes that blocks may take together, unpacked and packed.
const MEMORY: usize = 48 << 20;

/// A block of a stream.
pub(super) struct Block {
    /// The end of what is before it: up to the window of the compressor, bytes.
    pub(super) before: Vec<u8>,
    pub(super) bytes: Vec<u8>,
    /// Nothing comes after it.
    pub(super) last: bool,
}

/// How a stream is cut.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// Bytes in a block.
    pub(super) block: usize,
    /// Bytes before a block that its compressor looks at.
    pub(super) window: usize,
}

type Packed = io::Result<Vec<u8>>;
type Job = (Block, SyncSender<Packed>);

/// Writes what `feed` gives to `out`, each block through `pack`.
pub(super) fn each<E>(
    threads: NonZero<usize>,
    cut: Cut,
    pack: impl Fn(&Block) -> Packed + Sync,
    out: &mut dyn Write,
    feed: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    failed: impl Fn(io::Error) -> E,
) -> Result<(), E> {
    let (jobs, queue) = mpsc::channel::<Job>();
    let queue = Mutex::new(queue);
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(|| work(&queue, &pack));
        }
        let limit = (MEMORY / (2 * cut.block)).clamp(2, threads.get().saturating_mul(4).max(2));
        let mut cutter =
            Cutter { cut, jobs, limit, pending: VecDeque::new(), before: Vec::new(), bytes: Vec::new(), out };
        feed(&mut cutter)?;
        cutter.finish().map_err(failed)
        // The cutter and its end of the queue go away here, and the threads with them.
    })
}

/// Takes blocks from the queue until nobody can put any there.
fn work(queue: &Mutex<Receiver<Job>>, pack: &(impl Fn(&Block) -> Packed + Sync)) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((block, done)) = job else { return };
        // Nobody waits for it if the build failed elsewhere.
        let _ = done.send(pack(&block));
    }
}

/// The end that is written to.
struct Cutter<'a> {
    cut: Cut,
    jobs: Sender<Job>,
    /// How many blocks may be on their way.
    limit: usize,
    pending: VecDeque<Receiver<Packed>>,
    before: Vec<u8>,
    bytes: Vec<u8>,
    out: &'a mut dyn Write,
}

impl Cutter<'_> {
    fn submit(&mut self, last: bool) -> io::Result<()> {
        if self.pending.len() == self.limit {
            self.receive()?;
        }
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(self.cut.block));
        let window = bytes[bytes.len().saturating_sub(self.cut.window)..].to_vec();
        let before = std::mem::replace(&mut self.before, window);
        let (done, packed) = mpsc::sync_channel(1);
        self.jobs.send((Block { before, bytes, last }, done)).ok().ok_or_else(gone)?;
        self.pending.push_back(packed);
        Ok(())
    }

    /// Writes the block that is next.
    fn receive(&mut self) -> io::Result<()> {
        let Some(packed) = self.pending.pop_front() else { return Ok(()) };
        let packed = packed.recv().ok().ok_or_else(gone)??;
        self.out.write_all(&packed)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.submit(true)?;
        while !self.pending.is_empty() {
            self.receive()?;
        }
        Ok(())
    }
}

/// A thread has panicked, and said why.
fn gone() -> io::Error {
    io::Error::other("a compressing thread has ended")
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
