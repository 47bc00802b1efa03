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
