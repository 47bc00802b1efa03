//! The header of a Linux kernel.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mkimage_loaders::bzimage::Header;

fuzz_target!(|bytes: &[u8]| {
    let len = bytes.len() as u64;
    let Ok(header) = Header::parse(bytes, len) else { return };
    // Refusing is right; only a panic is a finding.
    drop(header.check_len(len));
    drop(header.check_cmdline(bytes));
});
