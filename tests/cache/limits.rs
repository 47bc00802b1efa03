//! What builds leave in the cache, and what is removed from it when.

use super::support::image::{Compression, Made, small, tar};
use super::support::noise::noise;
use super::support::{offline, reference, resolve, words};
use super::{NAME, cache_of, mkimage, succeeds};
use mkimage::oci::Platform;
use mkimage::output::{self, Format};
use mkimage::spec::Spec;
use mkimage::{build, initrd};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// Files below a folder, and their lengths.
pub(super) fn walk(dir: &Path) -> BTreeMap<PathBuf, u64> {
    let mut out = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            out.extend(walk(&entry.path()));
        } else {
            out.insert(entry.path(), entry.metadata().unwrap().len());
        }
    }
    out
}

/// Says that all files below a folder were used that many hours ago.
fn age(dir: &Path, hours: u64) {
    for path in walk(dir).into_keys() {
        age_file(&path, hours);
    }
}

fn age_file(path: &Path, hours: u64) {
    let time = SystemTime::now() - Duration::from_secs(3600 * hours);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// An image with this many bytes in a layer of its own.
fn image_of(seed: u8, len: usize) -> Made {
    let mut content = noise(len);
    content[0] = seed;
    Made::image("amd64", &[(Compression::Gzip, tar(&[("a", &content)]))])
}

/// Builds the specification `text`; cache and output are in `dir`.
fn build_in(dir: &Path, format: &str, text: &str) {
    fs::write(dir.join("x.yml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mkimage"));
    command.args(["build", "--offline", "--arch", "amd64", "-f", format, "--cache"]);
    succeeds(&command.arg(dir).arg("--dir").arg(dir).arg(dir.join("x.yml")).output().unwrap());
}

#[test]
fn one_changed_line_makes_one_segment() {
    let dir = cache_of(&small("amd64"));
    let segments = || walk(&dir.path().join(".mkimage/segments"));
    let build = |motd: &str| {
        let source = dir.path().join("hosts");
        let text = format!(
            "init: [test:v1]\nonboot: [{{name: a, image: test:v1, command: [/hello]}}]\nfiles:\n  \
             - {{path: etc/issue, contents: first}}\n  - {{path: etc/motd, contents: {motd}}}\n  \
             - {{path: etc/hosts.more, source: {source:?}}}\n"
        );
        build_in(dir.path(), "kernel+initrd", &text);
        fs::read(dir.path().join("x-initrd.img")).unwrap()
    };
    fs::write(dir.path().join("hosts"), "127.0.0.2 two").unwrap();
    let cold = build("one");
    let first = segments();
    assert!(build("one") == cold);
    assert_eq!(segments(), first);

    let changed = build("two");
    assert!(changed != cold);
    assert_eq!(segments().len(), first.len() + 1);
    fs::write(dir.path().join("hosts"), "127.0.0.3 two").unwrap();
    assert!(build("two") != changed);
    assert_eq!(segments().len(), first.len() + 2);
    fs::write(dir.path().join("hosts"), "127.0.0.2 two").unwrap();
    assert!(build("one") == cold);
    assert_eq!(segments().len(), first.len() + 2);

    for gone in ["segments", "layers"] {
        fs::remove_dir_all(dir.path().join(".mkimage").join(gone)).unwrap();
        assert!(build("one") == cold, "without {gone}");
    }
    assert_eq!(segments(), first);
}

#[test]
fn one_changed_line_compresses_the_blocks_that_it_is_in() {
    let dir = cache_of(&small("amd64"));
    let folder = dir.path().join(".mkimage/blocks");
    let build = |motd: &str| {
        let text = format!("init: [test:v1]\nfiles: [{{path: etc/motd, contents: {motd}}}]\n");
        build_in(dir.path(), "kernel+squashfs", &text);
        fs::read(dir.path().join("x-squashfs.img")).unwrap()
    };
    let cold = build("one");
    let first = walk(&folder);
    assert_eq!(first.len(), 1);
    assert!(build("one") == cold);
    assert_eq!(walk(&folder), first);
    let changed = build("two");
    assert!(changed != cold);
    assert_eq!(walk(&folder).len(), 2);

    // A limit takes them as it takes all that can be made again, the ones that were used last at last.
    age_file(first.keys().next().unwrap(), 1);
    let parts = ["blobs", ".mkimage"].map(|part| dir.path().join(part));
    let all: u64 = parts.iter().flat_map(|part| walk(part).into_values()).sum();
    let limit = format!("{}K", (all - 1) >> 10);
    succeeds(&mkimage(dir.path(), &["clean", "--keep", &limit]));
    assert!(!walk(&folder).contains_key(first.keys().next().unwrap()));
    assert!(build("two") == changed);

    fs::remove_dir_all(&folder).unwrap();
    assert!(build("one") == cold);
    assert_eq!(walk(&folder), first);
    succeeds(&mkimage(dir.path(), &["clean"]));
    assert!(!folder.exists());
}

#[test]
fn of_many_files_with_blocks_those_go_that_were_used_least_recently() {
    let dir = cache_of(&small("amd64"));
    let folder = dir.path().join(".mkimage/blocks");
    fs::create_dir_all(&folder).unwrap();
    for hours in 1..=65 {
        let path = folder.join(format!("vmdk.1.{hours:02}"));
        fs::write(&path, "x").unwrap();
        age_file(&path, hours);
    }
    let (one, other) = (offline(dir.path()), offline(dir.path()));
    resolve(&one, &reference("test:v1")).unwrap();
    drop(other.scratch().unwrap());
    assert_eq!(walk(&folder).len(), 65, "while somebody may read them");
    drop(one);
    // What another test is about to start has our files, and with them the lock, until it is started.
    let start = Instant::now();
    while walk(&folder).len() == 65 && start.elapsed() < Duration::from_secs(10) {
        drop(other.scratch().unwrap());
    }
    let wanted = (1..=32).map(|hours| folder.join(format!("vmdk.1.{hours:02}")));
    assert!(walk(&folder).into_keys().eq(wanted));
}

// Windows deletes no folder with a file that is open.
#[cfg(unix)]
#[test]
fn a_cache_that_is_deleted_during_a_build_ends_it_with_the_file_that_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    image_of(1, 100_000).write(&cache, NAME);
    let store = offline(&cache);
    let scratch = store.scratch().unwrap();
    let initrd = initrd::Options {
        compression: initrd::Compression::Gzip,
        threads: NonZero::<usize>::MIN,
        folder: initrd::Folder::Cache(store.segments().unwrap()),
        doubt: |_| (),
    };
    let options = build::Options {
        platform: Platform::linux("amd64"),
        decompress_kernel: false,
        sbom: None,
        initrd: Some(initrd),
    };
    let spec = Spec::parse("x.yml", "init: [test:v1]").unwrap();
    let system = build::system(&spec, &store, &options, scratch.path()).unwrap();
    fs::remove_dir_all(&cache).unwrap();
    for format in ["tar", "kernel+initrd"] {
        let formats = [Format::named(format).unwrap()];
        let error = output::write(&system, &formats, &Default::default(), dir.path(), "x").unwrap_err();
        let said = words(&error);
        assert!(said.contains("cannot read `") && said.contains(".mkimage"), "{said}");
        assert_eq!(walk(dir.path()), BTreeMap::new(), "no output, and no part of one");
    }
}

