//! A disk in memory that keeps only what is not zero.
//!
//! ```text
//! 0    512  1024                                              len
//! ├────┼────┼────┬─ ─ ─ ─ ─ ─ ─ ─ ─ ─┬────┬────┬─ ─ ─ ─ ─ ─ ─ ─┤
//!  structures         never kept:     structures
//!                zeros, file contents
//! ```
//!
//! Crates that write file systems and partition tables write them here, with zeros for the
//! contents of files; [`Record::fill`] then puts the contents where the zeros are. A gigabyte of
//! files costs no memory and is never copied.

use crate::layout::Layout;
use hadris_io::{Error, ErrorKind, ErrorType};
use hadris_storage::sync::BlockDevice;
use hadris_storage::{BlockIndex, BlockSize};
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Bytes that are kept or dropped together.
const SECTOR: usize = 512;
const ZERO: [u8; SECTOR] = [0; SECTOR];

/// A disk of `len` bytes.
#[derive(Debug)]
pub(crate) struct Record {
    /// Sector number to its bytes, where they are not all zero.
    sectors: BTreeMap<u64, Box<[u8; SECTOR]>>,
    len: u64,
    /// Bytes of a sector as the writer of the file system sees it.
    block: BlockSize,
}

/// The sector that holds byte `at`, and the byte's offset in it.
fn split(at: u64) -> (u64, usize) {
    let offset = usize::try_from(at % SECTOR as u64).expect("less than a sector");
    (at / SECTOR as u64, offset)
}

/// The number of bytes in memory, as a part of a disk's length.
fn wide(len: usize) -> u64 {
    len as u64
}

impl Record {
    /// An empty disk of `len` bytes with sectors of `block` bytes.
    pub(crate) fn new(len: u64, block: BlockSize) -> Self {
        Record { sectors: BTreeMap::new(), len, block }
    }

    /// Bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Reads from byte `at`.
    pub(crate) fn get(&self, mut at: u64, mut buf: &mut [u8]) {
        while !buf.is_empty() {
            let (sector, offset) = split(at);
            let (now, later) = buf.split_at_mut(buf.len().min(SECTOR - offset));
            let kept = self.sectors.get(&sector).map_or(&ZERO, |s| s);
            now.copy_from_slice(&kept[offset..offset + now.len()]);
            at += wide(now.len());
            buf = later;
        }
    }

    /// Writes from byte `at`. A sector that becomes zero is forgotten.
    pub(crate) fn put(&mut self, mut at: u64, mut data: &[u8]) {
        let end = at + wide(data.len());
        assert!(end <= self.len, "a write inside the disk");
        // Contents, which are most of it.
        let kept = || self.sectors.range(at / SECTOR as u64..end.div_ceil(SECTOR as u64)).next();
        if data.chunks(SECTOR).all(|part| *part == ZERO[..part.len()]) && kept().is_none() {
            return;
        }
        while !data.is_empty() {
            let (sector, offset) = split(at);
            let (now, later) = data.split_at(data.len().min(SECTOR - offset));
            let zero = *now == ZERO[..now.len()];
            if !zero || self.sectors.contains_key(&sector) {
                let kept = self.sectors.entry(sector).or_insert_with(|| Box::new(ZERO));
                kept[offset..offset + now.len()].copy_from_slice(now);
                if zero && **kept == ZERO {
                    self.sectors.remove(&sector);
                }
            }
            at += wide(now.len());
            data = later;
        }
    }

    /// The whole disk, with `contents` (byte offset, what belongs there), ascending, in the places
    /// of the zeros that the writer put there.
    ///
    /// # Panics
    /// Contents overlap each other or a structure: the places are wrong then.
    pub(crate) fn fill(self, contents: &[(u64, &Layout)]) -> Layout {
        let mut out = Layout::default();
        // With the zeros behind each, and they are many.
        out.reserve(contents.iter().map(|(_, content)| content.extents().len() + 1).sum());
        for &(at, content) in contents {
            self.span(at, &mut out);
            let end = at + content.len();
            let hidden = self.sectors.range(at / SECTOR as u64..end.div_ceil(SECTOR as u64)).next();
            assert!(hidden.is_none(), "no structure inside the file at byte {at}");
            out.append(content.clone());
        }
        self.span(self.len, &mut out);
        out
    }

    /// Adds what is between the end of `out` and byte `to`.
    fn span(&self, to: u64, out: &mut Layout) {
        let from = out.len();
        assert!(from <= to, "places ascend and do not overlap: {from}, then {to}");
        // Files begin where a sector begins, and a sector in which one ends is empty otherwise.
        let mut run: Vec<u8> = Vec::new();
        for (&sector, bytes) in self.sectors.range(from.div_ceil(SECTOR as u64)..to / SECTOR as u64) {
            let start = sector * SECTOR as u64;
            if start != out.len() + wide(run.len()) {
                out.push(std::mem::take(&mut run));
                out.pad_to(start);
            }
            run.extend_from_slice(&bytes[..]);
        }
        out.push(run);
        out.pad_to(to);
    }
}

impl ErrorType for Record {
    type Error = core::convert::Infallible;
}

impl BlockDevice for Record {
    fn block_size(&self) -> BlockSize {
        self.block
    }

