//! Metadata blocks: 8 KiB of a table each, compressed if that gains something.
//!
//! ```text
//! ├ size u16 ┼─ block ─┼ size u16 ┼─ block ─┼ ... ┤   bit 15 of a size: the block is as it was
//! ```

use super::error::Error;
use super::pack::Packer;
use super::structs::{METADATA, METADATA_RAW};

/// Where something is in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// Where its metadata block is, bytes from the table's start.
    pub(super) block: u32,
    /// Where it is in the block, unpacked.
    pub(super) offset: u16,
}

impl Reference {
    /// As superblock, export table and sets of attributes have it.
    pub(super) fn number(self) -> u64 {
        u64::from(self.block) << 16 | u64::from(self.offset)
    }
}

/// A table on its way.
pub(super) struct Metadata<'p> {
    packer: &'p Packer,
    /// What is in it, for people.
    table: &'static str,
    /// Blocks that are complete.
    out: Vec<u8>,
    /// How many there are.
    complete: usize,
    /// The block that is being filled.
    block: Vec<u8>,
}

impl<'p> Metadata<'p> {
    pub(super) fn new(table: &'static str, packer: &'p Packer) -> Self {
        Metadata { packer, table, out: Vec::new(), complete: 0, block: Vec::with_capacity(METADATA) }
    }

    /// Where the next byte will be.
    pub(super) fn position(&self) -> Result<Reference, Error> {
        let len = self.out.len();
        let Ok(block) = u32::try_from(len) else { return Err(Error::Table { table: self.table, len }) };
        let offset = u16::try_from(self.block.len()).expect("a full block is completed at once");
        Ok(Reference { block, offset })
    }

    /// How many blocks come before the next byte's.
    pub(super) fn complete(&self) -> usize {
        self.complete
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(METADATA - self.block.len()));
            self.block.extend_from_slice(now);
            if self.block.len() == METADATA {
                self.flush()?;
            }
            bytes = later;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let failed = |source| Error::Pack { compression: self.packer.compression(), source };
        let packed = self.packer.pack(&self.block).map_err(failed)?;
        let (bytes, raw) = packed.as_ref().map_or((&self.block, METADATA_RAW), |packed| (packed, 0));
        let size = u16::try_from(bytes.len()).expect("8 KiB at most");
        self.out.extend((size | raw).to_le_bytes());
        self.out.extend_from_slice(bytes);
        self.complete += 1;
        self.block.clear();
        Ok(())
    }

    /// All blocks.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Error> {
        if !self.block.is_empty() {
            self.flush()?;
        }
        Ok(self.out)
    }
}

/// A table of `entries` that are found by number. Adds its blocks to `out`, which begins at byte
/// `start`, then `header` and where each block is. Returns where the header is.
pub(super) fn lookup(
    entries: &[u8],
    header: &[u8],
    out: &mut Vec<u8>,
    start: u64,
    packer: &Packer,
) -> Result<u64, Error> {
    let mut places = Vec::new();
    for entries in entries.chunks(METADATA) {
        places.extend((start + out.len() as u64).to_le_bytes());
        let mut block = Metadata::new("entries", packer);
        block.write(entries)?;
        out.extend(block.finish()?);
    }
    let at = start + out.len() as u64;
    out.extend(header);
    out.extend(places);
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::squashfs::Compression;

    #[test]
    fn blocks_are_full_and_references_lead_into_them() {
        let packer = Packer::new(Compression::Gzip, 4 << 10);
        let mut table = Metadata::new("inodes", &packer);
        table.write(&[7; 2 * METADATA - 1]).unwrap();
        let first = table.position().unwrap();
        assert_eq!((table.complete(), usize::from(first.offset)), (1, METADATA - 1));
        table.write(&[7]).unwrap();
        let second = table.position().unwrap();
        assert_eq!((table.complete(), second.offset), (2, 0));
        // Equal blocks are packed equally.
        assert_eq!(second.block, 2 * first.block);
        assert_eq!(second.number(), u64::from(second.block) << 16);
        let len = table.finish().unwrap().len();
        assert_eq!(len, usize::try_from(second.block).unwrap());
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_place_that_no_reference_has_room_for_is_an_error() {
        let packer = Packer::new(Compression::Gzip, 4 << 10);
        // Zeros that are never touched take no memory.
        let mut table = Metadata { out: vec![0; 1 << 32], ..Metadata::new("inodes", &packer) };
        let text = table.position().unwrap_err().to_string();
        assert_eq!(text, "the inodes take 4294967296 bytes; SquashFS finds them in the first 4294967295");
        table.out.pop();
        assert_eq!(table.position().unwrap().block, u32::MAX);
    }
}
