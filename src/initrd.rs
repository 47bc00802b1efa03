//! The root file system as an initrd.
//!
//! ```text
//! ├─ microcode ─┼─ segment ─┼─ segment ─┤ ... ├     each padded to 4 bytes, but for LZ4
//!   as it is      cpio archive of one origin, compressed on its own
//! ```
//! Linux unpacks one archive after the other. Each path is in one of them: the first that needs
//! it, for itself or for something below it. When an image changes, the segments of the others
//! stay the same bytes, and come from a cache.
//!
//! `boot/*` is what the loader gets beside the initrd, and not in it. Nor are extended attributes:
//! cpio has no place for them.
//!
//! ```
//! use mkimage::initrd::{self, Compression, Folder, Options};
//! use mkimage_formats::{Kind, Meta, Node, Tree, TreePath, emit};
//! use std::num::NonZero;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (folder, out) = (dir.path(), dir.path().join("initrd.img"));
//! let mut tree = Tree::new();
//! let kind = Kind::File(b"#!/bin/sh\n".to_vec().into());
//! tree.insert(TreePath::new("init")?, Node { meta: Meta::new(0o755, Default::default()), kind, origin: Default::default() })?;
//! let options = Options {
//!     compression: Compression::Gzip,
//!     threads: NonZero::<usize>::MIN,
//!     folder: Folder::Scratch(folder.into()),
//!     doubt: |_| (),
//! };
//! emit::emit(&initrd::build(&tree, None, &options)?.whole.content, &out)?;
//! # assert!(std::fs::read(&out)?.starts_with(&[0x1f, 0x8b]));
//! # Ok(())
//! # }
//! ```
//!
//! \[CPIO\] Linux, *Documentation/driver-api/early-userspace/buffer-format.rst*.

use crate::boot::{self, Measured};
use mkimage_formats::emit::{self, Sink, Stream};
use mkimage_formats::tree::OriginId;
use mkimage_formats::{Content, Kind, Layout, Node, Slice, Tree, TreePath, cpio};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::str::FromStr;

mod compress;
mod key;
mod segment;

use key::Keyed;
use segment::{Draft, Segment};

/// How segments are compressed. Linux must be configured to read it (`CONFIG_RD_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// What every kernel reads.
    #[default]
    Gzip,
    /// Smaller and faster, since Linux 5.9.
    Zstd,
    /// The smallest, and slow.
    Xz,
    /// The fastest to unpack.
    Lz4,
    /// As it is; the initrd then takes its bytes from the layers.
    None,
}

impl Compression {
    const NAMES: [(Compression, &'static str); 5] = [
        (Compression::Gzip, "gzip"),
        (Compression::Zstd, "zstd"),
        (Compression::Xz, "xz"),
        (Compression::Lz4, "lz4"),
        (Compression::None, "none"),
    ];

    /// Zeros follow a segment up to a multiple of 4 bytes.
    fn is_padded(self) -> bool {
        // `unlz4` (Linux, lib/decompress_unlz4.c) takes all that is left for its own. It goes on at the
        // magic number of one more frame, but before Linux 5.14 it takes zeros for the length of a block.
        self != Compression::Lz4
    }
}

/// Not the name of a compression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a compression: gzip, zstd, xz, lz4 or none")]
pub struct NotACompression(pub String);

impl FromStr for Compression {
    type Err = NotACompression;

    fn from_str(name: &str) -> Result<Self, NotACompression> {
        let found = Compression::NAMES.iter().find(|(_, n)| *n == name);
        found.map(|(compression, _)| *compression).ok_or_else(|| NotACompression(name.to_owned()))
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Compression::NAMES.iter().find(|(compression, _)| compression == self);
        f.write_str(found.map_or("", |(_, name)| name))
    }
}

/// How an initrd is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// How segments are compressed.
    pub compression: Compression,
    /// Threads that compress. The bytes do not depend on it.
    pub threads: NonZero<usize>,
    /// Where compressed segments go.
    pub folder: Folder,
    /// Is told of microcode that cannot be part of an initrd, and is left out.
    pub doubt: fn(&dyn std::error::Error),
}

