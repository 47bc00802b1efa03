//! QCOW2.

use crate::qemu;
use crate::specimens::{Desk, KIB, MIB, bytes, disks, noise, text};
use mkimage_formats::qcow2::{self, Compression, Error, Options};
use mkimage_formats::{Content, Layout};
use proptest::prelude::*;

const BOTH: [Compression; 2] = [Compression::Zlib, Compression::Zstd];

fn clusters_of(cluster_size: u32) -> Options {
    Options { cluster_size }
}

/// The image with clusters as they are, and with compressed ones.
fn images(desk: &Desk, disk: &Layout, options: &Options) -> Vec<Layout> {
    let mut images = vec![qcow2::layout(disk, options).unwrap()];
    for (n, compression) in BOTH.into_iter().enumerate() {
        let spool = desk.spool(&format!("spool{n}"), 2);
        images.push(qcow2::compressed(disk, options, compression, &spool).unwrap());
    }
    images
}

#[test]
fn qemu_reads_back_every_byte_with_clusters_of_every_size() {
    let desk = Desk::new();
    let disk = desk.disk();
    let raw = desk.emit("raw", &disk);
    for bits in 9..=21 {
        for image in images(&desk, &disk, &clusters_of(1 << bits)) {
            qemu::agrees("qcow2", &desk.emit("image", &image), &raw);
        }
    }
}

#[test]
fn qemu_tells_the_size_the_clusters_and_the_compression() {
    let desk = Desk::new();
    let disk = desk.disk();
    let kinds = ["zlib", "zlib", "zstd"];
    for (image, kind) in images(&desk, &disk, &Options::default()).iter().zip(kinds) {
        let image = desk.emit("image", image);
        for (key, want) in [
            ("virtual-size", disk.len().to_string()),
            ("cluster-size", "65536".into()),
            ("compat", "1.1".into()),
            ("compression-type", kind.into()),
            ("refcount-bits", "16".into()),
        ] {
            let Some(found) = qemu::info("qcow2", &image, key) else { return };
            assert_eq!(found, want, "{key}");
        }
    }
}

#[test]
fn rule_40_clusters_of_8_kib_as_oracle_takes_them() {
    let desk = Desk::new();
    let disk = desk.disk();
    let raw = desk.emit("raw", &disk);
    for image in images(&desk, &disk, &clusters_of(8 << 10)) {
        let image = desk.emit("image", &image);
        qemu::agrees("qcow2", &image, &raw);
        let Some(size) = qemu::info("qcow2", &image, "cluster-size") else { return };
        assert_eq!(size, "8192");
    }
}

#[test]
fn holes_are_in_no_cluster_and_zeros_in_none_that_is_compressed() {
    let desk = Desk::new();
    let mut disk = Layout::hole(10 * MIB);
    disk.push(text(64 * KIB));
    disk.push(vec![0; 64 << 10]);
    disk.push(noise(64 * KIB));
    disk.push(Content::Hole(10 * MIB));
    let total = disk.len() / (64 * KIB);
    let [plain, zlib, zstd] = &images(&desk, &disk, &Options::default())[..] else { unreachable!() };
    for (image, want) in [(plain, [total, 3, 0]), (zlib, [total, 2, 1]), (zstd, [total, 2, 1])] {
        let Some(found) = qemu::clusters("qcow2", &desk.emit("image", image)) else { return };
        assert_eq!(found, want);
    }
    // Header, three tables of one cluster each, one L2 table, and the data.
    assert_eq!([plain.len(), zlib.len(), zstd.len()], [8, 7, 7].map(|clusters| clusters * 64 * KIB));
}

#[test]
fn a_disk_of_holes_is_four_clusters_and_one_of_nothing_too() {
    let desk = Desk::new();
    for size in [0, 512, 40 << 30] {
        let disk = Layout::hole(size);
        let raw = desk.emit("raw", &disk);
        for image in images(&desk, &disk, &Options::default()) {
            assert_eq!(image.len(), 4 * 64 * KIB);
            qemu::agrees("qcow2", &desk.emit("image", &image), &raw);
        }
    }
}

#[test]
fn refcounts_count_their_own_blocks() {
    // With clusters of 512 bytes a block has 256 refcounts, and a refcount table's cluster 64 blocks.
    let desk = Desk::new();
    let file = desk.file("contents", &text(10 * MIB));
    for sectors in [1, 120, 124, 125, 126, 127, 250, 251, 252, 253, 16_000, 16_180, 20_000] {
        let disk = file.window(0, sectors * 512);
        let raw = desk.emit("raw", &disk);
        let image = qcow2::layout(&disk, &clusters_of(512)).unwrap();
        qemu::agrees("qcow2", &desk.emit("image", &image), &raw);
    }
}

#[test]
fn compressed_bytes_do_not_depend_on_the_number_of_threads() {
    let desk = Desk::new();
    let disk = desk.disk();
    for compression in BOTH {
        let image = |threads| {
            let spool = desk.spool("spool", threads);
            let image = qcow2::compressed(&disk, &clusters_of(4096), compression, &spool).unwrap();
            bytes(&desk.emit("image", &image))
        };
        let one = image(1);
        for threads in [2, 3, 16] {
            assert!(image(threads) == one, "{threads} threads");
        }
    }
}

#[test]
fn sizes_that_qcow2_cannot_say_are_refused() {
    for size in [0, 256, 3000, 4 << 20, u32::MAX] {
        let e = qcow2::layout(&Layout::default(), &clusters_of(size)).unwrap_err();
        assert!(matches!(e, Error::ClusterSize { size: found } if found == size), "{e}");
    }
    for (size, cluster_size) in [(513, 65536), ((64 << 30) + 512, 512)] {
        let e = qcow2::layout(&Layout::hole(size), &clusters_of(cluster_size)).unwrap_err();
        assert!(matches!(e, Error::Size { .. }), "{e}");
    }
    qcow2::layout(&Layout::hole(64 << 30), &clusters_of(512)).unwrap();
}

#[test]
fn a_disk_that_cannot_be_read_is_named_and_so_is_a_spool_that_cannot_be_written() {
    let desk = Desk::new();
    let disk = desk.file("gone", &text(MIB));
    std::fs::write(desk.path("gone"), "shorter").unwrap();
    let pack = |disk, spool| qcow2::compressed(disk, &Options::default(), Compression::Zlib, &spool);
    let e = pack(&disk, desk.spool("spool", 2)).unwrap_err();
    assert!(e.to_string().contains("gone` changed while it was being read"), "{e}");
    let spool = desk.spool("no/such/folder", 2);
    let path = spool.path.display().to_string();
    let e = pack(&desk.file("there", &text(MIB)), spool).unwrap_err();
    assert_eq!(e.to_string(), format!("cannot write `{path}`"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn any_disk_is_read_back_whole(disk in disks(), bits in 9..=21u32) {
        let desk = Desk::new();
        let raw = desk.emit("raw", &disk);
        for image in images(&desk, &disk, &clusters_of(1 << bits)) {
            let image = desk.emit("image", &image);
            qemu::agrees("qcow2", &image, &raw);
            if let Some(read) = qemu::raw("qcow2", &image, &desk.path("read")) {
                prop_assert!(read == bytes(&raw));
            }
        }
    }
}
