//! Images from files: an OCI layout, or what `docker save` writes.
//!
//! ```text
//! folder ──────────┐              ┌─ index.json ────▶ manifests ──┐
//! tar, gzip, zstd ─┴─▶ staging ──▶┤                               ├─▶ blobs, names
//!                                 └─ manifest.json ─▶ made here ──┘
//! ```
//!
//! Whatever an archive has is kept under its digest in a folder of the cache until it is clear
//! what it is; what belongs to no image goes away with that folder. Names in an archive are never
//! names on this disk.
//!
//! \[OCI-IMAGE\] image-layout.md; \[DOCKER-SAVE\] *Docker Image Specification* 1.2 "Combined
//! Image JSON + Filesystem Changeset Format".

mod docker;
mod staging;

use super::manifest::{Document, REF_NAME};
use super::select::{Choice, Selection, select};
use super::{Descriptor, Digest, Error, ImageError, Reference, Store};
use staging::Staging;
use std::io;
use std::path::{Path, PathBuf};

/// The full name of an image in archives of containerd and Docker, which write only the tag where
/// the layout has its name.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// Why a file's images cannot be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file, or one in it.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system, or the archive's reader, said.
        source: io::Error,
    },
    /// Neither of the two kinds.
    #[error(
        "`{path}` is neither an OCI layout nor an archive of `docker save`: it has no index.json or manifest.json"
    )]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// A list of images that cannot be read.
    #[error("`{name}` in `{path}` is not a list of images")]
    List {
        /// The archive.
        path: PathBuf,
        /// The file in it.
        name: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A file that should be in the archive.
    #[error("`{name}` is missing in `{path}`")]
    Missing {
        /// The archive.
        path: PathBuf,
        /// What is missing.
        name: String,
    },
    /// A blob that is not what its name says.
    #[error("`{name}` in `{path}` is damaged: its bytes have the digest {found}")]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// The file in it.
        name: String,
        /// What its bytes say.
        found: Digest,
    },
    /// A bomb, or a very large layer.
    #[error("`{name}` in `{path}` has more than {limit} bytes, which no layer may have")]
    TooLarge {
        /// The archive.
        path: PathBuf,
        /// The file in it.
        name: String,
        /// Bytes.
        limit: u64,
    },
    /// Nothing says what the image is called.
    #[error("an image in `{path}` has no name, or only the tag `{tag}`; --name gives it one")]
    Nameless {
        /// The archive.
        path: PathBuf,
        /// What there is of a name.
        tag: String,
    },
    /// One name for several images.
    #[error("`{path}` has {images} images; --name can be given for one")]
    Several {
        /// The archive.
        path: PathBuf,
        /// How many.
        images: usize,
    },
}

impl Store {
    /// Takes the images of an OCI layout (a folder or a tar archive) or of a `docker save`
    /// archive into the cache, and gives their names.
    ///
    /// # Errors
    /// The file is something else, or something in it is missing or damaged.
    pub fn import(&self, path: &Path, name: Option<&Reference>) -> Result<Vec<Reference>, Error> {
        self.begin_use();
        let mut staging = Staging::open(&self.cache, path, self.options.max_layer_size)?;
        let archive = staging.path().to_owned();
        let images = match (staging.list("index.json")?, staging.list("manifest.json")?) {
            (Some(index), _) => layout_images(&archive, &index)?,
            (None, Some(manifest)) => docker::images(&mut staging, &archive, &manifest)?,
            (None, None) => return Err(ImportError::Unknown { path: archive }.into()),
        };
        let mut entries = Vec::new();
        match (name, images.len()) {
            (Some(name), 1) => entries.push((name.clone(), images[0].1.clone())),
            (Some(_), images) => {
                return Err(ImportError::Several { path: archive, images }.into());
            }
            (None, _) => {
                for (name, root) in images {
                    // An image may have several names, and one without any beside them.
                    let full = name.parse().ok().filter(|_| name.contains(['/', ':']));
                    let full: Option<Reference> = full;
                    let path = archive.clone();
                    entries.push((full.ok_or(ImportError::Nameless { path, tag: name })?, root));
                }
            }
        }
        for (name, root) in &entries {
            self.screen.say(&format!("importing {name}"));
            let selection = self.staged(&mut staging, name, root)?;
            for chosen in &selection.manifests {
                for blob in chosen.blobs() {
                    staging.keep(&self.cache, blob)?;
                }
                staging.keep(&self.cache, &chosen.descriptor)?;
            }
            staging.keep(&self.cache, root)?;
        }
        let named = entries.iter().map(|(name, root)| (name.cache_name(), root.clone()));
        self.cache.record(&named.collect::<Vec<_>>())?;
        Ok(entries.into_iter().map(|(name, _)| name).collect())
    }

    /// What there is of the image: an archive for one platform may have the index of all, and
    /// the manifests too.
    fn staged(&self, staging: &mut Staging, name: &Reference, root: &Descriptor) -> Result<Selection, Error> {
        let mut selection = select(name, root, Choice::All, |blob| staging.read(&self.cache, blob))?;
        let mut missed = None;
        let mut kept = Vec::new();
        for chosen in selection.manifests {
            let lacking = chosen.blobs().find_map(|blob| staging.lacks(&self.cache, blob).transpose());
            match lacking {
                None => kept.push(chosen),
                Some(missing) => missed = missed.or(Some(missing?)),
            }
        }
        selection.manifests = kept;
        match (selection.manifests.iter().any(|chosen| !chosen.attestation), missed) {
            (true, _) => Ok(selection),
            (false, Some(missing)) => Err(missing.into()),
            (false, None) => Err(ImageError::Empty.of(name)),
        }
    }
}

/// The images of an OCI layout: name (or what there is of it), manifest or index.
fn layout_images(path: &Path, bytes: &[u8]) -> Result<Vec<(String, Descriptor)>, Error> {
    let index = match Document::parse(bytes) {
        Ok(Document::Index(index)) => index,
        Ok(Document::Manifest(_)) => return Err(Error::NotALayout { path: path.join("index.json") }),
        Err(source) => return Err(Error::Index { path: path.join("index.json"), source }),
    };
    let named = index.manifests.into_iter().map(|mut root| {
        let mut take = |key: &str| root.annotations.remove(key).filter(|name| !name.is_empty());
        let name = take(CONTAINERD_NAME);
        let name = name.or(take(REF_NAME)).unwrap_or_default();
        (name, root)
    });
    Ok(named.collect())
}
