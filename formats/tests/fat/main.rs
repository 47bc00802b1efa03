//! FAT file systems, read by programs that did not write them.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "../archives/image.rs"]
mod image;
#[path = "../archives/judge.rs"]
mod judge;

mod any;
mod boot_sector;
mod limits;
mod readers;
mod rules;
mod specimens;
