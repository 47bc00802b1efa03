//! Bad input: what is said about it on standard error, and that nothing is left behind.
//!
//! `testdata/broken.txt` has the message of every case, digests and folders of this run left out.
//! Specifications and labels have their own table in `testdata/specs/broken`. The file is written
//! anew by `UPDATE_TESTDATA=1 cargo test --test broken`; read the difference before you commit it.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]
// The messages of the system are Unix's.
#![cfg(unix)]

mod flags;
mod kernels;
mod layers;
mod manifests;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use support::image::{Compression, Made};
use support::workplace::{Workplace, done, listed, untar};

/// Something that is wrong, and a command that meets it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) make: Box<dyn Fn(&Workplace) + Send + Sync>,
    pub(crate) args: Vec<&'static str>,
}

/// A build with an image that is wrong.
pub(crate) fn image(name: &'static str, made: impl Fn() -> Made + Send + Sync + 'static) -> Case {
    let make = move |place: &Workplace| {
        made().write(&place.cache(), "docker.io/example/bad:1");
        place.write("bad.yml", "init: ['example/bad:1']");
    };
    Case {
        name,
        make: Box::new(make),
        args: vec!["build", "--arch", "amd64", "--offline", "-q", "-f", "tar", "bad.yml"],
    }
}

/// All files below a folder.
fn snapshot(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let names = listed(folder).into_iter();
    names.map(|name| (name.clone(), std::fs::read(folder.join(name)).ok())).collect()
}

/// What the command says about it, and what it should not have done.
fn complaint(case: &Case) -> (String, Vec<String>) {
    let place = Workplace::new();
    for output in ["bad.tar", "demo.tar", "demo.iso", "media.iso", "demo-kernel"] {
        place.write(output, "before");
    }
    (case.make)(&place);
    let ls = || place.command(&["cache", "ls"]).output().unwrap();
    let (before, images) = (snapshot(&place.out()), ls());
    let output = place.command(&case.args).output().unwrap();
    let mut wrong = Vec::new();
    let mut is = |good: bool, what: &str| {
        if !good {
            wrong.push(format!("{}: {what}: {output:?}, {:?}", case.name, place.names()));
        }
    };
    is(output.status.code() == Some(1), "exit code");
    is(output.stdout.is_empty(), "standard output");
    is(snapshot(&place.out()) == before, "outputs");
    is(ls() == images, "cache");
    let layers = place.cache().join(".mkimage/layers/sha256");
    let complete = |name: &String| name.ends_with(".tar") || name.ends_with(".checked");
    is(!layers.exists() || listed(&layers).iter().all(complete), "unpacked layers");
    let text = String::from_utf8_lossy(&output.stderr);
    (without_digests(&text.replace(place.dir.path().to_str().unwrap(), "DIR")), wrong)
}

/// The text with `sha256:…` and `HEX` for digests: they depend on the versions of compressors.
fn without_digests(text: &str) -> String {
    let (mut out, mut digits) = (String::new(), String::new());
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_hexdigit() && !c.is_ascii_uppercase() {
            digits.push(c);
            continue;
        }
        out.push_str(if digits.len() == 64 { "HEX" } else { &digits });
        digits.clear();
        out.push(c);
    }
    out.pop();
    out
}

#[test]
fn everything_broken_gets_its_message_and_leaves_nothing() {
    let tables = [layers::cases(), manifests::cases(), kernels::cases(), flags::cases()];
    let cases: Vec<Case> = tables.into_iter().flatten().collect();
    assert!(cases.len() >= 40);
    let chunks = cases.chunks(cases.len().div_ceil(8));
    let texts = std::thread::scope(|scope| {
        let threads: Vec<_> =
            chunks.map(|chunk| scope.spawn(|| chunk.iter().map(complaint).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let mut all = String::new();
    let mut wrong = Vec::new();
    for (case, (text, more)) in cases.iter().zip(texts) {
        writeln!(all, "## {}\n{text}", case.name).unwrap();
        wrong.extend(more);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/broken.txt");
    if std::env::var_os("UPDATE_TESTDATA").is_some() {
        std::fs::write(&path, &all).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let want = std::fs::read_to_string(&path).unwrap();
    let messages = |text: &str| text.split("## ").map(str::to_owned).collect::<Vec<_>>();
    for (found, wanted) in messages(&all).iter().zip(messages(&want)) {
        assert_eq!(*found, wanted);
    }
    assert_eq!(all.len(), want.len());
}

#[test]
fn links_that_point_out_of_the_file_system_stay_inside() {
    let place = Workplace::new();
    let bottom = [layers::link("out", b'2', "/../../tmp"), layers::link("up", b'2', "../../../../etc")];
    let top = [("out/dropped", "1"), ("up/dropped", "2"), ("/absolute", "3")];
    let top = top.map(|(name, contents)| layers::file(name, contents.as_bytes()));
    let layers = [layers::archive(&bottom), layers::archive(&top)].map(|tar| (Compression::Gzip, tar));
    Made::image("amd64", &layers).write(&place.cache(), "docker.io/example/links:1");
    place.write("links.yml", "init: ['example/links:1']");
    let files = untar(&done(&mut place.build(&["-o", "-", "links.yml"])));
    for (path, contents) in [("tmp/dropped", b"1"), ("etc/dropped", b"2"), ("absolute", b"3")] {
        assert_eq!(files[path], contents, "{path}");
    }
    assert!(!Path::new("/tmp/dropped").exists() && !Path::new("/absolute").exists());
}
