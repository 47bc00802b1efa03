//! What programs for disks, and xorriso, make of images of each profile.

use crate::boot::{bootable, both};
use crate::hybrid::{Disk, ESP, PROFILES, hybrid};
use crate::image::{Image, bytes, file, path};
use crate::judge;
use crate::readers::xorriso;
use crate::specimens::add;
use mkimage_formats::iso::{Hybrid, Iso, Profile};
use mkimage_formats::{Kind, Tree, fat};

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the profile has a GPT for those who ask for a protective MBR first.
fn is_gpt(profile: Profile) -> bool {
    matches!(profile, Profile::Default | Profile::Strict)
}

#[test]
fn xorriso_reports_the_tables_of_each_profile() {
    for profile in PROFILES {
        let disk = Disk::new(&hybrid(profile));
        let Some(out) = xorriso(&disk.image, &["-report_system_area", "plain"]) else { return };
        let out = String::from_utf8(out).unwrap();
        let found: Vec<_> = out
            .lines()
            .map(squeezed)
            .filter(|line| {
                let wanted = ["System area summary", "MBR partition :", "GPT entry", "GPT start", "path"];
                wanted.iter().any(|what| line.contains(what))
            })
            .collect();
        let (all, esp, len) = (disk.sectors(), disk.esp.at / 512, disk.esp.len / 512);
        let (after, path) = (esp + len, format!("partition path : 2 /{ESP}"));
        let gpt = [
            "GPT entry array : 2 128 separated".to_owned(),
            format!("GPT start and size : 1 64 {}", esp - 64),
            format!("GPT start and size : 2 {esp} {len}"),
            format!("GPT {path}"),
            format!("GPT start and size : 3 {after} {}", (all - 33) / 4 * 4 - after),
        ];
        let head = match profile {
            Profile::Default => vec![
                "System area summary: MBR protective-msdos-label cyl-align-off GPT".to_owned(),
                format!("MBR partition : 1 0x00 0xee 1 {}", all - 1),
                "MBR partition : 2 0x80 0x00 0 1".to_owned(),
            ],
            Profile::Strict => vec![
                "System area summary: MBR protective-msdos-label cyl-align-off GPT".to_owned(),
                format!("MBR partition : 1 0x00 0xee 1 {}", all - 1),
            ],
            Profile::MbrEf => vec![
                "System area summary: MBR cyl-align-off".to_owned(),
                format!("MBR partition : 1 0x80 0x17 0 {esp}"),
                format!("MBR partition : 2 0x00 0xef {esp} {len}"),
                format!("MBR partition : 3 0x00 0x17 {after} {}", all - after),
                format!("MBR {path}"),
            ],
            Profile::Isohybrid => vec![
                "System area summary: MBR cyl-align-on GPT".to_owned(),
                format!("MBR partition : 1 0x80 0x00 0 {all}"),
                format!("MBR partition : 2 0x00 0xef {esp} {len}"),
                format!("MBR {path}"),
            ],
        };
        let gpt = if profile == Profile::MbrEf { &gpt[..0] } else { &gpt[..] };
        assert_eq!(found, [head, gpt.to_vec()].concat(), "{profile:?}");
    }
}

/// xorriso knows an isohybrid by isolinux with its table and four bytes after that, and by the words
/// of syslinux's boot sector, which is told where isolinux is.
#[test]
fn xorriso_takes_an_image_that_starts_isolinux_for_an_isohybrid() {
    let mut tree = bootable(1 << 20);
    let isolinux = [&[0x90; 64][..], &[0xfb, 0xc0, 0x78, 0x70], &[0x90; 4000]].concat();
    add(&mut tree, "boot/loader", 0o644, file(isolinux));
    let mut options = both();
    options.boot[0].info_table = true;
    let mut iso = Iso::new(&tree, &options).unwrap();
    let at = iso.place(&path("boot/loader")).unwrap().at / 512;
    let mut code = vec![0x90; 432];
    let words = b"isolinux.bin missing or corrupt.";
    code[182..182 + words.len()].copy_from_slice(words);
    code.extend(at.to_le_bytes());
    iso.set_hybrid(&Hybrid { code, ..hybrid(Profile::Isohybrid) }).unwrap();
    let image = Image::emit(&iso.layout(&tree).unwrap());
    let Some(out) = xorriso(&image, &["-report_system_area", "plain"]) else { return };
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("System area summary: MBR isohybrid cyl-align-on GPT\n"), "{out}");
}

