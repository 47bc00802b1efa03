//! The rules of firmware that file systems follow, by their numbers in the project's list.

use crate::boot_sector::BootSector;
use crate::image::{bytes, file, path};
use crate::specimens::{add, esp};
use mkimage_formats::fat::{self, Error, Fat, Kind, Options};
use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{Layout, Meta, Node, SectorSize, Tree};
use std::collections::BTreeMap;

const MIB: u64 = 1 << 20;

/// The entry of a file with a short name of capitals, which is not in a content.
fn entry<'b>(image: &'b [u8], name: &[u8; 11]) -> &'b [u8] {
    let found = image.chunks(32).find(|entry| entry[..11] == name[..]);
    found.unwrap_or_else(|| panic!("no entry for {}", String::from_utf8_lossy(name)))
}

#[test]
fn rule_13_files_can_be_read_only() {
    for (read_only, file, folder) in [(false, 0x20, 0x10), (true, 0x21, 0x10)] {
        let options = Options { read_only, ..Options::default() };
        let image = bytes(&fat::layout(&esp(1000), &options).unwrap());
        assert_eq!(entry(&image, b"BOOTX64 EFI")[11], file);
        assert_eq!(entry(&image, b"BOOT       ")[11], folder);
    }
}

/// [`Layout`]s of an almost empty tree in so many sectors, if there is one.
fn of_sectors(sectors: u64, options: &Options) -> Option<(Kind, Layout)> {
    let mut tree = Tree::new();
    add(&mut tree, "A", file("a"));
    let len = Some(sectors * options.sector_size.bytes());
    match Fat::new(&tree, &Options { len, ..options.clone() }) {
        Ok(fat) => Some((fat.kind(), fat.layout(&tree).unwrap())),
        Err(Error::TooSmall { .. } | Error::TooLarge { .. }) => None,
        Err(e) => panic!("{e}"),
    }
}

#[test]
fn rule_15_clusters_decide_the_kind_and_stay_16_away_from_where_it_changes() {
    let mut seen = BTreeMap::<_, u32>::new();
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        for threshold in [4085, 65_525] {
            for per_cluster in [1, 2, 4, 8] {
                // The FATs, the root folder and the reserve are between these.
                let first = threshold * per_cluster;
                for sectors in (first - 40 * per_cluster..first + 1200).step_by(19) {
                    let options = Options { sector_size, ..Options::default() };
                    let Some((kind, layout)) = of_sectors(sectors, &options) else { continue };
                    let boot = BootSector::of(&layout);
                    assert_eq!((boot.kind(), boot.len), (kind, layout.len()), "{boot:?}");
                    assert_eq!(boot.says, kind.to_string());
                    for threshold in [4085, 65_525] {
                        assert!(boot.clusters.abs_diff(threshold) >= 16, "{boot:?}");
                    }
                    *seen.entry(kind).or_default() += 1;
                }
            }
        }
    }
    assert!(seen.len() == 3 && seen.values().all(|&times| times > 50), "{seen:?}");
}

#[test]
fn rule_15_a_kind_has_its_clusters_even_for_little_content() {
    for (kind, at_least) in [(Kind::Fat12, 1), (Kind::Fat16, 4085 + 16), (Kind::Fat32, 65_525 + 2049)] {
        for sector_size in [SectorSize::B512, SectorSize::B4096] {
            let options = Options { kind: Some(kind), sector_size, ..Options::default() };
            let boot = BootSector::of(&fat::layout(&esp(1000), &options).unwrap());
            assert_eq!(boot.kind(), kind);
            assert!(boot.clusters >= at_least, "{boot:?}");
            // No more than the rule wants, but for whole 4 KiB.
            let more = if kind == Kind::Fat12 { 30 } else { 8 };
            assert!(boot.clusters <= at_least + more, "{boot:?}");
        }
    }
}

#[test]
fn rule_16_a_disk_has_fat32_of_64_mib_or_of_260_where_sectors_have_4_kib() {
    for (sector_size, least) in [(SectorSize::B512, 64 * MIB), (SectorSize::B4096, 260 * MIB)] {
        for len in [1000, 30 * MIB, 100 * MIB] {
            let layout = fat::layout(&esp(len), &Options::esp(sector_size, 2048)).unwrap();
            assert_eq!(BootSector::of(&layout).kind(), Kind::Fat32);
            assert!(layout.len() >= least, "{}", layout.len());
        }
        let options = Options { len: Some(least - 4096), ..Options::esp(sector_size, 2048) };
        let e = fat::layout(&esp(1000), &options).unwrap_err();
        let want = format!("the file system needs {least} bytes, and has {}", least - 4096);
        assert_eq!(e.to_string(), want);
    }
}

