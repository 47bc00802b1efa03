//! Images as disks: what each profile promises, and what programs for disks make of it.

use crate::boot::{bootable, both, u32_at};
use crate::image::{Image, bytes, file, path};
use crate::readers::xorriso;
use crate::specimens::add;
use mkimage_formats::gpt::Guid;
use mkimage_formats::iso::{Hybrid, Iso, Place, Profile};
use mkimage_formats::{Kind, Layout};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

pub(crate) const ESP: &str = "esp/efi.img";
pub(crate) const PROFILES: [Profile; 4] =
    [Profile::Default, Profile::Strict, Profile::MbrEf, Profile::Isohybrid];
const NO_TABLE: [u8; 8] = [0; 8];

pub(crate) fn hybrid(profile: Profile) -> Hybrid {
    Hybrid {
        profile,
        code: vec![0xeb; 440],
        signature: 0xdead_beef,
        disk: Guid(*b"mkimage test id."),
        esp: Some(path(ESP)),
    }
}

/// An image of about 6 MiB, as a disk.
pub(crate) struct Disk {
    pub(crate) image: Image,
    pub(crate) bytes: Vec<u8>,
    pub(crate) esp: Place,
}

impl Disk {
    pub(crate) fn new(hybrid: &Hybrid) -> Self {
        let tree = bootable(5 << 20);
        let mut iso = Iso::new(&tree, &both()).unwrap();
        let esp = iso.place(&path(ESP)).unwrap();
        iso.set_hybrid(hybrid).unwrap();
        let image = Image::emit(&iso.layout(&tree).unwrap());
        let bytes = std::fs::read(image.path()).unwrap();
        Disk { image, bytes, esp }
    }

    pub(crate) fn sectors(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap() / 512
    }
}

fn u64_at(b: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(b[at..at + 8].try_into().unwrap())
}

/// Active, type, first sector, sectors: the entries of the MBR that are not zero.
fn mbr(disk: &[u8]) -> Vec<(bool, u8, u64, u64)> {
    let entries = disk[446..510].chunks(16).filter(|e| **e != [0; 16]);
    entries.map(|e| (e[0] == 0x80, e[4], u32_at(e, 8).into(), u32_at(e, 12).into())).collect()
}

/// First and last sector of each partition of the GPT.
fn gpt(disk: &[u8]) -> Vec<(u64, u64)> {
    assert_eq!(disk[512..520], *b"EFI PART");
    let entries = disk[1024..1024 + 128 * 128].chunks(128).take_while(|e| **e != [0; 128]);
    entries.map(|e| (u64_at(e, 32), u64_at(e, 40))).collect()
}

#[test]
fn rule_6_the_default_has_a_protective_mbr_with_a_tiny_active_entry_of_type_0() {
    let disk = Disk::new(&hybrid(Profile::Default));
    assert_eq!(mbr(&disk.bytes), [(false, 0xee, 1, disk.sectors() - 1), (true, 0, 0, 1)]);
    assert_eq!((&disk.bytes[..440], u32_at(&disk.bytes, 440)), (&[0xeb; 440][..], 0xdead_beef));
    assert_eq!(gpt(&disk.bytes).len(), 3);
}

#[test]
fn rule_6_a_strict_image_has_a_protective_mbr_alone() {
    let disk = Disk::new(&hybrid(Profile::Strict));
    assert_eq!(mbr(&disk.bytes), [(false, 0xee, 1, disk.sectors() - 1)]);
    let default = Disk::new(&hybrid(Profile::Default));
    assert!(disk.bytes[512..] == default.bytes[512..], "the rest is that of the default");
}

#[test]
fn rule_6_a_plain_mbr_has_the_esp_beside_the_data() {
    let disk = Disk::new(&hybrid(Profile::MbrEf));
    let (first, sectors) = (disk.esp.at / 512, disk.esp.len / 512);
    let after = first + sectors;
    let want =
        [(true, 0x17, 0, first), (false, 0xef, first, sectors), (false, 0x17, after, disk.sectors() - after)];
    assert_eq!(mbr(&disk.bytes), want);
    assert_eq!(disk.bytes[512..32 << 10], [0; (32 << 10) - 512]);
}