#[test]
fn sgdisk_finds_no_problem_where_the_gpt_counts() {
    for profile in PROFILES.into_iter().filter(|p| is_gpt(*p)) {
        for esp in [None, Some(path(ESP))] {
            let disk = Disk::new(&Hybrid { esp, ..hybrid(profile) });
            let Some(mut sgdisk) = judge::program("sgdisk") else { return };
            let out = judge::output(sgdisk.arg("--verify").arg(disk.image.path()));
            assert!(out.contains("\nNo problems found."), "{out}");
            // It is cautious of partitions that do not end at a multiple of 32 KiB.
            assert!(!out.contains("Warning") && !out.contains("Problem"), "{out}");
        }
    }
}

#[test]
fn sfdisk_reads_the_partitions_and_finds_nothing_wrong_with_those_that_are_apart() {
    for profile in PROFILES {
        let disk = Disk::new(&hybrid(profile));
        let Some(mut sfdisk) = judge::program("sfdisk") else { return };
        let out = judge::output(sfdisk.arg("--dump").arg(disk.image.path()));
        let (_, table) = out.split_once("\n\n").unwrap();
        let found: Vec<_> = table.lines().map(|l| squeezed(l.split_once(" : ").unwrap().1)).collect();
        let (all, esp, len) = (disk.sectors(), disk.esp.at / 512, disk.esp.len / 512);
        let after = esp + len;
        let linux = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
        let want = match profile {
            Profile::Default | Profile::Strict => vec![
                format!("start= 64, size= {}, type={linux}", esp - 64),
                format!("start= {esp}, size= {len}, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
                format!("start= {after}, size= {}, type={linux}", (all - 33) / 4 * 4 - after),
            ],
            Profile::MbrEf => vec![
                format!("start= 0, size= {esp}, type=17, bootable"),
                format!("start= {esp}, size= {len}, type=ef"),
                format!("start= {after}, size= {}, type=17", all - after),
            ],
            Profile::Isohybrid => vec![
                format!("start= 0, size= {all}, type=0, bootable"),
                format!("start= {esp}, size= {len}, type=ef"),
            ],
        };
        for (found, want) in found.iter().zip(&want) {
            assert!(found.starts_with(want), "{out}");
        }
        assert_eq!(found.len(), want.len(), "{out}");
        let id = if is_gpt(profile) { "6D6B696D-6167-6520-7465-73742069642E" } else { "0xdeadbeef" };
        assert!(out.contains(&format!("label-id: {id}\n")), "{out}");

        if profile != Profile::Isohybrid {
            let mut sfdisk = judge::program("sfdisk").unwrap();
            let out = judge::output(sfdisk.env("LC_ALL", "C").arg("--verify").arg(disk.image.path()));
            assert!(out.contains("\nNo errors detected.\n"), "{out}");
        }
    }
}

#[test]
fn fdisk_names_the_table_that_the_profile_has() {
    for profile in PROFILES {
        let disk = Disk::new(&hybrid(profile));
        let Some(mut fdisk) = judge::program("fdisk") else { return };
        let out = judge::output(fdisk.env("LC_ALL", "C").arg("-l").arg(disk.image.path()));
        let label = if is_gpt(profile) { "gpt" } else { "dos" };
        assert!(out.contains(&format!("\nDisklabel type: {label}\n")), "{out}");
    }
}

/// A loader for both architectures, in the ESP and beside it.
fn loaders(tree: &mut Tree) {
    for name in ["EFI", "EFI/BOOT"] {
        add(tree, name, 0o755, Kind::Dir);
    }
    add(tree, "EFI/BOOT/BOOTX64.EFI", 0o644, file([0x64; 5000]));
    add(tree, "EFI/BOOT/BOOTAA64.EFI", 0o644, file([0xaa; 3000]));
}

#[test]
fn rule_5_the_esp_has_the_same_loaders_as_the_tree_for_each_architecture() {
    let mut inner = Tree::new();
    loaders(&mut inner);
    let esp = fat::layout(&inner, &fat::Options::default()).unwrap();
    let mut tree = bootable(1);
    loaders(&mut tree);
    add(&mut tree, ESP, 0o644, Kind::File(esp));
    for profile in PROFILES {
        let mut iso = Iso::new(&tree, &both()).unwrap();
        let at = iso.place(&path(ESP)).unwrap().at;
        iso.set_hybrid(&hybrid(profile)).unwrap();
        let image = Image::emit(&iso.layout(&tree).unwrap());
        for name in ["EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/BOOTAA64.EFI"] {
            let Kind::File(want) = &inner.get(&path(name)).unwrap().kind else { unreachable!() };
            let want = bytes(want);
            if let Some(mut mtype) = judge::program("mtype") {
                let out = mtype.arg("-i").arg(format!("{}@@{at}", image.path().display()));
                assert!(out.arg(format!("::/{name}")).output().unwrap().stdout == want, "{name}");
            }
            if let Some(mut bsdtar) = judge::program("bsdtar") {
                let out = bsdtar.arg("-xOf").arg(image.path()).arg(name).output().unwrap();
                assert!(out.stdout == want, "{name}");
            }
        }
    }
}
