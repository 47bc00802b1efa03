//! Bootable media in the eyes of other programs: what went in comes out, once.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use std::ops::Range;
use support::image::gzip;
use support::kernel::{arm64_image, bzimage};
use support::noise::noise;
use support::workplace::{Workplace, done, other, position};

const MIB: u64 = 1 << 20;
const CMDLINE: &str = "console=ttyS0 quiet";
const ID: &str = "01234567-89AB-4CDE-8F01-23456789ABCD";

/// No block of it is one of the kernel's.
fn initrd() -> Vec<u8> {
    noise(400_000).split_off(99_999)
}

/// A folder with media of the demo's kernel and the initrd.
fn media(args: &[&str]) -> Workplace {
    let place = Workplace::new();
    place.write("kernel", bzimage());
    place.write("initrd", initrd());
    let media = ["media", "--kernel", "kernel", "--initrd", "initrd", "--cmdline", CMDLINE];
    done(&mut place.command(&[&media, args].concat()));
    place
}

/// How often `block` is in `file`, where a file system has it: at whole sectors.
fn copies(file: &[u8], block: &[u8]) -> usize {
    (0..file.len()).step_by(512).filter(|at| file[*at..].starts_with(block)).count()
}

#[test]
fn an_iso_has_what_went_in() {
    let place = media(&["-f", "iso,iso-efi-initrd"]);
    for iso in ["media.iso", "media-efi-initrd.iso"] {
        for (path, want) in [("boot/kernel", bzimage()), ("boot/initrd.img", initrd())] {
            if let Some(found) = other(&place, "bsdtar", &["-xOf", iso, path]) {
                assert!(found == want, "{path} of {iso} as bsdtar reads it");
            }
            let extract = ["-osirrox", "on", "-indev", iso, "-extract", path, "found"];
            if other(&place, "xorriso", &extract).is_some() {
                assert!(place.read("found") == want, "{path} of {iso} as xorriso reads it");
                std::fs::remove_file(place.out().join("found")).unwrap();
            }
        }
    }
}

#[test]
fn a_disk_has_what_went_in() {
    let place = media(&["-f", "raw,raw-bios,raw-efi"]);
    for (disk, at) in [("media.img", 2 * MIB), ("media-bios.img", MIB), ("media-efi.img", MIB)] {
        let volume = format!("{disk}@@{at}");
        for (path, want) in [("::boot/kernel", bzimage()), ("::boot/initrd.img", initrd())] {
            if let Some(found) = other(&place, "mcopy", &["-i", &volume, path, "-"]) {
                assert!(found == want, "{path} of {disk}");
            }
        }
    }
}

#[test]
fn kernel_and_initrd_are_there_once_for_both_firmwares() {
    let place = media(&["-f", "iso,raw"]);
    for medium in ["media.iso", "media.img"] {
        let medium_bytes = place.read(medium);
        for (what, bytes) in [("kernel", bzimage()), ("initrd", initrd())] {
            assert_eq!(copies(&medium_bytes, &bytes[4096..8192]), 1, "{what} on {medium}");
        }
    }
}

/// Where `content` is, which no part of is anywhere else.
fn run(image: &[u8], content: &[u8]) -> Range<usize> {
    let at = position(image, content).expect("it is in one piece");
    at..at + content.len()
}

#[test]
fn rule_14_what_boots_is_in_one_piece_and_before_all_else() {
    let place = media(&["-f", "iso,iso-efi,raw,raw-bios,raw-efi"]);
    for (medium, loaders) in [
        ("media.iso", 2),
        ("media-efi.iso", 2),
        // An empty MiB before each partition, and the tables of a FAT32 of 64 MiB.
        ("media-bios.img", 3),
        ("media-efi.img", 3),
        ("media.img", 4),
    ] {
        let image = place.read(medium);
        let (initrd, kernel) = (run(&image, &initrd()), run(&image, &bzimage()));
        assert!(initrd.start <= loaders << 20, "{medium}: the initrd is at {}", initrd.start);
        assert!((initrd.end..initrd.end + 4096).contains(&kernel.start), "{medium}: {initrd:?}, {kernel:?}");
    }
}

