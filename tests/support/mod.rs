//! Images made in code, and registries to keep them in: what the tests of images share.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

pub mod image;
pub mod kernel;
pub mod lines;
#[path = "../../testdata/noise.rs"]
pub mod noise;
pub mod server;
#[path = "../../testdata/skip.rs"]
pub mod skip;
pub mod workplace;

use mkimage::oci::{self, Image, Platform, Progress, Pull, Reference, Store, StoreOptions};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// A store that says nothing.
pub fn store(cache: &Path, change: impl FnOnce(&mut StoreOptions)) -> Store {
    let mut options = StoreOptions { progress: Progress::Quiet, ..StoreOptions::new(cache) };
    change(&mut options);
    Store::open(options).unwrap()
}

/// A store that must not touch the network.
pub fn offline(cache: &Path) -> Store {
    store(cache, |options| options.pull = Pull::Never)
}

pub fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// One image, for amd64.
pub fn resolve(store: &Store, reference: &Reference) -> Result<Image, oci::Error> {
    let images = store.resolve(std::slice::from_ref(reference), &Platform::linux("amd64"))?;
    Ok(images.into_iter().next().unwrap())
}

/// One image, which is not to be had, for amd64: why.
pub fn refusal(store: &Store, reference: &Reference) -> String {
    words(&resolve(store, reference).unwrap_err())
}

/// An error with its causes, as the command prints them.
pub fn words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").unwrap();
        cause = error.source();
    }
    text
}

/// `mkimage cache pull` of an image for amd64.
pub fn pull(cache: &Path, name: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mkimage"));
    command.args(["cache", "pull", name, "--platform", "linux/amd64", "--quiet", "--cache"]).arg(cache);
    // What the tester's own environment says is not tested.
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    for name in ["LINUXKIT_MIRROR", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(name);
    }
    command.env("DOCKER_CONFIG", cache);
    command
}

/// It worked.
pub fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// It did not; what it said.
pub fn fails(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// The most memory that this process has had, KiB.
pub fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
