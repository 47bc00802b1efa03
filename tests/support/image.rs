//! Images, made in code.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A tar archive of files.
pub fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, contents) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *contents).unwrap();
    }
    archive.into_inner().unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

impl Compression {
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Compression::None => bytes.to_vec(),
            Compression::Gzip => gzip(bytes),
            Compression::Zstd => zstd::encode_all(bytes, 1).unwrap(),
        }
    }

    fn media_type(self) -> String {
        match self {
            Compression::None => LAYER.into(),
            Compression::Gzip => format!("{LAYER}+gzip"),
            Compression::Zstd => format!("{LAYER}+zstd"),
        }
    }
}

/// Blobs by digest, and the descriptor of the manifest or index that they belong to.
#[derive(Clone, Debug, Default)]
pub struct Made {
    pub blobs: BTreeMap<String, Vec<u8>>,
    pub root: Value,
}

impl Made {
    pub fn add(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let descriptor = json!({"mediaType": media_type, "digest": digest(&bytes), "size": bytes.len()});
        self.blobs.insert(digest(&bytes), bytes);
        descriptor
    }

    /// An image of layers, bottom first.
    pub fn image(arch: &str, layers: &[(Compression, Vec<u8>)]) -> Self {
        let mut made = Made::default();
        let diff_ids: Vec<String> = layers.iter().map(|(_, tar)| digest(tar)).collect();
        let config = json!({
            "architecture": arch, "os": "linux",
            "config": {"Entrypoint": ["/hello"], "Env": ["A=b"], "WorkingDir": "/w", "Labels": {"k": "v"}},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = made.add(CONFIG, config.to_string().into_bytes());
        let layers: Vec<Value> = layers.iter().map(|(c, tar)| made.add(&c.media_type(), c.of(tar))).collect();
        made.close(config, layers);
        made
    }

    /// The manifest of a configuration and layers.
    pub fn close(&mut self, config: Value, layers: Vec<Value>) {
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        self.root = self.add(MANIFEST, manifest.to_string().into_bytes());
    }

    /// An index of images, with an empty SBOM for the first.
    pub fn index(images: &[(&str, Made)]) -> Self {
        Made::index_with(images, &json!({"packages": []}))
    }

    /// An index of images, with `sbom` for the first.
    pub fn index_with(images: &[(&str, Made)], sbom: &Value) -> Self {
        let mut made = Made::default();
        let mut manifests = Vec::new();
        for (arch, image) in images {
            made.blobs.extend(image.blobs.clone());
            let mut entry = image.root.clone();
            entry["platform"] = json!({"os": "linux", "architecture": arch});
            manifests.push(entry);
        }
        let statement = json!({"predicateType": "https://spdx.dev/Document", "predicate": sbom});
        let mut statement = made.add("application/vnd.in-toto+json", statement.to_string().into_bytes());
        statement["annotations"] = json!({"in-toto.io/predicate-type": "https://spdx.dev/Document"});
        let config = made.add(CONFIG, b"{}".to_vec());
        made.close(config, vec![statement]);
        let mut attestation = made.root.clone();
        attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
        attestation["annotations"] = json!({
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": manifests[0]["digest"],
        });
        manifests.push(attestation);
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        made.root = made.add(INDEX, index.to_string().into_bytes());
        made
    }

    pub fn root_digest(&self) -> &str {
        self.root["digest"].as_str().unwrap()
    }

    pub fn root_bytes(&self) -> &[u8] {
        &self.blobs[self.root_digest()]
    }

    /// An OCI layout in a folder, the image under a name.
    pub fn write(&self, dir: &Path, name: &str) {
        let blobs = dir.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        for (digest, bytes) in &self.blobs {
            std::fs::write(blobs.join(&digest[7..]), bytes).unwrap();
        }
        let mut entry = self.root.clone();
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        let path = dir.join("index.json");
        let mut index = std::fs::read(&path).map_or_else(
            |_| json!({"schemaVersion": 2, "manifests": []}),
            |bytes| serde_json::from_slice(&bytes).unwrap(),
        );
        index["manifests"].as_array_mut().unwrap().push(entry);
        std::fs::write(path, index.to_string()).unwrap();
        std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    }
}

/// An image of one small gzip layer.
pub fn small(arch: &str) -> Made {
    Made::image(arch, &[(Compression::Gzip, tar(&[("hello", arch.as_bytes())]))])
}
