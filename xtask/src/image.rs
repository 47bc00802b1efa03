//! Container images in an OCI layout, as a registry or `docker save` would hand them over.
//!
//! ```text
//! index.json ──▶ manifest ──▶ config
//!                    └──────▶ layer, layer, …
//! ```
//!
//! \[OCI\] *Image Format Specification* 1.1. An image is found by the annotation
//! `org.opencontainers.image.ref.name` of its manifest in `index.json`.

use crate::files::Files;
use anyhow::Result;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::Path;

/// How a layer is kept; real registries hold all three.
#[derive(Clone, Copy)]
pub(crate) enum Packing {
    /// As it is.
    Plain,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

/// One image.
pub(crate) struct Image {
    /// Its full name with a tag.
    pub(crate) reference: &'static str,
    /// The layers, the lowest first.
    pub(crate) layers: Vec<(Files, Packing)>,
    /// The member `config` of the image's configuration: `Cmd`, `Env`, `Labels`, ….
    pub(crate) config: Value,
}

/// Writes `images` as an OCI layout in the new folder `dir`.
pub(crate) fn write(dir: &Path, images: &[Image]) -> Result<()> {
    fs::create_dir_all(dir.join("blobs/sha256"))?;
    let mut manifests = Vec::new();
    for image in images {
        let mut layers = Vec::new();
        let mut diff_ids = Vec::new();
        for (files, packing) in &image.layers {
            let tar = files.tar()?;
            diff_ids.push(digest(&tar));
            let (media_type, blob) = packed(tar, *packing)?;
            layers.push(blob_of(dir, media_type, &blob)?);
        }
        let config = serde_json::to_vec(&json!({
            "architecture": "amd64",
            "os": "linux",
            "config": image.config,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        }))?;
        let manifest = serde_json::to_vec(&json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": blob_of(dir, "application/vnd.oci.image.config.v1+json", &config)?,
            "layers": layers,
        }))?;
        let mut descriptor = blob_of(dir, MANIFEST, &manifest)?;
        descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": image.reference });
        descriptor["platform"] = json!({ "architecture": "amd64", "os": "linux" });
        manifests.push(descriptor);
    }
    let index = json!({ "schemaVersion": 2, "manifests": manifests });
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    fs::write(dir.join("index.json"), serde_json::to_vec(&index)?)?;
    Ok(())
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The layer's media type and bytes.
fn packed(tar: Vec<u8>, packing: Packing) -> Result<(&'static str, Vec<u8>)> {
    Ok(match packing {
        Packing::Plain => ("application/vnd.oci.image.layer.v1.tar", tar),
        Packing::Gzip => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            out.write_all(&tar)?;
            ("application/vnd.oci.image.layer.v1.tar+gzip", out.finish()?)
        }
        Packing::Zstd => ("application/vnd.oci.image.layer.v1.tar+zstd", zstd::encode_all(&tar[..], 3)?),
    })
}

/// Stores a blob; its descriptor.
fn blob_of(dir: &Path, media_type: &str, bytes: &[u8]) -> Result<Value> {
    let digest = digest(bytes);
    fs::write(dir.join("blobs").join(digest.replace(':', "/")), bytes)?;
    Ok(json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() }))
}

/// `sha256:…` of `bytes`.
fn digest(bytes: &[u8]) -> String {
    let mut out = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        out.push_str(&format!("{byte:02x}"));
    }
    out
}
