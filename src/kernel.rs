//! The compressed kernel inside of a kernel's file.
//!
//! ```text
//! x86     ├─ real-mode ─┼─ loader ─┼─ payload ─┼─ ... ─┤    offset and length in the header
//! zboot   ├─ header ────┼─ payload ─┼─ loader ─────────┤    the same; EFI programs of arm64 and riscv64
//! others  ├──────────────── payload ────────────────────┤    vmlinuz of arm64 and riscv64
//! ```
//!
//! \[BOOT\] *The Linux/x86 Boot Protocol*, `Documentation/arch/x86/boot.rst` of Linux 6.12. \[ZBOOT\]
//! `drivers/firmware/efi/libstub/zboot-header.S`.

use mkimage_formats::Layout;
use mkimage_formats::emit::{self, Sink, Stream};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// No kernel has more, unpacked.
const MAX_LEN: u64 = 1 << 30;
/// More memory than any kernel's xz or lzma stream asks for (`scripts/xz_wrap.sh`: 128 MiB).
const MEMORY_KIB: u32 = 192 << 10;

/// How a kernel is compressed: what `CONFIG_KERNEL_*` of Linux offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload {
    /// `CONFIG_KERNEL_GZIP`
    Gzip,
    /// `CONFIG_KERNEL_ZSTD`
    Zstd,
    /// `CONFIG_KERNEL_XZ`
    Xz,
    /// `CONFIG_KERNEL_LZMA`
    Lzma,
    /// `CONFIG_KERNEL_LZ4`
    Lz4,
    /// `CONFIG_KERNEL_BZIP2`
    Bzip2,
    /// `CONFIG_KERNEL_LZO`
    Lzo,
    /// Anything else, by its first four bytes.
    Unknown([u8; 4]),
}

impl Payload {
    fn of(head: &[u8]) -> Payload {
        const MAGICS: [(&[u8], Payload); 7] = [
            (b"\x1f\x8b", Payload::Gzip),
            (b"\x28\xb5\x2f\xfd", Payload::Zstd),
            (b"\xfd7zXZ\0", Payload::Xz),
            (b"\x5d\0\0", Payload::Lzma),
            (b"\x02\x21\x4c\x18", Payload::Lz4),
            (b"BZh", Payload::Bzip2),
            (b"\x89LZO\0", Payload::Lzo),
        ];
        let known = MAGICS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, payload)| *payload);
        known.unwrap_or(Payload::Unknown(head.first_chunk().copied().unwrap_or_default()))
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Payload::Gzip => "gzip",
            Payload::Zstd => "zstd",
            Payload::Xz => "xz",
            Payload::Lzma => "lzma",
            Payload::Lz4 => "lz4",
            Payload::Bzip2 => "bzip2",
            Payload::Lzo => "lzo",
            Payload::Unknown(first) => return write!(f, "something that begins with {first:02x?}"),
        })
    }
}

/// Why there is no kernel in a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing in the kernel's file is compressed.
    #[error(
        "`{path}` is neither compressed nor a kernel that holds a compressed one; leave out --decompress-kernel"
    )]
    NotCompressed {
        /// The kernel's path.
        path: String,
    },
    /// What is in the kernel's file cannot be unpacked.
    #[error("the kernel in `{path}` is compressed as {payload}, which cannot be unpacked here")]
    Unsupported {
        /// The kernel's path.
        path: String,
        /// How it is compressed.
        payload: Payload,
    },
    /// What is in the kernel's file is larger than any kernel.
    #[error("the kernel in `{path}` has more than {} MiB when unpacked", MAX_LEN >> 20)]
    TooLarge {
        /// The kernel's path.
        path: String,
    },
    /// Unpacking failed.
    #[error("cannot unpack the {payload} payload of `{path}`")]
    Unpack {
        /// The kernel's path.
        path: String,
        /// How it is compressed.
        payload: Payload,
        /// What is wrong.
        source: io::Error,
    },
    /// A temporary file.
    #[error("cannot write `{path}`")]
    Spool {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The kernel's file.
    #[error(transparent)]
    Read(#[from] emit::Error),
}

/// How the kernel's file `content` is compressed, if it is so from its first byte on.
///
/// # Errors
/// It cannot be read.
pub fn packed(content: &Layout) -> Result<Option<Payload>, emit::Error> {
    let mut head = Stream::new(Vec::new());
    head.layout(&content.window(0, content.len().min(8)))?;
    let payload = Payload::of(&head.into_inner());
    Ok((!matches!(payload, Payload::Unknown(_))).then_some(payload))
}

/// The kernel that is in the kernel's file `content`, as a file in the folder `spool`. `path` is
/// for errors.
///
/// # Errors
/// There is none, or it cannot be unpacked.
pub fn unpacked(path: &str, content: &Layout, spool: &Path) -> Result<Layout, Error> {
    if content.len() > MAX_LEN {
        return Err(Error::TooLarge { path: path.into() });
    }
    let failed = |source| Error::Spool { path: spool.to_owned(), source };
    // Slices of a file and what is read of it differ only in how they are reached.
    let mut packed = tempfile::tempfile_in(spool).map_err(failed)?;
    match Stream::new(&mut packed).layout(content) {
        Err(emit::Error::Stream(source)) => return Err(failed(source)),
        copied => copied?,
    }
    let (at, len) = place(&mut packed, content.len()).map_err(failed)?;
    let mut head = [0; 8];
    let start = |file: &mut File| file.seek(SeekFrom::Start(at));
    start(&mut packed).and_then(|_| (&packed).take(len).read(&mut head)).map_err(failed)?;
    start(&mut packed).map_err(failed)?;
    let payload = Payload::of(&head);
    let input = BufReader::new(packed.take(len));
    let mut unpacked: Box<dyn Read> = match payload {
        Payload::Gzip => Box::new(flate2::bufread::GzDecoder::new(input)),
        Payload::Zstd => Box::new(zstd::Decoder::with_buffer(input).map_err(failed)?.single_frame()),
        Payload::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(input, false, MEMORY_KIB)),
        Payload::Lzma => match lzma_rust2::LzmaReader::new_mem_limit(input, MEMORY_KIB, None) {
            Ok(reader) => Box::new(reader),
            Err(source) => return Err(Error::Unpack { path: path.into(), payload, source }),
        },
        Payload::Lz4 => Box::new(Lz4 { input, block: Vec::new(), at: 0, started: false }),
        Payload::Bzip2 => Box::new(bzip2::bufread::BzDecoder::new(input)),
        Payload::Unknown(_) if at == 0 => return Err(Error::NotCompressed { path: path.into() }),
        Payload::Lzo | Payload::Unknown(_) => return Err(Error::Unsupported { path: path.into(), payload }),
    };
    let (mut out, name) = tempfile::Builder::new()
        .prefix("kernel-")
        .tempfile_in(spool)
        .and_then(|file| file.keep().map_err(io::Error::from))
        .map_err(failed)?;
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0;
    loop {
        let n = match unpacked.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(source) => return Err(Error::Unpack { path: path.into(), payload, source }),
        };
        total += n as u64;
        if total > MAX_LEN {
            return Err(Error::TooLarge { path: path.into() });
        }
        out.write_all(&buffer[..n]).map_err(|source| Error::Spool { path: name.clone(), source })?;
    }
    Layout::file(&name).map_err(|source| Error::Spool { path: name, source })
}

