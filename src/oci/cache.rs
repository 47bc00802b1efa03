//! The image cache: an OCI layout, as LinuxKit keeps it.
//!
//! ```text
//! CACHE/oci-layout
//!       index.json            what is here, by `org.opencontainers.image.ref.name`
//!       blobs/sha256/HEX      complete and verified when they have their name
//!       .mkimage/lock         held while index.json is rewritten
//!                use          held by all who use the cache, or by one who removes something
//!                locks/XX     held while a blob or layer whose digest starts with XX is made
//!                partial/HEX  downloads on their way; resumed
//!                layers/      uncompressed layers; may be deleted when nothing runs
//!                segments/    compressed segments of initrds; so may these
//!                blocks/      compressed blocks of file systems and disks; and these
//! ```
//!
//! Every file gets its name by a rename when it is complete, so that a process that is killed
//! leaves a valid cache. Nothing is written where nothing is missing: a cache may be read-only.
//!
//! What is used gets a new time of modification, by which it is known what has not been used for
//! long: times of access are not kept everywhere.
//!
//! \[OCI-IMAGE\] *OCI Image Format Specification* 1.1, image-layout.md.

use super::file::{create_parent, lockable, open_to_all, rename};
use super::manifest::{Document, Index, METADATA_LIMIT, OCI_INDEX, REF_NAME};
use super::tidy::absent;
use super::{Descriptor, Digest, Error, Reference};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// \[OCI-IMAGE\] image-layout.md "oci-layout file".
pub(crate) const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// An OCI layout in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
}

impl Cache {
    pub(crate) fn new(dir: impl Into<PathBuf>) -> Self {
        Cache { dir: dir.into() }
    }

    /// What only mkimage reads.
    pub(crate) fn private(&self) -> PathBuf {
        self.dir.join(".mkimage")
    }

    /// The folder of compressed blocks.
    pub(crate) fn blocks(&self) -> PathBuf {
        self.private().join("blocks")
    }

