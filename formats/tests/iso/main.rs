//! ISO 9660 images, read by programs that did not write them.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "../archives/image.rs"]
mod image;
#[path = "../archives/judge.rs"]
mod judge;

mod any;
mod boot;
mod disk;
mod hybrid;
mod limits;
mod readers;
mod specimens;