/// A folder for compressed segments. It must be there while an [`Initrd`] is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    /// For this initrd alone.
    Scratch(PathBuf),
    /// For all: a segment that is there already is not made again. The folder is made when it is
    /// first needed, and what is in it may be removed at any other time.
    Cache(PathBuf),
}

/// An initrd.
#[derive(Clone, Debug)]
pub struct Initrd {
    /// The segments alone.
    pub segments: Layout,
    /// The microcode, if any, and the segments.
    pub whole: Measured,
}

impl Initrd {
    /// Archives that are there already.
    #[must_use]
    pub fn of(archives: Layout) -> Self {
        Initrd { segments: archives.clone(), whole: Measured::new(archives) }
    }
}

/// Why there is no initrd.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An archive cannot hold something.
    #[error("the root file system cannot be an initrd")]
    Archive(#[from] cpio::Error),
    /// A content cannot be read.
    #[error(transparent)]
    Emit(#[from] emit::Error),
    /// A segment's file.
    #[error("cannot keep a segment of the initrd in `{path}`")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Compressing failed.
    #[error("cannot compress as {compression}")]
    Compress {
        /// How it is compressed.
        compression: Compression,
        /// What is wrong.
        source: io::Error,
    },
}

/// Microcode that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the microcode is no cpio archive, so that Linux would unpack nothing after it; it is left out")]
pub struct Microcode;

/// \[CPIO\] "070701" or, with checksums, "070702".
fn is_archive(content: &Layout) -> Result<bool, emit::Error> {
    let mut magic = Stream::new(Vec::new());
    magic.layout(&content.window(0, content.len().min(6)))?;
    Ok(matches!(&magic.into_inner()[..], b"070701" | b"070702"))
}

/// Makes the initrd of a root file system. `microcode` goes before it: Linux reads it before
/// anything else.
///
/// # Errors
/// A content cannot be read, an initrd cannot hold it, or there is no room for temporary files.
pub fn build(tree: &Tree, microcode: Option<&Layout>, options: &Options) -> Result<Initrd, Error> {
    let mut before = Layout::default();
    if let Some(microcode) = microcode {
        if is_archive(microcode)? {
            before = microcode.clone();
        } else {
            (options.doubt)(&Microcode);
        }
    }
    before.pad_to_multiple(4);
    let with = |segments: &Layout| {
        let mut whole = before.clone();
        whole.append(segments.clone());
        whole
    };
    Ok(match options.compression {
        Compression::None => {
            let segments = plain(tree)?;
            Initrd { whole: Measured::new(with(&segments)), segments }
        }
        _ => {
            let (segments, crc32c) = packed(tree, options, boot::crc32c(&before)?)?;
            Initrd { whole: Measured::with_crc32c(with(&segments), crc32c), segments }
        }
    })
}

/// The paths of each segment.
fn segments(tree: &Tree) -> Vec<Vec<&TreePath>> {
    let boot = TreePath::new("boot").unwrap_or_default();
    let inside = || tree.iter().filter(|(path, _)| **path == boot || !path.starts_with(&boot));
    // The earliest of all names of a node that has several, which an archive has together.
    let mut earliest: BTreeMap<&TreePath, OriginId> = BTreeMap::new();
    for (_, link) in tree.iter() {
        if let Kind::HardLink(first) = &link.kind {
            let known = earliest.get(first).copied().or_else(|| Some(tree.get(first)?.origin));
            earliest.insert(first, link.origin.min(known.unwrap_or(link.origin)));
        }
    }
    let origin = |path, node: &Node| {
        let first = if let Kind::HardLink(first) = &node.kind { first } else { path };
        earliest.get(first).copied().unwrap_or(node.origin)
    };
    // The first origin that needs a folder for something in it.
    let mut needed: BTreeMap<&[u8], OriginId> = BTreeMap::new();
    // Most paths are in the folder of the one before.
    let mut last: Option<(&[u8], OriginId)> = None;
    for (path, node) in inside() {
        let (origin, folder) = (origin(path, node), path.folder().unwrap_or_default());
        if last.is_some_and(|(known, by)| known == folder && by <= origin) {
            continue;
        }
        for folder in path.folders() {
            // What is above was needed at least as early as this.
            if needed.get(folder).is_some_and(|known| *known <= origin) {
                break;
            }
            needed.insert(folder, origin);
        }
        last = Some((folder, origin));
    }
    let mut segments: BTreeMap<OriginId, Vec<&TreePath>> = BTreeMap::new();
    for (path, node) in inside() {
        let own = origin(path, node);
        let inside = if node.is_dir() { needed.get(path.as_bytes()) } else { None };
        segments.entry(inside.map_or(own, |inside| own.min(*inside))).or_default().push(path);
    }
    segments.into_values().collect()
}

/// The segments as they are.
fn plain(tree: &Tree) -> Result<Layout, Error> {
    let mut out = Collect(Layout::default());
    for paths in segments(tree) {
        cpio::write(tree, paths, &mut out)?;
    }
    Ok(out.0)
}

/// A sink that keeps contents instead of reading them.
struct Collect(Layout);

impl Sink for Collect {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), emit::Error> {
        self.0.push(bytes.to_vec());
        Ok(())
    }

    fn slice(&mut self, slice: &Slice) -> Result<(), emit::Error> {
        self.0.push(slice.clone());
        Ok(())
    }

    fn hole(&mut self, len: u64) -> Result<(), emit::Error> {
        self.0.push(Content::Hole(len));
        Ok(())
    }
}

