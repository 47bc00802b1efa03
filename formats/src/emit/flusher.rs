//! A thread that brings an output to the disk while more of it is written.
//!
//! ```text
//! writer   ├ piece ┼ piece ┼ piece ┼ piece ┼ piece ┤
//! flusher          ├─ sync ─┼───── sync ────┼─ sync ─┤   the last one has little left to do
//! ```

use std::fs::File;
use std::io;
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

/// Ends when it is dropped, which waits for the disk.
pub(super) struct Flusher {
    /// None when there will be no more.
    more: Option<SyncSender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Flusher {
    /// For what is written to `file`.
    pub(super) fn start(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (more, pieces) = mpsc::sync_channel(1);
        let flush = move || pieces.iter().try_for_each(|()| file.sync_data());
        let thread = thread::Builder::new().spawn(flush)?;
        Ok(Flusher { more: Some(more), thread: Some(thread) })
    }

    /// There is more. Does not wait: a flush that has yet to begin takes all that is there then.
    pub(super) fn more(&self) {
        if let Some(more) = &self.more {
            // Full, or ended by an error that is told at the end.
            let _ = more.try_send(());
        }
    }

    /// Waits for the last flush.
    ///
    /// # Errors
    /// That of any flush; the system may tell of it only once.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.join()
    }

    fn join(&mut self) -> io::Result<()> {
        self.more = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        // The output is given up, for a reason that is known.
        let _ = self.join();
    }
}
