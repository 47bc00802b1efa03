//! What is in the cache, and getting rid of it.

use super::manifest::REF_NAME;
use super::select::{Choice, select};
use super::{Descriptor, Digest, Error, Reference, Store};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// An image that the cache has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Of its manifest or index.
    pub digest: Digest,
}

impl Store {
    /// The images of the cache, by name.
    ///
    /// # Errors
    /// The cache cannot be read.
    pub fn list_images(&self) -> Result<Vec<Listed>, Error> {
        let mut images: Vec<Listed> = (self.cache.index()?.manifests.iter())
            .filter_map(|m| Some(Listed { name: m.annotations.get(REF_NAME)?.clone(), digest: m.digest }))
            .collect();
        images.sort();
        Ok(images)
    }

    /// Takes an image out of the cache, with the blobs that no other one has.
    ///
    /// # Errors
    /// It is not there, or the cache cannot be written.
    pub fn remove(&self, reference: &Reference) -> Result<(), Error> {
        let _alone = self.alone()?;
        let names = [reference.cache_name(), reference.to_string()];
        let named = |m: &Descriptor| m.annotations.get(REF_NAME).is_some_and(|name| names.contains(name));
        let lost = self.cache.update(|index| {
            let (gone, kept): (Vec<_>, Vec<_>) = index.manifests.drain(..).partition(|m| named(m));
            index.manifests = kept;
            if gone.is_empty() {
                return Err(Error::NotInCache { reference: reference.clone() });
            }
            // Should another image's blobs not be known, nothing is deleted.
            let kept = self.reachable(reference, &index.manifests)?;
            let mut lost = self.reachable(reference, &gone)?;
            lost.retain(|digest| !kept.contains(digest));
            Ok(lost)
        })??;
        for digest in &lost {
            absent(fs::remove_file(self.cache.blob_path(*digest)), &self.cache.blob_path(*digest))?;
        }
        self.spool.forget(&lost)
    }

    /// Empties the cache: images, blobs, unpacked layers, segments of initrds, compressed blocks.
    /// What else is in the folder stays.
    ///
    /// # Errors
    /// Something cannot be removed.
    pub fn clean(&self) -> Result<(), Error> {
        let _alone = self.alone()?;
        self.cache.empty()
    }

    /// Takes those images out of the cache that a registry has as well.
    ///
    /// # Errors
    /// The cache cannot be read or written. Images that a registry does not have stay.
    pub fn clean_published(&self) -> Result<Vec<Listed>, Error> {
        let mut removed = Vec::new();
        for image in self.list_images()? {
            let Ok(reference) = image.name.parse::<Reference>() else { continue };
            match self.registry()?.manifest(&reference, &reference.wanted()) {
                Ok(fetched) if fetched.digest == image.digest => {
                    self.remove(&reference)?;
                    removed.push(image);
                }
                Ok(fetched) => self.screen.say(&format!(
                    "keeping {}: the registry has {}, the cache {}",
                    image.name, fetched.digest, image.digest
                )),
                Err(error) => self.screen.say(&format!("keeping {}: {error}", image.name)),
            }
        }
        Ok(removed)
    }

    /// Every blob that these manifests and indexes lead to.
    fn reachable(&self, reference: &Reference, roots: &[Descriptor]) -> Result<BTreeSet<Digest>, Error> {
        let mut out = BTreeSet::new();
        for root in roots {
            let selection = select(reference, root, Choice::All, |blob| self.cache.read(blob))?;
            out.insert(root.digest);
            out.extend(selection.manifests.iter().map(|m| m.descriptor.digest));
            out.extend(selection.blobs().map(|blob| blob.digest));
        }
        Ok(out)
    }
}

/// It is fine if there was nothing to remove.
pub(super) fn absent(removed: io::Result<()>, path: &Path) -> Result<(), Error> {
    match removed {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(Error::Write { path: path.to_owned(), source: e })
        }
        _ => Ok(()),
    }
}
