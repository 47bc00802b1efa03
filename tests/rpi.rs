//! What a Raspberry Pi starts, in the eyes of other programs.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use support::image::{Compression, Made, gzip, tar};
use support::kernel::arm64_image;
use support::noise::noise;
use support::workplace::{Workplace, done, other, untar};

const CMDLINE: &str = "console=ttyS1,115200 it's=\"two words\" \\";
const TREE: &str = "bcm2837-rpi-3-b.dtb";
const FIRMWARE: [&str; 7] = [
    "LICENCE.broadcom",
    "bootcode.bin",
    "fixup.dat",
    "fixup_cd.dat",
    "start.elf",
    "start_cd.elf",
    "u-boot.bin",
];

fn initrd() -> Vec<u8> {
    noise(100_000)
}

/// A folder with a kernel in `Image` and an initrd, a device tree, and what there is in Debian's
/// folder of firmware, and more.
fn workplace(kernel: &[u8]) -> Workplace {
    let place = Workplace::new();
    place.write("Image", kernel);
    place.write("initrd", initrd());
    place.write(TREE, "a device tree");
    std::fs::create_dir(place.out().join("firmware")).unwrap();
    for name in FIRMWARE.into_iter().chain(["config.txt", "kernel.img", "start.txt"]) {
        place.write(&format!("firmware/{name}"), format!("the firmware's {name}"));
    }
    place
}

