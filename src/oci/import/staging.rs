//! What an archive or a folder has, by digest.

use super::super::cache::Cache;
use super::super::digest::Digesting;
use super::super::file::{create_parent, open_to_all};
use super::super::manifest::{METADATA_LIMIT, read_limited};
use super::super::{Descriptor, Digest, Error, Scratch};
use super::ImportError;
use mkimage_formats::emit;
use std::cell::Cell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A file that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Staged {
    pub(super) digest: Digest,
    pub(super) size: u64,
}

/// Files of an archive, under their digests.
pub(super) struct Staging {
    /// The archive or folder, as errors call it.
    path: PathBuf,
    dir: Scratch,
    limit: u64,
    files: HashMap<String, Staged>,
    /// Names in archives that stand for others.
    links: HashMap<String, String>,
    is_folder: bool,
}

/// Symbolic links that are followed: old versions of Docker write one for a layer that they have
/// written before.
const MAX_LINKS: usize = 8;
/// Bytes between the contents of two entries: headers, and the names and records of the second,
/// which the archive's reader has in memory.
const MAX_RECORDS: u64 = 1 << 20;

impl Staging {
    /// Reads an archive, to its end; or looks into a folder.
    pub(super) fn open(cache: &Cache, path: &Path, limit: u64) -> Result<Self, Error> {
        let private = cache.private();
        fs::create_dir_all(&private).map_err(|source| Error::Write { path: private.clone(), source })?;
        let dir =
            Scratch::new(&private, "import-").map_err(|source| Error::Write { path: private, source })?;
        let is_stdin = path == Path::new("-");
        let mut staging = Staging {
            path: if is_stdin { "standard input".into() } else { path.to_owned() },
            dir,
            limit,
            files: HashMap::new(),
            links: HashMap::new(),
            is_folder: path.is_dir(),
        };
        if is_stdin {
            staging.read_archive(Box::new(io::stdin()))?;
        } else if !staging.is_folder {
            let file = File::open(path).map_err(|e| staging.unread(e))?;
            staging.read_archive(Box::new(file))?;
        }
        Ok(staging)
    }

