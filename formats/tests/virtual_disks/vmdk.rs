//! VMDK.

use crate::specimens::{Desk, KIB, MIB, bytes, disks, noise, text};
use crate::{qemu, vmdk_reader};
use mkimage_formats::vmdk::{self, Adapter, Error, Options};
use mkimage_formats::{Content, Layout};
use proptest::prelude::*;

fn options() -> Options {
    Options::new("disk.vmdk", 0x8123_4567)
}

fn stream(desk: &Desk, disk: &Layout) -> Layout {
    vmdk::stream_optimized(disk, &options(), &desk.spool("spool", 2)).unwrap()
}

/// The disk as VMDK has it: whole grains.
fn in_grains(disk: &Layout) -> Layout {
    let mut disk = disk.clone();
    disk.pad_to_multiple(64 * KIB);
    disk
}

#[test]
fn qemu_and_a_strict_reader_read_back_every_byte() {
    let desk = Desk::new();
    let disk = desk.disk();
    let raw = desk.emit("raw", &in_grains(&disk));
    for image in [stream(&desk, &disk), vmdk::monolithic_sparse(&disk, &options()).unwrap()] {
        let image = desk.emit("disk.vmdk", &image);
        qemu::agrees("vmdk", &image, &raw);
        assert!(vmdk_reader::read(&bytes(&image)).disk == bytes(&raw));
    }
    let flat = vmdk::monolithic_flat(disk.clone(), &options()).unwrap();
    let raw = desk.emit("raw", &disk);
    desk.emit(&flat.extent_name, &flat.extent);
    let image = desk.emit("disk.vmdk", &flat.descriptor);
    qemu::same("vmdk", &image, &raw);
    let Some(read) = qemu::raw("vmdk", &image, &desk.path("read")) else { return };
    assert!(read == bytes(&raw));
}

#[test]
fn qemu_tells_the_kind_and_the_size() {
    let desk = Desk::new();
    let disk = desk.disk();
    let flat = vmdk::monolithic_flat(disk.clone(), &options()).unwrap();
    desk.emit("disk-flat.vmdk", &flat.extent);
    let sparse = vmdk::monolithic_sparse(&disk, &options()).unwrap();
    for (kind, image, size) in [
        ("streamOptimized", stream(&desk, &disk), 81 * 64 * KIB),
        ("monolithicSparse", sparse, 81 * 64 * KIB),
        ("monolithicFlat", flat.descriptor, 5 * MIB + 3 * 512),
    ] {
        let image = desk.emit("disk.vmdk", &image);
        let wants =
            [("virtual-size", size.to_string()), ("create-type", kind.into()), ("cid", "19088743".into())];
        for (key, want) in wants {
            let Some(found) = qemu::info("vmdk", &image, key) else { return };
            assert_eq!(found, want, "{kind}: {key}");
        }
    }
}

#[test]
fn rule_32_a_stream_is_of_version_3_with_compressed_grains_and_markers() {
    let desk = Desk::new();
    let read = vmdk_reader::read(&bytes(&desk.emit("disk.vmdk", &stream(&desk, &desk.disk()))));
    assert_eq!((read.version, read.flags), (3, 1 | 1 << 16 | 1 << 17));
    let sparse = vmdk::monolithic_sparse(&desk.disk(), &options()).unwrap();
    let read = vmdk_reader::read(&bytes(&desk.emit("disk.vmdk", &sparse)));
    assert_eq!((read.version, read.flags), (1, 1 | 2));
}

#[test]
fn rule_32_no_grain_of_a_stream_is_zeros_and_no_grain_of_a_sparse_disk_a_hole() {
    let desk = Desk::new();
    let mut disk = Layout::hole(100 * MIB);
    disk.push(text(64 * KIB));
    disk.push(vec![0; 64 << 10]);
    disk.push(noise(64 * KIB));
    disk.push(Content::Hole(100 * MIB));
    let grains = |image| vmdk_reader::read(&bytes(&desk.emit("disk.vmdk", &image))).grains;
    assert_eq!(grains(stream(&desk, &disk)), 2);
    assert_eq!(grains(vmdk::monolithic_sparse(&disk, &options()).unwrap()), 3);
    assert_eq!(grains(stream(&desk, &Layout::hole(40 * MIB))), 0);
}

#[test]
fn rule_32_the_capacity_is_rounded_up_to_a_grain() {
    let desk = Desk::new();
    for sectors in [1, 127, 128, 129] {
        let disk = desk.file("contents", &text(sectors * 512));
        let read = vmdk_reader::read(&bytes(&desk.emit("disk.vmdk", &stream(&desk, &disk))));
        let grains = sectors.div_ceil(128);
        assert_eq!(read.disk.len() as u64, grains * 64 * KIB);
        let extent = format!("RW {} SPARSE \"disk.vmdk\"", grains * 128);
        assert!(read.descriptor.lines().any(|line| line == extent), "{}", read.descriptor);
    }
}

