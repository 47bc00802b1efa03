//! \[DEFLATE\] RFC 1951, in one piece and in parts.

use crate::blocks::Block;
use flate2::{Compress, Compression, FlushCompress, Status};
use std::io;

/// As `gzip -6`, which is what everybody compares with.
const LEVEL: u32 = 6;
/// Below this level zlib-rs looks for no matches of three bytes, of which machine code has many:
/// it is 3 % longer than what zlib's level 6 makes of it. This one takes three times as long.
const PROGRAM_LEVEL: u32 = 9;
/// As it is, in blocks that say so.
const STORED: u32 = 0;

/// `bytes` alone, in the frame of RFC 1950 if `zlib`. `window` is the binary logarithm of how far
/// back references reach. None: nothing compresses them.
pub(crate) fn whole(bytes: &[u8], zlib: bool, window: u8) -> io::Result<Option<Vec<u8>>> {
    if Kind::of(bytes)? == Kind::Packed {
        return Ok(None);
    }
    let state = Compress::new_with_window_bits(Compression::new(LEVEL), zlib, window);
    run(state, bytes, FlushCompress::Finish).map(Some)
}

/// `bytes` alone, as they are.
pub(crate) fn stored(bytes: &[u8], zlib: bool, window: u8) -> io::Result<Vec<u8>> {
    run(Compress::new_with_window_bits(Compression::new(STORED), zlib, window), bytes, FlushCompress::Finish)
}

/// `bytes` alone, by a compressor that may have been used before; none if that takes more than `most`
/// bytes.
pub(crate) fn within(state: &mut Compress, bytes: &[u8], most: usize) -> io::Result<Option<Vec<u8>>> {
    state.reset();
    let mut out = Vec::with_capacity(most);
    let status = state.compress_vec(bytes, &mut out, FlushCompress::Finish)?;
    Ok((status == Status::StreamEnd).then_some(out))
}

/// One part of a stream: it may refer to the 32 KiB before, and ends at a byte.
pub(crate) fn part(block: &Block) -> io::Result<Vec<u8>> {
    let level = match Kind::of(&block.bytes)? {
        Kind::Text => LEVEL,
        Kind::Program => PROGRAM_LEVEL,
        Kind::Packed => STORED,
    };
    let mut state = Compress::new(Compression::new(level), false);
    if !block.before.is_empty() {
        state.set_dictionary(&block.before)?;
    }
    run(state, &block.bytes, if block.last { FlushCompress::Finish } else { FlushCompress::Sync })
}

/// What bytes seem to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Most are ASCII, zeros too.
    Text,
    /// Machine code, and all else.
    Program,
    /// Compressed or encrypted: no level gains anything.
    Packed,
}

impl Kind {
    fn of(bytes: &[u8]) -> io::Result<Self> {
        let high = bytes.iter().filter(|byte| !byte.is_ascii()).count();
        if high <= bytes.len() / 4 {
            return Ok(Kind::Text);
        }
        // In what is packed it is a half. The fastest level of zstd tells whether it is, in a tenth
        // of the time that deflate takes to find that out.
        let gained = |packed: Vec<u8>| packed.len() < bytes.len() - bytes.len() / 64;
        let packed = high > bytes.len() / 8 * 3 && !gained(zstd::bulk::compress(bytes, 1)?);
        Ok(if packed { Kind::Packed } else { Kind::Program })
    }
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

#[cfg(test)]
#[path = "../../testdata/noise.rs"]
mod noise;

#[cfg(test)]
mod tests {
    use super::noise::noise;
    use super::*;
    use flate2::read::DeflateDecoder;
    use std::io::Read;

    #[test]
    fn kinds_are_told_apart() {
        let hex: String = noise(40_000).iter().map(|byte| format!("{byte:02x}")).collect();
        let repeated = noise(8192).repeat(8);
        let code: Vec<u8> =
            noise(65_536).iter().map(|byte| if byte % 5 < 2 { 0xe8 } else { byte & 0x3f }).collect();
        for (what, bytes, kind) in [
            ("nothing", vec![], Kind::Text),
            ("zeros", vec![0; 65_536], Kind::Text),
            ("text", hex.into_bytes(), Kind::Text),
            ("noise", noise(65_536), Kind::Packed),
            ("little noise", noise(512), Kind::Packed),
            ("the same noise again and again", repeated, Kind::Program),
            ("code", code, Kind::Program),
        ] {
            assert_eq!(Kind::of(&bytes).unwrap(), kind, "{what}");
        }
    }

    #[test]
    fn parts_of_all_kinds_are_one_stream() {
        let text = "some text, and once more some text ".repeat(3000).into_bytes();
        let parts = [noise(200_000), text.clone(), noise(8192).repeat(9), noise(70_000), text, vec![]];
        let (mut before, mut stream) = (Vec::new(), Vec::new());
        for (n, bytes) in parts.iter().enumerate() {
            let last = n + 1 == parts.len();
            stream.extend(part(&Block { before, bytes: bytes.clone(), last }).unwrap());
            before = bytes[bytes.len().saturating_sub(32 << 10)..].to_vec();
        }
        let mut back = Vec::new();
        DeflateDecoder::new(&stream[..]).read_to_end(&mut back).unwrap();
        assert!(back == parts.concat());
        assert!(stream.len() < 285_000, "{} bytes", stream.len());
    }
}
