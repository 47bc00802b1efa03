//! An image of the cache, into a registry.

use super::manifest::Document;
use super::select::Choice;
use super::{Blob, Descriptor, Error, ImageError, Reference, Store, parallel};

impl Store {
    /// Sends an image with all its platforms to a registry, as `to`.
    ///
    /// # Errors
    /// Part of it is not in the cache, or the registry does not take it.
    pub fn push(&self, reference: &Reference, to: &Reference) -> Result<(), Error> {
        // The outer error is the cache's, the inner one tells what is not in it.
        let selection = self.cached(reference, Choice::All)??;
        let registry = self.registry()?;
        let mut blobs = Vec::new();
        self.list(&selection, &mut blobs);
        let is_manifest = |blob: &Blob| {
            let chosen = selection.manifests.iter().any(|m| m.descriptor.digest == blob.digest);
            chosen || blob.digest == selection.root.digest
        };
        let (manifests, blobs): (Vec<Blob>, Vec<Blob>) = blobs.into_iter().partition(is_manifest);
        parallel::each(&blobs, self.options.threads, |blob| {
            let task = self.screen.task("pushing", &to.to_string(), blob.size);
            let descriptor = Descriptor::new(&*blob.media_type, blob.digest, blob.size);
            registry.push_blob(to, &descriptor, &blob.path, &task)
        })?;
        // The index comes last: a registry takes none whose manifests it does not have.
        for manifest in manifests {
            let descriptor = Descriptor::new(&*manifest.media_type, manifest.digest, manifest.size);
            let Some(bytes) = self.cache.read(&descriptor)? else {
                return Err(Error::Damaged { path: manifest.path, found: None });
            };
            let document = Document::parse(&bytes)
                .map_err(|source| ImageError::Document { digest: manifest.digest, source }.of(reference))?;
            let is_root = manifest.digest == selection.root.digest;
            let name = if is_root { to.wanted() } else { manifest.digest.to_string() };
            // What its descriptor says: a registry compares it with the index.
            let media_type = match manifest.media_type.as_str() {
                "" => document.media_type(),
                known => known,
            };
            registry.push_manifest(to, &name, media_type, &bytes)?;
        }
        Ok(())
    }
}