    fn block_count(&self) -> u64 {
        self.len / u64::from(self.block.get())
    }

    fn writable(&self) -> bool {
        true
    }

    fn read_blocks(&mut self, first: BlockIndex, buf: &mut [u8]) -> Result<(), Error<Self::Error>> {
        let at = self.inside(first, buf.len())?;
        self.get(at, buf);
        Ok(())
    }

    fn write_blocks(&mut self, first: BlockIndex, buf: &[u8]) -> Result<(), Error<Self::Error>> {
        let at = self.inside(first, buf.len())?;
        self.put(at, buf);
        Ok(())
    }
}

impl Record {
    /// The byte at which block `first` begins, if `len` bytes from there are inside the disk.
    fn inside(&self, first: BlockIndex, len: usize) -> Result<u64, Error<core::convert::Infallible>> {
        let at = first.get().checked_mul(u64::from(self.block.get()));
        at.filter(|at| at.checked_add(wide(len)).is_some_and(|end| end <= self.len))
            .ok_or(Error::new(ErrorKind::InvalidInput, "blocks past the end of the disk"))
    }
}

/// The record with a place in it, for crates that read and write as if it were a file.
#[derive(Debug)]
pub(crate) struct Seeking<'r> {
    record: &'r mut Record,
    at: u64,
}

impl<'r> Seeking<'r> {
    /// At byte 0.
    pub(crate) fn new(record: &'r mut Record) -> Self {
        Seeking { record, at: 0 }
    }

    /// Bytes of the disk.
    pub(crate) fn len(&self) -> u64 {
        self.record.len
    }

    /// How many of `len` bytes there are from here.
    fn left(&self, len: usize) -> usize {
        let left = self.record.len.saturating_sub(self.at);
        usize::try_from(left).map_or(len, |left| left.min(len))
    }
}

impl Read for Seeking<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.left(buf.len());
        self.record.get(self.at, &mut buf[..len]);
        self.at += wide(len);
        Ok(len)
    }
}

impl Write for Seeking<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let len = self.left(data.len());
        self.record.put(self.at, &data[..len]);
        self.at += wide(len);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Seeking<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(n) => self.record.len.checked_add_signed(n),
            SeekFrom::Current(n) => self.at.checked_add_signed(n),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::{Sink, Stream};

    fn record(len: u64) -> Record {
        Record::new(len, BlockSize::new(512).unwrap())
    }

    fn bytes(layout: &Layout) -> Vec<u8> {
        let mut out = Stream::new(Vec::new());
        out.layout(layout).unwrap();
        out.into_inner()
    }

    #[test]
    fn zeros_are_never_kept() {
        let mut r = record(1 << 20);
        r.put(1000, &[7; 100]);
        assert_eq!(r.sectors.len(), 2);
        r.put(0, &[0; 4096]);
        assert!(r.sectors.is_empty());
    }

    #[test]
    fn a_filled_record_is_the_disk_with_the_contents() {
        let mut r = record(8192);
        r.put(0, &[1; 512]);
        r.put(510, &[2; 4]);
        r.put(6000, &[3; 700]);
        let mut want = vec![0; 8192];
        r.get(0, &mut want);
        want[2048..2148].fill(9);
        want[4096..4608].fill(8);
        let (nine, eight) = (Layout::from(vec![9; 100]), Layout::from(vec![8; 512]));
        let out = r.fill(&[(2048, &nine), (4096, &eight)]);
        assert_eq!((out.len(), bytes(&out)), (8192, want));
        // Two structures, two files, and holes between and after them.
        assert_eq!(out.extents().len(), 8);
    }

    #[test]
    #[should_panic(expected = "no structure inside the file at byte 2048")]
    fn a_structure_is_never_hidden_under_a_file() {
        let mut r = record(8192);
        r.put(2560, &[1]);
        r.fill(&[(2048, &Layout::hole(513))]);
    }

    #[test]
    #[should_panic(expected = "places ascend and do not overlap: 600, then 512")]
    fn files_never_overlap() {
        record(8192).fill(&[(0, &Layout::hole(600)), (512, &Layout::hole(2))]);
    }

    #[test]
    fn blocks_past_the_end_are_refused() {
        let mut r = record(1024);
        r.write_blocks(BlockIndex::new(1), &[1; 512]).unwrap();
        assert!(r.write_blocks(BlockIndex::new(1), &[1; 1024]).is_err());
        assert!(r.read_blocks(BlockIndex::new(u64::MAX), &mut [0; 512]).is_err());
    }

    #[test]
    fn a_place_in_the_record_is_one_in_a_file_of_its_length() {
        let mut r = record(1024);
        let mut file = Seeking::new(&mut r);
        assert_eq!(file.seek(SeekFrom::End(-4)).unwrap(), 1020);
        assert_eq!(file.write(b"abcdef").unwrap(), 4);
        assert_eq!(file.write(b"ef").unwrap(), 0);
        assert_eq!(file.seek(SeekFrom::Current(-3)).unwrap(), 1021);
        let mut rest = Vec::new();
        file.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"bcd");
        assert!(file.seek(SeekFrom::End(-1025)).is_err());
        assert_eq!(file.seek(SeekFrom::Start(2000)).unwrap(), 2000);
        assert_eq!(file.read(&mut [0]).unwrap(), 0);
    }
}
