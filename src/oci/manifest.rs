//! Indexes, manifests and image configurations, in OCI's and Docker's dialects.
//!
//! ```text
//! Index ──▶ Manifest (one a platform) ──▶ config
//!       │                             └─▶ layers, bottom first
//!       └─▶ Manifest (attestation of one of them) ──▶ in-toto statements
//! ```
//!
//! Only what an image is made of is read; the bytes are kept as they came, because digests cover
//! them. That is also why these are our own few structures: a typed model of everything, written
//! back, would be another blob.
//!
//! \[OCI-IMAGE\] *OCI Image Format Specification* 1.1: descriptor.md, image-index.md, manifest.md,
//! config.md. \[DOCKER-2-2\] *Image Manifest Version 2, Schema 2*.

use super::{Digest, Platform};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read};

pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Every media type that we ask a registry for.
pub(crate) const ACCEPTED: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST];
/// Bytes of a manifest, an index or a configuration that we take into memory. Docker's registry
/// takes 4 MiB; configurations with long histories stay far below it.
pub(crate) const METADATA_LIMIT: u64 = 4 << 20;

/// The name of an image in an OCI layout: \[OCI-IMAGE\] annotations.md.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// BuildKit, *Attestation storage*: what a manifest in an index is, and of which other one.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";
/// BuildKit, *Attestation storage*: what a statement is about.
pub(crate) const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
/// BuildKit, *Attestation storage*: the layers of an attestation manifest.
pub(crate) const IN_TOTO: &str = "application/vnd.in-toto+json";

/// All of a reader that must end within `limit` bytes.
pub(crate) fn read_limited(reader: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// \[OCI-IMAGE\] descriptor.md "Properties". Members that we don't read are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    /// What the blob is.
    #[serde(rename = "mediaType", default)]
    pub media_type: String,
    /// What the blob's bytes must hash to.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// What a manifest in an index is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Anything.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    pub(crate) rest: serde_json::Map<String, serde_json::Value>,
}

impl Descriptor {
    pub(crate) fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        let (platform, annotations, rest) = Default::default();
        Descriptor { media_type: media_type.into(), digest, size, platform, annotations, rest }
    }

    /// The manifest that this one attests, if it is an attestation.
    pub(crate) fn attests(&self) -> Option<Digest> {
        let is_one = self.annotations.get(REFERENCE_TYPE)? == "attestation-manifest";
        self.annotations.get(REFERENCE_DIGEST).filter(|_| is_one)?.parse().ok()
    }

    fn is_attestation(&self) -> bool {
        self.annotations.get(REFERENCE_TYPE).is_some_and(|kind| kind == "attestation-manifest")
    }
}

/// \[OCI-IMAGE\] image-index.md, and an OCI layout's `index.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Index {
    #[serde(rename = "schemaVersion")]
    pub(crate) schema_version: u32,
    #[serde(rename = "mediaType", default, skip_serializing_if = "String::is_empty")]
    pub(crate) media_type: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) manifests: Vec<Descriptor>,
    #[serde(flatten)]
    pub(crate) rest: serde_json::Map<String, serde_json::Value>,
}

impl Index {
    /// The manifests of images: attestations are none.
    pub(crate) fn images(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests.iter().filter(|m| !m.is_attestation())
    }

    /// The first image for `platform`.
    pub(crate) fn image_for(&self, platform: &Platform) -> Option<&Descriptor> {
        self.images().find(|m| m.platform.as_ref().is_some_and(|p| p.matches(platform)))
    }

    /// The attestations of the manifest `digest`.
    pub(crate) fn attestations_of(&self, digest: Digest) -> impl Iterator<Item = &Descriptor> {
        self.manifests.iter().filter(move |m| m.attests() == Some(digest))
    }
}

/// \[OCI-IMAGE\] manifest.md "Image Manifest Property Descriptions".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    #[serde(rename = "schemaVersion")]
    pub(crate) schema_version: u32,
    #[serde(rename = "mediaType", default, skip_serializing_if = "String::is_empty")]
    pub(crate) media_type: String,
    pub(crate) config: Descriptor,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) layers: Vec<Descriptor>,
}

/// A manifest, or an index of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Document {
    Index(Index),
    Manifest(Manifest),
}

/// Why bytes are no manifest or index that we can use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Not what it should be.
    #[error("not a manifest or index")]
    Syntax(#[from] serde_json::Error),
    /// \[DOCKER-2-2\]'s predecessor, which has neither sizes nor a configuration.
    #[error(
        "a Docker schema 1 manifest, a format that Docker gave up in 2020: \
         push the image again with a current tool"
    )]
    Schema1,
    /// A later or earlier specification.
    #[error("schemaVersion {0}; 2 is known")]
    SchemaVersion(u64),
}

