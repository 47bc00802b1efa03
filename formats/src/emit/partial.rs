//! A file that is written in order, and has its name when it is complete.

use super::flusher::Flusher;
use super::{Error, Open, Sink, Unfinished, changed, name};
use crate::layout::{Late, Slice};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// An output on its way: `NAME.partial`, which becomes `NAME` when it is complete, and goes away
/// when it is dropped before.
pub struct Partial {
    path: PathBuf,
    partial: PathBuf,
    /// None when it is complete.
    unfinished: Option<Unfinished>,
    out: Option<BufWriter<File>>,
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
    /// The file cannot be made, or what is there is none.
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
        let unfinished = Some(Unfinished::new(&partial));
        let file = File::create(&partial).map_err(|source| Error::Write { path: partial.clone(), source })?;
        let out = Some(BufWriter::with_capacity(1 << 20, file));
        let (open, len, late, flusher) = (Open::default(), 0, Vec::new(), None);
        Ok(Partial { path, partial, unfinished, out, open, len, late, flusher })
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
            file.sync_all()
        });
        flushed.and(done).map_err(|e| self.failed(e))
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
        let copied = self.copy(open.at(slice)?, slice.len);
        self.open = open;
        match copied {
            Ok(n) if n == slice.len => Ok(()),
            Ok(n) => Err(changed(slice, n)),
            Err(e) => Err(self.failed(e)),
        }
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
        drop(self.out.take());
        if self.unfinished.is_some() {
            // An error that led here has been reported; a file that stays is harmless.
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
mod tests {
    use super::super::{Reader, Stream, emit};
    use super::*;
    use crate::layout::{Content, Layout};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    #[test]
    fn a_file_and_a_stream_get_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join("input");
        let data: Vec<u8> = (0..600_000u32).map(|n| n.to_le_bytes()[0]).collect();
        std::fs::write(&input, &data).unwrap();
        let whole = Layout::file(&input).unwrap();
        let mut l = Layout::from(b"head".to_vec());
        l.append(whole.window(1, 500_000)); // copied in the kernel
        l.append(whole.window(7, 9)); // through the buffer
        l.push(Content::Hole(100));
        l.push(Content::Hole(200_000));
        l.push(b"tail".to_vec());
        l.push(Content::Hole(300_000)); // only a length at the end

        let out = dir.path().join("out");
        emit(&l, &out).unwrap();
        let mut stream = Stream::new(Vec::new());
        stream.layout(&l).unwrap();
        let file = std::fs::read(&out).unwrap();
        assert_eq!(file.len() as u64, l.len());
        assert!(file == stream.into_inner());
        assert_eq!(&file[4..504], &data[1..501]);
        assert!(!partial_name(&out).exists());
    }

    #[test]
    fn large_slices_are_written_piece_by_piece() {
        let dir = tempfile::tempdir().unwrap();
        let (input, out) = (dir.path().join("input"), dir.path().join("out"));
        let len = usize::try_from(2 * PIECE).unwrap() + 9;
        let data: Vec<u8> = (0..len).map(|n| (n ^ (n >> 8) ^ (n >> 16)).to_le_bytes()[0]).collect();
        std::fs::write(&input, &data).unwrap();
        let l = Layout::file(&input).unwrap();
        let mut shifted = Layout::from(vec![1]);
        shifted.append(l.window(1, l.len() - 1));
        emit(&shifted, &out).unwrap();
        let written = std::fs::read(&out).unwrap();
        assert!(written[0] == 1 && written[1..] == data[1..]);
        std::fs::write(&input, &data[..len - 9]).unwrap();
        let e = emit(&l, &out).unwrap_err();
        assert!(matches!(e, Error::Changed { found, .. } if found == 2 * PIECE), "{e}");
    }

    #[test]
    fn what_is_known_late_does_not_keep_an_output_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let (known, told) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicU8::new(0)));
        let (value, count) = (known.clone(), told.clone());
        let late = Late::new(3, move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(vec![value.load(Ordering::Relaxed); 3])
        });
        let mut l = Layout::from(b"head".to_vec());
        l.push(late.clone());
        l.push(b"tail".to_vec());
        let mut partial = Partial::create(&out).unwrap();
        partial.layout(&l.window(1, 5)).unwrap();
        partial.layout(&l.window(6, 5)).unwrap();
        known.store(b'x', Ordering::Relaxed);
        partial.commit().unwrap();
        assert_eq!(std::fs::read(&out).unwrap(), b"eadxxxtail");
        // Once it is known, it is computed for nobody again.
        let mut stream = Stream::new(Vec::new());
        stream.layout(&l).unwrap();
        assert_eq!(stream.into_inner(), b"headxxxtail");
        assert_eq!(Reader::default().read(&l).unwrap(), b"headxxxtail");
        emit(&l, &out).unwrap();
        assert_eq!(std::fs::read(&out).unwrap(), b"headxxxtail");
        assert_eq!(told.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn an_output_is_not_made_without_what_is_known_late() {
        let dir = tempfile::tempdir().unwrap();
        let (gone, out) = (dir.path().join("gone"), dir.path().join("out"));
        std::fs::write(&gone, "x").unwrap();
        let input = Layout::file(&gone).unwrap();
        std::fs::remove_file(&gone).unwrap();
        let e = emit(&Late::new(1, move || Reader::default().read(&input)).into(), &out).unwrap_err();
        assert!(matches!(e, Error::Read { path, .. } if path == gone));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_output_that_fails_leaves_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let (input, out) = (dir.path().join("input"), dir.path().join("out"));
        std::fs::write(&input, [1; 10]).unwrap();
        std::fs::write(&out, "before").unwrap();
        let l = Layout::file(&input).unwrap();
        std::fs::write(&input, [1; 4]).unwrap();
        let e = emit(&l, &out).unwrap_err();
        assert!(matches!(e, Error::Changed { expected: 10, found: 4, .. }), "{e}");
        assert_eq!(std::fs::read(&out).unwrap(), b"before");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_folders_stay() {
        let dir = tempfile::tempdir().unwrap();
        for path in [Path::new("/dev/null"), dir.path()] {
            let e = emit(&b"x".to_vec().into(), path).unwrap_err();
            assert!(matches!(e, Error::NotAFile { .. }), "{e}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_an_output_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        std::fs::write(&target, "before").unwrap();
        std::os::unix::fs::symlink("target", &link).unwrap();
        emit(&b"after".to_vec().into(), &link).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"after");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        std::fs::remove_file(&target).unwrap();
        emit(&b"after".to_vec().into(), &link).unwrap();
        assert_eq!(std::fs::read(&link).unwrap(), b"after");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
