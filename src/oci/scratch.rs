//! Folders for files that are not kept.

use mkimage_formats::emit::Unfinished;
use mkimage_formats::spool::Cache;
use std::fs::File;
use std::io;
use std::path::Path;
use tempfile::TempDir;

/// A folder that goes when this is dropped, or with
/// [`abandon_all`](mkimage_formats::emit::abandon_all).
#[derive(Debug)]
pub struct Scratch {
    dir: TempDir,
    // Dropped after the folder.
    _unfinished: Unfinished,
    _lock: Option<File>,
    blocks: Option<Cache>,
}

impl Scratch {
    /// A new folder in `parent`, whose name starts with `prefix`.
    pub(super) fn new(parent: &Path, prefix: &str) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?;
        let _unfinished = Unfinished::new(dir.path());
        Ok(Scratch { dir, _unfinished, _lock: None, blocks: None })
    }

    /// The same, which keeps the lock as long as it lives, and so what is in `blocks`.
    pub(super) fn with_lock(self, lock: Option<File>, blocks: Option<Cache>) -> Self {
        Scratch { _lock: lock, blocks, ..self }
    }

    /// Blocks that were compressed for other outputs; none, if the cache cannot be written.
    #[must_use]
    pub fn blocks(&self) -> Option<&Cache> {
        self.blocks.as_ref()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}
