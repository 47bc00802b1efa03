//! What one thread makes of a unit.

use super::cache::{Cache, Known};
use super::file::Key;
use super::{Codec, Error, Spool, failed, whole};
use crate::emit::Reader;
use crate::layout::{Content, Layout, Slice};
use std::io;

/// What a unit is compared with, piece by piece.
const ZEROS: [u8; 4096] = [0; 4096];

/// A thread, and the files that it has open.
pub(super) struct Worker<'a, C> {
    spool: &'a Spool,
    codec: &'a C,
    known: Option<(&'a Cache, &'a Known)>,
    disk: Reader,
    files: Reader,
}

/// What was made of a unit.
pub(super) struct Made {
    /// Bytes.
    pub(super) packed: usize,
    /// The same, with what is around them.
    pub(super) len: usize,
    pub(super) place: Place,
    /// What it was made of, if others may want to know.
    pub(super) of: Option<Slice>,
}

/// Where it is, or is to be. Bytes are with what is around them.
pub(super) enum Place {
    /// In a file that is known: the entry's number.
    Known(usize),
    /// In the file that is kept.
    Kept(Vec<u8>, Key),
    /// In the spool; what is kept is that nothing was gained.
    Stored(Vec<u8>, Key),
    /// In the spool.
    Spool(Vec<u8>),
}

impl<'a, C: Codec> Worker<'a, C> {
    pub(super) fn new(spool: &'a Spool, codec: &'a C, known: Option<(&'a Cache, &'a Known)>) -> Self {
        Worker { spool, codec, known, disk: Reader::default(), files: Reader::default() }
    }

    /// What becomes of `unit`; none if it is all zeros.
    pub(super) fn make(&mut self, number: u64, unit: &Layout) -> Result<Option<Made>, Error> {
        if let Some(packed) = self.spool.memo.as_ref().and_then(|memo| memo.get(self.codec.name(), unit)) {
            let packed = packed.map_or_else(Layout::default, Layout::from);
            let packed = self.disk.read(&packed).map_err(Error::Read)?;
            return self.made(number, &packed, Place::Spool).map(Some);
        }
        let bytes = self.disk.read(unit).map_err(Error::Read)?;
        let bytes = self.codec.trim(number, &bytes);
        if is_zero(bytes) {
            return Ok(None);
        }
        let mut made = self.of_bytes(number, bytes)?;
        if let (Some(_), [Content::Slice(of)]) = (&self.spool.memo, unit.extents()) {
            made.of = Some(of.clone());
        }
        Ok(Some(made))
    }

    fn of_bytes(&mut self, number: u64, bytes: &[u8]) -> Result<Made, Error> {
        let mut key = None;
        if let Some((cache, known)) = self.known {
            let found = key.insert(known.key(bytes));
            for entry in known.find(found) {
                if let Some(made) = self.by_entry(number, entry, bytes)? {
                    return Ok(made);
                }
            }
            cache.count_packed();
        }
        match self.codec.pack(bytes).map_err(|source| self.failed(source))? {
            Some(packed) => self.made(number, &packed, |bytes| match key {
                Some(key) => Place::Kept(bytes, key),
                None => Place::Spool(bytes),
            }),
            None => self.made(number, &self.stored(bytes)?, |bytes| match key {
                Some(key) => Place::Stored(bytes, key),
                None => Place::Spool(bytes),
            }),
        }
    }

    /// The unit `bytes` as an entry has it; none if its file is not what it was.
    fn by_entry(&mut self, number: u64, n: usize, bytes: &[u8]) -> Result<Option<Made>, Error> {
        let Some((_, known)) = self.known else { return Ok(None) };
        let (entry, source) = known.entry(n);
        let packed = usize::try_from(entry.len.get()).expect("a unit at most");
        if packed == 0 {
            return self.made(number, &self.stored(bytes)?, Place::Spool).map(Some);
        }
        let len = whole::<C>(packed);
        if entry.at.get().checked_add(len as u64).is_none_or(|end| end > source.len()) {
            return Ok(None);
        }
        let slice = Slice { source: source.clone(), at: entry.at.get(), len: len as u64 };
        let Ok(mut found) = self.files.read(&slice.into()) else { return Ok(None) };
        if crc32c::crc32c(&found) != entry.crc32c.get() {
            return Ok(None);
        }
        let head = self.codec.head(number, packed).map_err(|source| self.failed(source))?;
        let place = if found.starts_with(&head) {
            Place::Known(n)
        } else {
            found[..C::HEAD].copy_from_slice(&head);
            Place::Spool(found)
        };
        Ok(Some(Made { packed, len, place, of: None }))
    }

    fn stored(&self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        self.codec.stored(bytes).map_err(|source| self.failed(source))
    }

    /// What was packed, with what is around it.
    fn made(&self, number: u64, packed: &[u8], place: impl FnOnce(Vec<u8>) -> Place) -> Result<Made, Error> {
        let mut out = self.codec.head(number, packed.len()).map_err(|source| self.failed(source))?;
        out.extend_from_slice(packed);
        out.resize(whole::<C>(packed.len()), 0);
        Ok(Made { packed: packed.len(), len: out.len(), place: place(out), of: None })
    }

    fn failed(&self, source: io::Error) -> Error {
        failed(&self.spool.path, source)
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(ZEROS.len()).all(|chunk| *chunk == ZEROS[..chunk.len()])
}
