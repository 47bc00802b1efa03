//! The image cache: what it takes in, keeps and gives out.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]
#![allow(unreachable_pub, reason = "modules of a test")]

#[path = "../support/mod.rs"]
mod support;

mod limits;

use mkimage::oci::Platform;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use support::image::{CONFIG, Compression, LAYER, Made, digest, gzip, small, tar};
use support::noise::noise;
use support::{offline, reference, refusal, resolve, store};

const NAME: &str = "docker.io/library/test:v1";

fn cache_of(made: &Made) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    made.write(dir.path(), NAME);
    dir
}

/// Why the image of this cache cannot be used.
fn refused(made: &Made) -> String {
    refusal(&offline(cache_of(made).path()), &reference(NAME))
}

/// The files of an archive.
fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        if entry.header().entry_type().is_file() {
            out.insert(String::from_utf8(entry.path_bytes().into_owned()).unwrap(), bytes);
        }
    }
    out
}

fn mkimage(cache: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mkimage"));
    command.arg("cache").args(args).arg("--cache").arg(cache).output().unwrap()
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn layers_of_every_compression_become_the_same_archive() {
    let layer = tar(&[("a", b"one"), ("zeros", &[0; 300_000])]);
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let dir = cache_of(&Made::image("amd64", &[(compression, layer.clone())]));
        for _ in 0..2 {
            let image = resolve(&offline(dir.path()), &reference("test:v1")).unwrap();
            assert!(fs::read(&image.layers[0].tar).unwrap() == layer, "{compression:?}");
            assert_eq!(image.layers[0].diff_id.to_string(), digest(&layer));
        }
    }
}

#[test]
fn gzip_members_and_zstd_frames_follow_one_another() {
    let layer = tar(&[("a", &noise(100_000))]);
    let (first, second) = layer.split_at(70_000);
    for compression in [Compression::Gzip, Compression::Zstd] {
        let mut made = Made::image("amd64", &[(Compression::None, layer.clone())]);
        let config = made.blobs.iter().find(|(_, bytes)| bytes.starts_with(b"{\"architecture")).unwrap();
        let config = json!({"mediaType": CONFIG, "digest": config.0, "size": config.1.len()});
        let blob = made.add(LAYER, [compression.of(first), compression.of(second)].concat());
        made.close(config, vec![blob]);
        let dir = cache_of(&made);
        let image = resolve(&offline(dir.path()), &reference("test:v1")).unwrap();
        assert!(fs::read(&image.layers[0].tar).unwrap() == layer, "{compression:?}");
    }
}

#[test]
fn broken_layers_are_refused_by_name_and_leave_nothing() {
    let layer = tar(&[("a", &noise(200_000))]);
    let good = Made::image("amd64", &[(Compression::Gzip, layer.clone())]);
    let blob = digest(&gzip(&layer));
    let config = good.blobs.iter().find(|(_, bytes)| bytes.starts_with(b"{\"architecture")).unwrap();
    let config = json!({"mediaType": CONFIG, "digest": config.0, "size": config.1.len()});
    let with_layer = |bytes: Vec<u8>| {
        let mut made = good.clone();
        let layer = made.add(LAYER, bytes);
        made.close(config.clone(), vec![layer]);
        made
    };
    let damaged = |change: fn(&mut Vec<u8>)| {
        let mut made = good.clone();
        change(made.blobs.get_mut(&blob).unwrap());
        made
    };
    let other = tar(&[("b", b"other")]);
    for (made, said) in [
        (with_layer(gzip(&layer)[..100_000].to_vec()), "is not complete gzip"),
        (with_layer(Compression::Zstd.of(&layer)[..100_000].to_vec()), "is not complete zstd"),
        (with_layer(gzip(&other)), "the image's configuration says"),
        (with_layer(other), "the image's configuration says"),
        (damaged(|bytes| bytes[50_000] ^= 1), "its bytes have the digest"),
        (damaged(|bytes| bytes.truncate(50_000)), "not in the cache"),
    ] {
        let dir = cache_of(&made);
        let words = refusal(&offline(dir.path()), &reference(NAME));
        assert!(words.contains(said) && words.contains(NAME), "{words}");
        let spool = dir.path().join(".mkimage/layers/sha256");
        assert_eq!(fs::read_dir(spool).unwrap().count(), 0, "{words}");
    }
}

#[test]
fn a_layer_that_unpacks_to_too_much_is_stopped() {
    let bomb = tar(&[("zeros", &vec![0; 8 << 20])]);
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let dir = cache_of(&Made::image("amd64", &[(compression, bomb.clone())]));
        let limited = store(dir.path(), |options| options.max_layer_size = 1 << 20);
        let words = refusal(&limited, &reference(NAME));
        assert!(words.contains("1 MiB") && words.contains("--max-layer-size"), "{words}");
        assert_eq!(fs::read_dir(dir.path().join(".mkimage/layers/sha256")).unwrap().count(), 0);
    }
}

