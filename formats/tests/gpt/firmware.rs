//! What firmware wants of partition tables, and what the programs that check them say.

use crate::{MIB, emitted, judge, options, partition, reader, specimen};
use mkimage_formats::gpt::{self, Active, Error, Guid, LEGACY_BIOS_BOOTABLE, Options, Partition, Type};
use mkimage_formats::{Layout, SectorSize};

const BOTH: [SectorSize; 2] = [SectorSize::B512, SectorSize::B4096];

fn bytes(disk: &Layout) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::read(emitted(disk, dir.path())).unwrap()
}

#[test]
fn rule_20_partitions_start_at_whole_mebibytes() {
    for sector_size in BOTH {
        for first in [MIB + 512, MIB + 4096, 3 * MIB / 2] {
            let p = partition("esp", Type::EFI_SYSTEM, first, MIB);
            let e = gpt::layout(9 * MIB, &options(sector_size), &[(p, Layout::default())]).unwrap_err();
            assert!(matches!(e, Error::Alignment { alignment: MIB, .. }), "{e}");
        }
    }
}

#[test]
fn rule_21_the_protective_entry_is_active_only_when_asked_for() {
    let protective = |active: u8, sectors: u32| {
        let mut entry = [active, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0];
        entry[12..].copy_from_slice(&sectors.to_le_bytes());
        entry
    };
    let tiny = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
    for (sector_size, sectors) in [(SectorSize::B512, 8191), (SectorSize::B4096, 1023)] {
        for (active, first, second) in [
            (Active::None, protective(0, sectors), [0; 16]),
            (Active::Entry, protective(0, sectors), tiny),
            (Active::Protective, protective(0x80, sectors), [0; 16]),
        ] {
            let options = Options { active, ..options(sector_size) };
            let disk = bytes(&gpt::layout(4 * MIB, &options, &specimen()).unwrap());
            assert_eq!((&disk[446..462], &disk[462..478]), (&first[..], &second[..]), "{active:?}");
            assert_eq!(disk[..3], [0xeb, 0xfe, 0]);
            assert_eq!(disk[440..446], [0x78, 0x56, 0x34, 0x12, 0, 0]);
            assert_eq!(disk[478..512], [&[0; 32][..], &[0x55, 0xaa]].concat());
        }
    }
}

#[test]
fn rule_22_a_bios_boot_partition_is_never_empty() {
    for content in [Layout::default(), Layout::hole(512)] {
        let p = partition("boot", Type::BIOS_BOOT, MIB, MIB);
        let e = gpt::layout(9 * MIB, &options(SectorSize::B512), &[(p, content)]).unwrap_err();
        assert_eq!(e.to_string(), "the BIOS boot partition `boot` has no boot code in it");
    }
}

#[test]
fn rule_23_everything_is_counted_in_the_sectors_of_the_disk() {
    for (sector_size, sector, usable) in
        [(SectorSize::B512, 512, (34, 8192 - 34)), (SectorSize::B4096, 4096, (6, 1024 - 6))]
    {
        let disk = bytes(&gpt::layout(4 * MIB, &options(sector_size), &specimen()).unwrap());
        let table = reader::table(&disk, sector);
        assert_eq!(table.usable, usable);
        assert_eq!(table.partitions, specimen().map(|(p, _)| p));
        // What is for one sector size is no table for the other.
        assert_ne!(&disk[4608 - sector..][..8], b"EFI PART");
    }
}

#[test]
fn rule_23_fdisk_reads_the_partitions_of_a_disk_of_4096_byte_sectors() {
    let Some(mut fdisk) = judge::program("fdisk") else { return };
    let disk = gpt::layout(4 * MIB, &options(SectorSize::B4096), &specimen()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fdisk.env("LC_ALL", "C").args(["-b", "4096", "-l", "-o", "Start,End,Type-UUID,UUID,Name"]);
    let found = judge::output(fdisk.arg(emitted(&disk, dir.path())));
    let rows: Vec<String> =
        found.lines().skip_while(|line| !line.starts_with("Start")).skip(1).map(squeezed).collect();
    let mut want = Vec::new();
    for (p, _) in specimen() {
        let (kind, guid) = (p.kind.0.to_string().to_uppercase(), p.guid.to_string().to_uppercase());
        want.push(format!("{} {} {kind} {guid} {}", p.first / 4096, (p.first + p.len) / 4096 - 1, p.name));
    }
    assert_eq!(rows, want, "{found}");
    assert!(found.contains("Disklabel type: gpt"), "{found}");
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn rule_24_identifiers_come_from_the_seed_alone() {
    let disk = |seed: &[u8]| {
        let options = Options { disk: Guid::derived(seed, "disk"), ..options(SectorSize::B512) };
        let table = specimen().map(|(p, l)| (Partition { guid: Guid::derived(seed, &p.name), ..p }, l));
        bytes(&gpt::layout(4 * MIB, &options, &table).unwrap())
    };
    assert!(disk(b"one") == disk(b"one"));
    let (one, two) = (reader::table(&disk(b"one"), 512), reader::table(&disk(b"two"), 512));
    assert_ne!(one.disk, two.disk);
    assert!(one.partitions.iter().zip(&two.partitions).all(|(a, b)| a.guid != b.guid));
}

#[test]
fn sgdisk_and_sfdisk_find_no_problem() {
    let dir = tempfile::tempdir().unwrap();
    for active in [Active::None, Active::Entry, Active::Protective] {
        let mut table = specimen();
        table[0].0.attributes = LEGACY_BIOS_BOOTABLE;
        let options = Options { active, ..options(SectorSize::B512) };
        let disk = emitted(&gpt::layout(4 * MIB, &options, &table).unwrap(), dir.path());
        if let Some(mut sgdisk) = judge::program("sgdisk") {
            let found = judge::output(sgdisk.args(["--attributes=1:show", "--verify"]).arg(&disk));
            assert!(found.starts_with("1:2:1 (legacy BIOS bootable)\n"), "{found}");
            assert!(found.contains("\nNo problems found."), "{found}");
            assert!(!found.contains("Caution"), "{found}");
            // It knows of both kinds of firmware too.
            assert_eq!(found.contains("Warning: The 0xEE protective"), active == Active::Protective);
        }
        if let Some(mut sfdisk) = judge::program("sfdisk") {
            let found = judge::output(sfdisk.env("LC_ALL", "C").arg("--verify").arg(&disk));
            assert!(found.contains("\nNo errors detected.\n"), "{found}");
            assert!(found.contains("\nUsing 2 out of 128 partitions.\n"), "{found}");
        }
    }
}
