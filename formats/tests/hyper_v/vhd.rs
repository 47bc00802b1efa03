//! VHD.

use crate::disk::{MIB, assert_reads_as, bytes, disks, in_memory, sparse};
use mkimage_formats::gpt::Guid;
use mkimage_formats::tree::Time;
use mkimage_formats::vhd::{self, Options};
use proptest::prelude::*;

fn options() -> Options {
    Options { id: Guid(*b"sixteen bytes id"), epoch: Time::from_unix(1_700_000_000) }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[test]
fn rule_35_a_fixed_vhd_for_azure_is_whole_mib_and_a_footer() {
    let disk = sparse(20);
    assert_eq!(disk.len(), vhd::AZURE_MIN);
    let out = vhd::fixed(disk.clone(), &options()).unwrap();
    assert_eq!(out.len(), 20_972_032);
    assert_eq!(out.window(0, disk.len()), disk);
    assert!(bytes(&out.window(disk.len(), 512)).starts_with(b"conectix"));
    let mut odd = disk;
    odd.pad_to(vhd::AZURE_MIN + 512);
    assert_eq!(vhd::fixed(odd, &options()), Err(vhd::Error::Size { size: vhd::AZURE_MIN + 512 }));
}

#[test]
fn rule_36_a_reader_finds_the_exact_size_whatever_the_geometry() {
    // None of them is a whole number of cylinders, and QEMU has to be told so.
    for mib in [1, 3, 20, 100, 1023, 4097, 129_000] {
        let disk = sparse(mib);
        let footer = bytes(&vhd::fixed(disk.clone(), &options()).unwrap().window(disk.len(), 512));
        let [cylinders, geometry] = [&footer[0x38..0x3a], &footer[0x3a..0x3c]];
        let cylinders = u64::from(u16::from_be_bytes(cylinders.try_into().unwrap()));
        let by_geometry = cylinders * u64::from(geometry[0]) * u64::from(geometry[1]) * 512;
        assert!(by_geometry < disk.len() && by_geometry * 10 > disk.len() * 9, "{mib}");
        assert_eq!(footer[0x1c..0x20], *b"win ", "QEMU, Azure and Windows know it");
        for size in [0x28, 0x30] {
            assert_eq!(footer[size..size + 8], disk.len().to_be_bytes());
        }
        let sum = footer.iter().map(|&b| u32::from(b)).sum::<u32>();
        let own = footer[0x40..0x44].iter().map(|&b| u32::from(b)).sum::<u32>();
        assert_eq!(u32_at(&footer, 0x40), !(sum - own));
        assert_eq!(footer[0x44..0x54], *b"sixteen bytes id");
        assert_eq!(u32_at(&footer, 0x18), 1_700_000_000 - 946_684_800);
        // Comparing reads holes as well, and of the largest disk there are 126 GiB.
        if mib < 10_000
            && assert_reads_as("vpc", &vhd::fixed(disk, &options()).unwrap(), &sparse(mib)).is_none()
        {
            return;
        }
    }
}

#[test]
fn rule_37_a_dynamic_vhd_has_a_footer_at_both_ends_and_a_table_of_whole_sectors() {
    for (mib, blocks) in [(1, 1), (2, 1), (3, 2), (255, 128), (257, 129)] {
        let disk = sparse(mib);
        let out = vhd::dynamic(&disk, &options()).unwrap();
        let head = bytes(&out.window(0, 1536));
        let (footer, header) = head.split_at(512);
        assert_eq!(footer, bytes(&out.window(out.len() - 512, 512)));
        assert_eq!(u32_at(header, 0x1c), blocks, "entries, no block too many");
        assert_eq!(u32_at(header, 0x20), 2 << 20, "the block");
        let used = usize::try_from(blocks).unwrap() * 4;
        let table = bytes(&out.window(1536, (u64::from(blocks) * 4).next_multiple_of(512)));
        assert!(table[used..].iter().all(|&b| b == 0xff));
        // The first, the middle and the last.
        let there: Vec<_> = table.chunks(4).filter(|entry| entry != &[0xff; 4]).collect();
        assert_eq!(there.len(), usize::try_from(blocks.min(3)).unwrap());
        let space = there.len() as u64 * (2 * MIB + 512);
        assert_eq!(out.len(), 1536 + table.len() as u64 + space + 512);
        if assert_reads_as("vpc", &out, &disk).is_none() {
            return;
        }
    }
}

#[test]
fn the_disk_is_never_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::File::create(&file).unwrap().set_len(1 << 30).unwrap();
    let disk = mkimage_formats::Layout::file(&file).unwrap();
    assert_eq!(in_memory(&vhd::fixed(disk.clone(), &options()).unwrap()), 512);
    // 512 blocks, whose bitmaps are one and the same buffer.
    let structures = 512 + 1024 + 512 * 4 + 512 * 512 + 512;
    assert_eq!(in_memory(&vhd::dynamic(&disk, &options()).unwrap()), structures);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn any_disk_reads_the_same_from_a_vhd(disk in disks()) {
        let fixed = vhd::fixed(disk.clone(), &options()).unwrap();
        let dynamic = vhd::dynamic(&disk, &options()).unwrap();
        prop_assert_eq!(&dynamic, &vhd::dynamic(&disk, &options()).unwrap());
        assert_reads_as("vpc", &fixed, &disk);
        assert_reads_as("vpc", &dynamic, &disk);
    }
}
