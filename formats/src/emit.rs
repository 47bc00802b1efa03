//! Putting outputs on a disk: one ordered pass, complete or not at all.
//!
//! What is not [known](crate::layout::Late) when its place is reached goes there after the pass.
//!
//! ```
//! use mkimage_formats::emit::{self, Partial, Sink};
//! use mkimage_formats::Layout;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (input, out) = (dir.path().join("input"), dir.path().join("out"));
//! # std::fs::write(&input, "content")?;
//! let mut layout = Layout::from(b"head".to_vec());
//! layout.append(Layout::file(&input)?);
//! layout.pad_to_multiple(512);
//! emit::emit(&layout, &out)?;
//! assert!(std::fs::read(&out)?.starts_with(b"headcontent\0"));
//!
//! // In parts. Nothing is left of what is not committed.
//! let mut another = Partial::create(&out)?;
//! another.bytes(b"another")?;
//! drop(another);
//! assert!(std::fs::read(&out)?.starts_with(b"head"));
//! # Ok(())
//! # }
//! ```

mod exclusive;
mod flusher;
mod name;
mod partial;
mod rename;
mod unfinished;

pub use partial::{Partial, commit_all, partial_name};
pub use rename::rename;
pub use unfinished::{Unfinished, abandon_all};

use crate::layout::{Content, Late, Layout, Slice, Source};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
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
    /// Another process, or another part of this one, is at it.
    #[error("`{path}` is being written already")]
    InUse {
        /// What was to be written.
        path: PathBuf,
    },
    /// Windows would make another file, or none.
    #[error("`{path}` is no name of a file on Windows")]
    Name {
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

    /// Takes bytes that may not be known yet, and waits for them if it has to.
    ///
    /// # Errors
    /// They cannot be computed or written.
    fn late(&mut self, late: &Late) -> Result<(), Error> {
        self.bytes(&late.bytes()?)
    }

    /// Takes all of a layout.
    ///
    /// # Errors
    /// As for each content.
    fn layout(&mut self, layout: &Layout) -> Result<(), Error> {
        layout.extents().iter().try_for_each(|content| match content {
            Content::Bytes(b) => self.bytes(b),
            Content::Slice(s) => self.slice(s),
            Content::Hole(n) => self.hole(*n),
            Content::Late(l) => self.late(l),
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
                Content::Late(late) => out.extend_from_slice(&late.bytes()?),
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

/// Writes `layout` to the file at `path`.
///
/// # Errors
/// A file cannot be read or written; what was at `path` is still there then.
pub fn emit(layout: &Layout, path: impl Into<PathBuf>) -> Result<(), Error> {
    let mut out = Partial::create(path)?;
    out.layout(layout)?;
    out.commit()
}
