//! What is removed when the process is told to end.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file or folder that [`abandon_all`] removes while this lives. Whoever makes it must remove or
/// complete it in all other cases.
#[derive(Debug)]
pub struct Unfinished(PathBuf);

impl Unfinished {
    /// The file or folder at `path`, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        unfinished().insert(path.clone());
        Unfinished(path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().remove(&self.0);
    }
}

/// Removes every output that is being written in this process, and every other [`Unfinished`]:
/// what a handler of Ctrl-C calls before it ends the process. Other threads that would complete
/// something afterwards, or fail because it is gone, wait for that end.
pub fn abandon_all() {
    let mut unfinished = unfinished();
    for path in std::mem::take(&mut *unfinished) {
        // Nobody is left to tell.
        let _ = remove(&path);
    }
    std::mem::forget(unfinished); // it stays locked
}

fn remove(path: &Path) -> std::io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}