#[test]
fn rule_14_of_a_root_file_system_what_boots_is_in_one_piece_before_what_sorts_behind_it() {
    let place = Workplace::new();
    let large = noise(3_000_000);
    let files: [(&str, &[u8]); 3] =
        [("boot/kernel", &bzimage()), ("boot/cmdline", b"quiet"), ("usr/large", &large)];
    place.write("root.tar", support::image::tar(&files));
    let args = ["media", "--tar", "root.tar", "--payload", "rootfs", "-f", "iso-bios,iso-efi"];
    done(&mut place.command(&args));
    for medium in ["media.iso", "media-efi.iso"] {
        let image = place.read(medium);
        let (kernel, large) = (run(&image, &bzimage()), run(&image, &large));
        assert!(kernel.end <= large.start && kernel.start < 2 << 20, "{medium}: {kernel:?}, {large:?}");
    }
}

#[test]
fn rule_13_nobody_can_write_on_the_efi_system_partition_of_a_cd() {
    let place = media(&["-f", "iso-efi"]);
    let Some(esp) = other(&place, "bsdtar", &["-xOf", "media-efi.iso", "boot/efi.img"]) else { return };
    place.write("efi.img", esp);
    let Some(attributes) = other(&place, "mattrib", &["-i", "efi.img", "::/EFI/BOOT/BOOTX64.EFI"]) else {
        return;
    };
    let attributes = String::from_utf8(attributes).unwrap();
    assert!(attributes.contains(" R "), "{attributes}");
}

#[test]
fn a_large_initrd_begins_with_a_grain_on_every_disk() {
    const GRAIN: usize = 64 << 10;
    let initrd = noise(3 << 20);
    let place = media(&[]);
    place.write("initrd", &initrd);
    let args = ["media", "--kernel", "kernel", "--initrd", "initrd", "-f", "raw,raw-bios,raw-efi"];
    done(&mut place.command(&args));
    for disk in ["media.img", "media-bios.img", "media-efi.img"] {
        assert_eq!(position(&place.read(disk), &initrd).unwrap() % GRAIN, 0, "{disk}");
    }
}

#[test]
fn partition_tables_are_sound_and_have_the_id_that_was_given() {
    let place = media(&["-f", "iso,iso-efi,raw,raw-efi", "--disk-id", ID]);
    for medium in ["media.iso", "media-efi.iso", "media.img", "media-efi.img"] {
        let Some(said) = other(&place, "sgdisk", &["--verify", "--print", medium]) else { return };
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("No problems found."), "{medium}: {said}");
        assert!(said.contains(&format!("Disk identifier (GUID): {ID}\n")), "{medium}: {said}");
    }
}

/// \[UEFI\] Table 5-5 "GPT Header": `DiskGUID`.
fn disk_guid(disk: &[u8]) -> &[u8] {
    assert_eq!(&disk[512..520], b"EFI PART");
    &disk[512 + 56..512 + 72]
}

#[test]
fn ids_follow_from_the_content() {
    let guid = |args: &[&str]| {
        let disk = media(&[&["-f", "raw-efi"], args].concat()).read("media-efi.img");
        disk_guid(&disk).to_vec()
    };
    let first = guid(&[]);
    assert_eq!(first, guid(&["--name", "media"]));
    let place = media(&["-f", "raw-efi"]);
    let args = ["media", "--kernel", "kernel", "--initrd", "initrd", "--cmdline", "another", "-f", "raw-efi"];
    done(&mut place.command(&args));
    assert_ne!(first, disk_guid(&place.read("media-efi.img")));
}

#[test]
fn a_disk_has_the_size_that_was_asked_for() {
    let place = media(&["-f", "raw,raw-bios,raw-efi", "--size", "256M"]);
    for disk in ["media.img", "media-bios.img", "media-efi.img"] {
        assert_eq!(std::fs::metadata(place.out().join(disk)).unwrap().len(), 256 * MIB, "{disk}");
    }
}