#[test]
fn rule_17_clusters_are_as_large_as_leaves_enough_of_them_but_of_8_sectors_at_most() {
    let enough = 65_525 + 2048;
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        let unit = sector_size.bytes();
        let mut sizes = Vec::new();
        for mib in [64, 70, 80, 100, 130, 140, 200, 270, 280, 400, 1000, 2300, 5000] {
            let options = Options::esp(sector_size, 0);
            let Some((_, layout)) = of_sectors(mib * MIB / unit, &options) else { continue };
            let boot = BootSector::of(&layout);
            assert!(boot.clusters > enough && boot.per_cluster <= 8, "{boot:?}");
            // Larger ones would be half as many, and a little more with the FATs half as large.
            let twice = (boot.clusters + boot.clusters / 64) / 2;
            assert!(boot.per_cluster == 8 || twice <= enough + 1000, "{boot:?}");
            sizes.push(boot.per_cluster);
        }
        let want: &[u64] = match sector_size {
            SectorSize::B512 => &[1, 2, 2, 2, 2, 4, 4, 8, 8, 8, 8, 8, 8],
            SectorSize::B4096 => &[1, 1, 1, 2, 8, 8],
        };
        assert_eq!(sizes, want);
    }
}

#[test]
fn rule_18_the_serial_and_all_times_are_those_that_were_asked_for() {
    let options =
        Options { serial: 0x89ab_cdef, epoch: Time::from_unix(1_700_000_000), ..Options::default() };
    let layout = fat::layout(&esp(1000), &options).unwrap();
    assert_eq!(BootSector::of(&layout).serial, 0x89ab_cdef);
    let image = bytes(&layout);
    assert_eq!(image, bytes(&fat::layout(&esp(1000), &options).unwrap()));
    // [FAT] "FAT Directory Structure": years from 1980, months, days; hours, minutes, two seconds.
    let date = |year: u16, month: u16, day: u16| ((year - 1980) << 9 | month << 5 | day).to_le_bytes();
    let time = |hour: u16, minute: u16, second: u16| (hour << 11 | minute << 5 | (second / 2)).to_le_bytes();
    // 1,600,000,000 is 2020-09-13T12:26:40Z.
    let (day, clock) = (date(2020, 9, 13), time(12, 26, 40));
    let file = entry(&image, b"BOOTX64 EFI");
    assert_eq!(file[13..20], [&[0], &clock[..], &day, &day].concat());
    assert_eq!(file[22..26], [clock, day].concat());
    let folder = entry(&image, b"BOOT       ");
    assert_eq!((&folder[13..20], &folder[22..26]), (&file[13..20], &file[22..26]));
    // 1,700,000,000 is 2023-11-14T22:13:20Z.
    let label = entry(&image, b"MKIMAGE    ");
    assert_eq!((label[11], &label[22..26]), (8, &[time(22, 13, 20), date(2023, 11, 14)].concat()[..]));
}

#[test]
fn rule_18_times_that_fat_has_not_are_its_first_or_its_last() {
    for (seconds, want) in [(-1, [0, 0, 0x21, 0]), (i64::MAX, [0x7d, 0xbf, 0x9f, 0xff])] {
        let mut tree = Tree::new();
        let meta = Meta::new(0o644, Time::from_unix(seconds));
        let node = Node { meta, kind: file(""), origin: OriginId::default() };
        tree.insert(path("A"), node).unwrap();
        let image = bytes(&fat::layout(&tree, &Options::default()).unwrap());
        assert_eq!(entry(&image, b"A          ")[22..26], want);
    }
}

#[test]
fn rule_19_the_boot_sector_knows_where_the_partition_begins_and_the_disks_sectors() {
    for (sector_size, hidden) in [(SectorSize::B512, 2048), (SectorSize::B4096, 256), (SectorSize::B512, 0)] {
        let boot = BootSector::of(&fat::layout(&esp(1000), &Options::esp(sector_size, hidden)).unwrap());
        assert_eq!((boot.sector, boot.hidden), (sector_size.bytes(), hidden.into()));
    }
}
