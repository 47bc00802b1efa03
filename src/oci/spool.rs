//! Layers as tar archives.
//!
//! ```text
//! blobs/sha256/HEX ──gzip, zstd──▶ layers/HEX.DIFF.tar      (in place if it is a tar already)
//! ╰── digest and size ──╯         ╰── diff_id ──╯
//! ```
//!
//! A compressed layer is unpacked once, and both of its digests are checked on the way; what comes
//! after works on slices of the file. DIFF, the start of the `diff_id` that was checked, is part
//! of the name because two images may claim different ones of the same blob. The archive's time is
//! when it was last used.
//!
//! \[OCI-IMAGE\] *OCI Image Format Specification* 1.1, layer.md, config.md "Layer DiffID".
//! \[RFC 1952\] *GZIP file format specification* §2.2: members follow one another.
//! \[RFC 8878\] *Zstandard Compression* §3.1: so do frames.

use super::cache::Cache;
use super::digest::Digesting;
use super::file::mark_used;
use super::tidy::absent;
use super::{Descriptor, Digest, Error, Scratch, Task};
use mkimage_formats::emit::{self, Unfinished};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Why a layer cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// Not the bytes that the manifest names.
    #[error("layer {digest} is damaged: its bytes have the digest {found}")]
    Digest {
        /// What the manifest says.
        digest: Digest,
        /// What the bytes say.
        found: Digest,
    },
    /// Not as many bytes as the manifest names.
    #[error("layer {digest} has {found} bytes; its manifest says {expected}")]
    Size {
        /// The layer.
        digest: Digest,
        /// What the manifest says.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// Not the contents that the configuration names.
    #[error("layer {digest} unpacks to {found}; the image's configuration says {diff_id}")]
    DiffId {
        /// The layer.
        digest: Digest,
        /// What the configuration says.
        diff_id: Digest,
        /// What the contents say.
        found: Digest,
    },
    /// A bomb, or a very large layer.
    #[error("layer {digest} is larger than {limit} bytes ({}) when unpacked; --max-layer-size allows more", binary(*limit))]
    TooLarge {
        /// The layer.
        digest: Digest,
        /// Bytes.
        limit: u64,
    },
    /// The compression ends early or breaks off.
    #[error("layer {digest} is not complete {format}")]
    Compression {
        /// The layer.
        digest: Digest,
        /// `gzip` or `zstd`
        format: &'static str,
        /// What the decompressor said.
        source: io::Error,
    },
    /// A file.
    #[error("cannot unpack layer {digest} to `{path}`")]
    Io {
        /// The layer.
        digest: Digest,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// `32 GiB`
fn binary(bytes: u64) -> String {
    let unit = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let found = unit.iter().find(|(shift, _)| bytes >= 1 << shift && bytes.trailing_zeros() >= *shift);
    found.map_or_else(|| format!("{bytes} B"), |(shift, name)| format!("{} {name}", bytes >> shift))
}

/// Where unpacked layers are kept.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    limit: u64,
    /// Where the cache cannot be written: gone with the store.
    temporary: Option<Scratch>,
}

/// Bytes that are unpacked, examined and written at once. Runs of zeros this long become holes.
const BLOCK: usize = 64 << 10;

impl Spool {
    /// The spool of a cache; a temporary one, if the cache cannot be written.
    pub(crate) fn open(cache: &Cache, limit: u64) -> Result<Self, Error> {
        let dir = cache.private().join("layers").join("sha256");
        let writable = fs::create_dir_all(&dir).and_then(|()| tempfile::tempfile_in(&dir));
        if writable.is_ok() {
            return Ok(Spool { dir, limit, temporary: None });
        }
        let folder = std::env::temp_dir();
        let temporary = Scratch::new(&folder, "mkimage-layers-")
            .map_err(|source| Error::Write { path: folder, source })?;
        Ok(Spool { dir: temporary.path().to_owned(), limit, temporary: Some(temporary) })
    }

    /// The cache has the archives, and later builds find them.
    pub(crate) fn is_kept(&self) -> bool {
        self.temporary.is_none()
    }

    /// The folder of the archives.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The tar archive of the layer whose blob is in the cache. The outer error is the cache's.
    pub(crate) fn layer(
        &self,
        cache: &Cache,
        blob: &Descriptor,
        diff_id: Digest,
        task: impl FnOnce() -> Task,
    ) -> Result<Result<PathBuf, LayerError>, Error> {
        let stem = self.dir.join(format!("{}.{}", blob.digest.hex(), &diff_id.hex()[..16]));
        let path = cache.blob_path(blob.digest);
        let (mut file, format) = match opened(blob, &path) {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(error)),
        };
        // What exists when the layer has been checked: its archive, or a mark for one in place.
        let (done, proof) = match format {
            Format::Tar => (path, with_added(&stem, "checked")),
            Format::Gzip | Format::Zstd => (with_added(&stem, "tar"), with_added(&stem, "tar")),
        };
        if !proof.exists() {
            let _lock = self.lock(cache, blob.digest)?;
            // Perhaps another process was at it until now.
            if !proof.exists()
                && let Err(error) = self.check(blob, diff_id, format, &mut file, &stem, &proof, &task())
            {
                return Ok(Err(error));
            }
        }
        if format != Format::Tar {
            mark_used(&done);
        }
        Ok(Ok(done))
    }

    /// Removes what was unpacked of these blobs.
    pub(crate) fn forget(&self, blobs: &BTreeSet<Digest>) -> Result<(), Error> {
        let prefixes: BTreeSet<String> = blobs.iter().map(Digest::hex).collect();
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.split('.').next().is_some_and(|hex| prefixes.contains(hex)) {
                absent(fs::remove_file(entry.path()), &entry.path())?;
            }
        }
        Ok(())
    }

    fn lock(&self, cache: &Cache, digest: Digest) -> Result<File, Error> {
        match &self.temporary {
            None => cache.lock_blob(digest),
            Some(dir) => Cache::new(dir.path()).lock_blob(digest),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one layer, and what is known of it")]
    fn check(
        &self,
        blob: &Descriptor,
        diff_id: Digest,
        format: Format,
        file: &mut File,
        stem: &Path,
        proof: &Path,
        task: &Task,
    ) -> Result<(), LayerError> {
        if format == Format::Tar {
            self.unpack(blob, diff_id, format, file, None, task)?;
            return File::create(proof).map(drop).map_err(|source| io_error(blob, proof, source));
        }
        let partial = with_added(stem, "partial");
        let _unfinished = Unfinished::new(&partial);
        // Overwrites what a process left that was killed.
        let out = File::create(&partial).map_err(|source| io_error(blob, &partial, source))?;
        let done = self
            .unpack(blob, diff_id, format, file, Some(out), task)
            .and_then(|()| emit::rename(&partial, proof).map_err(|source| io_error(blob, proof, source)));
        if done.is_err() {
            // The error is the news; a file that stays is overwritten by the next attempt.
            let _ = fs::remove_file(&partial);
        }
        done
    }

    fn unpack(
        &self,
        blob: &Descriptor,
        diff_id: Digest,
        format: Format,
        file: &mut File,
        out: Option<File>,
        task: &Task,
    ) -> Result<(), LayerError> {
        let digest = blob.digest;
        let mut input = BufReader::with_capacity(BLOCK, Digesting::new(task.reading(file)));
        let mut output = Digesting::new(Sparse { out, len: 0 });
        let read = match format {
            Format::Tar => copy(&mut input, &mut output, self.limit),
            Format::Gzip => {
                copy(&mut flate2::bufread::MultiGzDecoder::new(&mut input), &mut output, self.limit)
            }
            Format::Zstd => zstd::stream::read::Decoder::with_buffer(&mut input)
                .map_err(Copy::Read)
                .and_then(|mut decoder| copy(&mut decoder, &mut output, self.limit)),
        };
        if let Err(Copy::TooLarge) = read {
            return Err(LayerError::TooLarge { digest, limit: self.limit });
        }
        if let Err(Copy::Write(source)) = read {
            return Err(io_error(blob, &self.dir, source));
        }
        // Whatever the decompressor made of it: wrong bytes are the cause, not what it stumbled on.
        io::copy(&mut input, &mut io::sink()).map_err(|source| io_error(blob, &self.dir, source))?;
        let (found, _, _) = input.into_inner().finish();
        if found != digest {
            return Err(LayerError::Digest { digest, found });
        }
        if let Err(Copy::Read(source)) = read {
            return Err(LayerError::Compression { digest, format: format.name(), source });
        }
        let (found, _, sparse) = output.finish();
        if found != diff_id {
            return Err(LayerError::DiffId { digest, diff_id, found });
        }
        sparse.finish().map_err(|source| io_error(blob, &self.dir, source))
    }
}

fn io_error(blob: &Descriptor, path: &Path, source: io::Error) -> LayerError {
    LayerError::Io { digest: blob.digest, path: path.to_owned(), source }
}

fn opened(blob: &Descriptor, path: &Path) -> Result<(File, Format), LayerError> {
    let failed = |source| io_error(blob, path, source);
    let mut file = File::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?.len();
    if found != blob.size {
        return Err(LayerError::Size { digest: blob.digest, expected: blob.size, found });
    }
    let format = Format::of(&mut file).map_err(failed)?;
    Ok((file, format))
}

/// Adds `.extension` to a name that has dots of its own.
fn with_added(name: &Path, extension: &str) -> PathBuf {
    let mut name = name.to_owned().into_os_string();
    name.push(".");
    name.push(extension);
    name.into()
}

/// How a layer is compressed. Its first bytes say so; media types are known to be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    Tar,
    Gzip,
    Zstd,
}