#[test]
fn a_kernel_that_is_compressed_as_a_whole_is_unpacked_for_what_boots() {
    let formats = ["media", "--initrd", "initrd", "-f", "kernel+initrd,iso-efi,raw-efi,uki,vhdx", "--kernel"];
    let made = |kernel: Vec<u8>| {
        let place = media(&[]);
        place.write("arm64", kernel);
        done(&mut place.command(&[&formats[..], &["arm64"]].concat()));
        place
    };
    let (plain, packed) = (made(arm64_image()), made(gzip(&arm64_image())));
    for medium in ["media-efi.iso", "media-efi.img", "media.efi", "media.vhdx"] {
        assert!(plain.read(medium) == packed.read(medium), "{medium}");
    }
    assert!(packed.read("media-kernel") == gzip(&arm64_image()), "the file is what it was");
    let both = ["media", "--kernel", "kernel", "--arm64-kernel", "arm64", "-f", "iso"];
    for place in [&plain, &packed] {
        done(&mut place.command(&both));
    }
    assert!(plain.read("media.iso") == packed.read("media.iso"));
}

#[test]
fn an_iso_for_two_architectures_has_both_kernels() {
    let place = media(&[]);
    let mut other_kernel = arm64_image();
    other_kernel.reverse();
    let other_kernel = [arm64_image(), other_kernel].concat();
    place.write("arm64", &other_kernel);
    let args = ["media", "--kernel", "kernel", "--initrd", "initrd", "--arm64-kernel", "arm64"];
    done(&mut place.command(&[&args[..], &["--arm64-initrd", "initrd", "-f", "iso,iso-efi"]].concat()));
    for iso in ["media.iso", "media-efi.iso"] {
        for (path, want) in [("boot/kernel", bzimage()), ("boot/aarch64/kernel", other_kernel.clone())] {
            if let Some(found) = other(&place, "bsdtar", &["-xOf", iso, path]) {
                assert!(found == want, "{path} of {iso}");
            }
        }
        assert_eq!(copies(&place.read(iso), &other_kernel[8192..12_288]), 1, "{iso}");
    }
}

#[test]
fn loaders_of_others_lie_together_with_what_they_look_for() {
    let place = media(&[]);
    place.write("shimx64.efi.signed", b"one that starts another");
    place.write("grubx64.efi", b"the other");
    let args =
        ["media", "--kernel", "kernel", "--initrd", "initrd", "--cmdline", "quiet\nword=\"two words\"\n"];
    let loaders = ["--efi-loader", "shimx64.efi.signed", "--efi-loader", "grubx64.efi"];
    done(&mut place.command(&[&args[..], &loaders, &["-f", "iso-efi,raw-efi"]].concat()));
    let Some(esp) = other(&place, "bsdtar", &["-xOf", "media-efi.iso", "boot/efi.img"]) else { return };
    place.write("efi.img", esp);
    let grub = "set timeout=0\nmenuentry LinuxKit {\nlinux /boot/kernel quiet 'word=two words'\n\
                initrd /boot/initrd.img\n}\n";
    let entry =
        "title LinuxKit\nlinux /boot/kernel\ninitrd /boot/initrd.img\noptions quiet word=\"two words\"\n";
    for (path, want) in [
        ("EFI/BOOT/BOOTX64.EFI", "one that starts another"),
        ("EFI/BOOT/grubx64.efi", "the other"),
        ("EFI/BOOT/grub.cfg", grub),
        ("loader/entries/linuxkit.conf", entry),
    ] {
        // For who copies the ISO's files to a stick, the tree has the same.
        let in_tree = other(&place, "bsdtar", &["-xOf", "media-efi.iso", path]);
        let file = format!("::/{path}");
        let on_cd = other(&place, "mtype", &["-i", "efi.img", &file]);
        let on_disk = other(&place, "mtype", &["-i", "media-efi.img@@1M", &file]);
        for found in [in_tree, on_cd, on_disk].into_iter().flatten() {
            assert_eq!(String::from_utf8(found).unwrap(), want, "{path}");
        }
    }
}

#[test]
fn neither_initrd_nor_command_line_is_needed() {
    let place = Workplace::new();
    place.write("kernel", bzimage());
    done(&mut place.command(&["media", "--kernel", "kernel", "-f", "iso,raw,raw-bios,raw-efi,uki"]));
    for medium in ["media.iso", "media.img", "media-bios.img", "media-efi.img", "media.efi"] {
        assert_eq!(copies(&place.read(medium), &bzimage()[4096..]), 1, "{medium}");
    }
}

#[test]
fn a_unified_kernel_image_has_its_sections() {
    let place = media(&["-f", "uki"]);
    let sections = [
        (".linux", bzimage()),
        (".initrd", initrd()),
        (".cmdline", CMDLINE.into()),
        (".uname", b"6.12.0-demo".to_vec()),
    ];
    for (name, want) in sections {
        let dump = ["-O", "binary", "--only-section", name, "media.efi", "found"];
        if other(&place, "objcopy", &dump).is_none() {
            return;
        }
        assert!(place.read("found") == want, "{name}");
    }
}

