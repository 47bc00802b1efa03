//! Root file systems, whole: `testdata/rootfs/NAME.yml` with images made here must give
//! `NAME.tree`, in the lines of [`dump`].
//!
//! After a change that is meant, `UPDATE_GOLDEN=1 cargo test --test rootfs` writes the `.tree`
//! files anew; every line that differs then is to be justified.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(unreachable_pub, reason = "modules of a test")]

#[path = "../support/mod.rs"]
mod support;

mod containers;
mod dump;
mod files;
mod images;
mod kernel;

use mkimage::build::{self, Sbom};
use mkimage::oci::Platform;
use mkimage::spec::Spec;
use std::path::{Path, PathBuf};
use support::image::{Compression, Made};
use support::{lines, offline, reference};

/// An image: its reference, and each layer's lines, bottom first. What is in layer N, from 1, was
/// last modified at N thousand.
type Image<'a> = (&'a str, &'a [&'a str]);

fn made((_, layers): &Image<'_>) -> Made {
    let layer = |(n, text): (u64, &&str)| (Compression::None, lines::archive(text, n * 1000));
    Made::image("amd64", &(1..).zip(*layers).map(layer).collect::<Vec<_>>())
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rootfs").join(name)
}

/// `NAME.yml` with these images gives `NAME.tree`.
fn check(name: &str, images: &[Image<'_>]) {
    let images: Vec<_> = images.iter().map(|image| (image.0, made(image))).collect();
    check_with(name, &[&format!("{name}.yml")], &images, None);
}

/// `files` with these images give `NAME.tree`.
fn check_with(name: &str, files: &[&str], images: &[(&str, Made)], sbom: Option<Sbom>) {
    let cache = tempfile::tempdir().unwrap();
    for (image, made) in images {
        made.write(cache.path(), &reference(image).to_string());
    }
    let mut spec = Spec::default();
    for file in files {
        let text = std::fs::read_to_string(golden(file)).unwrap();
        spec.append(Spec::parse(file, &text).unwrap()).unwrap();
    }
    let store = offline(cache.path());
    let scratch = store.scratch().unwrap();
    let options =
        build::Options { platform: Platform::linux("amd64"), decompress_kernel: false, sbom, initrd: None };
    let system = build::system(&spec, &store, &options, scratch.path());
    let system = system.unwrap_or_else(|error| panic!("{name}: {}", support::words(&error)));
    let found = dump::dump(&system.tree.unwrap());
    let path = golden(&format!("{name}.tree"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, found).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path).unwrap();
    for (number, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "line {} of {}", number + 1, path.display());
    }
    assert_eq!(found.lines().count(), wanted.lines().count(), "lines of {}", path.display());
}
