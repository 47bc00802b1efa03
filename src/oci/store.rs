//! Images by their names: from the cache, and what is missing from registries.

use super::cache::Cache;
use super::file::mark_used;
use super::manifest::{IN_TOTO, ImageConfig, Manifest, PREDICATE_TYPE};
use super::progress::{Progress, Screen};
use super::registry::{Mirror, Registry};
use super::select::{Choice, Selection};
use super::spool::Spool;
use super::{Descriptor, Digest, Error, ImageError, Platform, Reference, parallel};
use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

/// When registries are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pull {
    /// For what is not in the cache.
    #[default]
    Missing,
    /// For every image; layers that are in the cache are not fetched again.
    Always,
    /// Never: the network is not touched.
    Never,
}

/// What a [`Store`] works with.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The cache's folder; made when something must be written to it.
    pub cache: PathBuf,
    /// When registries are asked.
    pub pull: Pull,
    /// Bytes that one layer may have when it is unpacked.
    pub max_layer_size: u64,
    /// What is shown.
    pub progress: Progress,
    /// Where images are looked for first.
    pub mirrors: Vec<Mirror>,
    /// PEM certificates that are trusted besides the system's.
    pub cert_files: Vec<PathBuf>,
    /// Downloads, and layers being unpacked, at the same time.
    pub threads: usize,
}

impl StoreOptions {
    /// The default of [`StoreOptions::max_layer_size`].
    pub const MAX_LAYER_SIZE: u64 = 32 << 30;
    /// The default of [`StoreOptions::threads`].
    pub const THREADS: usize = 4;

    /// The defaults, with a cache.
    #[must_use]
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        StoreOptions {
            cache: cache.into(),
            pull: Pull::default(),
            max_layer_size: StoreOptions::MAX_LAYER_SIZE,
            progress: Progress::default(),
            mirrors: Vec::new(),
            cert_files: Vec::new(),
            threads: StoreOptions::THREADS,
        }
    }
}

/// The folder of the cache, if none is given: `MKIMAGE_CACHE`, `LINUXKIT_CACHE`, or `mkimage` in
/// the folder that the system keeps caches in. `None` if the environment does not say where.
#[must_use]
pub fn default_cache() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(cache) = folder("MKIMAGE_CACHE").or_else(|| folder("LINUXKIT_CACHE")) {
        return Some(cache);
    }
    let system = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library").join("Caches"))
    } else {
        folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))
    };
    system.map(|folder| folder.join("mkimage"))
}

/// An image for one platform, all of it on this host's disk.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its name.
    pub reference: Reference,
    /// What it was chosen for.
    pub platform: Platform,
    /// Of the manifest for that platform.
    pub digest: Digest,
    /// The configuration, as it came.
    pub config_bytes: Vec<u8>,
    /// The configuration, as far as containers need it.
    pub config: ImageConfig,
    /// Bottom first.
    pub layers: Vec<Layer>,
    /// Statements about the image; only an index can have some.
    pub attestations: Vec<Attestation>,
}

/// A layer. The file stays as it is while the [`Store`] lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Of the blob.
    pub digest: Digest,
    /// Of the tar archive.
    pub diff_id: Digest,
    /// The tar archive, not compressed.
    pub tar: PathBuf,
}

/// An in-toto statement about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// Of the statement.
    pub digest: Digest,
    /// What it is about: `https://spdx.dev/Document` for an SBOM. Empty if it does not say.
    pub predicate_type: String,
    /// Bytes.
    pub size: u64,
    /// The statement, JSON.
    pub path: PathBuf,
}

/// An image with everything that belongs to it, as an OCI layout holds it.
#[derive(Clone, Debug)]
pub struct OciImage {
    /// The index, or the manifest of an image that has no index.
    pub root: Descriptor,
    /// For each manifest its configuration, its layers and itself, then the index; each once.
    pub blobs: Vec<Blob>,
}

/// A blob in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its digest.
    pub digest: Digest,
    /// What it is.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// The file.
    pub path: PathBuf,
}

/// A cache, and the registries that fill it.
///
/// Once it has got images, nothing is removed from the cache by others while it lives. What removes
/// something waits for that, so use no second store meanwhile.
#[derive(Debug)]
pub struct Store {
    pub(super) options: StoreOptions,
    pub(super) cache: Cache,
    pub(super) screen: Screen,
    pub(super) spool: Spool,
    registry: OnceLock<Registry>,
    in_use: Mutex<Option<File>>,
}

impl Store {
    /// A store on a cache. Nothing is written yet but an empty folder for layers.
    ///
    /// # Errors
    /// Neither the cache nor the folder for temporary files can be written.
    pub fn open(options: StoreOptions) -> Result<Self, Error> {
        let cache = Cache::new(&options.cache);
        let spool = Spool::open(&cache, options.max_layer_size)?;
        let screen = Screen::new(options.progress);
        let (registry, in_use) = Default::default();
        Ok(Store { options, cache, screen, spool, registry, in_use })
    }

    /// From now on, nothing that this store uses is removed by another process.
    pub(super) fn begin_use(&self) {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if in_use.is_none() {
            *in_use = self.cache.shared();
        }
    }