#[test]
fn what_was_used_least_recently_goes_until_the_rest_fits() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["r/old:1", "r/middle:1", "r/new:1"];
    for (n, name) in (0..).zip(names) {
        image_of(n, 100_000).write(dir.path(), &format!("docker.io/{name}"));
    }
    age(dir.path(), 9);
    // Used in this order, each an hour before the next.
    for (n, name) in (1..).zip(names) {
        resolve(&offline(dir.path()), &reference(name)).unwrap();
        for (path, _) in walk(dir.path()) {
            if fs::metadata(&path).unwrap().modified().unwrap() > SystemTime::now() - Duration::from_secs(60)
            {
                age_file(&path, 5 - n);
            }
        }
    }
    let segments = dir.path().join(".mkimage/segments");
    fs::create_dir_all(&segments).unwrap();
    for (name, hours) in [("old", 8), ("new", 0), ("killed.partial", 0)] {
        fs::write(segments.join(name), noise(50_000)).unwrap();
        age_file(&segments.join(name), hours);
    }
    let all: u64 = walk(dir.path()).values().sum();
    let count = || (layers(dir.path()).len(), walk(&segments).len(), listed(dir.path()).len());

    assert_eq!(succeeds(&mkimage(dir.path(), &["clean", "--keep", "1G"])), "");
    assert_eq!(count(), (3, 2, 3), "what a process left behind that was killed");
    let keep =
        |bytes: u64| succeeds(&mkimage(dir.path(), &["clean", "--keep", &format!("{}K", bytes >> 10)]));
    assert_eq!(keep(all - 80_000), "");
    assert_eq!(count(), (3, 1, 3), "a segment that no build has asked for");
    assert_eq!(keep(all - 150_000), "");
    assert_eq!(count(), (2, 1, 3), "the archive of a layer, which can be unpacked again");
    assert_eq!(keep(all - 250_000), "docker.io/r/old:1\n");
    assert_eq!(count(), (2, 1, 2), "the image itself");
    for name in &names[1..] {
        resolve(&offline(dir.path()), &reference(name)).unwrap();
    }
    assert_eq!(keep(0), "docker.io/r/middle:1\ndocker.io/r/new:1\n");
    assert_eq!(count(), (0, 0, 0));
    assert_eq!(walk(&dir.path().join("blobs")).len(), 0);
}

