//! The size of a layer, in a process of its own, whose memory is measured.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use mkimage::build;
use mkimage::oci::Platform;
use mkimage::spec::Spec;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use support::image::{CONFIG, LAYER, Made};
use support::{offline, peak, reference};

const FILES: u32 = 100_000;
/// KiB.
const LIMIT: u64 = 96 << 10;

/// A file, and the hash of what was written to it.
struct Hashed(BufWriter<File>, Sha256);

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.0.write(bytes)?;
        self.1.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_layer_of_100_000_files_is_composed_in_96_mib() {
    let cache = tempfile::tempdir().unwrap();
    let file = cache.path().join("layer");
    let mut tar = tar::Builder::new(Hashed(BufWriter::new(File::create(&file).unwrap()), Sha256::new()));
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(1);
    for n in 0..FILES {
        let path = format!("usr/lib/python3/some-package-{}/a-module-{n}.py", n / 100);
        tar.append_data(&mut header, path, &b"x"[..]).unwrap();
    }
    let mut written = tar.into_inner().unwrap();
    written.flush().unwrap();
    let hex: String = written.1.finalize().iter().map(|byte| format!("{byte:02x}")).collect();

    let mut made = Made::default();
    let diff_id = format!("sha256:{hex}");
    let config = json!({"architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [&diff_id]}});
    let config = made.add(CONFIG, config.to_string().into_bytes());
    let size = std::fs::metadata(&file).unwrap().len();
    made.close(config, vec![json!({"mediaType": LAYER, "digest": diff_id, "size": size})]);
    made.write(cache.path(), &reference("large:1").to_string());
    std::fs::rename(file, cache.path().join("blobs/sha256").join(hex)).unwrap();

    let spec = Spec::parse("scale.yml", "init: ['large:1']").unwrap();
    let store = offline(cache.path());
    let scratch = store.scratch().unwrap();
    let options = build::Options {
        platform: Platform::linux("amd64"),
        decompress_kernel: false,
        sbom: None,
        initrd: None,
    };
    let (start, before) = (std::time::Instant::now(), peak());
    let system = build::system(&spec, &store, &options, scratch.path()).unwrap();
    println!("{before} KiB at first; {:?}, {} KiB", start.elapsed(), peak());
    assert!(system.tree.unwrap().len() > 100_000);
    assert!(peak() < LIMIT, "{} KiB", peak());
}
