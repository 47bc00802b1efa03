//! What can go wrong with an image.

use super::{
    Digest, DocumentError, ExportError, ImportError, LayerError, Platform, Reference, RegistryError,
};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why an image is not available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the cache, or one given by the user.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the cache.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The cache's list of images.
    #[error("`{path}` is not the index of an image cache")]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: DocumentError,
    },
    /// A manifest where the list of images should be.
    #[error("`{path}` is an image manifest, not the index of an image cache")]
    NotALayout {
        /// The file.
        path: PathBuf,
    },
    /// A blob that is not what its name says.
    #[error("`{path}` is damaged{}; remove it, and it is fetched again", bytes_say(found))]
    Damaged {
        /// The blob.
        path: PathBuf,
        /// What its bytes say; none, if it is gone.
        found: Option<Digest>,
    },
    /// A manifest, index or configuration that is too large.
    #[error(
        "{digest} has {size} bytes; a manifest or configuration may have {}",
        super::manifest::METADATA_LIMIT
    )]
    Metadata {
        /// The blob.
        digest: Digest,
        /// Bytes that are claimed.
        size: u64,
    },
    /// An image that is there, but cannot be used.
    #[error("cannot use image `{reference}`")]
    Image {
        /// The image.
        reference: Reference,
        /// What is wrong with it.
        source: Box<ImageError>,
    },
    /// A registry, and its mirror if it has one.
    #[error("cannot fetch image `{reference}`{}", after_mirror(mirror))]
    Fetch {
        /// The image.
        reference: Reference,
        /// What happened at the mirror before.
        mirror: Option<Box<RegistryError>>,
        /// What happened at the registry.
        source: Box<RegistryError>,
    },
    /// A registry does not take an image.
    #[error("cannot push image `{reference}`")]
    Push {
        /// The image.
        reference: Reference,
        /// What happened.
        source: Box<RegistryError>,
    },
    /// No image of that name.
    #[error("image `{reference}` is not in the cache")]
    NotInCache {
        /// The name.
        reference: Reference,
    },
    /// A file of images.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// An archive of images.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Only part of an image is here.
    #[error("not all of the image is in the cache; `mkimage cache pull` fetches the rest: {0}")]
    Incomplete(Missing),
    /// The network cannot be used.
    #[error("cannot use the network")]
    Network(#[source] Box<RegistryError>),
    /// A document that is no image.
    #[error("cannot fetch `{url}`")]
    Document {
        /// Where it is.
        url: String,
        /// What happened.
        source: Box<RegistryError>,
    },
    /// A document that is no image, and the network may not be used.
    #[error("--offline forbids to fetch `{url}`")]
    OfflineDocument {
        /// Where it is.
        url: String,
    },
    /// The network may not be used, and something is not here.
    #[error("not in the cache, and --offline forbids to fetch:{}", lines(.0))]
    Offline(Vec<Missing>),
}

/// What is wrong with an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A manifest or an index that cannot be read.
    #[error("{digest} is not what it should be")]
    Document {
        /// The manifest.
        digest: Digest,
        /// What is wrong with it.
        source: DocumentError,
    },
    /// A configuration that cannot be read.
    #[error("{digest} is not an image configuration")]
    Config {
        /// The configuration.
        digest: Digest,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An index in an index.
    #[error("its index names {0}, which is an index again; only one level is known")]
    NestedIndex(Digest),
    /// The index has no such platform.
    #[error("it is not for {wanted}; it is for {}", list(available))]
    NoPlatform {
        /// What was asked for.
        wanted: Platform,
        /// What there is.
        available: Vec<Platform>,
    },
    /// The only image is for something else.
    #[error("it is for {found}, not for {wanted}")]
    WrongPlatform {
        /// What was asked for.
        wanted: Platform,
        /// What it is.
        found: Platform,
    },
    /// Nothing to choose.
    #[error("its index names no manifest")]
    Empty,
    /// A blob in the registry that is not as long as the manifest says.
    #[error("{digest} has {found} bytes; its index says {expected}")]
    Size {
        /// The manifest.
        digest: Digest,
        /// In the index.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// Layers and their digests don't pair.
    #[error("it has {layers} layers, but its configuration names {diff_ids}")]
    Layers {
        /// In the manifest.
        layers: usize,
        /// In the configuration.
        diff_ids: usize,
    },
    /// A layer.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

impl ImageError {
    pub(crate) fn of(self, reference: &Reference) -> Error {
        Error::Image { reference: reference.clone(), source: Box::new(self) }
    }
}

impl From<Missing> for Error {
    fn from(missing: Missing) -> Self {
        match missing.blobs[..] {
            [] => Error::NotInCache { reference: missing.reference },
            _ => Error::Incomplete(missing),
        }
    }
}

/// Something that would have to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The image.
    pub reference: Reference,
    /// The parts that are missing of an image that is there; none if all of it is.
    pub blobs: Vec<Digest>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reference)?;
        for (n, digest) in self.blobs.iter().enumerate() {
            write!(f, "{}{digest}", if n == 0 { " (of it: " } else { ", " })?;
        }
        if self.blobs.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

fn list(platforms: &[Platform]) -> String {
    match platforms {
        [] => "no platform at all".into(),
        _ => platforms.iter().map(Platform::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn bytes_say(found: &Option<Digest>) -> String {
    found.map_or_else(|| " or gone".into(), |found| format!(": its bytes have the digest {found}"))
}

fn after_mirror(mirror: &Option<Box<RegistryError>>) -> String {
    let Some(error) = mirror else { return String::new() };
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!(" (its mirror: {error}{})", cause.unwrap_or_default())
}

fn lines(missing: &[Missing]) -> String {
    missing.iter().map(|m| format!("\n  {m}")).collect()
}
