//! \[DEFLATE\] RFC 1951, in one piece and in parts.

use crate::blocks::Block;
use flate2::{Compress, Compression, FlushCompress, Status};
use std::io;

/// As `gzip -6`, which is what everybody compares with.
const LEVEL: u32 = 6;

/// `bytes` alone, in the frame of RFC 1950 if `zlib`. `window` is the binary logarithm of how far
/// back references reach.
pub(crate) fn whole(bytes: &[u8], zlib: bool, window: u8) -> io::Result<Vec<u8>> {
    run(Compress::new_with_window_bits(Compression::new(LEVEL), zlib, window), bytes, FlushCompress::Finish)
}

/// One part of a stream: it may refer to the 32 KiB before, and ends at a byte.
pub(crate) fn part(block: &Block) -> io::Result<Vec<u8>> {
    let mut state = Compress::new(Compression::new(LEVEL), false);
    if !block.before.is_empty() {
        state.set_dictionary(&block.before)?;
    }
    run(state, &block.bytes, if block.last { FlushCompress::Finish } else { FlushCompress::Sync })
}

fn run(mut state: Compress, bytes: &[u8], flush: FlushCompress) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() / 2 + 1024);
    loop {
        let read = usize::try_from(state.total_in()).map_err(io::Error::other)?;
        let status = state.compress_vec(&bytes[read..], &mut out, flush)?;
        // Room that is left after a flush says that nothing is held back.
        let flushed = flush == FlushCompress::Sync && out.len() < out.capacity();
        if status == Status::StreamEnd || flushed {
            return Ok(out);
        }
        out.reserve(bytes.len() / 4 + 1024);
    }
}