impl Format {
    fn of(file: &mut File) -> io::Result<Self> {
        let mut magic = Vec::new();
        Read::by_ref(file).take(4).read_to_end(&mut magic)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(match magic[..] {
            [0x1f, 0x8b, ..] => Format::Gzip,                // [RFC 1952] §2.3.1
            [0x28, 0xb5, 0x2f, 0xfd] => Format::Zstd,        // [RFC 8878] §3.1.1
            [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Format::Zstd, // §3.1.2 "Skippable Frames"
            _ => Format::Tar,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Format::Tar => "tar",
            Format::Gzip => "gzip",
            Format::Zstd => "zstd",
        }
    }
}

/// Where a copy failed.
enum Copy {
    Read(io::Error),
    Write(io::Error),
    TooLarge,
}

fn copy(from: &mut impl Read, to: &mut impl Write, limit: u64) -> Result<(), Copy> {
    let mut block = vec![0; BLOCK];
    let mut left = limit;
    loop {
        // Whole blocks, so that zeros are found wherever the decompressor breaks off.
        let mut filled = 0;
        while filled < BLOCK {
            match from.read(&mut block[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Copy::Read(e)),
            }
        }
        if filled == 0 {
            return Ok(());
        }
        left = left.checked_sub(filled as u64).ok_or(Copy::TooLarge)?;
        to.write_all(&block[..filled]).map_err(Copy::Write)?;
    }
}

/// A file in which blocks of zeros are left out; nothing at all for a layer that is only checked.
struct Sparse {
    out: Option<File>,
    len: u64,
}

impl Sparse {
    fn finish(self) -> io::Result<()> {
        let Some(out) = self.out else { return Ok(()) };
        out.set_len(self.len)?;
        // Its name promises contents that were checked, after a power failure too.
        out.sync_data()
    }
}

impl Write for Sparse {
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        self.len += block.len() as u64;
        if let Some(out) = &mut self.out {
            if block.len() == BLOCK && block.iter().all(|byte| *byte == 0) {
                out.seek(SeekFrom::Start(self.len))?;
            } else {
                out.write_all(block)?;
            }
        }
        Ok(block.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
