//! Images by their names: from the cache, and what is missing from registries.

use super::cache::Cache;
use super::manifest::{IN_TOTO, ImageConfig, PREDICATE_TYPE};
use super::progress::{Progress, Screen};
use super::select::{Choice, Selection, mismatch, select};
use super::spool::Spool;
use super::{Descriptor, Digest, Error, ImageError, Missing, Platform, Reference, parallel};
use std::env;
use std::path::PathBuf;

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
#[derive(Debug)]
pub struct Store {
    options: StoreOptions,
    cache: Cache,
    spool: Spool,
    screen: Screen,
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
        Ok(Store { options, cache, spool, screen })
    }

    /// The images of these names for one platform, in their order.
    ///
    /// # Errors
    /// One of them is not to be had, or not for that platform. [`Error::Offline`] names all that
    /// are missing.
    pub fn resolve(&self, references: &[Reference], platform: &Platform) -> Result<Vec<Image>, Error> {
        let wanted: Vec<(Reference, Choice<'_>)> =
            references.iter().map(|r| (r.clone(), Choice::Run(platform))).collect();
        let selections = self.obtain(&wanted)?;
        let images = parallel::each(&selections, self.options.threads, |(reference, selection)| {
            self.image(reference, selection, platform)
        })?;
        Ok(images)
    }

    /// An image with all its blobs, for the platforms, or for all of them and with what attests
    /// them if there are none.
    ///
    /// # Errors
    /// It is not to be had, or not for one of the platforms.
    pub fn oci_layout(&self, reference: &Reference, platforms: &[Platform]) -> Result<OciImage, Error> {
        let choice = if platforms.is_empty() { Choice::All } else { Choice::Platforms(platforms) };
        let selections = self.obtain(&[(reference.clone(), choice)])?;
        let mut out = OciImage { root: selections[0].1.root.clone(), blobs: Vec::new() };
        for chosen in &selections[0].1.manifests {
            out.push(&self.cache, &chosen.manifest.config);
            chosen.manifest.layers.iter().for_each(|layer| out.push(&self.cache, layer));
            out.push(&self.cache, &chosen.descriptor);
        }
        let root = out.root.clone();
        out.push(&self.cache, &root);
        Ok(out)
    }

    /// Everything that was chosen is in the cache afterwards.
    fn obtain(&self, wanted: &[(Reference, Choice<'_>)]) -> Result<Vec<(Reference, Selection)>, Error> {
        let mut found = Vec::new();
        let mut missing = Vec::new();
        for (reference, choice) in wanted {
            match self.cached(reference, *choice)? {
                Ok(selection) => found.push((reference.clone(), selection)),
                Err(blobs) => missing.push(Missing { reference: reference.clone(), blobs }),
            }
        }
        missing.dedup();
        if missing.is_empty() { Ok(found) } else { Err(Error::Offline(missing)) }
    }

    /// The image if all of it is in the cache, else what is missing of it.
    fn cached(
        &self,
        reference: &Reference,
        choice: Choice<'_>,
    ) -> Result<Result<Selection, Vec<Digest>>, Error> {
        let Some(root) = self.cache.find(reference)? else { return Ok(Err(Vec::new())) };
        let selection = select(reference, &root, choice, |blob| self.cache.read(blob))?;
        let absent: Vec<Digest> = (selection.absent.iter())
            .chain(selection.blobs().filter(|blob| !self.cache.has(blob)))
            .map(|blob| blob.digest)
            .collect();
        Ok(if absent.is_empty() { Ok(selection) } else { Err(absent) })
    }

    fn image(
        &self,
        reference: &Reference,
        selection: &Selection,
        platform: &Platform,
    ) -> Result<Image, Error> {
        let absent = |digest| Missing { reference: reference.clone(), blobs: vec![digest] };
        let [image, attestations @ ..] = &selection.manifests[..] else {
            return Err(Error::Offline(vec![absent(selection.root.digest)]));
        };
        let manifest = &image.manifest;
        let digest = manifest.config.digest;
        let config_bytes =
            self.cache.read(&manifest.config)?.ok_or_else(|| Error::Offline(vec![absent(digest)]))?;
        let config: ImageConfig = serde_json::from_slice(&config_bytes)
            .map_err(|source| ImageError::Config { digest, source }.of(reference))?;
        if let Some(error) = mismatch(&config, platform).filter(|_| !selection.indexed) {
            return Err(error.of(reference));
        }
        let diff_ids = &config.rootfs.diff_ids;
        if diff_ids.len() != manifest.layers.len() {
            let (layers, diff_ids) = (manifest.layers.len(), diff_ids.len());
            return Err(ImageError::Layers { layers, diff_ids }.of(reference));
        }
        let mut layers = Vec::new();
        for (blob, diff_id) in manifest.layers.iter().zip(diff_ids) {
            let task = self.screen.task("unpacking", &reference.to_string(), blob.size);
            let tar = self.spool.layer(&self.cache, blob, *diff_id, &task)?;
            let tar = tar.map_err(|e| ImageError::from(e).of(reference))?;
            layers.push(Layer { digest: blob.digest, diff_id: *diff_id, tar });
        }
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
}

impl OciImage {
    fn push(&mut self, cache: &Cache, blob: &Descriptor) {
        if self.blobs.iter().all(|have| have.digest != blob.digest) {
            self.blobs.push(Blob {
                digest: blob.digest,
                media_type: blob.media_type.clone(),
                size: blob.size,
                path: cache.blob_path(blob.digest),
            });
        }
    }
}