impl Document {
    /// Reads a manifest or an index. What it is shows in its members: `mediaType` is optional in
    /// OCI, and registries are known to send other content types than they were given.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        struct Shape {
            #[serde(rename = "schemaVersion", default)]
            schema_version: u64,
            manifests: Option<serde::de::IgnoredAny>,
        }
        let shape: Shape = serde_json::from_slice(bytes)?;
        match (shape.schema_version, shape.manifests) {
            (2, Some(_)) => Ok(Document::Index(serde_json::from_slice(bytes)?)),
            (2, None) => Ok(Document::Manifest(serde_json::from_slice(bytes)?)),
            (1, _) => Err(DocumentError::Schema1),
            (other, _) => Err(DocumentError::SchemaVersion(other)),
        }
    }
}

impl Document {
    /// What it says it is, or what its members make it.
    pub(crate) fn media_type(&self) -> &str {
        match self {
            Document::Index(index) if index.media_type.is_empty() => OCI_INDEX,
            Document::Index(index) => &index.media_type,
            Document::Manifest(manifest) if manifest.media_type.is_empty() => OCI_MANIFEST,
            Document::Manifest(manifest) => &manifest.media_type,
        }
    }
}

/// \[OCI-IMAGE\] config.md "Properties", the ones that a container is started from.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ImageConfig {
    /// What the image says that it runs on.
    #[serde(flatten)]
    pub platform: Platform,
    /// How it is started.
    #[serde(default, deserialize_with = "null_is_default")]
    pub config: Execution,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) rootfs: RootFs,
}

/// \[OCI-IMAGE\] config.md: `config`. Docker writes `null` where OCI leaves out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Execution {
    /// The program and its first arguments.
    #[serde(deserialize_with = "null_is_default")]
    pub entrypoint: Vec<String>,
    /// More arguments.
    #[serde(deserialize_with = "null_is_default")]
    pub cmd: Vec<String>,
    /// `NAME=VALUE`
    #[serde(deserialize_with = "null_is_default")]
    pub env: Vec<String>,
    /// The folder in which it starts; empty for `/`.
    #[serde(deserialize_with = "null_is_default")]
    pub working_dir: String,
    /// Anything; `org.mobyproject.config` is LinuxKit's.
    #[serde(deserialize_with = "null_is_default")]
    pub labels: BTreeMap<String, String>,
}

/// \[OCI-IMAGE\] config.md: `rootfs`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct RootFs {
    /// Digests of the uncompressed layers, bottom first.
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) diff_ids: Vec<Digest>,
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_of_docker_are_absent() {
        let text = r#"{"architecture":"amd64","os":"linux","variant":null,
            "config":{"Entrypoint":null,"Cmd":["/a"],"Env":null,"WorkingDir":"","Labels":null},"rootfs":null}"#;
        let config: ImageConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.platform, Platform::linux("amd64"));
        assert_eq!(config.config, Execution { cmd: vec!["/a".into()], ..Execution::default() });
        assert_eq!(serde_json::from_str::<ImageConfig>("{}").unwrap(), ImageConfig::default());
    }

    #[test]
    fn schema_1_is_named() {
        let e = Document::parse(br#"{"schemaVersion":1,"fsLayers":[]}"#).unwrap_err();
        assert!(matches!(e, DocumentError::Schema1));
        assert!(matches!(Document::parse(b"{}").unwrap_err(), DocumentError::SchemaVersion(0)));
        assert!(matches!(Document::parse(b"<html>").unwrap_err(), DocumentError::Syntax(_)));
    }

    #[test]
    fn the_first_image_of_a_platform_is_chosen_and_attestations_never() {
        let digest = |n: u8| Digest::of(&[n]);
        let entry = |n, arch: &str, variant: Option<&str>| {
            let platform = Platform { variant: variant.map(Into::into), ..Platform::linux(arch) };
            Descriptor { platform: Some(platform), ..Descriptor::new(OCI_MANIFEST, digest(n), 1) }
        };
        let mut attestation = entry(3, "arm64", None);
        attestation.annotations = BTreeMap::from([
            (REFERENCE_TYPE.into(), "attestation-manifest".into()),
            (REFERENCE_DIGEST.into(), digest(1).to_string()),
        ]);
        let manifests = vec![
            attestation,
            entry(0, "amd64", None),
            entry(1, "arm64", Some("v8")),
            entry(2, "arm64", None),
        ];
        let index =
            Index { schema_version: 2, media_type: String::new(), manifests, rest: Default::default() };
        assert_eq!(index.image_for(&Platform::linux("arm64")).unwrap().digest, digest(1));
        assert_eq!(index.image_for(&Platform::linux("riscv64")), None);
        assert_eq!(index.attestations_of(digest(1)).count(), 1);
        assert_eq!(index.attestations_of(digest(2)).count(), 0);
    }

    #[test]
    fn members_of_others_survive_a_rewrite() {
        let text = r#"{"schemaVersion":2,"x":1,"manifests":[{"mediaType":"m","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0,"artifactType":"y"}]}"#;
        let Document::Index(index) = Document::parse(text.as_bytes()).unwrap() else { panic!("an index") };
        let again = serde_json::to_string(&index).unwrap();
        assert!(again.contains(r#""x":1"#) && again.contains(r#""artifactType":"y""#), "{again}");
    }
}
