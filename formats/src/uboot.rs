//! U-Boot's legacy images: a header, and what its commands `bootm` and `source` take. Integers are
//! big-endian.
//!
//! ```text
//! 0           64
//! ├─ Header ──┼── content ──┤               kernel, ramdisk
//! ├─ Header ──┼─ length, 0 ─┼── text ──┤    script
//! ```
//!
//! \[UBOOT\] *Das U-Boot* 2023.01, `include/image.h`: the structure, and all numbers in it.
//!
//! ```
//! use mkimage_formats::{emit, uboot};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let out = dir.path().join("boot.scr");
//! let script = uboot::script("echo hello\n", "demo", Default::default())?;
//! assert_eq!(script.len(), 64 + 8 + 11);
//! emit::emit(&script, &out)?;
//! # Ok(())
//! # }
//! ```

use crate::emit::{self, Sink, Stream};
use crate::layout::Layout;
use crate::tree::Time;
use flate2::{Crc, CrcWriter};
use std::io;
use zerocopy::big_endian::U32;
use zerocopy::{FromZeros, Immutable, IntoBytes};

/// What an image says about itself. Its architecture is AArch64, its system Linux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What it is for.
    pub kind: Type,
    /// How its content is compressed; `bootm` unpacks it.
    pub compression: Compression,
    /// Shown by `bootm`.
    pub name: String,
    /// Where `bootm` puts a kernel and starts it, an address.
    pub load: u32,
    /// When it was made.
    pub epoch: Time,
}

/// \[UBOOT\] `IH_TYPE_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type(pub u8);

impl Type {
    /// A kernel.
    pub const KERNEL: Type = Type(2);
    /// An initrd.
    pub const RAMDISK: Type = Type(3);
    /// Commands: what [`script`] makes.
    pub const SCRIPT: Type = Type(6);
}

/// \[UBOOT\] `IH_COMP_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression(pub u8);

impl Compression {
    /// Not at all.
    pub const NONE: Compression = Compression(0);
    /// gzip
    pub const GZIP: Compression = Compression(1);
}

/// \[UBOOT\] `IH_OS_LINUX`.
const LINUX: u8 = 5;
/// \[UBOOT\] `IH_ARCH_ARM64`.
const ARM64: u8 = 22;
/// \[UBOOT\] `IH_NMLEN`, bytes of a name.
const NAME_LEN: usize = 32;

/// \[UBOOT\] `struct legacy_img_hdr`.
#[derive(Clone, IntoBytes, FromZeros, Immutable)]
#[repr(C)]
struct Header {
    magic: U32,           // 00
    header_crc: U32,      // 04 of the header, itself taken as zero
    time: U32,            // 08 seconds since 1970
    size: U32,            // 0c bytes after the header
    load: U32,            // 10
    entry: U32,           // 14
    content_crc: U32,     // 18
    os: u8,               // 1c
    architecture: u8,     // 1d
    kind: u8,             // 1e
    compression: u8,      // 1f
    name: [u8; NAME_LEN], // 20
}
const _: () = assert!(size_of::<Header>() == 64);

/// \[UBOOT\] `IH_MAGIC`.
const MAGIC: u32 = 0x2705_1956;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More than the header can say.
    #[error("{len} bytes; an image for U-Boot has less than 4 GiB")]
    Size {
        /// Bytes.
        len: u64,
    },
    /// Longer than its field.
    #[error("the name `{name}` has {} bytes; an image for U-Boot has room for {NAME_LEN}", name.len())]
    Name {
        /// The name.
        name: String,
    },
    /// The content cannot be read.
    #[error(transparent)]
    Read(#[from] emit::Error),
}

/// `content` as an image. Reads it, to sum it.
///
/// # Errors
/// It is too long, or cannot be read.
pub fn image(content: Layout, options: &Options) -> Result<Layout, Error> {
    let len = content.len();
    let size = u32::try_from(len).map_err(|_| Error::Size { len })?.into();
    let mut name = [0; NAME_LEN];
    let Some(room) = name.get_mut(..options.name.len()) else {
        return Err(Error::Name { name: options.name.clone() });
    };
    room.copy_from_slice(options.name.as_bytes());
    let mut header = Header {
        magic: MAGIC.into(),
        header_crc: U32::ZERO,
        time: u32::try_from(options.epoch.seconds.max(0)).unwrap_or(u32::MAX).into(),
        size,
        load: options.load.into(),
        entry: options.load.into(),
        content_crc: crc(&content)?.into(),
        os: LINUX,
        architecture: ARM64,
        kind: options.kind.0,
        compression: options.compression.0,
        name,
    };
    let mut sum = Crc::new();
    sum.update(header.as_bytes());
    header.header_crc = sum.sum().into();
    let mut image = Layout::from(header.as_bytes().to_vec());
    image.append(content);
    Ok(image)
}

/// The commands in `text` as an image.
///
/// # Errors
/// The name is too long.
pub fn script(text: &str, name: &str, epoch: Time) -> Result<Layout, Error> {
    let len = text.len() as u64;
    let size = u32::try_from(len).map_err(|_| Error::Size { len })?;
    // The lengths of all parts, of which a script has one, and the list's end.
    let mut content = Layout::from([U32::new(size), U32::ZERO].as_bytes().to_vec());
    content.push(text.as_bytes().to_vec());
    let (kind, compression, name) = (Type::SCRIPT, Compression::NONE, name.to_owned());
    image(content, &Options { kind, compression, name, load: 0, epoch })
}

/// The CRC-32 of all bytes (\[UBOOT\] `crc32`, that of zlib).
fn crc(content: &Layout) -> Result<u32, emit::Error> {
    let mut stream = Stream::new(CrcWriter::new(io::sink()));
    stream.layout(content)?;
    Ok(stream.into_inner().crc().sum())
}
