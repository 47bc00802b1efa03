//! Contents of files, whole and with holes, and the layout that inodes and tails go to.

use super::structs::{BLOCK, BLOCK_BITS};
use crate::layout::{Content, Layout};

/// We choose so many chunks of a file at most, for a table of 1 MiB.
const MAX_CHUNKS: u64 = 1 << 18;

/// How a file with holes is cut: all its chunks have the same length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    /// Blocks of a chunk, as a power of two.
    pub(super) bits: u8,
    /// Chunks of the file.
    pub(super) count: u64,
}

impl Chunks {
    /// How to cut `file`, if that saves a chunk.
    pub(super) fn of(file: &Layout) -> Option<Self> {
        let hole = |content: &Content| matches!(content, Content::Hole(len) if *len >= BLOCK);
        if !file.extents().iter().any(hole) {
            return None;
        }
        let blocks = file.len().div_ceil(BLOCK);
        let bits = blocks.div_ceil(MAX_CHUNKS).next_power_of_two().trailing_zeros();
        let chunks = Chunks { bits: u8::try_from(bits).expect("of 64"), count: blocks.div_ceil(1 << bits) };
        file.chunks(chunks.len()).any(|chunk| chunk.is_hole() && chunk.len() >= BLOCK).then_some(chunks)
    }

    /// Bytes of a chunk.
    fn len(self) -> u64 {
        BLOCK << self.bits
    }

    /// `i_u` of the inode: `struct erofs_inode_chunk_info`, with a table of block numbers.
    pub(super) fn format(self) -> u32 {
        self.bits.into()
    }

    /// The chunks of `file` in order; none for a hole.
    pub(super) fn cut(self, file: &Layout) -> impl Iterator<Item = Option<Layout>> {
        file.chunks(self.len()).map(|chunk| (!chunk.is_hole()).then_some(chunk))
    }
}

/// Bytes that become few extents, however many pieces they come in.
pub(super) struct Writer {
    out: Layout,
    pending: Vec<u8>,
}

impl From<Vec<u8>> for Writer {
    fn from(pending: Vec<u8>) -> Self {
        Writer { out: Layout::default(), pending }
    }
}

impl Writer {
    fn len(&self) -> u64 {
        self.out.len() + self.pending.len() as u64
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Adds a short content; what is in a file stays there.
    pub(super) fn layout(&mut self, layout: Layout) {
        for content in layout.extents() {
            match content {
                Content::Bytes(bytes) => self.bytes(bytes),
                other => {
                    self.flush();
                    self.out.push(other.clone());
                }
            }
        }
    }

    /// Adds zeros up to `len` bytes in all; they are less than a block.
    pub(super) fn pad_to(&mut self, len: u64) {
        let gap = len.checked_sub(self.len()).and_then(|gap| usize::try_from(gap).ok());
        let gap = gap.filter(|gap| *gap < 1 << BLOCK_BITS).expect("inodes are in order, and close");
        self.pending.resize(self.pending.len() + gap, 0);
    }

    fn flush(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        // There are as many of them as tails of files.
        pending.shrink_to_fit();
        self.out.push(pending);
    }

    pub(super) fn finish(mut self) -> Layout {
        self.flush();
        self.out
    }
}
