//! Files of the cache, whatever is in them.

use super::Error;
use mkimage_formats::emit;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;
use tempfile::TempPath;

/// A file that nothing is written to. Windows locks none that is open to append alone.
pub(crate) fn lockable(path: &Path) -> io::Result<File> {
    File::options().create(true).read(true).append(true).open(path)
}

/// Notes that a file of the cache is in use now. One that cannot be written is not cleaned up
/// either.
pub(crate) fn mark_used(path: &Path) {
    let _ = File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
}

/// Gives a temporary file its name. Not tempfile's `persist`: on Windows, that replaces no file
/// which another process reads just now.
pub(crate) fn rename(partial: TempPath, path: &Path) -> io::Result<()> {
    let partial = partial.keep()?;
    emit::rename(&partial, path).inspect_err(|_| drop(fs::remove_file(&partial)))
}

/// Temporary files start private; a cache is shared like any other folder of its owner.
#[cfg(unix)]
pub(crate) fn open_to_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "fails on other systems")]
pub(crate) fn open_to_all(_: &File) -> io::Result<()> {
    Ok(())
}

/// Makes the folder of a file that is about to be made.
pub(crate) fn create_parent(path: &Path) -> Result<(), Error> {
    let Some(dir) = path.parent() else { return Ok(()) };
    fs::create_dir_all(dir).map_err(|source| Error::Write { path: dir.to_owned(), source })
}
