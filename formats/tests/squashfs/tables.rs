//! The tables of an image, unpacked.

use std::io::Read;

/// Bytes of a metadata block.
const METADATA: usize = 8192;

pub(crate) fn number(bytes: &[u8], at: usize, len: usize) -> usize {
    bytes[at..at + len].iter().rev().fold(0, |n, &b| n << 8 | usize::from(b))
}

/// A block of up to `size` bytes, by the compressor with the number `id`.
pub(crate) fn unpack(id: usize, packed: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    match id {
        1 => drop(flate2::read::ZlibDecoder::new(packed).read_to_end(&mut out).unwrap()),
        4 => drop(lzma_rust2::XzReader::new(packed, false).read_to_end(&mut out).unwrap()),
        5 => out = lz4_flex::block::decompress(packed, size).unwrap(),
        6 => out = zstd::bulk::decompress(packed, size).unwrap(),
        other => panic!("compressor {other}"),
    }
    assert!(out.len() <= size && packed.len() < out.len());
    out
}

/// Metadata blocks.
pub(crate) struct Table {
    /// Where each is in the image, bytes with its size, and where its content is in `bytes`.
    pub(crate) blocks: Vec<(usize, usize, usize)>,
    pub(crate) bytes: Vec<u8>,
}

impl Table {
    /// The blocks of `image` from `start` to `end`.
    pub(crate) fn new(image: &[u8], start: usize, end: usize) -> Self {
        let id = number(image, 0x14, 2);
        let mut table = Table { blocks: Vec::new(), bytes: Vec::new() };
        let mut at = start;
        while at < end {
            assert_eq!(table.bytes.len() % METADATA, 0, "only the last block is not full");
            let (size, raw) = (number(image, at, 2) & 0x7fff, image[at + 1] & 0x80 != 0);
            let block = &image[at + 2..at + 2 + size];
            table.blocks.push((at, 2 + size, table.bytes.len()));
            table.bytes.extend(if raw { block.to_vec() } else { unpack(id, block, METADATA) });
            at += 2 + size;
        }
        assert_eq!(at, end);
        table
    }

    /// The table of `len` bytes that ends at `end`, before a header of so many bytes and its index;
    /// and where it begins.
    pub(crate) fn lookup(image: &[u8], end: usize, header: usize, len: usize) -> (Self, usize) {
        let (count, index) = (len.div_ceil(METADATA), end + header);
        let start = if count == 0 { end } else { number(image, index, 8) };
        let table = Table::new(image, start, end);
        assert_eq!((table.blocks.len(), table.bytes.len()), (count, len));
        for (n, (at, _, _)) in table.blocks.iter().enumerate() {
            assert_eq!(number(image, index + 8 * n, 8), *at);
        }
        (table, start)
    }
}
