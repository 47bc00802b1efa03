//! A cache with images in it.

use crate::inputs::Inputs;
use crate::{Result, cost};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// The folder of the cache.
pub(crate) const CACHE: &str = "cache";

/// Puts an image of one layer, an archive, into the cache.
pub(crate) fn add(inputs: &Inputs, name: &str, layer: &Path) -> Result<()> {
    let folder = inputs.at("image");
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let hex = digest(&mut File::open(layer)?)?;
    fs::copy(layer, blobs.join(&hex))?;
    let diff_id = format!("sha256:{hex}");
    let layer = json!({
        "mediaType": "application/vnd.oci.image.layer.v1.tar",
        "digest": diff_id,
        "size": fs::metadata(layer)?.len(),
    });
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "config": {"Entrypoint": ["/program"]},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    });
    let config = blob(&blobs, "application/vnd.oci.image.config.v1+json", &config)?;
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer]});
    let manifest = blob(&blobs, media_type, &manifest)?;
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    fs::write(folder.join("index.json"), index.to_string())?;
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    cost::run(
        cost::mkimage(["cache", "import", "image", "--name", name, "--cache", CACHE])
            .current_dir(inputs.dir()),
    )?;
    Ok(fs::remove_dir_all(folder)?)
}

/// Leaves nothing in a cache of what builds made.
pub(crate) fn forget(inputs: &Inputs, cache: &str) {
    for folder in ["segments", "blocks"] {
        // It is not there yet before the first build.
        let _ = fs::remove_dir_all(inputs.at(cache).join(".mkimage").join(folder));
    }
}

/// Writes a blob, and tells of it.
fn blob(folder: &Path, media_type: &str, value: &Value) -> Result<Value> {
    let text = value.to_string();
    let hex = digest(&mut text.as_bytes())?;
    fs::write(folder.join(&hex), &text)?;
    Ok(json!({"mediaType": media_type, "digest": format!("sha256:{hex}"), "size": text.len()}))
}

fn digest(bytes: &mut dyn Read) -> Result<String> {
    let (mut sum, mut buffer) = (Sha256::new(), vec![0; 256 << 10]);
    loop {
        match bytes.read(&mut buffer)? {
            0 => return Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            n => sum.update(&buffer[..n]),
        }
    }
}