#[test]
fn rule_32_the_first_sector_of_the_descriptor_says_it_all() {
    let desk = Desk::new();
    let image = desk.emit("disk.vmdk", &stream(&desk, &Layout::hole(10 << 30)));
    let descriptor = std::fs::read(&image).unwrap()[512..1024].to_vec();
    let descriptor = String::from_utf8(descriptor).unwrap();
    assert_eq!(
        descriptor.trim_end_matches('\0'),
        r#"# Disk DescriptorFile
version=1
encoding="UTF-8"
CID=01234567
parentCID=ffffffff
createType="streamOptimized"

# Extent description
RW 20971520 SPARSE "disk.vmdk"

# The Disk Data Base
#DDB

ddb.virtualHWVersion = "6"
ddb.geometry.cylinders = "1306"
ddb.geometry.heads = "255"
ddb.geometry.sectors = "63"
ddb.adapterType = "lsilogic"
ddb.toolsVersion = "2147483647"
"#
    );
}

#[test]
fn the_adapter_the_versions_and_the_content_id_are_the_options() {
    let disk = Layout::hole(10 << 30);
    let ide = Options {
        adapter: Adapter::Ide,
        hardware_version: 15,
        tools_version: 12389,
        ..Options::new("d\u{fc}sk.vmdk", u32::MAX)
    };
    let flat = vmdk::monolithic_flat(disk.clone(), &ide).unwrap();
    let Content::Bytes(text) = &flat.descriptor.extents()[0] else { unreachable!() };
    let text = str::from_utf8(text).unwrap();
    for line in [
        "CID=7fffffff",
        "createType=\"monolithicFlat\"",
        "RW 20971520 FLAT \"d\u{fc}sk-flat.vmdk\" 0",
        "ddb.virtualHWVersion = \"15\"",
        "ddb.geometry.cylinders = \"16383\"",
        "ddb.geometry.heads = \"16\"",
        "ddb.adapterType = \"ide\"",
        "ddb.toolsVersion = \"12389\"",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
}

#[test]
fn a_stream_does_not_depend_on_the_number_of_threads() {
    let desk = Desk::new();
    let disk = desk.disk();
    let image = |threads| {
        let image = vmdk::stream_optimized(&disk, &options(), &desk.spool("spool", threads)).unwrap();
        bytes(&desk.emit("disk.vmdk", &image))
    };
    let one = image(1);
    for threads in [2, 3, 16] {
        assert!(image(threads) == one, "{threads} threads");
    }
}

#[test]
fn sizes_and_names_that_vmdk_cannot_say_are_refused() {
    let most = (2 << 40) / 64 * 63;
    for size in [0, 511, 513, most + 512] {
        let e = vmdk::monolithic_sparse(&Layout::hole(size), &options()).unwrap_err();
        assert!(matches!(e, Error::Size { size: found } if found == size), "{e}");
    }
    vmdk::monolithic_sparse(&Layout::hole(most), &options()).unwrap();
    let disk = Layout::hole(64 * KIB);
    for name in ["", "a\"b", "a\nb", "../a", "a\\b"] {
        let e = vmdk::monolithic_sparse(&disk, &Options::new(name, 0)).unwrap_err();
        assert!(matches!(e, Error::Name { .. }), "{e}");
    }
    let name = |len| Options::new("n".repeat(len), 0);
    let Err(Error::Name { room, .. }) = vmdk::monolithic_sparse(&disk, &name(300)) else { unreachable!() };
    assert!(room > 100, "{room}");
    vmdk::monolithic_sparse(&disk, &name(room)).unwrap();
    vmdk::monolithic_sparse(&disk, &name(room + 1)).unwrap_err();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn any_disk_is_read_back_whole(disk in disks().prop_filter("disks have sectors", |disk| !disk.is_empty())) {
        let desk = Desk::new();
        let raw = desk.emit("raw", &in_grains(&disk));
        for image in [stream(&desk, &disk), vmdk::monolithic_sparse(&disk, &options()).unwrap()] {
            let image = desk.emit("disk.vmdk", &image);
            qemu::agrees("vmdk", &image, &raw);
            prop_assert!(vmdk_reader::read(&bytes(&image)).disk == bytes(&raw));
            if let Some(read) = qemu::raw("vmdk", &image, &desk.path("read")) {
                prop_assert!(read == bytes(&raw));
            }
        }
    }
}
