//! VHDX.

use crate::disk::{MIB, assert_reads_as, bytes, disks, in_memory, sparse};
use crate::judge;
use mkimage_formats::emit;
use mkimage_formats::gpt::Guid;
use mkimage_formats::vhdx::{self, Options};
use mkimage_formats::{Layout, SectorSize};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn options(sector_size: SectorSize) -> Options {
    Options { id: Guid(*b"sixteen bytes id"), sector_size }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The bytes whose CRC-32C is right where it is.
fn sealed(image: &Layout, at: u64, len: u64) -> Vec<u8> {
    let found = bytes(&image.window(at, len));
    let mut blank = found.clone();
    blank[4..8].fill(0);
    assert_eq!(u32_at(&found, 4), crc32c::crc32c(&blank), "{at:#x}");
    found
}

/// The identifier that is written as text at `at`, whose first three groups are little-endian.
fn guid(bytes: &[u8], at: usize) -> String {
    let b = &bytes[at..at + 16];
    let hex = |order: &[usize]| order.iter().map(|&n| format!("{:02X}", b[n])).collect::<String>();
    let groups: [&[usize]; 5] = [&[3, 2, 1, 0], &[5, 4], &[7, 6], &[8, 9], &[10, 11, 12, 13, 14, 15]];
    groups.map(hex).join("-")
}

/// What a strict reader makes of the image: the disk, and how many blocks of it are in the file.
fn read(image: &Layout, sector: u64) -> (Layout, usize) {
    assert!(bytes(&image.window(0, 8)) == b"vhdxfile" && image.len().is_multiple_of(MIB));
    let headers = [64 << 10, 128 << 10].map(|at| sealed(image, at, 4096));
    assert!(headers.iter().all(|h| h.starts_with(b"head")));
    assert!(u64_at(&headers[0], 8) < u64_at(&headers[1], 8), "one is current");
    assert_eq!(headers[0][16..], headers[1][16..]);
    let header = &headers[1];
    assert_eq!(header[0x30..0x40], [0; 16], "the log is empty");
    assert_eq!(header[0x40..0x44], [0, 0, 1, 0], "versions");
    let log = (u64_at(header, 0x48), u32_at(header, 0x44).into());
    assert!(image.window(log.0, log.1).is_hole());

    let table = sealed(image, 192 << 10, 64 << 10);
    assert_eq!(table, sealed(image, 256 << 10, 64 << 10));
    assert!(table.starts_with(b"regi") && u32_at(&table, 8) == 2);
    let region = |n: usize| {
        let entry = &table[16 + 32 * n..];
        assert_eq!(u32_at(entry, 28), 1, "required");
        (guid(entry, 0), (u64_at(entry, 16), u64::from(u32_at(entry, 24))))
    };
    let regions = BTreeMap::from([region(0), region(1)]);
    let allocation = regions["2DC27766-F623-4200-9D64-115E9BFD4A08"];
    let metadata = regions["8B7CA206-4790-4B9A-B8FE-575F050F886E"];
    let mut used = BTreeMap::from([(0, MIB), log, allocation, metadata]);

    let metadata = bytes(&image.window(metadata.0, metadata.1));
    assert!(metadata.starts_with(b"metadata") && metadata[10..12] == [5, 0]);
    let items: BTreeMap<_, _> = (0..5)
        .map(|n| {
            let entry = &metadata[32 + 32 * n..];
            let at = usize::try_from(u32_at(entry, 16)).unwrap();
            assert!(at >= 64 << 10);
            let value = &metadata[at..at + usize::try_from(u32_at(entry, 20)).unwrap()];
            (guid(entry, 0), (u32_at(entry, 24), value))
        })
        .collect();
    let parameters = items["CAA16737-FA36-4D43-B3B6-33F0AA44E76B"];
    let block = u64::from(u32_at(parameters.1, 0));
    assert_eq!((parameters.0, u32_at(parameters.1, 4)), (4, 0));
    let size = items["2FA54224-CD1B-4876-B211-5DBED83BF4B8"];
    let size = (size.0, u64_at(size.1, 0));
    assert_eq!(size.0, 6);
    let id = items["BECA12AB-B2E6-4523-93EF-C309E000C746"];
    assert_eq!((id.0, guid(id.1, 0)), (6, "73697874-6565-6E20-6279-746573206964".into()));
    let logical = items["8141BF1D-A96F-4709-BA47-F233A8FAAB5F"];
    assert_eq!((logical.0, u64::from(u32_at(logical.1, 0))), (6, sector));
    let physical = items["CDA348C7-445D-4471-9CC9-E9885251C556"];
    assert_eq!((physical.0, u32_at(physical.1, 0)), (6, 4096));

    let chunk = (sector << 23) / block;
    let table = bytes(&image.window(allocation.0, allocation.1));
    let (mut disk, mut present) = (Layout::default(), 0);
    for n in 0..size.1.div_ceil(block) {
        let entry = u64_at(&table, usize::try_from((n + n / chunk) * 8).unwrap());
        let left = block.min(size.1 - n * block);
        match (entry & 7, entry >> 3 & 0x1_ffff, entry >> 20 << 20) {
            (2, 0, 0) => disk.append(Layout::hole(left)),
            (6, 0, at) => {
                present += 1;
                assert_eq!(used.insert(at, block), None);
                disk.append(image.window(at, left));
            }
            _ => panic!("entry {n}: {entry:#x}"),
        }
    }
    let mut end = 0;
    for (at, len) in used {
        assert!(at == end && at.is_multiple_of(MIB), "{at:#x} and not {end:#x}");
        end = at + len;
    }
    assert_eq!(end, image.len());
    (disk, present)
}

#[test]
fn rule_37_everything_in_a_vhdx_begins_at_whole_mib() {
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        for mib in [1, 2, 3, 100, 1023] {
            let disk = sparse(mib);
            // The reader asserts it of each region and block.
            let out = vhdx::layout(&disk, &options(sector_size)).unwrap();
            let (found, present) = read(&out, sector_size.bytes());
            assert!(found.len() == disk.len() && present <= 3);
            assert!(mib > 100 || bytes(&found) == bytes(&disk));
        }
    }
}

