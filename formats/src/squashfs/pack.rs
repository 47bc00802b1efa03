//! Compressors, at the levels that `mksquashfs` takes.

use super::structs::{Lz4Options, METADATA_RAW};
use crate::deflate;
use flate2::Compress;
use lzma_rust2::{CheckType, XzOptions, XzWriter};
use std::io::{self, Write};
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use zerocopy::IntoBytes;
use zerocopy::little_endian::U32;

/// How blocks are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Every Linux that mounts a SquashFS reads it.
    #[default]
    Gzip,
    /// The smallest, and the slowest in both directions.
    Xz,
    /// The fastest and the largest.
    Lz4,
    /// Smaller than gzip, and read several times as fast; Linux 4.14 and later.
    Zstd,
}

impl Compression {
    /// Its number in the superblock.
    pub(super) fn id(self) -> u16 {
        match self {
            Compression::Gzip => 1,
            Compression::Xz => 4,
            Compression::Lz4 => 5,
            Compression::Zstd => 6,
        }
    }
}

impl std::fmt::Display for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Compression::Gzip => "gzip",
            Compression::Xz => "xz",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        })
    }
}

const GZIP_LEVEL: u32 = 9;
const ZSTD_LEVEL: i32 = 15;
const XZ_LEVEL: u32 = 6;
/// Bytes: LZMA2 has no smaller one.
const XZ_MIN_DICTIONARY: u32 = 4 << 10;

/// Bytes that compressors of all threads may take together.
const MEMORY: usize = 32 << 20;

/// A compressor for several threads.
pub(super) struct Packer {
    compression: Compression,
    block_size: u32,
    /// States that no thread uses: a new one costs as much as a block.
    idle: Mutex<Vec<State>>,
}

/// What compressing a block leaves for the next one.
enum State {
    Zlib(Compress),
    Zstd(zstd::bulk::Compressor<'static>),
    Nothing,
}

impl Packer {
    pub(super) fn new(compression: Compression, block_size: u32) -> Self {
        Packer { compression, block_size, idle: Mutex::default() }
    }

    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    /// How many of `threads` may compress: we choose a bound for the memory that they take, but two
    /// always may.
    pub(super) fn threads(&self, threads: NonZero<usize>) -> NonZero<usize> {
        let blocks = match self.compression {
            Compression::Gzip | Compression::Lz4 => return threads,
            // The tables of either have so many bytes for each byte of a block.
            Compression::Xz | Compression::Zstd => 20,
        };
        let one = usize::try_from(self.block_size).map_or(MEMORY, |size| size * blocks);
        NonZero::new((MEMORY / one).max(2)).map_or(threads, |most| most.min(threads))
    }

    /// The compressor's options, a metadata block that follows the superblock. Nothing if all are
    /// what readers take for granted.
    pub(super) fn options(&self) -> Vec<u8> {
        if self.compression != Compression::Lz4 {
            return Vec::new();
        }
        let options = Lz4Options { version: U32::new(1), flags: U32::ZERO };
        let header = METADATA_RAW | u16::from_le_bytes([options.as_bytes().len().to_le_bytes()[0], 0]);
        [&header.to_le_bytes(), options.as_bytes()].concat()
    }

    /// `bytes`, compressed; none if they would not be fewer.
    pub(super) fn pack(&self, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let free = idle().pop();
        let mut state = match free {
            Some(state) => state,
            None => self.state()?,
        };
        let packed = match &mut state {
            State::Zlib(state) => deflate::within(state, bytes, bytes.len())?,
            State::Zstd(state) => Some(state.compress(bytes)?),
            State::Nothing if self.compression == Compression::Lz4 => Some(lz4_flex::block::compress(bytes)),
            State::Nothing => Some(self.xz(bytes)?),
        };
        idle().push(state);
        Ok(packed.filter(|packed| packed.len() < bytes.len()))
    }

    fn state(&self) -> io::Result<State> {
        Ok(match self.compression {
            Compression::Gzip => State::Zlib(Compress::new(flate2::Compression::new(GZIP_LEVEL), true)),
            Compression::Zstd => State::Zstd(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
            Compression::Xz | Compression::Lz4 => State::Nothing,
        })
    }

    fn xz(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut options = XzOptions::with_preset(XZ_LEVEL);
        // Linux knows CRC-32 and no check at all (`lib/xz/xz_dec_stream.c`), and has room for a
        // dictionary as large as a block (`fs/squashfs/xz_wrapper.c`).
        options.set_check_sum_type(CheckType::Crc32);
        let needed = u32::try_from(bytes.len()).ok().and_then(u32::checked_next_power_of_two);
        options.lzma_options.dict_size =
            needed.map_or(self.block_size, |needed| needed.clamp(XZ_MIN_DICTIONARY, self.block_size));
        let mut writer = XzWriter::new(Vec::with_capacity(bytes.len() / 2 + 1024), options)?;
        writer.write_all(bytes)?;
        writer.finish()
    }
}
