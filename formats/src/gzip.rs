//! \[GZIP\] RFC 1952, compressed on several threads.
//!
//! ```text
//! ├ header ┼ part ┼ part ┼ ... ┼ last part ┼ CRC-32, length ┤
//!   10       deflate, one stream             4       4
//! ```
//!
//! ```
//! use mkimage_formats::emit::Stream;
//! use mkimage_formats::{Layout, gzip};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut out = Stream::new(Vec::new());
//! gzip::layout(&Layout::hole(1 << 20), std::thread::available_parallelism()?, &mut out)?;
//! assert!(out.into_inner().len() < 2 << 10);
//! # Ok(())
//! # }
//! ```

use crate::blocks::{self, Cut};
use crate::deflate;
use crate::emit::{self, Sink, Stream};
use crate::layout::Layout;
use flate2::CrcWriter;
use std::io::{self, Write};
use std::num::NonZero;

/// \[GZIP\] 2.3 "Member format": deflate, no flags, no time, no extra flags, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// The window is that of \[DEFLATE\] RFC 1951.
const PARTS: Cut = Cut { block: 256 << 10, window: 32 << 10 };

/// Writes what `feed` gives, compressed, to `out`.
///
/// # Errors
/// What `feed` says, or what `failed` makes of an error of `out`.
pub fn write<E>(
    threads: NonZero<usize>,
    out: &mut dyn Write,
    feed: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    failed: impl Fn(io::Error) -> E,
) -> Result<(), E> {
    out.write_all(&HEADER).map_err(&failed)?;
    let mut trailer = Vec::new();
    let summed = |to: &mut dyn Write| {
        let mut to = CrcWriter::new(to);
        feed(&mut to)?;
        trailer = [to.crc().sum().to_le_bytes(), to.crc().amount().to_le_bytes()].concat();
        Ok(())
    };
    blocks::each(threads, PARTS, deflate::part, out, summed, &failed)?;
    out.write_all(&trailer).map_err(failed)
}

/// Writes `layout`, compressed, to `out`.
///
/// # Errors
/// It cannot be read, or `out` not be written.
pub fn layout(layout: &Layout, threads: NonZero<usize>, out: &mut dyn Sink) -> Result<(), emit::Error> {
    let feed = |to: &mut dyn Write| Stream::new(to).layout(layout);
    write(threads, &mut Writer(out), feed, emit::Error::Stream)
}

/// A sink of bytes alone.
struct Writer<'a>(&'a mut dyn Sink);

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.bytes(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