    /// The folder of the blobs.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.dir.join("blobs").join("sha256")
    }

    pub(crate) fn blob_path(&self, digest: Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    pub(crate) fn partial_path(&self, digest: Digest) -> PathBuf {
        self.private().join("partial").join(digest.hex())
    }

    /// The blob is here, with the size that it must have.
    pub(crate) fn has(&self, blob: &Descriptor) -> bool {
        fs::metadata(self.blob_path(blob.digest)).is_ok_and(|meta| meta.is_file() && meta.len() == blob.size)
    }

    /// A manifest, index or configuration, verified; `None` if it is not here.
    pub(crate) fn read(&self, blob: &Descriptor) -> Result<Option<Vec<u8>>, Error> {
        if !self.has(blob) {
            return Ok(None);
        }
        if blob.size > METADATA_LIMIT {
            return Err(Error::Metadata { digest: blob.digest, size: blob.size });
        }
        let path = self.blob_path(blob.digest);
        let bytes = fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        match Digest::of(&bytes) {
            found if found == blob.digest => Ok(Some(bytes)),
            found => Err(Error::Damaged { path, found: Some(found) }),
        }
    }

    /// What index.json lists; nothing, if there is no cache yet.
    pub(crate) fn index(&self) -> Result<Index, Error> {
        let path = self.dir.join("index.json");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let (manifests, rest) = Default::default();
                return Ok(Index { schema_version: 2, media_type: OCI_INDEX.into(), manifests, rest });
            }
            Err(source) => return Err(Error::Read { path, source }),
        };
        match Document::parse(&bytes) {
            Ok(Document::Index(index)) => Ok(index),
            Ok(Document::Manifest(_)) => Err(Error::NotALayout { path }),
            Err(source) => Err(Error::Index { path, source }),
        }
    }

    /// The manifest or index of `reference`. One that is wanted by digest may be here under
    /// another name, or under none.
    pub(crate) fn find(&self, reference: &Reference) -> Result<Option<Descriptor>, Error> {
        let index = self.index()?;
        let names = [reference.cache_name(), reference.to_string()];
        let named = |m: &&Descriptor| m.annotations.get(REF_NAME).is_some_and(|name| names.contains(name));
        let Some(digest) = reference.digest() else {
            return Ok(index.manifests.iter().find(named).cloned());
        };
        if let Some(entry) = index.manifests.iter().find(|m| m.digest == digest) {
            return Ok(Some(entry.clone()));
        }
        // A manifest that another image's index refers to.
        let Ok(meta) = fs::metadata(self.blob_path(digest)) else { return Ok(None) };
        Ok(Some(Descriptor::new("", digest, meta.len())))
    }

    /// Gives `name` to a manifest or index, taking it from the one that had it.
    pub(crate) fn record(&self, entries: &[(String, Descriptor)]) -> Result<(), Error> {
        self.update(|index| {
            for (name, root) in entries {
                let mut root = root.clone();
                root.annotations.insert(REF_NAME.into(), name.clone());
                let named = |m: &&mut Descriptor| m.annotations.get(REF_NAME) == Some(name);
                match index.manifests.iter_mut().find(named) {
                    Some(entry) => *entry = root,
                    None => index.manifests.push(root),
                }
            }
        })
    }

    /// Rewrites index.json while no other process does.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Index) -> T) -> Result<T, Error> {
        let _lock = self.lock(&self.private().join("lock"))?;
        let before = self.index()?;
        let mut index = before.clone();
        let result = change(&mut index);
        let marker = self.dir.join("oci-layout");
        if !marker.exists() {
            self.place(&marker, LAYOUT.as_bytes())?;
        }
        let path = self.dir.join("index.json");
        if index != before || !path.exists() {
            let mut bytes = serde_json::to_vec_pretty(&index)
                .map_err(|e| Error::Write { path: path.clone(), source: e.into() })?;
            bytes.push(b'\n');
            self.place(&path, &bytes)?;
        }
        Ok(result)
    }

    /// Waits until no other process, and no other thread, makes this blob or layer.
    pub(crate) fn lock_blob(&self, digest: Digest) -> Result<File, Error> {
        // A bounded number of lock files, which need never be deleted.
        self.lock(&self.private().join("locks").join(&digest.hex()[..2]))
    }

    /// While this lives, nothing is removed. None if the cache cannot be written.
    pub(crate) fn shared(&self) -> Option<File> {
        let path = self.private().join("use");
        create_parent(&path).ok()?;
        // It may be somebody else's.
        let file = lockable(&path).or_else(|_| File::open(&path)).ok()?;
        file.lock_shared().ok()?;
        Some(file)
    }

    /// While this lives, nobody else uses the cache. `wait` is called if somebody does now.
    pub(crate) fn alone(&self, wait: impl FnOnce()) -> Result<File, Error> {
        let path = self.private().join("use");
        let failed = |source| Error::Write { path: path.clone(), source };
        create_parent(&path)?;
        let file = lockable(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                wait();
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        Ok(file)
    }

    /// The same, if nobody uses it now; none if somebody does, or if it cannot be written.
    pub(crate) fn alone_now(&self) -> Option<File> {
        let path = self.private().join("use");
        create_parent(&path).ok()?;
        let file = lockable(&path).ok()?;
        file.try_lock().ok()?;
        Some(file)
    }

    /// Removes the images, and all else that is in the cache but not the locks: somebody may wait
    /// for them.
    pub(crate) fn empty(&self) -> Result<(), Error> {
        let _lock = self.lock(&self.private().join("lock"))?;
        for file in ["index.json", "oci-layout"] {
            let path = self.dir.join(file);
            absent(fs::remove_file(&path), &path)?;
        }
        let blobs = self.dir.join("blobs");
        absent(fs::remove_dir_all(&blobs), &blobs)?;
        let private = self.private();
        let entries = fs::read_dir(&private).map_err(|source| Error::Read { path: private, source })?;
        for entry in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
            absent(fs::remove_dir_all(&entry), &entry)?;
        }
        Ok(())
    }

    fn lock(&self, path: &Path) -> Result<File, Error> {
        let failed = |source| Error::Write { path: path.to_owned(), source };
        create_parent(path)?;
        let file = lockable(path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }

    /// Keeps bytes as a blob.
    pub(crate) fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        let path = self.blob_path(digest);
        // Metadata is small: what is there is compared, so that a damaged blob is replaced.
        if !fs::read(&path).is_ok_and(|there| there == bytes) {
            let _lock = self.lock_blob(digest)?;
            self.place(&path, bytes)?;
        }
        Ok(digest)
    }

    /// Writes a small file beside its place and gives it its name when it is complete.
    fn place(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        create_parent(path)?;
        let dir = path.parent().unwrap_or(&self.dir);
        let done = tempfile::Builder::new().prefix(".mkimage-").suffix(".partial").tempfile_in(dir);
        done.and_then(|mut file| {
            file.write_all(bytes)?;
            open_to_all(file.as_file())?;
            file.as_file().sync_all()?;
            rename(file.into_temp_path(), path)
        })
        .map_err(|source| Error::Write { path: path.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().join("cache"));
        (dir, cache)
    }

    #[test]
    fn a_damaged_blob_is_replaced() {
        let (_dir, cache) = cache();
        let digest = cache.put(b"{}").unwrap();
        fs::write(cache.blob_path(digest), "{").unwrap();
        cache.put(b"{}").unwrap();
        assert_eq!(fs::read(cache.blob_path(digest)).unwrap(), b"{}");
    }

    #[test]
    fn the_index_is_replaced_while_others_read_it() {
        let (_dir, cache) = cache();
        let root = Descriptor::new("m", cache.put(b"x").unwrap(), 1);
        cache.record(&[("0".into(), root.clone())]).unwrap();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| (0..200).map(|_| cache.index().unwrap().manifests.len()).collect());
            (1..20).for_each(|n: u32| cache.record(&[(n.to_string(), root.clone())]).unwrap());
            let seen: Vec<usize> = reader.join().unwrap();
            assert!(seen.is_sorted() && seen[0] >= 1, "{seen:?}");
        });
        assert_eq!(cache.index().unwrap().manifests.len(), 20);
    }

    #[test]
    fn a_cache_that_is_not_there_is_empty_and_is_not_made_by_looking() {
        let (_dir, cache) = cache();
        assert_eq!(cache.index().unwrap().manifests, []);
        assert_eq!(cache.find(&"alpine".parse().unwrap()).unwrap(), None);
        assert!(!cache.dir.exists());
    }

    #[test]
    fn a_name_belongs_to_the_last_that_took_it() {
        let (_dir, cache) = cache();
        let name = "docker.io/library/alpine:latest".to_owned();
        for bytes in [b"one", b"two"] {
            let root = Descriptor::new("m", cache.put(bytes).unwrap(), 3);
            cache.record(&[(name.clone(), root)]).unwrap();
        }
        let found = cache.find(&"alpine".parse().unwrap()).unwrap().unwrap();
        assert_eq!(found.digest, Digest::of(b"two"));
        assert_eq!(cache.index().unwrap().manifests.len(), 1);
        // The first is still found by its digest.
        let by_digest = format!("alpine@{}", Digest::of(b"one")).parse().unwrap();
        assert_eq!(cache.find(&by_digest).unwrap().unwrap().size, 3);
    }

    #[test]
    fn many_threads_record_without_losing_an_entry() {
        let (_dir, cache) = cache();
        let root = Descriptor::new("m", cache.put(b"x").unwrap(), 1);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (cache, root) = (&cache, &root);
                scope.spawn(move || {
                    for n in 0..10 {
                        cache.record(&[(format!("r/{thread}:{n}"), root.clone())]).unwrap();
                    }
                });
            }
        });
        assert_eq!(cache.index().unwrap().manifests.len(), 40);
    }

    #[test]
    fn metadata_that_changed_on_disk_is_not_used() {
        let (_dir, cache) = cache();
        let digest = cache.put(b"{}").unwrap();
        let blob = Descriptor::new("m", digest, 2);
        fs::write(cache.blob_path(digest), "[]").unwrap();
        assert!(matches!(cache.read(&blob), Err(Error::Damaged { .. })));
        fs::write(cache.blob_path(digest), "{").unwrap();
        assert!(matches!(cache.read(&blob), Ok(None)));
    }
}