    /// What errors call the archive or folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn unread(&self, source: io::Error) -> ImportError {
        ImportError::Read { path: self.path.clone(), source }
    }

    fn read_archive(&mut self, file: Box<dyn Read>) -> Result<(), Error> {
        let mut file = BufReader::new(file);
        let magic = io::BufRead::fill_buf(&mut file).map_err(|e| self.unread(e))?;
        let plain: Box<dyn Read> = match magic {
            [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                Box::new(zstd::stream::read::Decoder::with_buffer(file).map_err(|e| self.unread(e))?)
            }
            _ => Box::new(file),
        };
        let left = Rc::new(Cell::new(MAX_RECORDS));
        let mut archive = tar::Archive::new(Bounded { inner: plain, left: left.clone() });
        for (n, entry) in archive.entries().map_err(|e| self.unread(e))?.enumerate() {
            let mut entry = match entry {
                Ok(entry) => entry,
                // Whatever the file is, it is no archive.
                Err(_) if n == 0 => break,
                Err(e) => return Err(self.unread(e).into()),
            };
            left.set(u64::MAX);
            let name = clean(&String::from_utf8_lossy(&entry.path_bytes()));
            let kind = entry.header().entry_type();
            if kind.is_symlink() || kind.is_hard_link() {
                let target = entry.link_name_bytes().unwrap_or_default();
                let target = String::from_utf8_lossy(&target).into_owned();
                let folder = name.rfind('/').map_or("", |at| &name[..=at]);
                let from = if kind.is_symlink() { folder } else { "" };
                self.links.insert(name.clone(), clean(&format!("{from}{target}")));
            }
            if kind.is_file() || kind.is_gnu_sparse() {
                self.stage(name, &mut entry)?;
            } else {
                io::copy(&mut entry, &mut io::sink()).map_err(|e| self.unread(e))?;
            }
            left.set(MAX_RECORDS);
        }
        Ok(())
    }

    /// Keeps a file under its digest. A blob must have the digest that is its name.
    fn stage(&mut self, name: String, contents: &mut dyn Read) -> Result<Staged, Error> {
        let mut file = tempfile::NamedTempFile::new_in(self.dir.path())
            .map_err(|source| Error::Write { path: self.dir.path().to_owned(), source })?;
        let mut contents = Digesting::new(contents.take(self.limit.saturating_add(1)));
        copy(&mut contents, file.as_file_mut()).map_err(|e| match e {
            Copy::Read(source) => Error::from(self.unread(source)),
            Copy::Write(source) => Error::Write { path: self.dir.path().to_owned(), source },
        })?;
        let (digest, size, _) = contents.finish();
        if size > self.limit {
            return Err(ImportError::TooLarge { path: self.path.clone(), name, limit: self.limit }.into());
        }
        if let Some(hex) = name.strip_prefix("blobs/sha256/").filter(|hex| **hex != digest.hex()) {
            let name = format!("blobs/sha256/{hex}");
            return Err(ImportError::Damaged { path: self.path.clone(), name, found: digest }.into());
        }
        let place = self.place(digest);
        file.persist(&place).map_err(|e| Error::Write { path: place, source: e.error })?;
        let staged = Staged { digest, size };
        self.files.insert(name, staged);
        Ok(staged)
    }

    fn place(&self, digest: Digest) -> PathBuf {
        self.dir.path().join(digest.hex())
    }

    /// The file of that name, if there is one.
    pub(super) fn find(&mut self, name: &str) -> Result<Option<Staged>, Error> {
        let mut name = clean(name);
        for _ in 0..MAX_LINKS {
            match self.links.get(&name) {
                Some(target) => name.clone_from(target),
                None => break,
            }
        }
        if let Some(staged) = self.files.get(&name) {
            return Ok(Some(*staged));
        }
        if !self.is_folder || name.split('/').any(|part| part == "..") {
            return Ok(None);
        }
        match File::open(self.path.join(&name)) {
            Ok(mut file) => self.stage(name, &mut file).map(Some),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(self.unread(e).into()),
        }
    }

    /// The file of that name, or why it is missed.
    pub(super) fn need(&mut self, name: &str) -> Result<Staged, Error> {
        let path = self.path.clone();
        self.find(name)?.ok_or_else(|| ImportError::Missing { path, name: name.to_owned() }.into())
    }

    /// A list of images.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        self.find(name)?.map(|staged| self.bytes(staged)).transpose()
    }

    fn bytes(&self, staged: Staged) -> Result<Vec<u8>, Error> {
        let path = self.place(staged.digest);
        let read = File::open(&path).and_then(|file| read_limited(file, METADATA_LIMIT));
        let read = read.map_err(|source| Error::Read { path, source })?;
        read.ok_or(Error::Metadata { digest: staged.digest, size: staged.size })
    }

    /// A manifest or an index, from here or from the cache.
    pub(super) fn read(&mut self, cache: &Cache, blob: &Descriptor) -> Result<Option<Vec<u8>>, Error> {
        if let Some(bytes) = cache.read(blob)? {
            return Ok(Some(bytes));
        }
        self.find(&blob_name(blob.digest))?.map(|staged| self.bytes(staged)).transpose()
    }

    /// Why the blob cannot be kept, if it is neither here nor in the cache.
    pub(super) fn lacks(&mut self, cache: &Cache, blob: &Descriptor) -> Result<Option<ImportError>, Error> {
        let name = blob_name(blob.digest);
        let here = self.files.values().any(|staged| staged.digest == blob.digest);
        if here || cache.has(blob) || self.find(&name)?.is_some() {
            return Ok(None);
        }
        Ok(Some(ImportError::Missing { path: self.path.clone(), name }))
    }

    /// Adds something that is made of what the archive has.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<Staged, Error> {
        let name = blob_name(Digest::of(bytes));
        self.stage(name, &mut &*bytes)
    }

    /// The first bytes of a file.
    pub(super) fn magic(&self, staged: Staged) -> Result<Vec<u8>, Error> {
        let path = self.place(staged.digest);
        let mut magic = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(4).read_to_end(&mut magic));
        read.map(|_| magic).map_err(|source| Error::Read { path, source })
    }

    /// Gives a blob its name in the cache.
    pub(super) fn keep(&mut self, cache: &Cache, blob: &Descriptor) -> Result<(), Error> {
        if cache.has(blob) {
            return Ok(());
        }
        let name = blob_name(blob.digest);
        let staged = match self.files.values().find(|staged| staged.digest == blob.digest) {
            Some(staged) => *staged,
            None => self.need(&name)?,
        };
        if staged.size != blob.size {
            let (path, found) = (self.path.clone(), staged.digest);
            return Err(ImportError::Damaged { path, name, found }.into());
        }
        let (from, to) = (self.place(blob.digest), cache.blob_path(blob.digest));
        create_parent(&to)?;
        let _lock = cache.lock_blob(blob.digest)?;
        // To be written, since Windows brings to the disk no file that is only read.
        let kept = File::options().write(true).open(&from).and_then(|file| {
            open_to_all(&file)?;
            file.sync_all()?;
            emit::rename(&from, &to)
        });
        kept.map_err(|source| Error::Write { path: to, source })
    }
}

fn blob_name(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// `./a/../b` is `b`.
fn clean(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// An archive, of which no more is to be read than so many bytes.
struct Bounded {
    inner: Box<dyn Read>,
    left: Rc<Cell<u64>>,
}

impl Read for Bounded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            let said = format!("the names or records of an entry have more than {MAX_RECORDS} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, said));
        }
        let most = usize::try_from(left).map_or(out.len(), |left| left.min(out.len()));
        let n = self.inner.read(&mut out[..most])?;
        self.left.set(left - n as u64);
        Ok(n)
    }
}

enum Copy {
    Read(io::Error),
    Write(io::Error),
}

fn copy(from: &mut dyn Read, to: &mut File) -> Result<(), Copy> {
    let mut block = vec![0; 64 << 10];
    loop {
        match from.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(n) => to.write_all(&block[..n]).map_err(Copy::Write)?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Copy::Read(e)),
        }
    }
}
