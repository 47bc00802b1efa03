//! Flags, and files of the host.

use super::Case;
use super::support::image::{Compression, Made, tar};
use super::support::kernel::{arm64_image, bzimage};
use super::support::workplace::Workplace;

/// A command that is wrong by itself.
fn command(name: &'static str, line: &'static str) -> Case {
    prepared(name, line, |_| ())
}

fn prepared(
    name: &'static str,
    line: &'static str,
    make: impl Fn(&Workplace) + Send + Sync + 'static,
) -> Case {
    Case { name, make: Box::new(make), args: line.split(' ').collect() }
}

fn folder(place: &Workplace, name: &str) {
    std::fs::create_dir(place.out().join(name)).unwrap();
}

/// A kernel for arm64 with a device tree, and a folder with the Raspberry Pi's firmware but for
/// one file.
fn raspberry_pi(place: &Workplace) {
    place.write("Image", arm64_image());
    place.write("bcm2837-rpi-3-b.dtb", "tree");
    folder(place, "firmware");
    for name in ["bootcode.bin", "start.elf"] {
        place.write(&format!("firmware/{name}"), name);
    }
}

/// A system for two architectures.
fn two(place: &Workplace) {
    let made = |arch, kernel: &[u8]| Made::image(arch, &[(Compression::Gzip, tar(&[("kernel", kernel)]))]);
    let index =
        Made::index(&[("amd64", made("amd64", &bzimage())), ("arm64", made("arm64", &arm64_image()))]);
    index.write(&place.cache(), "docker.io/example/both:1");
    place.write("two.yml", "kernel: {image: 'example/both:1', tar: none}\n");
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        command("unknown format", "build -f iso-bois demo.yml"),
        command("unknown format among others", "build -f tar,vmdk8 demo.yml"),
        command("part of the names of formats", "build -f qcow2 demo.yml"),
        command("empty format", "build -f  demo.yml"),
        command("stream among formats", "build -f kernel+initrd,tar demo.yml"),
        command("stream of files", "build -f kernel+initrd -o out demo.yml"),
        command("output and name", "build -o out -name x demo.yml"),
        command("output and folder", "build -o out -dir . demo.yml"),
        command("output that is the input", "build -o demo.tar -input-tar demo.tar demo.yml"),
        command("output that is a specification", "build -o ./demo.yml demo.yml"),
        command("output without a name", "build -q --name  demo.yml"),
        command("no specification", "build"),
        command("missing specification", "build none.yml"),
        command("specification that is a folder", "build ."),
        prepared("specification that is empty", "build empty.yml", |place| place.write("empty.yml", "")),
        command("missing folder of outputs", "build -q --arch amd64 -dir none demo.yml"),
        command("folder of outputs that is a file", "build -q --arch amd64 -dir demo.yml demo.yml"),
        prepared("output that is a folder", "build -q --arch amd64 -f tar -name x demo.yml", |place| {
            folder(place, "x.tar");
        }),
        prepared("last output that is a folder", "build -q --arch amd64 demo.yml", |place| {
            folder(place, "demo-cmdline");
        }),
        prepared("stream that is a folder", "build -q --arch amd64 -o x demo.yml", |place| {
            folder(place, "x")
        }),
        command("unknown compression", "build --initrd-compression bz2 demo.yml"),
        command("disk without a size", "build -size big demo.yml"),
        command("disk of half a GiB", "build -size 0.5G demo.yml"),
        command("no threads", "build -jobs 0 demo.yml"),
        command("threads in words", "build -jobs two demo.yml"),
        command("limit in words", "build --max-layer-size large demo.yml"),
        command("unknown flag", "build -fromat tar demo.yml"),
        command("unknown flag with one dash", "build -nmae x demo.yml"),
        command("unknown verb", "bulid demo.yml"),
        command("network and none", "build -pull -offline demo.yml"),
        command("network and an old archive", "build -pull -input-tar x demo.yml"),
        command("mirror without a scheme", "build -mirror docker.io=example.com demo.yml"),
        command("unknown architecture", "build -q --offline --arch vax demo.yml"),
        prepared("cache that is a file", "build -q --cache demo.yml demo.yml", |_| ()),
        command("bill outside of the file system", "build -q --arch amd64 -f tar -sbom-output ../x demo.yml"),
        command("bill that is in a file", "build -q --arch amd64 -f tar -sbom-output etc/motd/x demo.yml"),
        command("missing BIOS loader", "build -q --arch amd64 -f iso-bios --bios-loader none demo.yml"),
        prepared("missing source", "build -q --arch amd64 -f tar bad.yml", |place| {
            place.write("bad.yml", "files:\n  - path: a\n    source: none\n");
        }),
        prepared("missing source with a full path", "build -q --arch amd64 -f tar bad.yml", |place| {
            place.write("bad.yml", "files:\n  - path: a\n    source: /none/at/all\n");
        }),
        prepared("source that is a folder", "build -q --arch amd64 -f tar bad.yml", |place| {
            place.write("bad.yml", "files:\n  - path: a\n    source: .\n");
        }),
        prepared("bad name of an image", "build -q --arch amd64 -f tar bad.yml", |place| {
            place.write("bad.yml", "init:\n  - Example/Init\n");
        }),
        command("media of nothing", "media -f iso-bios"),
        command("media of a missing kernel", "media -kernel none"),
        command("media of a missing initrd", "media -kernel demo.yml -initrd none"),
        command("media of a missing archive", "media -tar none"),
        command("media of nothing on standard input", "media -tar -"),
        command("media of no archive", "media -tar demo.yml"),
        prepared("media of a compressed archive", "media -tar bad.tar.gz", |place| {
            place.write("bad.tar.gz", super::support::image::gzip(&[0; 10_240]));
        }),
        command("media of a text", "media -kernel demo.yml -initrd demo.yml"),
        command("media of a text for a UEFI", "media -kernel demo.yml -f raw-efi"),
        command("media of a kernel and an archive", "media -kernel demo.yml -tar demo.tar"),
        command("media in a missing folder", "media -kernel demo.yml -f kernel+initrd -dir none/deep"),
        command("export of what is not there", "cache export example/none:1 -o x"),
        command("files of what is not there", "cache export example/none:1 --format filesystem -o x"),
        command("push of what is not there", "cache push example/none:1"),
        command("one name for two images", "cache import a b --name example/none:1"),
        prepared("archive of a kernel and an initrd", "media -kernel demo.yml -f tar", |_| ()),
        command("disk that is too small", "build -q --arch amd64 -f raw --size 2M demo.yml"),
        command("disk of no size", "build -q --arch amd64 -f raw-bios --size 0 demo.yml"),
        command("disk that outgrows numbers", "build -f raw --size 99999999999999999G demo.yml"),
        command("BIOS and large sectors", "build -q --arch amd64 -f raw --sector-size 4096 demo.yml"),
        command(
            "large sectors in a container of small ones",
            "build -q --arch amd64 -f vmdk --firmware uefi --sector-size 4096 demo.yml",
        ),
        command("sectors of another size", "build -f raw-efi --sector-size 520 demo.yml"),
        command("disk with a short GUID", "build -f raw --disk-id 1234 demo.yml"),
        command("disk with no GUID", "build -f raw --disk-id 0123456789abcdef0123456789abcdefghij demo.yml"),
        command("missing EFI loader", "build -q --arch amd64 -f iso-efi --efi-loader none demo.yml"),
        command(
            "two EFI loaders of one name",
            "build -q --arch amd64 -f raw-efi --efi-loader demo.yml --efi-loader ./demo.yml --efi-loader demo.yml demo.yml",
        ),
        command("missing EFI stub", "build -q --arch amd64 -f uki --efi-stub none demo.yml"),
        command("EFI stub that is a text", "build -q --arch amd64 -f uki --efi-stub demo.yml demo.yml"),
        prepared("disk with isolinux", "build -q --arch amd64 -f raw --bios-loader x demo.yml", |place| {
            folder(place, "x");
        }),
        command("two formats of one file name", "build -q --arch amd64 -f iso,iso-bios demo.yml"),
        command("qcow2 of odd clusters", "build -f qcow2-efi --qcow2-cluster-size 3K demo.yml"),
        command("virtual hardware of the future", "build -f ova --vm-hardware-version 100 demo.yml"),
        command("virtual machine without processors", "build -f ova --vm-cpus 0 demo.yml"),
        command("virtual machine of half a GiB", "build -f ova --vm-memory 0.5G demo.yml"),
        command("unknown adapter", "build -f vmdk --vm-adapter nvme demo.yml"),
        command("guest of another vendor", "build -q --arch amd64 -f ova --vm-guest-id Linux/64 demo.yml"),
        prepared("two architectures on a disk", "build -q --arch amd64,arm64 -f raw two.yml", two),
        prepared("two architectures for a BIOS", "build -q --arch amd64,arm64 -f iso-bios two.yml", two),
        prepared("architectures in the wrong order", "build -q --arch arm64,amd64 -f iso two.yml", two),
        prepared("one architecture twice", "build -q --arch amd64,amd64 -f iso-efi two.yml", two),
        command("three architectures", "build -q --arch amd64,arm64,riscv64 -f iso demo.yml"),
        prepared(
            "EFI loader for two architectures",
            "build -q --arch amd64,arm64 -f iso --efi-loader two.yml two.yml",
            two,
        ),
        prepared(
            "card without firmware",
            "media -kernel Image -dtb bcm2837-rpi-3-b.dtb -f rpi3-disk",
            raspberry_pi,
        ),
        prepared(
            "card with a part of the firmware",
            "media -kernel Image -dtb bcm2837-rpi-3-b.dtb -f rpi3-disk --rpi-firmware firmware",
            raspberry_pi,
        ),
        prepared(
            "card with missing firmware",
            "media -kernel Image -dtb bcm2837-rpi-3-b.dtb -f rpi3 --rpi-firmware none",
            raspberry_pi,
        ),
        prepared(
            "card of large sectors",
            "media -kernel Image -dtb bcm2837-rpi-3-b.dtb -f rpi3-disk --sector-size 4096",
            raspberry_pi,
        ),
        prepared("card without a device tree", "media -kernel Image -f rpi3", raspberry_pi),
        prepared(
            "card with another board's device tree",
            "media -kernel Image -dtb Image -f rpi3-disk",
            raspberry_pi,
        ),
        prepared(
            "two device trees of one name",
            "media -kernel Image -dtb bcm2837-rpi-3-b.dtb -dtb firmware/bcm2837-rpi-3-b.dtb -f rpi3",
            |place| {
                raspberry_pi(place);
                place.write("firmware/bcm2837-rpi-3-b.dtb", "another tree");
            },
        ),
        command("card for another processor", "build -q --arch amd64 -f rpi3-disk demo.yml"),
        command("device tree for an archive", "media -tar x -dtb y -f rpi3"),
        command("import of nothing", "cache import"),
        command("import of a missing file", "cache import none.tar"),
        command("import of a text", "cache import demo.yml"),
        command("import of nothing on standard input", "cache import -"),
        command("import of an empty folder", "cache import ../home"),
        command("removal of an absent image", "cache rm example/none"),
        command("export of an absent image", "cache export example/none -o x"),
        command("export for another platform", "cache export --platform linux/arm64 example/web:1 -o x"),
    ]
}