#[test]
fn rule_6_isohybrid_nests_the_esp_in_an_active_entry_of_type_0() {
    let disk = Disk::new(&hybrid(Profile::Isohybrid));
    let want = [(true, 0, 0, disk.sectors()), (false, 0xef, disk.esp.at / 512, disk.esp.len / 512)];
    assert_eq!(mbr(&disk.bytes), want);
    let strict = Disk::new(&hybrid(Profile::Strict));
    assert!(disk.bytes[512..] == strict.bytes[512..], "the GPT is that of the others");
}

#[test]
fn rule_6_without_an_esp_the_active_partition_covers_the_image() {
    for profile in [Profile::MbrEf, Profile::Isohybrid] {
        let disk = Disk::new(&Hybrid { esp: None, ..hybrid(profile) });
        assert_eq!(mbr(&disk.bytes), [(true, 0x17, 0, disk.sectors())]);
    }
    for profile in [Profile::Default, Profile::Strict] {
        let disk = Disk::new(&Hybrid { esp: None, ..hybrid(profile) });
        assert_eq!(gpt(&disk.bytes).len(), 1);
    }
}

#[test]
fn rule_7_the_first_two_sectors_are_what_the_profile_promises() {
    let table = [
        (Profile::Default, true, *b"EFI PART"),
        (Profile::Default, false, *b"EFI PART"),
        (Profile::Strict, true, *b"EFI PART"),
        (Profile::Strict, false, *b"EFI PART"),
        (Profile::MbrEf, true, NO_TABLE),
        (Profile::MbrEf, false, NO_TABLE),
        (Profile::Isohybrid, true, *b"EFI PART"),
        (Profile::Isohybrid, false, NO_TABLE),
    ];
    for (profile, esp, want) in table {
        let hybrid = Hybrid { esp: esp.then(|| path(ESP)), ..hybrid(profile) };
        let disk = Disk::new(&hybrid);
        assert_eq!(disk.bytes[510..512], [0x55, 0xaa], "{hybrid:?}");
        assert_eq!(disk.bytes[512..520], want, "{hybrid:?}");
    }
}

#[test]
fn rule_8_partitions_of_the_gpt_are_whole_sectors_of_disks_and_of_cds() {
    let disk = Disk::new(&hybrid(Profile::Default));
    let partitions = gpt(&disk.bytes);
    for (first, last) in &partitions {
        assert_eq!((first % 4, (last + 1) % 4), (0, 0), "{partitions:?}");
    }
    assert_eq!(partitions[1], (disk.esp.at / 512, (disk.esp.at + disk.esp.len) / 512 - 1));
    assert_eq!(u64_at(&disk.bytes, 512 + 24), 1, "the header is in sector 1, of 512 bytes");
}

#[test]
fn rule_9_the_copy_of_the_gpt_is_in_the_last_sectors_behind_300_kib_of_zeros() {
    let disk = Disk::new(&hybrid(Profile::Default));
    let (rest, copy) = disk.bytes.split_at(disk.bytes.len() - 33 * 512);
    assert_eq!(copy[32 * 512..][..8], *b"EFI PART");
    assert!(copy[..32 * 512] == disk.bytes[1024..][..32 * 512], "the entries are the same");
    assert!(rest[rest.len() - 150 * 2048..].iter().all(|b| *b == 0));
    assert_eq!(u64_at(&disk.bytes, 512 + 32), disk.sectors() - 1);
}

#[test]
fn rule_9_the_copy_of_the_gpt_is_inside_the_volume() {
    let disk = Disk::new(&hybrid(Profile::Default));
    assert_eq!(u64::from(u32_at(&disk.bytes, 16 * 2048 + 80)) * 4, disk.sectors());
}

