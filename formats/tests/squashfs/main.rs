//! SquashFS images, read by programs that did not write them.

#![cfg(unix)] // what is extracted has owners, links and devices
#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "../archives/any.rs"]
mod any;
#[path = "../archives/judge.rs"]
mod judge;
#[path = "../../../testdata/noise.rs"]
mod noise;
#[path = "../erofs/seen.rs"]
mod seen;
#[path = "../erofs/specimens.rs"]
mod specimens;

mod archived;
mod contents;
mod limits;
mod reader;
mod readers;
mod tables;

use mkimage_formats::spool::Spool;
use mkimage_formats::squashfs::{self, Options};
use mkimage_formats::{Layout, Tree};
use seen::bytes;
use std::num::NonZero;

/// What names of attributes begin with.
const KINDS: [&str; 3] = ["user.a", "trusted.overlay.opaque", "security.capability"];

fn options() -> Options {
    Options { epoch: specimens::EPOCH, ..Options::default() }
}

/// A folder for the spool, and how to get there.
fn spool(threads: usize) -> (tempfile::TempDir, Spool) {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool {
        path: dir.path().join("spool"),
        threads: NonZero::new(threads).unwrap(),
        memo: None,
        cache: None,
    };
    (dir, spool)
}

/// The bytes of an image.
fn image(tree: &Tree, options: &Options) -> Vec<u8> {
    let (_dir, spool) = spool(3);
    bytes(&squashfs::layout(tree, options, &spool).unwrap())
}

fn told(tree: &Tree) -> String {
    let (_dir, spool) = spool(1);
    squashfs::layout(tree, &options(), &spool).unwrap_err().to_string()
}

/// So many bytes that nothing compresses.
fn noise(len: usize) -> Layout {
    noise::noise(len).into()
}
