//! EROFS images, read by programs that did not write them.

#![cfg(unix)] // what is extracted has owners, links and devices
#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "../archives/any.rs"]
mod any;
#[path = "../archives/judge.rs"]
mod judge;

mod limits;
mod reader;
mod readers;
mod seen;
mod specimens;

use mkimage_formats::erofs::Options;
use mkimage_formats::gpt::Guid;

/// What names of attributes begin with.
const KINDS: [&str; 5] = [
    "user.a",
    "trusted.overlay.opaque",
    "security.capability",
    "system.posix_acl_access",
    "system.posix_acl_default",
];

fn options() -> Options {
    Options { label: "specimens".into(), uuid: Guid(*b"0123456789abcdef"), epoch: specimens::EPOCH }
}
