//! Tar and cpio archives, read by programs that did not write them.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

mod any;
mod cpio;
mod judge;
mod tar;
