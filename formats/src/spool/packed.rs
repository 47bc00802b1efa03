//! What became of a disk's units, in their order.
//!
//! ```text
//! pieces    ├ known ┼─ new ─┼ known ┼─ new, not kept ─┼ new ┤
//! are in     a file   the     another   the spool       the
//!                     kept    file                      kept
//! ```

use super::cache::{Cache, Known, MAX_ENTRIES};
use super::file::{self, Entry, Key};
use super::memo;
use super::worker::{Made, Place};
use super::{Codec, Error, Spool, Unit, failed};
use crate::emit::{self, Reader};
use crate::layout::{Layout, Slice, Source};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files that an output takes units from, but for its own.
const MAX_FILES: usize = 8;

/// Bytes that are written at once.
const BUFFER: usize = 256 << 10;

/// Receives units.
pub(super) struct Packed<'a> {
    spool: &'a Spool,
    codec: &'static str,
    /// Bytes before each of them.
    head: usize,
    known: Option<(&'a Cache, &'a Known)>,
    units: Vec<Unit>,
    /// Bytes of all units.
    len: u64,
    pieces: Vec<Piece>,
    kept: Draft,
    rest: Draft,
    entries: Vec<Entry>,
    news: Vec<memo::New>,
}

/// Part of what was packed.
#[derive(Clone, Copy)]
enum Piece {
    /// The unit of an entry.
    Known { entry: usize, len: usize },
    /// In the file that is kept.
    Kept { at: u64, len: u64 },
    /// In the spool.
    Rest { at: u64, len: u64 },
}

impl<'a> Packed<'a> {
    pub(super) fn new<C: Codec>(spool: &'a Spool, codec: &C, known: Option<(&'a Cache, &'a Known)>) -> Self {
        let mut kept = spool.path.clone().into_os_string();
        kept.push(".blocks");
        Packed {
            spool,
            codec: codec.name(),
            head: C::HEAD,
            known,
            units: Vec::new(),
            len: 0,
            pieces: Vec::new(),
            kept: Draft::new(kept.into()),
            rest: Draft::new(spool.path.clone()),
            entries: Vec::new(),
            news: Vec::new(),
        }
    }

    /// Adds the unit of this number.
    pub(super) fn push(&mut self, (number, made): (u64, Option<Made>)) -> Result<(), Error> {
        let Some(Made { packed, len, place, of }) = made else { return Ok(()) };
        if let Some(of) = of {
            let at = self.len + self.head as u64;
            self.news.push(memo::New { of, at, len: packed as u64 });
        }
        self.units.push(Unit { number, at: self.len, len });
        self.len += len as u64;
        match place {
            Place::Known(entry) => self.pieces.push(Piece::Known { entry, len }),
            Place::Kept(bytes, key) if self.entries.len() < MAX_ENTRIES => {
                let at = self.keep(&bytes, packed, key)?;
                self.add(Piece::Kept { at, len: len as u64 });
            }
            Place::Kept(bytes, _) | Place::Spool(bytes) => self.rest(&bytes)?,
            Place::Stored(bytes, key) => {
                if self.entries.len() < MAX_ENTRIES {
                    self.entries.push(Entry { key, ..Entry::STORED });
                }
                self.rest(&bytes)?;
            }
        }
        Ok(())
    }

    /// Puts a unit that was packed to `packed` bytes into the file that is kept.
    fn keep(&mut self, bytes: &[u8], packed: usize, key: Key) -> Result<u64, Error> {
        let at = self.kept.write(bytes)?;
        let len = u32::try_from(packed).expect("a unit at most");
        let crc32c = crc32c::crc32c(bytes);
        self.entries.push(Entry { key, at: at.into(), len: len.into(), crc32c: crc32c.into() });
        Ok(at)
    }

    fn rest(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let at = self.rest.write(bytes)?;
        self.add(Piece::Rest { at, len: bytes.len() as u64 });
        Ok(())
    }