/// Where the payload is in a kernel's file of `len` bytes, and its length.
///
/// \[BOOT\] "Field name: payload_offset", since protocol 2.08. \[ZBOOT\] likewise, after `zimg`.
fn place(file: &mut File, len: u64) -> io::Result<(u64, u64)> {
    let mut head = Vec::new();
    file.rewind()?;
    file.take(0x250).read_to_end(&mut head)?;
    let field =
        |at: usize| head.get(at..at + 4).and_then(|b| b.first_chunk()).map(|b| u32::from_le_bytes(*b));
    let version = head.get(0x206..0x208).and_then(|b| b.first_chunk()).map_or(0, |b| u16::from_le_bytes(*b));
    if let (Some(b"MZ\0\0zimg"), Some(offset), Some(payload)) = (head.get(..8), field(8), field(12)) {
        return Ok((offset.into(), payload.into()));
    }
    let (Some(offset), Some(payload)) = (field(0x248), field(0x24c)) else { return Ok((0, len)) };
    if &head[0x202..0x206] != b"HdrS" || version < 0x208 || payload == 0 {
        return Ok((0, len));
    }
    let sectors = if head[0x1f1] == 0 { 4 } else { u64::from(head[0x1f1]) };
    Ok(((sectors + 1) * 512 + u64::from(offset), u64::from(payload)))
}

/// LZ4 as `lz4 -l` writes it and Linux reads it (`lib/decompress_unlz4.c`): a magic number, then
/// blocks with their length in front; after the last one the length of everything.
struct Lz4<R> {
    input: R,
    block: Vec<u8>,
    at: usize,
    started: bool,
}

const LZ4_MAGIC: u32 = 0x184c_2102;
/// Bytes that a block has at most, unpacked.
const LZ4_BLOCK: usize = 8 << 20;
/// And packed: `LZ4_compressBound` of that, which leaves room for a block that nothing shortens.
const LZ4_PACKED: u32 = (8 << 20) + (8 << 20) / 255 + 16;

impl<R: BufRead> Lz4<R> {
    /// The next number; none at the end.
    fn number(&mut self) -> io::Result<Option<u32>> {
        let mut bytes = Vec::new();
        self.input.by_ref().take(4).read_to_end(&mut bytes)?;
        Ok(bytes.first_chunk().map(|b| u32::from_le_bytes(*b)))
    }

    /// Unpacks the next block; false at the end.
    fn next(&mut self) -> io::Result<bool> {
        if !std::mem::replace(&mut self.started, true) {
            self.number()?;
        }
        let len = match self.number()? {
            Some(LZ4_MAGIC) => self.number()?,
            other => other,
        };
        let Some(len) = len else { return Ok(false) };
        let mut packed = Vec::new();
        if len > LZ4_PACKED && !self.input.fill_buf()?.is_empty() {
            let said = format!("a block of {len} bytes; lz4 makes none of more than {LZ4_PACKED}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, said));
        }
        self.input.by_ref().take(len.into()).read_to_end(&mut packed)?;
        if packed.is_empty() {
            return Ok(false); // the number was the length of everything
        }
        if packed.len() as u64 != u64::from(len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.block.resize(LZ4_BLOCK, 0);
        let unpacked =
            lz4_flex::block::decompress_into(&packed, &mut self.block).map_err(io::Error::other)?;
        self.block.truncate(unpacked);
        self.at = 0;
        Ok(true)
    }
}

impl<R: BufRead> Read for Lz4<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.block.len() {
            if !self.next()? {
                return Ok(0);
            }
        }
        let n = out.len().min(self.block.len() - self.at);
        out[..n].copy_from_slice(&self.block[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests;
