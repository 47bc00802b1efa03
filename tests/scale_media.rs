//! The size of an initrd, in a process of its own, whose memory is measured.

#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use mkimage::initrd::Initrd;
use mkimage::output::{self, Format, Kernel, Options, System};
use mkimage_formats::Layout;
use std::fs::File;
use std::os::unix::fs::FileExt;
use support::kernel::bzimage;
use support::noise::noise;
use support::peak;

const INITRD: u64 = 1 << 30;
/// KiB.
const LIMIT: u64 = 96 << 10;

#[test]
fn media_with_an_initrd_of_a_gib_are_made_in_96_mib() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("initrd");
    let file = File::create(&path).unwrap();
    let ends = noise(1 << 20);
    file.write_all_at(&ends, 0).unwrap();
    file.write_all_at(&ends, INITRD - (1 << 20)).unwrap();
    let initrd = Initrd::of(Layout::file(&path).unwrap());
    let system =
        System { kernel: Some(Kernel::new(bzimage().into())), initrd: Some(initrd), ..System::default() };
    let (start, before) = (std::time::Instant::now(), peak());
    for name in ["iso", "raw", "raw-efi", "uki"] {
        let format = Format::named(name).unwrap();
        let files = output::write(&system, &[format], &Options::default(), dir.path(), "media").unwrap();
        for file in files {
            assert!(std::fs::metadata(&file).unwrap().len() > INITRD, "{name}");
            std::fs::remove_file(file).unwrap();
        }
    }
    println!("{before} KiB at first; {:?}, {} KiB", start.elapsed(), peak());
    assert!(peak() < LIMIT, "{} KiB", peak());
}