#[test]
fn an_image_for_something_else_is_refused_with_both_names() {
    let words = refused(&small("arm64"));
    assert!(words.contains("it is for linux/arm64, not for linux/amd64"), "{words}");
    let words = refused(&Made::index(&[("arm64", small("arm64")), ("s390x", small("s390x"))]));
    assert!(words.contains("not for linux/amd64; it is for linux/arm64, linux/s390x"), "{words}");
}

#[test]
fn manifests_that_are_none_are_refused() {
    let with_root = |bytes: &[u8]| {
        let mut made = Made::default();
        made.root = made.add(support::image::MANIFEST, bytes.to_vec());
        made
    };
    for (bytes, said) in [
        (&br#"{"schemaVersion":1,"fsLayers":[]}"#[..], "Docker schema 1"),
        (br#"{"schemaVersion":3}"#, "schemaVersion 3; 2 is known"),
        (b"<html>", "not a manifest or index"),
        (br#"{"schemaVersion":2,"config":{"digest":"md5:1","size":1},"layers":[]}"#, "not a manifest"),
        (br#"{"schemaVersion":2,"config":{"digest":"sha256:../../etc/passwd","size":1}}"#, "not a manifest"),
        (br#"{"schemaVersion":2,"manifests":[]}"#, "no platform at all"),
    ] {
        let words = refused(&with_root(bytes));
        assert!(words.contains(said) && words.contains(NAME), "{words}");
    }
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let dir = cache_of(&small("amd64"));
    let names = ["test:v1", "one", "ghcr.io/a/two:x"].map(reference);
    let error = offline(dir.path()).resolve(&names, &Platform::linux("amd64")).unwrap_err();
    let words = error.to_string();
    assert!(words.contains("docker.io/library/one") && words.contains("ghcr.io/a/two:x"), "{words}");
    assert!(words.contains("--offline") && !words.contains("test:v1"), "{words}");
}

#[test]
fn a_cache_that_cannot_be_written_is_read() {
    let layer = tar(&[("a", b"one")]);
    let dir = cache_of(&Made::image("amd64", &[(Compression::Gzip, layer.clone())]));
    // Permissions don't stop root: a file where a folder should be does.
    fs::write(dir.path().join(".mkimage"), "").unwrap();
    let store = offline(dir.path());
    let image = resolve(&store, &reference(NAME)).unwrap();
    assert!(fs::read(&image.layers[0].tar).unwrap() == layer);
    assert!(!image.layers[0].tar.starts_with(dir.path()));
    let spool = image.layers[0].tar.clone();
    drop(store);
    assert!(!spool.exists());
}

#[test]
fn an_oci_layout_is_the_same_after_export_and_import() {
    let made = Made::index(&[("amd64", small("amd64")), ("arm64", small("arm64"))]);
    let dir = cache_of(&made);
    let (first, second) = (dir.path().join("1.tar"), dir.path().join("2.tar"));
    for out in [&first, &second] {
        succeeds(&mkimage(dir.path(), &["export", "test:v1", "--outfile", out.to_str().unwrap()]));
    }
    let archive = fs::read(&first).unwrap();
    assert!(archive == fs::read(&second).unwrap());
    let packed = dir.path().join("3.tar.gz");
    fs::write(&packed, gzip(&archive)).unwrap();
    for file in [&first, &packed] {
        let other = tempfile::tempdir().unwrap();
        succeeds(&mkimage(other.path(), &["import", file.to_str().unwrap()]));
        let listed = succeeds(&mkimage(other.path(), &["ls"]));
        assert_eq!(listed, format!("{NAME}  {}\n", made.root_digest()));
        let all = offline(other.path()).oci_layout(&reference(NAME), &[]).unwrap();
        assert_eq!(all.blobs.len(), made.blobs.len());
    }
    // One platform is that image alone.
    succeeds(&mkimage(
        dir.path(),
        &["export", "test:v1", "--platform", "linux/arm64", "-o", first.to_str().unwrap()],
    ));
    let names: Vec<String> = files(&fs::read(&first).unwrap()).into_keys().collect();
    let mut want: Vec<String> =
        small("arm64").blobs.keys().map(|d| format!("blobs/sha256/{}", &d[7..])).collect();
    want.extend(["index.json".into(), "oci-layout".into()]);
    assert_eq!(names, want);
}

#[test]
fn docker_archives_are_read_and_written() {
    let layers = [tar(&[("a", b"1")]), tar(&[("b", b"2")])];
    let made = Made::image("amd64", &layers.clone().map(|layer| (Compression::Gzip, layer)));
    let dir = cache_of(&made);
    let exported = dir.path().join("docker.tar");
    let out = exported.to_str().unwrap();
    succeeds(&mkimage(
        dir.path(),
        &["export", "test:v1", "--format", "docker", "--arch", "amd64", "--name", "other:v2", "-o", out],
    ));
    let found = files(&fs::read(&exported).unwrap());
    let list: serde_json::Value = serde_json::from_slice(&found["manifest.json"]).unwrap();
    assert_eq!(list[0]["RepoTags"], json!(["docker.io/library/other:v2"]));
    for (path, layer) in list[0]["Layers"].as_array().unwrap().iter().zip(&layers) {
        assert!(found[path.as_str().unwrap()] == *layer);
    }
    let other = tempfile::tempdir().unwrap();
    succeeds(&mkimage(other.path(), &["import", out]));
    let image = resolve(&offline(other.path()), &reference("other:v2")).unwrap();
    assert_eq!(image.layers.len(), 2);
    assert_eq!(image.config.config.entrypoint, ["/hello"]);
}

#[test]
fn the_links_of_old_docker_archives_are_followed_inside_the_archive_only() {
    let layer = tar(&[("a", b"1")]);
    let config = json!({"architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer), digest(&layer)]}});
    let archive = |target: &str| {
        let mut archive =
            tar::Builder::new(tar(&[("x/layer.tar", &layer), ("c.json", config.to_string().as_bytes())]));
        // The first builder ended its archive; go on before its end.
        let len = archive.get_ref().len() - 1024;
        archive.get_mut().truncate(len);
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, "y/layer.tar", target).unwrap();
        let list =
            json!([{"Config": "c.json", "RepoTags": ["old:1"], "Layers": ["x/layer.tar", "y/layer.tar"]}])
                .to_string();
        let mut header = tar::Header::new_ustar();
        header.set_size(list.len() as u64);
        archive.append_data(&mut header, "manifest.json", list.as_bytes()).unwrap();
        archive.into_inner().unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("old.tar");
    fs::write(&file, archive("../x/layer.tar")).unwrap();
    offline(dir.path()).import(&file, None).unwrap();
    assert_eq!(resolve(&offline(dir.path()), &reference("old:1")).unwrap().layers.len(), 2);
    fs::write(&file, archive("../../../../etc/passwd")).unwrap();
    let words = support::words(&offline(dir.path()).import(&file, None).unwrap_err());
    assert!(words.contains("`y/layer.tar` is missing"), "{words}");
}

/// An entry's header, and what follows it.
fn entry(name: &str, kind: tar::EntryType, content: &[u8], change: fn(&mut tar::Header)) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    change(&mut header);
    header.set_cksum();
    let mut bytes = [header.as_bytes(), content].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

#[test]
fn a_sparse_file_of_an_archive_is_a_file() {
    let layer = tar(&[("a", b"1")]);
    assert_eq!((layer.len(), &layer[1024..]), (2048, &[0; 1024][..]));
    let config = json!({"architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]}})
    .to_string();
    let list = json!([{"Config": "c.json", "RepoTags": ["sparse:1"], "Layers": ["layer.tar"]}]).to_string();
    let sparse = entry("layer.tar", tar::EntryType::GNUSparse, &layer[..1024], |header| {
        let gnu = header.as_gnu_mut().unwrap();
        gnu.realsize = *b"00000004000\0";
        (gnu.sparse[0].offset, gnu.sparse[0].numbytes) = (*b"00000000000\0", *b"00000002000\0");
        (gnu.sparse[1].offset, gnu.sparse[1].numbytes) = (*b"00000004000\0", *b"00000000000\0");
    });
    let rest = tar(&[("c.json", config.as_bytes()), ("manifest.json", list.as_bytes())]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sparse.tar");
    fs::write(&file, [sparse, rest].concat()).unwrap();
    offline(dir.path()).import(&file, None).unwrap();
    let image = resolve(&offline(dir.path()), &reference("sparse:1")).unwrap();
    assert!(fs::read(&image.layers[0].tar).unwrap() == layer);
}

/// A few KiB, compressed, are as many MiB of names.
#[test]
fn names_in_an_archive_have_a_limit() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("names.tar.gz");
    let first = entry("first", tar::EntryType::Regular, &[1; 2 << 20], |_| ());
    for kind in [tar::EntryType::GNULongName, tar::EntryType::GNULongLink, tar::EntryType::XHeader] {
        let bomb = entry("bomb", kind, &[b'n'; 2 << 20], |_| ());
        let last = tar(&[("last", b"1")]);
        fs::write(&file, gzip(&[&*first, &bomb, &last].concat())).unwrap();
        let words = support::words(&offline(dir.path()).import(&file, None).unwrap_err());
        let said = "the names or records of an entry have more than 1048576 bytes";
        assert!(words.ends_with(said), "{words}");
    }
    let folder = entry("folder", tar::EntryType::Directory, &[1; 2 << 20], |_| ());
    fs::write(&file, gzip(&[first, folder, tar(&[("last", b"1")])].concat())).unwrap();
    let words = support::words(&offline(dir.path()).import(&file, None).unwrap_err());
    assert!(words.contains("neither an OCI layout nor"), "{words}");
}

#[test]
fn what_is_no_archive_of_images_is_refused_and_leaves_nothing() {
    let made = small("amd64");
    let dir = cache_of(&made);
    let bad = made.blobs.keys().next().unwrap()[7..].to_owned();
    let cache = tempfile::tempdir().unwrap();
    let file = dir.path().join("archive");
    for (archive, said) in [
        (b"root:x:0:0:root:/root:/bin/bash\n".repeat(100), "neither an OCI layout nor"),
        (Vec::new(), "neither an OCI layout nor"),
        (tar(&[("hello", b"1")]), "neither an OCI layout nor"),
        (tar(&[("manifest.json", b"{}")]), "not a list of images"),
        (tar(&[("index.json", b"[]")]), "is not the index"),
        (tar(&[("manifest.json", br#"[{"Config":"c","Layers":[]}]"#)]), "`c` is missing"),
        (tar(&[(&format!("blobs/sha256/{bad}"), b"x")]), "is damaged"),
        (gzip(&tar(&[("index.json", &noise(9000))]))[..5000].to_vec(), "cannot read"),
    ] {
        fs::write(&file, archive).unwrap();
        let words = support::words(&offline(cache.path()).import(&file, None).unwrap_err());
        assert!(words.contains(said) && words.contains("archive"), "{words}");
        assert_eq!(offline(cache.path()).list_images().unwrap(), []);
        assert!(!cache.path().join("blobs").exists());
        let left = fs::read_dir(cache.path().join(".mkimage")).unwrap();
        assert_eq!(
            left.filter(|e| !["layers", "use"].map(Into::into).contains(&e.as_ref().unwrap().file_name()))
                .count(),
            0
        );
    }
}

#[test]
fn an_image_without_a_name_is_given_one() {
    let dir = tempfile::tempdir().unwrap();
    small("amd64").write(&dir.path().join("layout"), "latest");
    let layout = dir.path().join("layout");
    let cache = dir.path().join("cache");
    let said = mkimage(&cache, &["import", layout.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("--name"));
    succeeds(&mkimage(&cache, &["import", layout.to_str().unwrap(), "--name", "mine:v1"]));
    resolve(&offline(&cache), &reference("mine:v1")).unwrap();
}

#[test]
fn a_name_of_any_length_is_listed() {
    let (dir, name) = (tempfile::tempdir().unwrap(), "n".repeat(70_000));
    let made = small("amd64");
    made.write(dir.path(), &name);
    let listed = succeeds(&mkimage(dir.path(), &["ls"]));
    assert_eq!(listed, format!("{name}  {}\n", made.root_digest()));
}

#[test]
fn removing_an_image_keeps_what_another_one_has() {
    let dir = cache_of(&small("amd64"));
    let shared = Made::index(&[("amd64", small("amd64")), ("arm64", small("arm64"))]);
    shared.write(dir.path(), "docker.io/library/both:v1");
    resolve(&offline(dir.path()), &reference("both:v1")).unwrap();
    succeeds(&mkimage(dir.path(), &["rm", "both:v1"]));
    let blobs = || fs::read_dir(dir.path().join("blobs/sha256")).unwrap().count();
    assert_eq!(blobs(), small("amd64").blobs.len());
    resolve(&offline(dir.path()), &reference("test:v1")).unwrap();
    assert!(!mkimage(dir.path(), &["rm", "both:v1"]).status.success());
    succeeds(&mkimage(dir.path(), &["rm", "test:v1"]));
    assert_eq!(blobs(), 0);
    assert_eq!(fs::read_dir(dir.path().join(".mkimage/layers/sha256")).unwrap().count(), 0);
}

#[test]
fn cleaning_leaves_the_locks_and_what_is_not_ours() {
    let dir = cache_of(&small("amd64"));
    resolve(&offline(dir.path()), &reference("test:v1")).unwrap();
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    succeeds(&mkimage(dir.path(), &["clean"]));
    let mut left: Vec<_> = limits::walk(dir.path()).into_keys().collect();
    left.retain(|path| !path.starts_with(dir.path().join(".mkimage/locks")));
    let ours = [".mkimage/lock", ".mkimage/use", "notes.txt"].map(|name| dir.path().join(name));
    assert_eq!(left, ours);
}
