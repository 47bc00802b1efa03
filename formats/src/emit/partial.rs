//! A file that is written in order, and has its name when it is complete.

use super::flusher::Flusher;
use super::{Error, Open, Sink, Unfinished, changed, exclusive, name};
use crate::layout::{Late, Slice};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// An output on its way: `NAME.partial`, which becomes `NAME` when it is complete, and goes away
/// when it is dropped before. Nobody else can write it meanwhile.
pub struct Partial {
    path: PathBuf,
    partial: PathBuf,
    /// None when it has its name.
    unfinished: Option<Unfinished>,
    /// None when it is complete.
    out: Option<BufWriter<File>>,
    /// What is complete, and nobody else's until it has its name.
    complete: Option<File>,
    open: Open,
    len: u64,
    /// What was not known when its place was reached, and the place.
    late: Vec<(u64, Late)>,
    /// None as long as no large slice was written.
    flusher: Option<Flusher>,
}

/// How much of a large slice is written before the system is told to bring it to the disk, bytes.
const PIECE: u64 = 8 << 20;
/// Below this many bytes, a copy inside the kernel costs more than it saves.
const SMALL_SLICE: u64 = 256 << 10;
/// Below this many bytes a hole saves no block of any file system, and a seek empties the buffer.
/// Windows fills what is skipped with zeros: only a file that is marked has holes there, and none
/// is, since Hyper-V refuses a VHDX that is marked.
const SMALL_HOLE: u64 = 64 << 10;

impl Partial {
    /// Starts the output that will be at `path`, or where a symbolic link there leads. What is
    /// there stays until [`Partial::commit`].
    ///
    /// # Errors
    /// The file cannot be made, somebody is writing it already, or what is there is none.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        if std::fs::metadata(&path).is_ok_and(|meta| !meta.is_file()) {
            return Err(Error::NotAFile { path });
        }
        if cfg!(windows) && !path.file_name().and_then(OsStr::to_str).is_none_or(name::windows_has) {
            return Err(Error::Name { path });
        }
        let path = without_link(path);
        if path.is_dir() {
            // Told before all the work, and before another output has its name.
            return Err(Error::Write { path, source: io::ErrorKind::IsADirectory.into() });
        }
        let partial = partial_name(&path);
        let file = exclusive::create(&partial);
        let Some(file) = file.map_err(|source| Error::Write { path: partial.clone(), source })? else {
            return Err(Error::InUse { path });
        };
        // Not before: what somebody else writes is not to be removed.
        let unfinished = Some(Unfinished::new(&partial));
        let out = Some(BufWriter::with_capacity(1 << 20, file));
        let (open, len, late) = (Open::default(), 0, Vec::new());
        Ok(Partial { path, partial, unfinished, out, complete: None, open, len, late, flusher: None })
    }

    fn out(&mut self) -> &mut BufWriter<File> {
        self.out.as_mut().expect("present until the output is complete")
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Write { path: self.path.clone(), source }
    }

    /// All bytes are there: flushes them to the disk and gives the output its name.
    ///
    /// # Errors
    /// The file cannot be completed or renamed; nothing is left of it then.
    pub fn commit(self) -> Result<(), Error> {
        commit_all(vec![self])
    }

    fn complete(&mut self) -> Result<(), Error> {
        for (at, late) in std::mem::take(&mut self.late) {
            let bytes = late.bytes()?;
            let done = self.out().seek(SeekFrom::Start(at)).and_then(|_| self.out().write_all(&bytes));
            done.map_err(|e| self.failed(e))?;
        }
        let len = self.len;
        let out = self.out.take().expect("present until the output is complete");
        let flushed = self.flusher.take().map_or(Ok(()), Flusher::finish);
        let done = out.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| {
            file.set_len(len)?; // a hole at the end
            file.sync_all()?;
            Ok(file)
        });
        self.complete = Some(flushed.and(done).map_err(|e| self.failed(e))?);
        Ok(())
    }

    fn rename(mut self) -> Result<(), Error> {
        super::rename(&self.partial, &self.path).map_err(|e| self.failed(e))?;
        self.unfinished = None;
        Ok(())
    }
}

