//! Registries: a real one, and ones that misbehave.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use mkimage::oci::{Platform, Store};
use std::fs;
use support::image::{Compression, Made, gzip, noise, small, tar};
use support::server::{DockerRegistry, Server, registry_of};
use support::{offline, reference, refusal, resolve, store, words};

/// An image large enough for a connection to break in the middle.
fn large() -> (Made, String) {
    let layer = tar(&[("noise", &noise(600_000))]);
    let blob = support::image::digest(&gzip(&layer));
    (Made::image("amd64", &[(Compression::Gzip, layer)]), blob)
}

#[test]
fn what_is_pushed_can_be_pulled_by_tag_and_digest() {
    let Some(registry) = DockerRegistry::start(None) else { return };
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (dir.path().join("here"), dir.path().join("there"));
    let layers = [Compression::None, Compression::Gzip, Compression::Zstd]
        .map(|compression| (compression, tar(&[("f", format!("{compression:?}").as_bytes())])));
    let made = Made::index(&[("amd64", Made::image("amd64", &layers)), ("arm64", small("arm64"))]);
    made.write(&here, "docker.io/library/test:v1");
    let pushed = reference(&format!("{}/a/test:v1", registry.address));
    offline(&here).push(&reference("test:v1"), &pushed).unwrap();

    let by_digest = reference(&format!("{}/a/test@{}", registry.address, made.root_digest()));
    for wanted in [&pushed, &by_digest] {
        let image = resolve(&store(&there, |_| {}), wanted).unwrap();
        for (layer, (_, tar)) in image.layers.iter().zip(&layers) {
            assert!(fs::read(&layer.tar).unwrap() == *tar);
        }
        assert_eq!(image.layers.len(), 3);
        assert_eq!(image.config.config.entrypoint, ["/hello"]);
        assert_eq!(image.attestations.len(), 1);
        assert_eq!(image.attestations[0].predicate_type, "https://spdx.dev/Document");
        // All of it is here now.
        resolve(&offline(&there), wanted).unwrap();
    }
    // The other platform is not, until it is asked for.
    let other = |store: Store, arch: &str| {
        store.resolve(std::slice::from_ref(&pushed), &Platform::linux(arch)).map_err(|e| words(&e))
    };
    let missing = other(offline(&there), "arm64").unwrap_err();
    assert!(missing.contains(&pushed.to_string()), "{missing}");
    other(store(&there, |_| {}), "arm64").unwrap();
    let all = offline(&there).oci_layout(&pushed, &[]).unwrap();
    assert_eq!(all.blobs.len(), made.blobs.len());
    assert_eq!(all.blobs.last().unwrap().digest.to_string(), made.root_digest());

    let said = other(store(&there, |_| {}), "riscv64").unwrap_err();
    assert!(said.contains("not for linux/riscv64; it is for linux/amd64, linux/arm64"), "{said}");
}

#[test]
fn a_connection_that_breaks_is_resumed_where_it_broke() {
    let (made, blob) = large();
    let behave = registry_of(made);
    let server = Server::start(move |asked| {
        let mut answer = behave(asked);
        if answer.body.len() > 200_000 {
            answer.cut = Some(150_000);
        }
        answer
    });
    let dir = tempfile::tempdir().unwrap();
    let name = reference(&format!("{}/x", server.address));
    resolve(&store(dir.path(), |_| {}), &name).unwrap();
    let starts: Vec<_> = server.asked_for(&blob).iter().map(|asked| asked.range_start()).collect();
    assert_eq!(starts.first(), Some(&None));
    assert!(starts.len() > 2 && starts[1..].iter().all(Option::is_some), "{starts:?}");
}

#[test]
fn bytes_with_another_digest_are_not_kept() {
    let (made, blob) = large();
    let behave = registry_of(made);
    let bad = blob.clone();
    let server = Server::start(move |asked| {
        let mut answer = behave(asked);
        if asked.path.ends_with(&bad) {
            answer.body[1000] ^= 1;
        }
        answer
    });
    let dir = tempfile::tempdir().unwrap();
    let name = reference(&format!("{}/x", server.address));
    let said = refusal(&store(dir.path(), |_| {}), &name);
    assert!(said.contains(&blob) && said.contains("sends bytes with the digest sha256:"), "{said}");
    assert!(!dir.path().join("blobs/sha256").join(&blob[7..]).exists());
    assert_eq!(fs::read_dir(dir.path().join(".mkimage/partial")).unwrap().count(), 0);
    assert!(!dir.path().join("index.json").exists());
}