    /// Adds a piece, which may go on where the last one ends.
    fn add(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            (_, Piece::Rest { len: 0, .. }) => {}
            (Some(Piece::Kept { at, len }), Piece::Kept { at: next, len: more })
            | (Some(Piece::Rest { at, len }), Piece::Rest { at: next, len: more })
                if *at + *len == next =>
            {
                *len += more;
            }
            _ => self.pieces.push(piece),
        }
    }

    /// The units, and all that was packed.
    pub(super) fn finish(mut self) -> Result<(Vec<Unit>, Layout), Error> {
        self.merge()?;
        let kept = self.keep_all()?;
        let rest = self.rest.finish()?;
        let slice = |source: &Option<Arc<Source>>, at, len| {
            let source = source.clone().expect("a file that has a piece is there");
            Slice { source, at, len }
        };
        let mut layout = Layout::default();
        for piece in &self.pieces {
            layout.push(match *piece {
                Piece::Known { entry, len } => self.known(entry, len).1,
                Piece::Kept { at, len } => slice(&kept, at, len),
                Piece::Rest { at, len } => slice(&rest, at, len),
            });
        }
        if let Some(memo) = &self.spool.memo {
            memo.add(self.codec, self.news, &layout);
        }
        Ok((self.units, layout))
    }

    /// An entry, and the unit of `len` bytes that it tells of.
    fn known(&self, entry: usize, len: usize) -> (Entry, Slice) {
        let (_, known) = self.known.expect("who found an entry knows entries");
        let (entry, source) = known.entry(entry);
        (entry, Slice { source: source.clone(), at: entry.at.get(), len: len as u64 })
    }

    /// Sees to it that the output takes bytes of [`MAX_FILES`] known files at most: what it has of
    /// those that it has the fewest of becomes part of the file that is kept.
    fn merge(&mut self) -> Result<(), Error> {
        let Some((cache, known)) = self.known else { return Ok(()) };
        let mut used: HashMap<&Arc<Source>, usize> = HashMap::new();
        for piece in &self.pieces {
            if let Piece::Known { entry, len } = piece {
                *used.entry(known.entry(*entry).1).or_default() += len;
            }
        }
        let mut used: Vec<_> = used.into_iter().collect();
        used.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.path().cmp(b.0.path())));
        let (used, merged) = used.split_at(used.len().min(MAX_FILES));
        used.iter().for_each(|(source, _)| cache.used(source.path()));
        if merged.is_empty() {
            return Ok(());
        }
        let mut reader = Reader::default();
        for n in 0..self.pieces.len() {
            let Piece::Known { entry, len } = self.pieces[n] else { continue };
            let (entry, slice) = self.known(entry, len);
            if self.entries.len() < MAX_ENTRIES && merged.iter().any(|(source, _)| **source == slice.source) {
                let bytes = reader.read(&slice.into()).map_err(Error::Read)?;
                let at = self.kept.write(&bytes)?;
                self.entries.push(Entry { at: at.into(), ..entry });
                self.pieces[n] = Piece::Kept { at, len: len as u64 };
            }
        }
        Ok(())
    }

    /// Gives the file that is kept its entries and its name.
    fn keep_all(&mut self) -> Result<Option<Arc<Source>>, Error> {
        let (Some((cache, _)), false) = (self.known, self.entries.is_empty()) else { return Ok(None) };
        let units = self.kept.len;
        let digest = self.kept.with(|out| file::finish(out, units, &mut self.entries))?;
        let kept = self.kept.finish()?;
        let path = cache.path(self.codec, digest);
        let named = cache.create().and_then(|()| emit::rename(&self.kept.path, &path));
        // That nothing can be kept is no reason to have no output.
        if named.is_err() { Ok(kept) } else { source(&path).map(Some) }
    }
}

/// A file that is made when something is written to it.
struct Draft {
    path: PathBuf,
    out: Option<BufWriter<File>>,
    len: u64,
}

impl Draft {
    fn new(path: PathBuf) -> Self {
        Draft { path, out: None, len: 0 }
    }

    fn with<T>(&mut self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>) -> Result<T, Error> {
        let out = match &mut self.out {
            Some(out) => Ok(out),
            none => File::create(&self.path).map(|file| none.insert(BufWriter::with_capacity(BUFFER, file))),
        };
        out.and_then(write).map_err(|source| failed(&self.path, source))
    }

    /// Writes at the end; returns where.
    fn write(&mut self, bytes: &[u8]) -> Result<u64, Error> {
        let at = self.len;
        if !bytes.is_empty() {
            self.with(|out| out.write_all(bytes))?;
            self.len += bytes.len() as u64;
        }
        Ok(at)
    }

    /// The file, if it was made.
    fn finish(&mut self) -> Result<Option<Arc<Source>>, Error> {
        let Some(mut out) = self.out.take() else { return Ok(None) };
        out.flush().map_err(|source| failed(&self.path, source))?;
        source(&self.path).map(Some)
    }
}

fn source(path: &Path) -> Result<Arc<Source>, Error> {
    Source::new(path).map_err(|source| failed(path, source))
}