#[test]
fn a_disk_of_more_than_one_chunk_is_read_past_the_bitmap_entries() {
    // 4,096 blocks of 1 MiB are a chunk.
    let disk = sparse(2 * 4096 + 3);
    let out = vhdx::layout(&disk, &options(SectorSize::B512)).unwrap();
    let (found, present) = read(&out, 512);
    assert_eq!((found.len(), present), (disk.len(), 3));
    let (middle, end) = (disk.len() / 2, disk.len() - 512);
    for at in [0, middle, end] {
        assert_eq!(bytes(&found.window(at, 512)), bytes(&disk.window(at, 512)));
    }
    // To compare all of it would take QEMU a minute.
    let Some(mut qemu) = judge::program("qemu-io") else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    emit::emit(&out, file.path()).unwrap();
    qemu.args(["-r", "-f", "vhdx"]);
    for (pattern, at) in [(0xa5, middle), (0, middle - 512), (0, end - 512), (0x5a, end)] {
        qemu.args(["-c".into(), format!("read -P {pattern} {at} 512")]);
    }
    let said = judge::output(qemu.arg(file.path()));
    assert!(said.matches("read 512/512 bytes").count() == 4 && !said.contains("failed"), "{said}");
}

#[test]
fn a_disk_that_ends_within_a_block_and_large_blocks_are_read() {
    for (len, sector_size) in [(MIB + 512, SectorSize::B512), (MIB + 4096, SectorSize::B4096)] {
        let mut disk = sparse(1);
        disk.push(vec![1; usize::try_from(len - MIB).unwrap()]);
        let out = vhdx::layout(&disk, &options(sector_size)).unwrap();
        assert!(bytes(&read(&out, sector_size.bytes()).0) == bytes(&disk));
        if sector_size == SectorSize::B512 {
            assert_reads_as("vhdx", &out, &disk);
        }
    }
    let disk = sparse(3 << 20);
    let out = vhdx::layout(&disk, &options(SectorSize::B512)).unwrap();
    let (found, present) = read(&out, 512);
    assert_eq!((found.len(), present, out.len()), (disk.len(), 3, (3 + 4 + 3 * 8) * MIB));
    let end = disk.len() - 512;
    assert_eq!(bytes(&found.window(end, 512)), [0x5a; 512]);
}

#[test]
fn the_disk_is_never_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::File::create(&file).unwrap().set_len(1 << 30).unwrap();
    let out = vhdx::layout(&Layout::file(&file).unwrap(), &options(SectorSize::B512)).unwrap();
    assert!(in_memory(&out) < 256 << 10, "{}", in_memory(&out));
    // A table of 5 MiB for the largest.
    let out = vhdx::layout(&Layout::hole(vhdx::MAX), &options(SectorSize::B512)).unwrap();
    assert!(in_memory(&out) < 5 * MIB, "{}", in_memory(&out));
}

/// Hyper-V says 0xC03A001A to a sparse file.
#[cfg(windows)]
#[test]
fn rule_37_the_file_of_a_vhdx_is_not_sparse_on_ntfs() {
    use std::os::windows::fs::MetadataExt;
    const FILE_ATTRIBUTE_SPARSE_FILE: u32 = 0x200;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disk.vhdx");
    let image = vhdx::layout(&Layout::hole(64 << 20), &options(SectorSize::B512)).unwrap();
    emit::emit(&image, &path).unwrap();
    assert_eq!(std::fs::metadata(path).unwrap().file_attributes() & FILE_ATTRIBUTE_SPARSE_FILE, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn any_disk_reads_the_same_from_a_vhdx(disk in disks()) {
        for sector_size in [SectorSize::B512, SectorSize::B4096] {
            let out = vhdx::layout(&disk, &options(sector_size)).unwrap();
            prop_assert_eq!(&out, &vhdx::layout(&disk, &options(sector_size)).unwrap());
            prop_assert!(bytes(&read(&out, sector_size.bytes()).0) == bytes(&disk));
            if sector_size == SectorSize::B512 {
                // QEMU reads no other.
                assert_reads_as("vhdx", &out, &disk);
            }
        }
    }
}
