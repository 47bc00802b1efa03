//! Documents that are not images, and room for files that are made from images.

use super::file::mark_used;
use super::{Error, Pull, Scratch, Store};
use mkimage_formats::spool::Cache;
use std::path::PathBuf;

impl Store {
    /// What is at an http or https URL.
    ///
    /// # Errors
    /// It is too large to be a document, is not to be had, or the network is not to be used.
    pub fn document(&self, url: &str) -> Result<Vec<u8>, Error> {
        if self.options.pull == Pull::Never {
            return Err(Error::OfflineDocument { url: url.into() });
        }
        let fetched = self.registry()?.document(url);
        fetched.map_err(|source| Error::Document { url: url.into(), source: Box::new(source) })
    }

    /// A new folder beside the layers, on a disk with room for them. It goes when it is dropped.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn scratch(&self) -> Result<Scratch, Error> {
        self.thin();
        // Who cleans up takes what is left of others, and the folder may outlive this store.
        let lock = self.cache.shared();
        let dir = self.spool.dir();
        let scratch =
            Scratch::new(dir, "scratch-").map_err(|source| Error::Write { path: dir.into(), source })?;
        // What is not locked may go at any time.
        let kept = lock.is_some() && self.spool.is_kept();
        let blocks = kept.then(|| Cache::new(self.cache.blocks(), mark_used));
        Ok(scratch.with_lock(lock, blocks))
    }

    /// Where the cache keeps segments of initrds; none, if it cannot be written.
    #[must_use]
    pub fn segments(&self) -> Option<PathBuf> {
        self.spool.is_kept().then(|| self.cache.private().join("segments"))
    }
}