    /// Waits until nobody uses the cache, and keeps others from it while the result lives.
    pub(super) fn alone(&self) -> Result<File, Error> {
        drop(self.in_use.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.cache.alone(|| self.screen.say("waiting for others who use the cache"))
    }

    /// The images of these names for one platform, in their order.
    ///
    /// # Errors
    /// One of them is not to be had, or not for that platform. [`Error::Offline`] names all that
    /// are missing.
    pub fn resolve(&self, references: &[Reference], platform: &Platform) -> Result<Vec<Image>, Error> {
        let selections = self.obtain(references, Choice::Run(platform))?;
        let named = references.iter().zip(&selections);
        let mut images = named
            .map(|(reference, selection)| self.image(reference, selection, platform))
            .collect::<Result<Vec<_>, Error>>()?;
        let mut jobs: Vec<(&Reference, Layer)> = Vec::new();
        for (image, reference) in images.iter().zip(references) {
            for layer in &image.layers {
                if jobs.iter().all(|(_, job)| job != layer) {
                    jobs.push((reference, layer.clone()));
                }
            }
        }
        let sizes: BTreeMap<Digest, &Descriptor> =
            selections.iter().flat_map(Selection::blobs).map(|blob| (blob.digest, blob)).collect();
        let tars = parallel::each(&jobs, self.options.threads, |(reference, layer)| {
            let blob = sizes[&layer.digest];
            let task = || self.screen.task("unpacking", &reference.to_string(), blob.size);
            let tar = self.spool.layer(&self.cache, blob, layer.diff_id, task)?;
            tar.map_err(|e| ImageError::from(e).of(reference))
        })?;
        for layer in images.iter_mut().flat_map(|image| &mut image.layers) {
            let job = jobs.iter().zip(&tars).find(|((_, job), _)| job == layer);
            layer.tar = job.map(|(_, tar)| tar.clone()).unwrap_or_default();
        }
        // Once more, after its layers: who cleans up takes them before the image.
        selections.iter().for_each(|selection| mark_used(&self.cache.blob_path(selection.root.digest)));
        Ok(images)
    }

    /// An image with all its blobs, for the platforms, or for all of them and with what attests
    /// them if there are none.
    ///
    /// # Errors
    /// It is not to be had, or not for one of the platforms.
    pub fn oci_layout(&self, reference: &Reference, platforms: &[Platform]) -> Result<OciImage, Error> {
        let selections = self.obtain(std::slice::from_ref(reference), Choice::of(platforms))?;
        let mut blobs = Vec::new();
        let mut root = None;
        for selection in selections {
            self.list(&selection, &mut blobs);
            root = Some(selection.root);
        }
        let root = root.ok_or_else(|| ImageError::Empty.of(reference))?;
        Ok(OciImage { root, blobs })
    }

    /// The connections, made when they are first needed.
    pub(super) fn registry(&self) -> Result<&Registry, Error> {
        if let Some(registry) = self.registry.get() {
            return Ok(registry);
        }
        let made = Registry::new(&self.options.mirrors, &self.options.cert_files);
        let made = made.map_err(|e| Error::Network(Box::new(e)))?;
        Ok(self.registry.get_or_init(|| made))
    }

    /// The image without its layers' archives.
    fn image(
        &self,
        reference: &Reference,
        selection: &Selection,
        platform: &Platform,
    ) -> Result<Image, Error> {
        let Some((image, attestations)) = selection.manifests.split_first() else {
            return Err(ImageError::Empty.of(reference));
        };
        let manifest = &image.manifest;
        let (config_bytes, config) = self.config(reference, manifest)?;
        let diff_ids = &config.rootfs.diff_ids;
        if diff_ids.len() != manifest.layers.len() {
            let (layers, diff_ids) = (manifest.layers.len(), diff_ids.len());
            return Err(ImageError::Layers { layers, diff_ids }.of(reference));
        }
        let pairs = manifest.layers.iter().zip(diff_ids);
        let layers = pairs
            .map(|(blob, id)| Layer { digest: blob.digest, diff_id: *id, tar: PathBuf::new() })
            .collect();
        let statements = attestations.iter().filter(|m| m.attestation).flat_map(|m| &m.manifest.layers);
        let attestations = statements.filter(|layer| layer.media_type == IN_TOTO).map(|layer| Attestation {
            digest: layer.digest,
            predicate_type: layer.annotations.get(PREDICATE_TYPE).cloned().unwrap_or_default(),
            size: layer.size,
            path: self.cache.blob_path(layer.digest),
        });
        Ok(Image {
            reference: reference.clone(),
            platform: platform.clone(),
            digest: image.descriptor.digest,
            attestations: attestations.collect(),
            config_bytes,
            config,
            layers,
        })
    }

    /// The configuration of an image that is in the cache, as it came and as it is read.
    pub(super) fn config(
        &self,
        reference: &Reference,
        manifest: &Manifest,
    ) -> Result<(Vec<u8>, ImageConfig), Error> {
        let digest = manifest.config.digest;
        let Some(bytes) = self.cache.read(&manifest.config)? else {
            return Err(Error::Damaged { path: self.cache.blob_path(digest), found: None });
        };
        let config = serde_json::from_slice(&bytes)
            .map_err(|source| ImageError::Config { digest, source }.of(reference))?;
        Ok((bytes, config))
    }

    /// All blobs of a selection: configuration, layers and manifest of each, then the index.
    pub(super) fn list(&self, selection: &Selection, blobs: &mut Vec<Blob>) {
        let each = selection.manifests.iter().flat_map(|m| m.blobs().chain(Some(&m.descriptor)));
        for blob in each.chain(Some(&selection.root)) {
            if blobs.iter().all(|have| have.digest != blob.digest) {
                blobs.push(Blob {
                    digest: blob.digest,
                    media_type: blob.media_type.clone(),
                    size: blob.size,
                    path: self.cache.blob_path(blob.digest),
                });
            }
        }
    }
}
