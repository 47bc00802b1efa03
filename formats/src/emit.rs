//! Putting outputs on a disk: one ordered pass, complete or not at all.

mod unfinished;

pub use unfinished::{Unfinished, abandon_all};

use crate::layout::{Content, Layout, Slice, Source};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why an output could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The output itself.
    #[error("cannot write `{path}`")]
    Write {
        /// The file being written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that the output takes bytes from.
    #[error("cannot read `{path}`")]
    Read {
        /// The file being read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file became shorter after the output's places were computed.
    #[error("`{path}` changed while it was being read: {found} of {expected} bytes from byte {at}")]
    Changed {
        /// The file being read.
        path: PathBuf,
        /// The slice's offset, bytes.
        at: u64,
        /// The slice's length, bytes.
        expected: u64,
        /// Bytes that were there.
        found: u64,
    },
    /// A device, a pipe or a folder: a file would take its place.
    #[error("`{path}` is no regular file, and an output would take its place")]
    NotAFile {
        /// What was to be written.
        path: PathBuf,
    },
    /// A stream that is not a file.
    #[error("cannot write the output")]
    Stream(#[source] io::Error),
}

/// A receiver of contents, in order.
pub trait Sink {
    /// Takes bytes.
    ///
    /// # Errors
    /// They cannot be written.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Takes part of a file.
    ///
    /// # Errors
    /// It cannot be read or written.
    fn slice(&mut self, slice: &Slice) -> Result<(), Error>;

    /// Takes `len` zeros.
    ///
    /// # Errors
    /// They cannot be written.
    fn hole(&mut self, len: u64) -> Result<(), Error>;

    /// Takes all of a layout.
    ///
    /// # Errors
    /// As for each content.
    fn layout(&mut self, layout: &Layout) -> Result<(), Error> {
        layout.extents().iter().try_for_each(|content| match content {
            Content::Bytes(b) => self.bytes(b),
            Content::Slice(s) => self.slice(s),
            Content::Hole(n) => self.hole(*n),
        })
    }
}

/// The files that slices were last read from: neighbours often share one.
#[derive(Default)]
struct Open(Option<(Arc<Source>, File)>);

impl Open {
    /// The slice's file, at its first byte.
    fn at(&mut self, slice: &Slice) -> Result<&mut File, Error> {
        let failed = |source| Error::Read { path: slice.source.path().into(), source };
        if self.0.as_ref().is_none_or(|(source, _)| *source != slice.source) {
            let file = File::open(slice.source.path()).map_err(failed)?;
            self.0 = Some((slice.source.clone(), file));
        }
        let (_, file) = self.0.as_mut().expect("set just above");
        file.seek(SeekFrom::Start(slice.at)).map_err(failed)?;
        Ok(file)
    }
}

/// Reads what is in `slice` after `done` bytes, where `file` is.
fn fill(file: &mut File, slice: &Slice, mut done: u64, mut buffer: &mut [u8]) -> Result<(), Error> {
    while !buffer.is_empty() {
        match file.read(buffer) {
            Ok(0) => return Err(changed(slice, done)),
            Ok(n) => {
                buffer = &mut buffer[n..];
                done += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::Read { path: slice.source.path().into(), source }),
        }
    }
    Ok(())
}

/// Reads contents into memory, a part at a time.
#[derive(Default)]
pub struct Reader(Open);

impl Reader {
    /// All of `layout`.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(&mut self, layout: &Layout) -> Result<Vec<u8>, Error> {
        let memory = |len| usize::try_from(len).expect("what is read into memory has room there");
        let mut out = Vec::with_capacity(memory(layout.len()));
        for content in layout.extents() {
            let end = out.len() + memory(content.len());
            match content {
                Content::Bytes(bytes) => out.extend_from_slice(bytes),
                Content::Hole(_) => out.resize(end, 0),
                Content::Slice(slice) => {
                    let at = out.len();
                    out.resize(end, 0);
                    fill(self.0.at(slice)?, slice, 0, &mut out[at..])?;
                }
            }
        }
        Ok(out)
    }
}

/// Any writer as a sink: a pipe, a compressor, a hash.
pub struct Stream<W> {
    out: W,
    open: Open,
    buffer: Vec<u8>,
}

const BUFFER: usize = 256 << 10;

impl<W: Write> Stream<W> {
    /// A sink that writes everything, holes too, to `out`.
    pub fn new(out: W) -> Self {
        Stream { out, open: Open::default(), buffer: vec![0; BUFFER] }
    }

    /// The writer.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Sink for Stream<W> {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(Error::Stream)
    }

    fn slice(&mut self, slice: &Slice) -> Result<(), Error> {
        let file = self.open.at(slice)?;
        let mut done = 0;
        while done < slice.len {
            let room = usize::try_from(slice.len - done).map_or(BUFFER, |n| n.min(BUFFER));
            let buffer = &mut self.buffer[..room];
            fill(file, slice, done, buffer)?;
            self.out.write_all(buffer).map_err(Error::Stream)?;
            done += room as u64;
        }
        Ok(())
    }

    fn hole(&mut self, len: u64) -> Result<(), Error> {
        io::copy(&mut io::repeat(0).take(len), &mut self.out).map(drop).map_err(Error::Stream)
    }
}

fn changed(slice: &Slice, found: u64) -> Error {
    Error::Changed { path: slice.source.path().into(), at: slice.at, expected: slice.len, found }
}

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
}

/// Below this many bytes, a copy inside the kernel costs more than it saves.
const SMALL_SLICE: u64 = 256 << 10;
/// Below this many bytes a hole saves no block of any file system, and a seek empties the buffer.
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
        let path = without_link(path);
        if path.is_dir() {
            // Told before all the work, and before another output has its name.
            return Err(Error::Write { path, source: io::ErrorKind::IsADirectory.into() });
        }
        let partial = partial_name(&path);
        let unfinished = Some(Unfinished::new(&partial));
        let file = File::create(&partial).map_err(|source| Error::Write { path: partial.clone(), source })?;
        let out = Some(BufWriter::with_capacity(1 << 20, file));
        Ok(Partial { path, partial, unfinished, out, open: Open::default(), len: 0 })
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
        let len = self.len;
        let out = self.out.take().expect("present until the output is complete");
        let done = out.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| {
            file.set_len(len)?; // a hole at the end
            file.sync_all()
        });
        done.map_err(|e| self.failed(e))
    }

    fn rename(mut self) -> Result<(), Error> {
        std::fs::rename(&self.partial, &self.path).map_err(|e| self.failed(e))?;
        self.unfinished = None;
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
        let file = &mut open.at(slice)?.take(slice.len);
        let copied = if slice.len < SMALL_SLICE {
            io::copy(file, self.out())
        } else {
            // File to file: copy_file_range where the system has it.
            self.out().flush().and_then(|()| io::copy(file, self.out().get_mut()))
        };
        self.open = open;
        match copied {
            Ok(n) if n == slice.len => Ok(()),
            Ok(n) => Err(changed(slice, n)),
            Err(e) => Err(self.failed(e)),
        }
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

/// Writes `layout` to the file at `path`.
///
/// # Errors
/// A file cannot be read or written; what was at `path` is still there then.
pub fn emit(layout: &Layout, path: impl Into<PathBuf>) -> Result<(), Error> {
    let mut out = Partial::create(path)?;
    out.layout(layout)?;
    out.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

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
