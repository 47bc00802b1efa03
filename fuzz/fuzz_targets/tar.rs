//! Tar archives: their headers, PAX records and the tree that they unpack to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mkimage::rootfs::import;
use std::io::Write;

fuzz_target!(|bytes: &[u8]| {
    // Trees refer to slices of files, so that only a file will do.
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room for a temporary file");
    // Refusing is right; only a panic is a finding.
    drop(import(file.path()));
});
