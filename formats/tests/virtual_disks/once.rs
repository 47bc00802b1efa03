//! What several disks have in them is compressed once.

use crate::specimens::{Desk, KIB, bytes, noise, text};
use mkimage_formats::qcow2::{self, Compression};
use mkimage_formats::spool::{Memo, Spool};
use mkimage_formats::vmdk;
use mkimage_formats::{Content, Layout};

/// Structures, the payload from `at` on, and a hole.
fn disk(payload: &Layout, at: u64) -> Layout {
    let mut disk = Layout::from(text(at / 3));
    disk.pad_to(at);
    disk.append(payload.clone());
    disk.push(Content::Hole(64 * KIB));
    disk
}

fn container(kind: &str, disk: &Layout, spool: &Spool) -> Layout {
    let qcow2 =
        |compression| qcow2::compressed(disk, &qcow2::Options::default(), compression, spool).unwrap();
    match kind {
        "vmdk" => vmdk::stream_optimized(disk, &vmdk::Options::new("x.vmdk", 1), spool).unwrap(),
        "zlib" => qcow2(Compression::Zlib),
        _ => qcow2(Compression::Zstd),
    }
}

#[test]
fn a_payload_at_whole_grains_is_read_once_for_all_disks() {
    let kinds = ["vmdk", "zlib", "zstd"];
    let desk = Desk::new();
    // Clusters of noise gain nothing, and those of zeros are not there.
    let contents = [text(320 * KIB), noise(128 * KIB), vec![0; 64 << 10]].concat();
    let payload = desk.file("payload", &contents);
    let disks = [disk(&payload, 128 * KIB), disk(&payload, 1024 * KIB)];
    let memo = Some(Memo::default());
    let spool = |kind: &str, n: usize, memo| Spool { memo, ..desk.spool(&format!("{kind}{n}"), 2) };
    let alone: Vec<_> = kinds
        .iter()
        .map(|kind| bytes(&desk.emit("alone", &container(kind, &disks[1], &spool(kind, 0, None)))))
        .collect();
    let first: Vec<_> =
        kinds.iter().map(|kind| container(kind, &disks[0], &spool(kind, 1, memo.clone()))).collect();
    // Who reads a part of it that was not zero reads something else now.
    std::fs::write(desk.path("payload"), [vec![7; 448 << 10], vec![0; 64 << 10]].concat()).unwrap();
    let second: Vec<_> =
        kinds.iter().map(|kind| container(kind, &disks[1], &spool(kind, 2, memo.clone()))).collect();
    // Clusters that are as they were are read when the image is written.
    std::fs::write(desk.path("payload"), &contents).unwrap();
    for (n, kind) in kinds.iter().enumerate() {
        assert!(bytes(&desk.emit("second", &second[n])) == alone[n], "{kind}");
        let alone = container(kind, &disks[0], &spool(kind, 3, None));
        assert!(bytes(&desk.emit("first", &first[n])) == bytes(&desk.emit("alone", &alone)), "{kind}");
    }
}