#[test]
fn rules_10_and_11_the_volume_is_the_whole_disk_and_no_partition() {
    for profile in PROFILES {
        let disk = Disk::new(&hybrid(profile));
        assert_eq!(disk.bytes[32 << 10..][..6], *b"\x01CD001");
        assert_eq!(disk.bytes[(32 << 10) + 40..][..8], *b"MKIMAGE ");
        let Some(out) = xorriso(&disk.image, &["-report_system_area", "plain"]) else { return };
        let out = String::from_utf8(out).unwrap();
        assert!(out.lines().any(|line| line == "Partition offset   : 0"), "{out}");
    }
}

#[test]
fn a_later_profile_leaves_nothing_of_an_earlier_one() {
    let tree = bootable(5 << 20);
    for profile in PROFILES {
        let mut iso = Iso::new(&tree, &both()).unwrap();
        for earlier in PROFILES {
            iso.set_hybrid(&hybrid(earlier)).unwrap();
        }
        iso.set_hybrid(&hybrid(profile)).unwrap();
        assert!(bytes(&iso.layout(&tree).unwrap()) == Disk::new(&hybrid(profile)).bytes, "{profile:?}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let tree = bootable(5 << 20);
    let told = |hybrid: Hybrid| {
        let e = Iso::new(&tree, &both()).unwrap().set_hybrid(&hybrid).unwrap_err();
        let cause = std::error::Error::source(&e).map(|cause| format!(": {cause}"));
        format!("{e}{}", cause.unwrap_or_default())
    };
    for profile in PROFILES {
        assert_eq!(
            told(Hybrid { code: vec![0; 441], ..hybrid(profile) }),
            "cannot make the image boot from a disk: boot code of 441 bytes; a master boot record holds 440"
        );
        for esp in ["esp", "gone"] {
            assert_eq!(
                told(Hybrid { esp: Some(path(esp)), ..hybrid(profile) }),
                format!("the EFI system partition `{esp}` is not a file with content in the tree")
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn partitions_of_any_image_fill_it_apart_and_one_is_the_esp(
        len in prop_oneof![1..10_000u64, 1..64u64 << 20],
        after in prop_oneof![0..10_000u64, 0..64u64 << 20],
        profile in 0..PROFILES.len(),
        name in any::<bool>(),
    ) {
        let mut tree = bootable(len);
        add(&mut tree, if name { "a" } else { "esp/z" }, 0o644, Kind::File(Layout::hole(after)));
        add(&mut tree, "boot/small", 0o644, file("small"));
        let mut iso = Iso::new(&tree, &both()).unwrap();
        let esp = iso.place(&path(ESP)).unwrap();
        iso.set_hybrid(&hybrid(PROFILES[profile])).unwrap();
        let (image, sectors) = (iso.layout(&tree).unwrap(), iso_sectors(&tree));
        let start = bytes(&image.window(0, 32 << 10));
        let wanted = (esp.at / 512, (esp.at + esp.len.next_multiple_of(2048)) / 512);
        if PROFILES[profile] != Profile::MbrEf {
            let parts: Vec<_> = gpt(&start).into_iter().map(|(first, last)| (first, last + 1)).collect();
            prop_assert_eq!(&parts[..], &[(64, wanted.0), wanted, (wanted.1, (sectors - 33) / 4 * 4)]);
        }
        let parts = mbr(&start);
        let is_esp = |p: &&(bool, u8, u64, u64)| p.1 == 0xef;
        match PROFILES[profile] {
            Profile::Default | Profile::Strict => prop_assert!(!parts.iter().any(|p| is_esp(&p))),
            _ => {
                let found = parts.iter().find(is_esp).unwrap();
                prop_assert_eq!((found.2, found.2 + found.3), wanted);
            }
        }
        prop_assert_eq!(image.len(), sectors * 512);
        prop_assert!(image.window(image.len() - 33 * 512 - 150 * 2048, 150 * 2048).is_hole());
    }
}

fn iso_sectors(tree: &mkimage_formats::Tree) -> u64 {
    Iso::new(tree, &both()).unwrap().len() / 512
}