/// The segments, compressed, and the checksum that goes on from `crc32c`.
fn packed(tree: &Tree, options: &Options, mut crc32c: u32) -> Result<(Layout, u32), Error> {
    let mut content = Layout::default();
    for paths in segments(tree) {
        let segment = match &options.folder {
            Folder::Scratch(folder) => {
                let feed = |out: &mut dyn io::Write| -> Result<(), Error> {
                    Ok(cpio::write(tree, paths, &mut Stream::new(out))?)
                };
                let draft = draft(folder, options, feed)?;
                draft.leave().map_err(|source| failed(folder, source))?
            }
            Folder::Cache(folder) => cached(tree, &paths, folder, options)?,
        };
        crc32c = match segment.content.extents() {
            [Content::Bytes(bytes)] => crc32c::crc32c_append(crc32c, bytes),
            _ => boot::crc32c_combined(crc32c, segment.crc32c, segment.content.len()),
        };
        content.append(segment.content);
    }
    Ok((content, crc32c))
}

/// The segment from the cache, or made and put there.
fn cached(tree: &Tree, paths: &[&TreePath], folder: &Path, options: &Options) -> Result<Segment, Error> {
    let mut keyed = Keyed::new(options.compression, None);
    cpio::write(tree, paths.iter().copied(), &mut keyed)?;
    if let Some(segment) = Segment::find(folder, keyed.key()) {
        return Ok(segment);
    }
    fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    let mut key = None;
    let feed = |out: &mut dyn io::Write| -> Result<(), Error> {
        let mut keyed = Keyed::new(options.compression, Some(out));
        cpio::write(tree, paths.iter().copied(), &mut keyed)?;
        // Of what was compressed: a file of the host may be another one by now.
        key = Some(keyed.key());
        Ok(())
    };
    let draft = draft(folder, options, feed)?;
    let key = key.unwrap_or_else(|| unreachable!("the archive was written"));
    draft.keep(folder, key).map_err(|source| failed(folder, source))
}

fn failed(folder: &Path, source: io::Error) -> Error {
    Error::Folder { path: folder.to_owned(), source }
}

/// A segment in a new file of `folder`.
fn draft(
    folder: &Path,
    options: &Options,
    feed: impl FnOnce(&mut dyn io::Write) -> Result<(), Error>,
) -> Result<Draft, Error> {
    let mut draft = Draft::create(folder).map_err(|source| failed(folder, source))?;
    compress::compress(options.compression, options.threads, &mut draft, feed)?;
    if options.compression.is_padded() {
        draft.pad_to_multiple(4).map_err(|source| failed(folder, source))?;
    }
    Ok(draft)
}

#[cfg(test)]
mod tests;
