//! The archive of `docker save`, as images.
//!
//! ```text
//! manifest.json   [{"Config": "HEX.json", "RepoTags": ["alpine:3"], "Layers": ["HEX/layer.tar"]}]
//! HEX.json        the configuration
//! HEX/layer.tar   a layer, not compressed; perhaps a symbolic link to another
//! ```
//!
//! \[DOCKER-SAVE\] *Docker Image Specification* 1.2.

use super::super::manifest::{Manifest, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST};
use super::super::{Descriptor, Error};
use super::ImportError;
use super::staging::Staging;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// The images of manifest.json, each as an OCI manifest: name (empty, if there is none), manifest.
pub(super) fn images(
    staging: &mut Staging,
    path: &Path,
    list: &[u8],
) -> Result<Vec<(String, Descriptor)>, Error> {
    let saved: Vec<Saved> = serde_json::from_slice(list).map_err(|source| {
        let name = "manifest.json";
        ImportError::List { path: path.to_owned(), name, source }
    })?;
    let mut images = Vec::new();
    for image in saved {
        let config = staging.need(&image.config)?;
        let config = Descriptor::new(OCI_CONFIG, config.digest, config.size);
        let mut layers = Vec::new();
        for layer in &image.layers {
            let staged = staging.need(layer)?;
            // BuildKit's archives have compressed layers.
            let suffix = match staging.magic(staged)?[..] {
                [0x1f, 0x8b, ..] => "+gzip",
                [0x28, 0xb5, 0x2f, 0xfd] => "+zstd",
                _ => "",
            };
            layers.push(Descriptor::new(format!("{OCI_LAYER}{suffix}"), staged.digest, staged.size));
        }
        let manifest = Manifest { schema_version: 2, media_type: OCI_MANIFEST.into(), config, layers };
        let bytes = serde_json::to_vec(&manifest).map_err(|source| {
            let name = "manifest.json";
            ImportError::List { path: path.to_owned(), name, source }
        })?;
        let staged = staging.add(&bytes)?;
        let root = Descriptor::new(OCI_MANIFEST, staged.digest, staged.size);
        let names = image.repo_tags.filter(|names| !names.is_empty()).unwrap_or_else(|| vec![String::new()]);
        images.extend(names.into_iter().map(|name| (name, root.clone())));
    }
    Ok(images)
}
