//! Disks to put into containers, and what QEMU says of the containers.

use crate::judge;
use mkimage_formats::emit::{self, Sink, Stream};
use mkimage_formats::{Content, Layout};
use proptest::prelude::*;

pub(crate) const MIB: u64 = 1 << 20;

/// Bytes at the start, in the middle and at the very end of `mib` MiB.
pub(crate) fn sparse(mib: u64) -> Layout {
    let mut disk = Layout::from(b"the first bytes".to_vec());
    disk.pad_to(mib * MIB / 2);
    disk.push(vec![0xa5; 70_000]);
    disk.pad_to(mib * MIB - 512);
    disk.push(vec![0x5a; 512]);
    disk
}

/// Some whole MiB of bytes, slices of a file (the test itself) and holes.
pub(crate) fn disks() -> impl Strategy<Value = Layout> {
    let file = Layout::file(std::env::current_exe().unwrap()).unwrap();
    let hole = prop_oneof![0..2 * MIB, 0..12 * MIB];
    let piece = (0..3, any::<u8>(), 0..MIB, hole);
    proptest::collection::vec(piece, 1..8).prop_map(move |pieces| {
        let mut disk = Layout::default();
        for (kind, byte, len, hole) in pieces {
            match kind {
                0 => disk.push(vec![byte; usize::try_from(len / 16).unwrap()]),
                1 => disk.append(file.window(MIB - len, len)),
                _ => disk.push(Content::Hole(hole)),
            }
        }
        disk.pad_to((disk.len() + 1).next_multiple_of(MIB));
        disk
    })
}

pub(crate) fn bytes(layout: &Layout) -> Vec<u8> {
    let mut out = Stream::new(Vec::new());
    out.layout(layout).unwrap();
    out.into_inner()
}

/// Bytes of the layout that are in memory.
pub(crate) fn in_memory(layout: &Layout) -> u64 {
    layout.extents().iter().filter(|c| matches!(c, Content::Bytes(_))).map(Content::len).sum()
}

/// QEMU reads `container` as the very disk. None without qemu-img.
pub(crate) fn assert_reads_as(format: &str, container: &Layout, disk: &Layout) -> Option<()> {
    let dir = tempfile::tempdir().unwrap();
    let (image, raw) = (dir.path().join("image"), dir.path().join("raw"));
    emit::emit(container, &image).unwrap();
    emit::emit(disk, &raw).unwrap();
    let compare = ["compare", "-f", format, "-F", "raw"];
    let said = judge::output(judge::program("qemu-img")?.args(compare).args([&image, &raw]));
    assert_eq!(said, "Images are identical.\n");
    let info = ["info", "--output=json", "-f", format];
    let said = judge::output(judge::program("qemu-img")?.args(info).arg(&image));
    let size = format!("\"virtual-size\": {},", disk.len());
    assert!(said.contains(&size), "{size} is not in {said}");
    if format != "vpc" {
        // QEMU has no check for VHD.
        let said = judge::output(judge::program("qemu-img")?.args(["check", "-f", format]).arg(&image));
        assert!(said.starts_with("No errors were found on the image.\n"), "{said}");
    }
    Some(())
}
