//! Manifests, indexes and configurations.

use super::layers::with_layer;
use super::support::image::{CONFIG, INDEX, LAYER, MANIFEST, Made, small, tar};
use super::{Case, image};
use serde_json::{Value, json};

/// An image that is nothing but this document.
fn document(name: &'static str, media_type: &'static str, text: &'static str) -> Case {
    image(name, move || {
        let mut made = Made::default();
        made.root = made.add(media_type, text.as_bytes().to_vec());
        made
    })
}

/// An image with a configuration.
fn configured(config: &Value, layers: usize) -> Made {
    let mut made = Made::default();
    let config = made.add(CONFIG, config.to_string().into_bytes());
    let layer = made.add(LAYER, tar(&[("a", b"")]));
    made.close(config, vec![layer; layers]);
    made
}

/// The image without the blob that begins like this.
fn without(mut made: Made, beginning: &str) -> Made {
    made.blobs.retain(|_, bytes| !bytes.starts_with(beginning.as_bytes()));
    made
}

/// The image whose manifest is changed after its digest was taken.
fn touched(mut made: Made) -> Made {
    let root = made.root_digest().to_owned();
    let bytes = made.blobs.get_mut(&root).unwrap();
    let at = bytes.len() - 2;
    bytes[at] = b' ';
    made
}

pub(crate) fn cases() -> Vec<Case> {
    let nested = || {
        let mut made = Made::index(&[("amd64", small("amd64"))]);
        let mut entry = made.root.clone();
        entry["platform"] = json!({"os": "linux", "architecture": "amd64"});
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]});
        made.root = made.add(INDEX, index.to_string().into_bytes());
        made
    };
    let huge = || {
        let mut made = small("amd64");
        made.root["size"] = json!(1u64 << 40);
        made
    };
    let mut absent = image("image that is not in the cache", || small("amd64"));
    absent.make = Box::new(|place| place.write("bad.yml", "init: ['example/absent', 'example/gone:2']"));
    vec![
        absent,
        document("schema 1 manifest", MANIFEST, r#"{"schemaVersion":1,"fsLayers":[]}"#),
        document("schema of the future", MANIFEST, r#"{"schemaVersion":3}"#),
        document("manifest that is a web page", MANIFEST, "<html>"),
        document("manifest that is empty", MANIFEST, ""),
        document(
            "manifest of an unknown media type",
            "application/vnd.example.thing+json",
            r#"{"schemaVersion":2,"mediaType":"application/vnd.example.thing+json","blobs":[]}"#,
        ),
        document(
            "digest of another kind",
            MANIFEST,
            r#"{"schemaVersion":2,"config":{"digest":"md5:1","size":1},"layers":[]}"#,
        ),
        document(
            "digest that is a path",
            MANIFEST,
            r#"{"schemaVersion":2,"config":{"digest":"sha256:../../../etc/passwd","size":1},"layers":[]}"#,
        ),
        document(
            "negative size of a configuration",
            MANIFEST,
            r#"{"schemaVersion":2,"config":{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":-1},"layers":[]}"#,
        ),
        document("index of nothing", INDEX, r#"{"schemaVersion":2,"manifests":[]}"#),
        image("index in an index", nested),
        image("index without the platform", || {
            Made::index(&[("arm64", small("arm64")), ("s390x", small("s390x"))])
        }),
        image("wrong architecture", || small("arm64")),
        image("wrong digest of a manifest", || touched(small("amd64"))),
        image("manifest of a TiB", huge),
        image("missing configuration", || without(small("amd64"), "{\"architecture")),
        image("missing layer", || without(small("amd64"), "\u{1f}")),
        image("missing manifest of an index", || {
            let made = Made::index(&[("amd64", small("amd64"))]);
            without(made, "{\"config")
        }),
        image("configuration that is a list", || configured(&json!([1]), 1)),
        image("configuration with numbers for names", || {
            configured(&json!({"architecture": "amd64", "os": "linux", "config": {"Env": [1]}}), 0)
        }),
        image("configuration for Windows", || {
            configured(&json!({"architecture": "amd64", "os": "windows", "rootfs": {"diff_ids": []}}), 0)
        }),
        image("fewer digests than layers", || {
            configured(&json!({"architecture": "amd64", "os": "linux", "rootfs": null}), 2)
        }),
        image("more digests than layers", || {
            let mut made = with_layer(&tar(&[("a", b"")]), Vec::new());
            let manifest: Value = serde_json::from_slice(made.root_bytes()).unwrap();
            made.close(manifest["config"].clone(), Vec::new());
            made
        }),
    ]
}
