//! Registries: a real one, and ones that misbehave.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use mkimage::oci::{Platform, Pull, Store};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::image::{Compression, Made, gzip, small, tar};
use support::noise::noise;
use support::server::{Answer, DockerRegistry, Server, answer, registry_of};
use support::{offline, pull, reference, refusal, resolve, store, words};

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

#[test]
fn a_registry_that_is_busy_is_asked_again_and_one_that_refuses_is_quoted() {
    let behave = registry_of(small("amd64"));
    let failures = AtomicUsize::new(0);
    let server = Server::start(move |asked| match failures.fetch_add(1, Ordering::Relaxed) {
        1 => answer(429, "").with("Retry-After", "0"),
        2 | 4 => answer(503, "<html>later</html>"),
        _ => behave(asked),
    });
    let dir = tempfile::tempdir().unwrap();
    let name = reference(&format!("{}/x:v1", server.address));
    resolve(&store(dir.path(), |_| {}), &name).unwrap();
    assert_eq!(server.asked_for("/manifests/v1").len(), 3);

    let server = Server::start(|asked| match asked.path.as_str() {
        "/v2/" => answer(200, ""),
        "/v2/limited/manifests/v1" => answer(429, "").with("Retry-After", "7200"),
        _ => answer(404, r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"#),
    });
    let name = reference(&format!("{}/none:v1", server.address));
    let said = refusal(&store(dir.path(), |_| {}), &name);
    assert!(said.contains("404: NAME_UNKNOWN: no such repository") && said.contains("/none:v1"), "{said}");
    let name = reference(&format!("{}/limited:v1", server.address));
    let said = refusal(&store(dir.path(), |_| {}), &name);
    assert!(said.contains("answers 429"), "{said}");
    assert_eq!(server.asked_for("/limited/").len(), 1);
}

#[test]
fn more_or_fewer_bytes_than_the_manifest_says_are_refused() {
    let (made, blob) = large();
    let len = made.blobs[&blob].len();
    for (claim, real) in [(Some(len + 1), len + 1), (Some(len - 1), len - 1), (Some(1 << 40), len)] {
        let (behave, blob) = (registry_of(made.clone()), blob.clone());
        let server = Server::start(move |asked| {
            let mut answer = behave(asked);
            if asked.path.ends_with(&blob) {
                answer.body.resize(real, 0);
                answer.claim = claim;
            }
            answer
        });
        let dir = tempfile::tempdir().unwrap();
        let said = refusal(&store(dir.path(), |_| {}), &reference(&format!("{}/x", server.address)));
        assert!(said.contains("bytes; the manifest says"), "{said}");
        assert_eq!(fs::read_dir(dir.path().join(".mkimage/partial")).unwrap().count(), 0);
    }
}

#[test]
fn a_manifest_without_end_is_not_read_to_its_end() {
    let server = Server::start(|_| answer(200, vec![b' '; 5 << 20]));
    let dir = tempfile::tempdir().unwrap();
    let said = refusal(&store(dir.path(), |_| {}), &reference(&format!("{}/x", server.address)));
    assert!(said.contains("sends more than 4194304 bytes"), "{said}");
}

#[test]
fn a_manifest_that_is_not_what_was_asked_for_is_refused() {
    let made = small("amd64");
    let other = registry_of(small("arm64"));
    let server = Server::start(move |asked| {
        let mut answer = other(asked);
        if asked.path.contains("/manifests/sha256:") {
            answer = support::server::answer(200, "{}");
        }
        answer
    });
    let dir = tempfile::tempdir().unwrap();
    let name = reference(&format!("{}/x@{}", server.address, made.root_digest()));
    let said = refusal(&store(dir.path(), |_| {}), &name);
    assert!(said.contains(&format!("not {}", made.root_digest())), "{said}");
}

#[test]
fn schema_1_and_a_page_of_a_portal_are_told_apart() {
    for (page, said) in [(r#"{"schemaVersion":1}"#, "Docker schema 1"), ("<html>Log in", "not a manifest")] {
        let server = Server::start(move |_| answer(200, page));
        let dir = tempfile::tempdir().unwrap();
        let words = refusal(&store(dir.path(), |_| {}), &reference(&format!("{}/x", server.address)));
        assert!(words.contains(said), "{words}");
        assert!(!dir.path().join("index.json").exists());
    }
}

#[test]
fn two_builds_on_one_cache_fetch_a_layer_once() {
    let (made, blob) = large();
    let behave = registry_of(made);
    let server = Server::start(move |asked| Answer { pause: Duration::from_millis(100), ..behave(asked) });
    let dir = tempfile::tempdir().unwrap();
    let names = ["a", "b", "c"].map(|name| format!("{}/{name}:v1", server.address));
    let running: Vec<_> = names.iter().map(|name| pull(dir.path(), name).spawn().unwrap()).collect();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(server.asked_for(&blob).len(), 1);
    for name in &names {
        resolve(&offline(dir.path()), &reference(name)).unwrap();
    }
}

#[test]
fn a_build_that_is_killed_leaves_a_valid_cache_and_the_next_one_goes_on() {
    let (made, blob) = large();
    let behave = registry_of(made);
    let slow = AtomicUsize::new(0);
    let part = blob.clone();
    let server = Server::start(move |asked| {
        let mut answer = behave(asked);
        if asked.path.ends_with(&part) && slow.fetch_add(1, Ordering::Relaxed) == 0 {
            answer.pause = Duration::from_secs(60);
        }
        answer
    });
    let dir = tempfile::tempdir().unwrap();
    let name = format!("{}/x:v1", server.address);
    let mut child = pull(dir.path(), &name).spawn().unwrap();
    let partial = dir.path().join(".mkimage/partial").join(&blob[7..]);
    let begun = || fs::metadata(&partial).is_ok_and(|meta| meta.len() > 100_000);
    assert!((0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        begun()
    }));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(offline(dir.path()).list_images().unwrap(), []);
    for entry in fs::read_dir(dir.path().join("blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let digest = support::image::digest(&fs::read(&path).unwrap());
        assert_eq!(path.file_name().unwrap().to_str().unwrap(), &digest[7..]);
    }
    support::succeeds(&mut pull(dir.path(), &name));
    assert!(server.asked_for(&blob).last().unwrap().range_start().is_some_and(|start| start > 100_000));
    resolve(&offline(dir.path()), &reference(&name)).unwrap();
}

#[test]
fn a_part_that_is_wrong_is_fetched_again_from_the_start() {
    let (made, blob) = large();
    let server = Server::start(registry_of(made));
    let dir = tempfile::tempdir().unwrap();
    let partial = dir.path().join(".mkimage/partial");
    fs::create_dir_all(&partial).unwrap();
    fs::write(partial.join(&blob[7..]), [7; 1000]).unwrap();
    resolve(&store(dir.path(), |_| {}), &reference(&format!("{}/x", server.address))).unwrap();
    let starts: Vec<_> = server.asked_for(&blob).iter().map(|asked| asked.range_start()).collect();
    assert_eq!(starts, [Some(1000), None]);
}

#[test]
fn pull_always_takes_what_the_tag_names_now() {
    let current = Arc::new(Mutex::new(small("amd64")));
    let served = current.clone();
    let server = Server::start(move |asked| registry_of(served.lock().unwrap().clone())(asked));
    let dir = tempfile::tempdir().unwrap();
    let name = reference(&format!("{}/x:v1", server.address));
    let first = resolve(&store(dir.path(), |_| {}), &name).unwrap();
    let new = Made::image("amd64", &[(Compression::Gzip, tar(&[("new", b"1")]))]);
    *current.lock().unwrap() = new.clone();
    assert_eq!(resolve(&store(dir.path(), |_| {}), &name).unwrap().digest, first.digest);
    let always = store(dir.path(), |options| options.pull = Pull::Always);
    assert_eq!(resolve(&always, &name).unwrap().digest.to_string(), new.root_digest());
    assert_eq!(resolve(&offline(dir.path()), &name).unwrap().digest.to_string(), new.root_digest());
}
