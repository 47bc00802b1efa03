//! Unified kernel images, read by programs that did not write them.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "../archives/judge.rs"]
mod judge;

mod any;
mod malformed;
mod readers;
mod stub;

use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::pe::Section;
use mkimage_formats::{Layout, pe};

fn section(name: &'static str, content: impl Into<Layout>) -> Section {
    Section { name, content: content.into() }
}

fn bytes(layout: &Layout) -> Vec<u8> {
    let mut out = Stream::new(Vec::new());
    out.layout(layout).unwrap();
    out.into_inner()
}

fn appended(stub: &[u8], sections: &[Section]) -> Vec<u8> {
    bytes(&pe::append(stub, sections).unwrap())
}

/// Of no particular lengths: part of a page, more than one, and a whole one.
fn specimen() -> Vec<Section> {
    vec![
        section(".cmdline", b"console=ttyS0 quiet".to_vec()),
        section(".linux", vec![0xf4; 5000]),
        section(".initrd", vec![0x30; 4096]),
    ]
}
