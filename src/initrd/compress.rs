//! The forms of compression that Linux reads an initrd in.
//!
//! Blocks are cut by length alone, so that bytes do not depend on the number of threads.
//!
//! \[XZ\] *The .xz File Format* 1.2.1.

use super::{Compression, Error};
use lzma_rust2::{CheckType, XzOptions, XzWriterMt};
use mkimage_formats::blocks::{self, Block, Cut};
use mkimage_formats::gzip;
use std::io::{self, Write};
use std::num::{NonZero, NonZeroU64};

/// As `zstd -3`; higher levels want more memory than a build should take.
const ZSTD_LEVEL: i32 = 3;
/// Bytes that one thread of zstd takes at a time; by default it depends on the level.
const ZSTD_JOB: u32 = 4 << 20;
/// The most threads that the crates for zstd and xz start. More than 2³¹ are a negative number to
/// zstd, which compresses in another way without any.
const MAX_WORKERS: u32 = 256;
/// As `xz -6`, but for the dictionary.
const XZ_LEVEL: u32 = 6;
/// `Documentation/staging/xz.rst` recommends 1 MiB at most where the kernel unpacks; it also is
/// what bounds the memory of each thread.
const XZ_DICTIONARY: u32 = 1 << 20;
/// Bytes of an xz block.
const XZ_BLOCK: u64 = 4 << 20;

/// What begins a legacy LZ4 frame, the only one that Linux reads; the blocks' length is fixed too
/// (`lib/decompress_unlz4.c`).
const LZ4_MAGIC: u32 = 0x184c_2102;
const LZ4: Cut = Cut { block: 8 << 20, window: 0 };

/// Writes what `feed` gives, compressed, to `out`.
pub(super) fn compress(
    compression: Compression,
    threads: NonZero<usize>,
    out: &mut dyn Write,
    feed: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = |source| Error::Compress { compression, source };
    let workers = u32::try_from(threads.get()).map_or(MAX_WORKERS, |threads| threads.min(MAX_WORKERS));
    match compression {
        Compression::None => feed(out),
        Compression::Gzip => gzip::write(threads, out, feed, failed),
        Compression::Lz4 => {
            out.write_all(&LZ4_MAGIC.to_le_bytes()).map_err(failed)?;
            blocks::each(threads, LZ4, lz4, out, feed, failed)
        }
        Compression::Zstd => {
            let mut encoder = zstd::Encoder::new(out, ZSTD_LEVEL).map_err(failed)?;
            encoder.multithread(workers).map_err(failed)?;
            let job = zstd::zstd_safe::CParameter::JobSize(ZSTD_JOB);
            encoder.set_parameter(job).map_err(failed)?;
            feed(&mut encoder)?;
            encoder.finish().map(drop).map_err(failed)
        }
        Compression::Xz => {
            let mut options = XzOptions::with_preset(XZ_LEVEL);
            // [XZ] 2.1.1.2: the kernel's reader knows CRC-32 and none.
            options.set_check_sum_type(CheckType::Crc32);
            options.set_block_size(NonZeroU64::new(XZ_BLOCK));
            options.lzma_options.dict_size = XZ_DICTIONARY;
            let mut writer = XzWriterMt::new(out, options, workers).map_err(failed)?;
            feed(&mut writer)?;
            writer.finish().map(drop).map_err(failed)
        }
    }
}

/// A block of a legacy LZ4 frame, its length in front. An empty one is nothing.
fn lz4(block: &Block) -> io::Result<Vec<u8>> {
    if block.bytes.is_empty() {
        return Ok(Vec::new());
    }
    let packed = lz4_flex::block::compress(&block.bytes);
    let len = u32::try_from(packed.len()).map_err(io::Error::other)?;
    Ok([&len.to_le_bytes(), &*packed].concat())
}