/// Media of it.
fn media(place: &Workplace, args: &[&str]) -> String {
    let media = ["media", "--kernel", "Image", "--initrd", "initrd", "--cmdline", CMDLINE, "--dtb", TREE];
    let output = place.command(&[&media, args].concat()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

fn names(files: &BTreeMap<String, Vec<u8>>) -> Vec<&str> {
    files.keys().map(String::as_str).collect()
}

#[test]
fn a_card_has_what_the_firmware_reads() {
    for kernel in [arm64_image(), gzip(&arm64_image())] {
        let place = workplace(&kernel);
        media(&place, &["-f", "rpi3-disk", "--rpi-firmware", "firmware", "--size", "128M"]);
        assert_eq!(place.read("media-rpi3.img").len(), 128 << 20);
        let Some(listed) = other(&place, "mdir", &["-b", "-i", "media-rpi3.img@@1M", "::"]) else { return };
        let listed = String::from_utf8(listed).unwrap();
        let mut listed: Vec<_> = listed.lines().map(|line| line.trim_start_matches("::/")).collect();
        listed.sort_unstable();
        let own = [TREE, "cmdline.txt", "config.txt", "initrd.img", "kernel8.img"];
        let mut want: Vec<_> = FIRMWARE.into_iter().filter(|name| *name != "u-boot.bin").chain(own).collect();
        want.sort_unstable();
        assert_eq!(listed, want);
        let config = "arm_64bit=1\nenable_uart=1\nkernel=kernel8.img\ninitramfs initrd.img followkernel\n\
                      upstream_kernel=1\n";
        for (name, want) in [
            ("kernel8.img", arm64_image()),
            ("initrd.img", initrd()),
            ("cmdline.txt", format!("{CMDLINE}\n").into_bytes()),
            ("config.txt", config.as_bytes().to_vec()),
            (TREE, b"a device tree".to_vec()),
            ("start.elf", b"the firmware's start.elf".to_vec()),
        ] {
            let found = other(&place, "mcopy", &["-i", "media-rpi3.img@@1M", &format!("::{name}"), "-"]);
            assert!(found.unwrap() == want, "{name}");
        }
    }
}

#[test]
fn rule_16_a_card_has_one_active_partition_with_a_sound_fat32() {
    let place = workplace(&arm64_image());
    media(&place, &["-f", "rpi3-disk", "--rpi-firmware", "firmware"]);
    if let Some(table) = other(&place, "sfdisk", &["--dump", "media-rpi3.img"]) {
        let table = String::from_utf8(table).unwrap();
        let partitions: Vec<_> = table.lines().filter(|line| line.contains("start=")).collect();
        assert_eq!(partitions.len(), 1);
        let squeezed: String = partitions[0].split(' ').collect();
        assert!(squeezed.ends_with("start=2048,size=131072,type=c,bootable"), "{table}");
        other(&place, "sfdisk", &["--verify", "media-rpi3.img"]);
    }
    place.write("fat", &place.read("media-rpi3.img")[1 << 20..]);
    if let Some(said) = other(&place, "fsck.vfat", &["-n", "-v", "fat"]) {
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("FATs, 32 bit entries"), "{said}");
    }
}

#[test]
fn an_archive_for_u_boot_has_images_that_dumpimage_reads() {
    for (kernel, compression) in [(arm64_image(), "uncompressed"), (gzip(&arm64_image()), "gzip compressed")]
    {
        let place = workplace(&kernel);
        media(&place, &["-f", "rpi3", "--rpi-firmware", "firmware"]);
        let files = untar(&place.read("media.tar"));
        let own = ["boot.scr", "boot.script", "config.txt", "initrd.uimg", "kernel.uimg"];
        let tree = ["dtb", "dtb/broadcom", "dtb/broadcom/bcm2837-rpi-3-b.dtb"];
        let mut want: Vec<_> = FIRMWARE.into_iter().chain(own).chain(tree).collect();
        want.sort_unstable();
        assert_eq!(names(&files), want);
        assert_eq!(files["config.txt"], b"arm_64bit=1\nenable_uart=1\nkernel=u-boot.bin\n");
        for (name, kind, content, told) in [
            ("kernel.uimg", "kernel", &kernel, format!("Kernel Image ({compression})")),
            ("initrd.uimg", "ramdisk", &initrd(), "RAMDisk Image (uncompressed)".to_owned()),
        ] {
            place.write(name, &files[name]);
            let Some(listed) = other(&place, "dumpimage", &["-T", kind, "-l", name]) else { return };
            let listed = String::from_utf8(listed).unwrap();
            assert!(listed.contains(&format!("AArch64 Linux {told}\n")), "{listed}");
            other(&place, "dumpimage", &["-T", kind, "-o", "part", name]);
            assert!(place.read("part") == *content, "{name}");
        }
        assert_eq!(files["boot.scr"][72..], files["boot.script"]);
    }
}

#[test]
fn a_script_has_the_command_line_and_places_behind_the_kernel() {
    let place = workplace(&arm64_image());
    media(&place, &["-f", "rpi3", "--rpi-firmware", "firmware"]);
    let files = untar(&place.read("media.tar"));
    let script = String::from_utf8(files["boot.script"].clone()).unwrap();
    let from = "load ${devtype} ${devnum}:${distro_bootpart}";
    let want = format!(
        "setenv bootargs 'console=ttyS1,115200 it'\\''s=\"two words\" \\\\'\n\
         {from} 0x400000 dtb/${{fdtfile}} || {from} 0x400000 dtb/broadcom/bcm2837-rpi-3-b.dtb\n\
         {from} 0x600000 kernel.uimg && {from} 0x800000 initrd.uimg && bootm 0x600000 0x800000 0x400000\n"
    );
    assert_eq!(script, want);
}

#[test]
fn an_archive_without_firmware_says_what_it_is_for() {
    let place = workplace(&arm64_image());
    let said = media(&place, &["-f", "rpi3"]);
    assert!(said.starts_with("warning: `rpi3` has neither firmware nor U-Boot"), "{said}");
    assert!(!untar(&place.read("media.tar")).contains_key("start.elf"));
}

#[test]
fn the_order_of_a_folder_does_not_reach_an_output() {
    let formats = ["-f", "rpi3,rpi3-disk", "--rpi-firmware", "firmware"];
    let (one, two) = (workplace(&gzip(&arm64_image())), workplace(&gzip(&arm64_image())));
    // A folder's entries come in the order of their hashes or of their making.
    std::fs::remove_dir_all(two.out().join("firmware")).unwrap();
    std::fs::create_dir(two.out().join("firmware")).unwrap();
    for name in FIRMWARE.into_iter().rev() {
        two.write(&format!("firmware/{name}"), format!("the firmware's {name}"));
    }
    for place in [&one, &two] {
        media(place, &formats);
    }
    for file in ["media.tar", "media-rpi3.img"] {
        assert!(one.read(file) == two.read(file), "{file}");
    }
}

#[test]
fn device_trees_of_the_board_come_from_the_kernels_archive() {
    let place = workplace(&arm64_image());
    let trees = ["bcm2711-rpi-4-b", "bcm2837-rpi-3-b-plus", "bcm958742k"]
        .map(|n| format!("boot/dtb/broadcom/{n}.dtb"));
    let [four, plus, other_board] = &trees;
    let modules =
        tar(&[(four, b"four"), (plus, b"plus"), (other_board, b"other"), ("boot/dtb/README", b"no tree")]);
    let layer = tar(&[("kernel", &gzip(&arm64_image())), ("kernel.tar", &modules)]);
    Made::image("arm64", &[(Compression::Gzip, layer)]).write(&place.cache(), "docker.io/example/pi:1");
    place.write("pi.yml", "kernel: {image: 'example/pi:1', cmdline: 'quiet'}\n");
    let build =
        ["build", "--arch", "arm64", "--offline", "-f", "rpi3,rpi3-disk", "--rpi-firmware", "firmware"];
    done(&mut place.command(&[&build[..], &["pi.yml"]].concat()));
    let files = untar(&place.read("pi.tar"));
    let found: Vec<_> = files.keys().filter(|name| name.ends_with(".dtb")).collect();
    assert_eq!(found, ["dtb/broadcom/bcm2711-rpi-4-b.dtb", "dtb/broadcom/bcm2837-rpi-3-b-plus.dtb"]);
    if let Some(found) = other(&place, "mcopy", &["-i", "pi-rpi3.img@@1M", "::bcm2711-rpi-4-b.dtb", "-"]) {
        assert_eq!(found, b"four");
    }
}