#[test]
fn a_limit_keeps_what_another_image_has_and_takes_what_none_has() {
    let dir = tempfile::tempdir().unwrap();
    let shared = tar(&[("a", &noise(100_000))]);
    let with = |text: &[u8]| {
        Made::image("amd64", &[(Compression::None, shared.clone()), (Compression::None, tar(&[("b", text)]))])
    };
    let orphans = image_of(7, 1000).blobs;
    let blobs = dir.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    for (digest, bytes) in &orphans {
        fs::write(blobs.join(&digest[7..]), bytes).unwrap();
    }
    age(dir.path(), 9);
    with(b"1").write(dir.path(), "docker.io/r/one:1");
    with(b"2").write(dir.path(), "docker.io/r/two:1");
    resolve(&offline(dir.path()), &reference("r/two:1")).unwrap();
    let of_images = || {
        let mut files = walk(&blobs);
        files.retain(|path, _| !orphans.keys().any(|digest| path.ends_with(&digest[7..])));
        files
    };
    let before = of_images();
    let keep = |files: &BTreeMap<PathBuf, u64>| {
        let kib = (files.values().sum::<u64>() - 1) >> 10;
        succeeds(&mkimage(dir.path(), &["clean", "--keep", &format!("{kib}K")]))
    };
    let all = walk(&blobs);
    assert_eq!(keep(&all), "", "blobs of no image go first, since they are the oldest");
    assert!(of_images() == before && walk(&blobs).len() < all.len());
    assert_eq!(keep(&before), "docker.io/r/one:1\n");
    assert_eq!(before.len() - walk(&blobs).len(), 3, "manifest, configuration, own layer");
    resolve(&offline(dir.path()), &reference("r/two:1")).unwrap();
}

/// `mkimage cache VERB` waits, and others go on meanwhile.
fn waits(dir: &Path, verb: &[&str]) {
    let mut waiting = Command::new(env!("CARGO_BIN_EXE_mkimage"))
        .arg("cache")
        .args(verb)
        .arg("--cache")
        .arg(dir)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(waiting.stderr.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains("waiting"), "{said}");
    resolve(&offline(dir), &reference("test:v1")).unwrap();
    waiting.kill().unwrap();
    waiting.wait().unwrap();
}

#[test]
fn nothing_is_removed_while_somebody_uses_it() {
    let dir = cache_of(&small("amd64"));
    let store = offline(dir.path());
    let image = resolve(&store, &reference("test:v1")).unwrap();
    for verb in [&["clean", "--keep", "0"][..], &["rm", "test:v1"], &["clean"]] {
        waits(dir.path(), verb);
        assert!(image.layers[0].tar.exists());
    }
    let scratch = store.scratch().unwrap();
    drop(store);
    waits(dir.path(), &["clean", "--keep", "0"]);
    assert!(scratch.path().exists(), "a folder that outlives its store");
    drop(scratch);
    succeeds(&mkimage(dir.path(), &["clean", "--keep", "0"]));
    assert!(!image.layers[0].tar.exists());
}

/// The unpacked layers.
fn layers(dir: &Path) -> BTreeMap<PathBuf, u64> {
    walk(&dir.join(".mkimage/layers"))
}

fn listed(dir: &Path) -> Vec<String> {
    succeeds(&mkimage(dir, &["ls"])).lines().map(str::to_owned).collect()
}
