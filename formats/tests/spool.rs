//! A disk of a gibibyte, compressed in a process of its own, whose memory is measured.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "memory/peak.rs"]
mod peak;

use mkimage_formats::ova::{self, Firmware, Medium, MediumKind};
use mkimage_formats::spool::Spool;
use mkimage_formats::{Content, Layout, emit, qcow2, vmdk};
use peak::peak;
use std::num::NonZero;
use std::os::unix::fs::FileExt;

const MIB: u64 = 1 << 20;
/// KiB.
const LIMIT: u64 = 96 << 10;

#[test]
fn a_disk_of_a_gibibyte_is_compressed_by_sixteen_threads_in_96_mib() {
    let dir = tempfile::tempdir().unwrap();
    let contents = std::fs::File::create(dir.path().join("contents")).unwrap();
    contents.set_len(1024 * MIB).unwrap();
    let piece: Vec<u8> = (0..4 * MIB).map(|n| (n * n / 9973).to_le_bytes()[1]).collect();
    for n in 0..16 {
        contents.write_all_at(&piece, n * 61 * MIB).unwrap();
    }
    let mut disk = Layout::file(dir.path().join("contents")).unwrap();
    disk.push(Content::Hole(1024 * MIB));
    let spool = |name| Spool {
        path: dir.path().join(name),
        threads: NonZero::new(16).unwrap(),
        memo: None,
        cache: None,
    };

    let options = vmdk::Options::new("x.vmdk", 1);
    let file = vmdk::stream_optimized(&disk, &options, &spool("vmdk")).unwrap();
    let kind = MediumKind::Disk { size: disk.len() };
    let media = vec![Medium { name: "x.vmdk".into(), file, kind }];
    let machine = ova::layout(media, &ova::Options::new("x", Firmware::Bios)).unwrap();
    emit::emit(&machine, dir.path().join("x.ova")).unwrap();
    println!("OVA: {} bytes, {} KiB", machine.len(), peak());

    for (size, compression) in [(8 << 10, qcow2::Compression::Zstd), (2 << 20, qcow2::Compression::Zlib)] {
        let options = qcow2::Options { cluster_size: size };
        let image = qcow2::compressed(&disk, &options, compression, &spool("qcow2")).unwrap();
        emit::emit(&image, dir.path().join("x.qcow2")).unwrap();
        println!("qcow2, clusters of {size}: {} bytes, {} KiB", image.len(), peak());
    }
    let image = qcow2::layout(&disk, &qcow2::Options { cluster_size: 8 << 10 }).unwrap();
    emit::emit(&image, dir.path().join("x.qcow2")).unwrap();
    println!("qcow2, not compressed: {} bytes, {} KiB", image.len(), peak());
    assert!(peak() < LIMIT, "{} KiB", peak());
}