#[test]
fn every_container_has_the_disk_in_it() {
    let size = ["--size", "128M"];
    let place =
        media(&[&["-f", "raw,raw-bios,raw-efi,vhd,vhdx,vmdk,qcow2-bios,qcow2-efi"], &size[..]].concat());
    let disks = [
        ("media.vhd", "vpc", "media-bios.img"),
        ("media.vmdk", "vmdk", "media-bios.img"),
        ("media.qcow2", "qcow2", "media-bios.img"),
        ("media-efi.qcow2", "qcow2", "media-efi.img"),
        ("media.vhdx", "vhdx", "media.img"),
    ];
    for (file, format, raw) in disks {
        let compare = ["compare", "-f", "raw", "-F", format, raw, file];
        other(&place, "qemu-img", &compare);
    }
    for args in [
        ["-f", "dynamic-vhd", "--name", "dynamic"],
        ["-f", "vmdk", "--vmdk-kind", "monolithic-sparse"],
        ["-f", "qcow2-efi", "--qcow2-compression", "zstd"],
    ] {
        let place = media(&[&args[..], &["-f", "raw-bios,raw-efi"], &size].concat());
        let name = if args[1] == "dynamic-vhd" { "dynamic" } else { "media" };
        let (file, format, raw) = match args[1] {
            "dynamic-vhd" => ("dynamic.vhd", "vpc", "bios"),
            "vmdk" => ("media.vmdk", "vmdk", "bios"),
            _ => ("media-efi.qcow2", "qcow2", "efi"),
        };
        let raw = format!("{name}-{raw}.img");
        other(&place, "qemu-img", &["compare", "-f", "raw", "-F", format, &raw, file]);
    }
}

#[test]
fn a_cloud_disk_is_of_whole_gibibytes() {
    let place = media(&["-f", "aws,gcp,qcow2-bios"]);
    assert_eq!(std::fs::metadata(place.out().join("media.raw")).unwrap().len(), 1024 * MIB);
    if let Some(list) = other(&place, "tar", &["-tvzf", "media.img.tar.gz"]) {
        let list = String::from_utf8(list).unwrap();
        assert!(list.contains(" 1073741824 ") && list.ends_with(" disk.raw\n"), "{list}");
    }
    let compare = ["compare", "-f", "raw", "-F", "qcow2", "media.raw", "media.qcow2"];
    other(&place, "qemu-img", &compare);
}

#[test]
fn a_machine_boots_what_its_name_or_the_flag_says() {
    for (args, firmware) in [(&["-f", "ova"][..], "efi"), (&["-f", "ova", "--firmware", "bios"], "bios")] {
        let place = media(args);
        let Some(text) = other(&place, "bsdtar", &["-xOf", "media.ova", "media.ovf"]) else { return };
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(&format!("vmw:value=\"{firmware}\"")), "{text}");
    }
}

#[test]
fn a_root_image_is_the_root_file_system_without_what_boots() {
    let place = Workplace::new();
    place.write("demo.yml", support::workplace::DEMO);
    done(&mut place.build(&["-f", "kernel+erofs,kernel+iso,kernel+squashfs", "demo.yml"]));
    other(&place, "fsck.erofs", &["demo-erofs.img"]);
    if let Some(list) = other(&place, "unsquashfs", &["-lc", "demo-squashfs.img"]) {
        let list = String::from_utf8(list).unwrap();
        assert!(list.contains("/etc/"), "{list}");
        assert!(list.contains("/boot\n") && !list.contains("/boot/"), "{list}");
    }
    let Some(list) = other(&place, "bsdtar", &["-tf", "demo.iso"]) else { return };
    let list = String::from_utf8(list).unwrap();
    let names: Vec<_> = list.lines().map(|name| name.trim_start_matches("./")).collect();
    assert!(names.contains(&"boot") && names.contains(&"etc"), "{list}");
    assert!(!names.iter().any(|name| name.starts_with("boot/")), "{list}");
    assert!(place.names().contains(&"demo-kernel".into()), "{:?}", place.names());
}
