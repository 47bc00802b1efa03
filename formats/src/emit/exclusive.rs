//! A file that nobody else writes meanwhile.
//!
//! ```text
//! one      open ─ lock ─── write ─── rename ─ close
//! another         open ─ not to be locked: in use
//! a third                      open ──────── lock ─ it has another name by now: open again
//! ```
//! What a process leaves that was killed is locked by nobody, and is overwritten.

use std::fs::File;
use std::io;
use std::path::Path;

/// The file at `path`, made or emptied. It is the caller's alone until it is closed, also under
/// another name. None: somebody else has it.
#[cfg(not(windows))]
pub(super) fn create(path: &Path) -> io::Result<Option<File>> {
    use std::fs::TryLockError;
    loop {
        let file = File::options().write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            // Some file systems have no locks, and no more than that is to be had of them.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        if is_at(&file, path)? {
            if file.metadata()?.len() > 0 {
                file.set_len(0)?;
            }
            return Ok(Some(file));
        }
    }
}

/// Nobody renamed `file`, or removed it, after it was opened.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let opened = file.metadata()?;
    match path.metadata() {
        Ok(there) => Ok((there.dev(), there.ino()) == (opened.dev(), opened.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Nothing tells one file from another here.
#[cfg(not(any(unix, windows)))]
fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(windows)]
pub(super) fn create(path: &Path) -> io::Result<Option<File>> {
    use std::os::windows::fs::OpenOptionsExt;
    /// \[WIN\] Microsoft, *CreateFileW*, `dwShareMode`: others may read it, and it may be renamed.
    const FILE_SHARE_READ_DELETE: u32 = 0x1 | 0x4;
    /// \[WIN\] Microsoft, *System Error Codes*.
    const ERROR_SHARING_VIOLATION: i32 = 32;
    let mut options = File::options();
    options.write(true).create(true).truncate(true).share_mode(FILE_SHARE_READ_DELETE);
    match options.open(path) {
        Err(e) if e.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(None),
        opened => opened.map(Some),
    }
}
