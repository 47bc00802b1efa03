//! What is missing, into the cache.
//!
//! ```text
//! 1  manifests, a few images at a time     2  blobs, each once, a few at a time     3  names
//! ```
//!
//! A name is the last thing to be written: it never points at something that is not there.

use super::file::mark_used;
use super::manifest::Document;
use super::registry::Registry;
use super::select::{Choice, Selection, mismatch, select};
use super::store::{Pull, Store};
use super::{Descriptor, Error, ImageError, Missing, Platform, Reference, parallel};
use std::collections::BTreeMap;

impl Store {
    /// Fetches images into the cache: for the platforms, or for all of them if there are none.
    ///
    /// # Errors
    /// One of them is not to be had.
    pub fn pull(&self, references: &[Reference], platforms: &[Platform]) -> Result<(), Error> {
        self.obtain(references, Choice::of(platforms)).map(drop)
    }

    /// What was chosen of each image; all of it is in the cache.
    pub(super) fn obtain(
        &self,
        references: &[Reference],
        choice: Choice<'_>,
    ) -> Result<Vec<Selection>, Error> {
        self.begin_use();
        let mut found: BTreeMap<&Reference, Selection> = BTreeMap::new();
        let mut missing: BTreeMap<&Reference, Missing> = BTreeMap::new();
        for reference in references {
            if self.options.pull == Pull::Always {
                missing.insert(reference, Missing { reference: reference.clone(), blobs: Vec::new() });
                continue;
            }
            match self.cached(reference, choice)? {
                Ok(selection) => drop(found.insert(reference, selection)),
                Err(absent) => drop(missing.insert(reference, absent)),
            }
        }
        if !missing.is_empty() {
            if self.options.pull == Pull::Never {
                return Err(Error::Offline(missing.into_values().collect()));
            }
            let wanted: Vec<&Reference> = missing.into_keys().collect();
            for (reference, selection) in wanted.iter().zip(self.fetch(&wanted, choice)?) {
                found.insert(reference, selection);
            }
        }
        for (reference, selection) in &found {
            self.check_platforms(reference, selection, choice.platforms())?;
            mark_used(&self.cache.blob_path(selection.root.digest));
        }
        Ok(references.iter().filter_map(|reference| found.get(reference).cloned()).collect())
    }

    /// An index has named the platforms; an image without one is for what its configuration says.
    fn check_platforms(
        &self,
        reference: &Reference,
        selection: &Selection,
        platforms: &[Platform],
    ) -> Result<(), Error> {
        if selection.indexed {
            return Ok(());
        }
        for image in selection.manifests.iter().filter(|_| !platforms.is_empty()) {
            let (_, config) = self.config(reference, &image.manifest)?;
            if let Some(error) = platforms.iter().find_map(|platform| mismatch(&config, platform)) {
                return Err(error.of(reference));
            }
        }
        Ok(())
    }

    /// The image if all of it is in the cache, else what is missing of it.
    pub(super) fn cached(
        &self,
        reference: &Reference,
        choice: Choice<'_>,
    ) -> Result<Result<Selection, Missing>, Error> {
        let missing = |blobs| Missing { reference: reference.clone(), blobs };
        let Some(root) = self.cache.find(reference)? else { return Ok(Err(missing(Vec::new()))) };
        let selection = select(reference, &root, choice, |blob| self.cache.read(blob))?;
        let lacking = selection.blobs().filter(|blob| !self.cache.has(blob));
        let absent: Vec<_> = selection.absent.iter().chain(lacking).map(|blob| blob.digest).collect();
        Ok(if absent.is_empty() { Ok(selection) } else { Err(missing(absent)) })
    }

    fn fetch(&self, references: &[&Reference], choice: Choice<'_>) -> Result<Vec<Selection>, Error> {
        let registry = self.registry()?;
        let threads = self.options.threads;
        let selections = parallel::each(references, threads, |reference| {
            self.screen.say(&format!("looking up {reference}"));
            self.fetch_manifests(registry, reference, choice)
        })?;
        let mut blobs: BTreeMap<_, (&Reference, &Descriptor)> = BTreeMap::new();
        for (reference, selection) in references.iter().zip(&selections) {
            let lacking = selection.blobs().filter(|blob| !self.cache.has(blob));
            blobs.extend(lacking.map(|blob| (blob.digest, (*reference, blob))));
        }
        let blobs: Vec<_> = blobs.into_values().collect();
        parallel::each(&blobs, threads, |(reference, blob)| {
            let task = self.screen.task("fetching", &reference.to_string(), blob.size);
            registry.blob(&self.cache, reference, blob, &task)
        })?;
        let entries: Vec<_> = references.iter().map(|reference| reference.cache_name()).collect();
        let roots = selections.iter().map(|selection| selection.root.clone());
        self.cache.record(&entries.into_iter().zip(roots).collect::<Vec<_>>())?;
        Ok(selections)
    }

    fn fetch_manifests(
        &self,
        registry: &Registry,
        reference: &Reference,
        choice: Choice<'_>,
    ) -> Result<Selection, Error> {
        let fetched = registry.manifest(reference, &reference.wanted())?;
        let document = Document::parse(&fetched.bytes);
        let document = document
            .map_err(|source| ImageError::Document { digest: fetched.digest, source }.of(reference))?;
        self.cache.put(&fetched.bytes)?;
        let root = Descriptor::new(document.media_type(), fetched.digest, fetched.bytes.len() as u64);
        select(reference, &root, choice, |blob| {
            if let Some(bytes) = self.cache.read(blob)? {
                return Ok(Some(bytes));
            }
            let bytes = registry.manifest(reference, &blob.digest.to_string())?.bytes;
            if bytes.len() as u64 != blob.size {
                let (digest, expected, found) = (blob.digest, blob.size, bytes.len() as u64);
                return Err(ImageError::Size { digest, expected, found }.of(reference));
            }
            self.cache.put(&bytes)?;
            Ok(Some(bytes))
        })
    }
}