impl Partial {
    /// Copies what comes in `file`, up to `len` bytes. Returns how many there were.
    fn copy(&mut self, file: &mut File, len: u64) -> io::Result<u64> {
        if len < SMALL_SLICE {
            return io::copy(&mut file.take(len), self.out());
        }
        let mut copied = 0;
        while copied < len {
            let piece = (len - copied).min(PIECE);
            // File to file: copy_file_range where the system has it.
            let n =
                self.out().flush().and_then(|()| io::copy(&mut file.take(piece), self.out().get_mut()))?;
            copied += n;
            if n < piece {
                break;
            }
            if piece == PIECE {
                self.flush_meanwhile()?;
            }
        }
        Ok(copied)
    }

    /// The error of a copy from `file`, which stands where the copy ended: a system that copies from
    /// file to file says what went wrong, but not in which of them. A piece that cannot be read a
    /// second time is what went wrong.
    fn blame(&self, file: &mut File, slice: &Slice, source: io::Error) -> Error {
        let end = slice.at + slice.len;
        let again = file.stream_position().and_then(|at| {
            let piece = end.saturating_sub(at).min(PIECE);
            io::copy(&mut file.take(piece), &mut io::sink())
        });
        match again {
            Err(source) => Error::Read { path: slice.source.path().into(), source },
            Ok(_) => self.failed(source),
        }
    }

    fn flush_meanwhile(&mut self) -> io::Result<()> {
        if self.flusher.is_none() {
            self.flusher = Some(Flusher::start(self.out().get_ref())?);
        }
        self.flusher.iter().for_each(Flusher::more);
        Ok(())
    }
}

/// Commits outputs that belong together: none gets its name before all are on the disk.
///
/// # Errors
/// A file cannot be completed, and nothing is left of all of them; or it cannot be renamed.
pub fn commit_all(mut outputs: Vec<Partial>) -> Result<(), Error> {
    outputs.iter_mut().try_for_each(Partial::complete)?;
    outputs.into_iter().try_for_each(Partial::rename)
}

impl Sink for Partial {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.len += bytes.len() as u64;
        self.out().write_all(bytes).map_err(|e| self.failed(e))
    }

    fn slice(&mut self, slice: &Slice) -> Result<(), Error> {
        self.len += slice.len;
        let mut open = std::mem::take(&mut self.open);
        let file = open.at(slice)?;
        let done = match self.copy(file, slice.len) {
            Ok(n) if n == slice.len => Ok(()),
            Ok(n) => Err(changed(slice, n)),
            Err(e) => Err(self.blame(file, slice, e)),
        };
        self.open = open;
        done
    }

    fn late(&mut self, late: &Late) -> Result<(), Error> {
        if let Some(known) = late.known() {
            return self.bytes(&known);
        }
        self.late.push((self.len, late.clone()));
        self.hole(late.len() as u64)
    }

    fn hole(&mut self, len: u64) -> Result<(), Error> {
        self.len += len;
        let done = if len < SMALL_HOLE {
            io::copy(&mut io::repeat(0).take(len), self.out()).map(drop)
        } else {
            let to = self.len;
            self.out().seek(SeekFrom::Start(to)).map(drop)
        };
        done.map_err(|e| self.failed(e))
    }
}

/// For archives that crates write: the same as [`Sink::bytes`].
impl Write for Partial {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.out().write(buf)?;
        self.len += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out().flush()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.unfinished.is_some() {
            // As long as it is open, and so nobody else's. An error that led here has been reported; a
            // file that stays is harmless.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

/// Where a file at `path` is when the links that it is behind are followed.
fn without_link(path: PathBuf) -> PathBuf {
    let is_link = path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
    // A link to nothing is replaced.
    let target = is_link.then(|| path.canonicalize().ok()).flatten();
    target.unwrap_or(path)
}

/// `NAME.partial`, beside the output.
#[must_use]
pub fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".partial");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests;
