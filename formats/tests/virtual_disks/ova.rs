//! OVA.

use crate::specimens::{Desk, KIB, MIB, bytes, text};
use crate::{judge, qemu};
use mkimage_formats::ova::{self, Digest, Error, Firmware, Medium, MediumKind, Options};
use mkimage_formats::vmdk::{self, Adapter};
use mkimage_formats::{Content, Layout};
use sha2::Digest as _;
use std::fmt::Write;
use std::path::Path;

fn options() -> Options {
    Options { modified: 1_600_000_000, ..Options::new("demo", Firmware::Efi) }
}

/// A machine with the disk.
fn with_disk(desk: &Desk, disk: &Layout, options: &Options) -> Layout {
    let vmdk = vmdk::Options::new("demo.vmdk", 7);
    let file = vmdk::stream_optimized(disk, &vmdk, &desk.spool("spool", 2)).unwrap();
    let kind = MediumKind::Disk { size: disk.len() };
    ova::layout(vec![Medium { name: "demo.vmdk".into(), file, kind }], options).unwrap()
}

/// A machine with an image, which is not one.
fn with_iso(options: &Options) -> Layout {
    let file = text(3000).into();
    ova::layout(vec![Medium { name: "demo.iso".into(), file, kind: MediumKind::Cdrom }], options).unwrap()
}

/// The archive's files, which have to be all that is in it.
fn files(ova: &Path) -> Vec<(String, Vec<u8>)> {
    let ova = bytes(ova);
    let (mut at, mut files) = (0, Vec::new());
    let octal = |field: &[u8]| {
        assert_eq!(field.last(), Some(&0));
        usize::from_str_radix(str::from_utf8(&field[..field.len() - 1]).unwrap(), 8).unwrap()
    };
    while ova[at] != 0 {
        let header = &ova[at..at + 512];
        assert_eq!(&header[257..265], b"ustar\x0000");
        assert_eq!((octal(&header[100..108]), octal(&header[136..148])), (0o644, 1_600_000_000));
        assert_eq!(header[156], b'0', "a file");
        let sum: u64 = header.iter().map(|b| u64::from(*b)).sum();
        let own: u64 = header[148..156].iter().map(|b| u64::from(*b)).sum();
        assert_eq!(octal(&header[148..155]) as u64, sum - own + 8 * 0x20, "the checksum");
        let name = str::from_utf8(&header[..100]).unwrap().trim_end_matches('\0').to_owned();
        let size = octal(&header[124..136]);
        files.push((name, ova[at + 512..at + 512 + size].to_vec()));
        let end = at + 512 + size;
        at = end.next_multiple_of(512);
        assert!(ova[end..at].iter().all(|b| *b == 0));
    }
    assert_eq!(ova[at..], [0; 1024]);
    files
}

/// Values of an attribute or an element, in the order of the text.
fn values<'t>(text: &'t str, before: &str, after: &str) -> Vec<&'t str> {
    text.split(before).skip(1).map(|rest| rest.split(after).next().unwrap()).collect()
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

#[test]
fn rule_33_the_description_is_first_the_manifest_second_and_the_disk_behind_them() {
    let desk = Desk::new();
    let ova = desk.emit("x.ova", &with_disk(&desk, &desk.disk(), &options()));
    let names: Vec<_> = files(&ova).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["demo.ovf", "demo.mf", "demo.vmdk"]);
    for program in ["tar", "bsdtar"] {
        let Some(mut tar) = judge::program(program) else { continue };
        let listed = judge::output(tar.arg("-tf").arg(&ova));
        assert_eq!(listed, "demo.ovf\ndemo.mf\ndemo.vmdk\n", "{program}");
    }
}

#[test]
fn rule_33_the_manifest_has_the_digest_of_every_other_file() {
    let desk = Desk::new();
    for digest in [Digest::Sha256, Digest::Sha1] {
        let ova = desk.emit("x.ova", &with_disk(&desk, &desk.disk(), &Options { digest, ..options() }));
        let files = files(&ova);
        let mut want = String::new();
        for (name, file) in files.iter().filter(|(name, _)| name != "demo.mf") {
            let line = match digest {
                Digest::Sha256 => format!("SHA256({name})= {}", hex(&sha2::Sha256::digest(file))),
                Digest::Sha1 => format!("SHA1({name})= {}", hex(&sha1::Sha1::digest(file))),
            };
            writeln!(want, "{line}").unwrap();
        }
        assert_eq!(str::from_utf8(&files[1].1).unwrap(), want);
    }
}

#[test]
fn rule_33_the_size_is_the_files_and_the_capacity_the_disks() {
    let desk = Desk::new();
    let disk = desk.disk();
    let files = files(&desk.emit("x.ova", &with_disk(&desk, &disk, &options())));
    let description = str::from_utf8(&files[0].1).unwrap();
    assert_eq!(values(description, "ovf:size=\"", "\""), [files[2].1.len().to_string()]);
    assert_eq!(values(description, "ovf:capacity=\"", "\""), [(81 * 64 * KIB).to_string()]);
    assert_eq!(values(description, "ovf:capacityAllocationUnits=\"", "\""), ["byte"]);
    assert_eq!(values(description, "ovf:href=\"", "\""), ["demo.vmdk"]);
}

#[test]
fn rule_34_the_description_names_the_firmware() {
    for (firmware, name) in [(Firmware::Bios, "bios"), (Firmware::Efi, "efi")] {
        let desk = Desk::new();
        let files = files(&desk.emit("x.ova", &with_iso(&Options { firmware, ..options() })));
        let description = str::from_utf8(&files[0].1).unwrap();
        let found = values(description, "vmw:key=\"firmware\" vmw:value=\"", "\"");
        assert_eq!(found, [name]);
    }
}

#[test]
fn the_machine_has_the_hardware_of_the_options() {
    let desk = Desk::new();
    let options =
        Options { cpus: 3, memory: 1536, hardware_version: 9, guest: "ubuntu64Guest".into(), ..options() };
    let files = files(&desk.emit("x.ova", &with_iso(&options)));
    let description = str::from_utf8(&files[0].1).unwrap();
    assert_eq!(values(description, "<rasd:VirtualQuantity>", "<"), ["3", "1536"]);
    assert_eq!(values(description, "<vssd:VirtualSystemType>", "<"), ["vmx-09"]);
    assert_eq!(values(description, "vmw:osType=\"", "\""), ["ubuntu64Guest"]);
    let default = Options::new("x", Firmware::Bios);
    assert_eq!((default.hardware_version, &*default.guest), (15, "other3xLinux64Guest"));
}

#[test]
fn disks_are_on_a_scsi_controller_and_images_on_an_ide_channel() {
    let desk = Desk::new();
    let medium = |name: &str, kind| Medium { name: name.into(), file: text(600).into(), kind };
    let disk = MediumKind::Disk { size: MIB };
    let media = vec![medium("a.iso", MediumKind::Cdrom), medium("b.vmdk", disk), medium("c.vmdk", disk)];
    let files = files(&desk.emit("x.ova", &ova::layout(media, &options()).unwrap()));
    let description = str::from_utf8(&files[0].1).unwrap();
    // Processors, memory, network; controller, disks; controller, drive.
    assert_eq!(values(description, "<rasd:ResourceType>", "<"), ["3", "4", "10", "6", "17", "17", "5", "15"]);
    assert_eq!(values(description, "<rasd:InstanceID>", "<"), ["1", "2", "3", "4", "5", "6", "7", "8"]);
    assert_eq!(values(description, "<rasd:Parent>", "<"), ["4", "4", "7"]);
    let resources = ["ovf:/disk/disk2", "ovf:/disk/disk3", "ovf:/file/file1"];
    assert_eq!(values(description, "<rasd:HostResource>", "<"), resources);
    assert_eq!(values(description, "ovf:diskId=\"", "\""), ["disk2", "disk3"]);
    assert_eq!(values(description, "ovf:fileRef=\"", "\""), ["file2", "file3"]);
}

#[test]
fn disks_are_on_the_adapter_of_the_options() {
    let desk = Desk::new();
    for (adapter, resources, subtypes, addresses) in [
        (Adapter::LsiLogic, ["6", "5"], &["lsilogic"][..], ["0", "0"]),
        (Adapter::BusLogic, ["6", "5"], &["buslogic"], ["0", "0"]),
        (Adapter::Ide, ["5", "5"], &[], ["0", "1"]),
    ] {
        let medium = |name: &str, kind| Medium { name: name.into(), file: text(600).into(), kind };
        let media =
            vec![medium("a.vmdk", MediumKind::Disk { size: MIB }), medium("b.iso", MediumKind::Cdrom)];
        let options = Options { adapter, ..options() };
        let files = files(&desk.emit("x.ova", &ova::layout(media, &options).unwrap()));
        let description = str::from_utf8(&files[0].1).unwrap();
        let [controller, channel] = resources;
        assert_eq!(
            values(description, "<rasd:ResourceType>", "<"),
            ["3", "4", "10", controller, "17", channel, "15"]
        );
        let kinds = values(description, "<rasd:ResourceSubType>", "<");
        let found: Vec<_> = kinds.iter().filter(|kind| kind.ends_with("logic")).copied().collect();
        assert_eq!(found, subtypes);
        assert_eq!(values(description, "<rasd:Address>", "<"), addresses);
        assert_eq!(values(description, "<rasd:Parent>", "<"), ["4", "6"]);
    }
}

#[test]
fn a_machine_may_have_any_name_and_its_files_have_one_that_all_importers_take() {
    let desk = Desk::new();
    let options = Options { name: "R&D <1> \u{e4} 'x'".into(), ..options() };
    let ova = desk.emit("x.ova", &with_iso(&options));
    let files = files(&ova);
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["R_D__1_____x_.ovf", "R_D__1_____x_.mf", "demo.iso"]);
    let description = str::from_utf8(&files[0].1).unwrap();
    assert_eq!(values(description, "<Name>", "</"), ["R&amp;D &lt;1&gt; \u{e4} 'x'"]);
    assert_eq!(values(description, "<VirtualSystem ovf:id=\"", "\""), ["R_D__1_____x_"]);
    if let Some(told) = machine(&ova) {
        assert!(told.iter().any(|line| line == "source name: R&D <1> \u{e4} 'x'"), "{told:#?}");
    }
}

/// What virt-v2v tells of the machine: lines that are `key: value`, and others. None without it.
fn machine(ova: &Path) -> Option<Vec<String>> {
    let mut virt_v2v = judge::program("virt-v2v")?;
    virt_v2v.env("LC_ALL", "C").args(["-i", "ova", "--print-source"]).arg(ova);
    Some(judge::output(&mut virt_v2v).lines().map(|line| line.trim().to_owned()).collect())
}

#[test]
fn virt_v2v_finds_the_machine_in_the_description() {
    let desk = Desk::new();
    let common = ["source name: demo", "memory: 2147483648 (bytes)", "nr vCPUs: 2"];
    let bios = Options { firmware: Firmware::Bios, ..options() };
    let with_disk = |options| with_disk(&desk, &desk.disk(), options);
    for (ova, firmware, drive) in [
        (with_disk(&options()), "firmware: uefi", "0 [scsi]"),
        (with_disk(&bios), "firmware: bios", "0 [scsi]"),
        (with_iso(&options()), "firmware: uefi", "CD-ROM [ide] in slot 0"),
        (with_iso(&bios), "firmware: bios", "CD-ROM [ide] in slot 0"),
    ] {
        let Some(told) = machine(&desk.emit("x.ova", &ova)) else { return };
        let network = "Bridge \"VM Network\" [vmxnet3]";
        for line in common.into_iter().chain([firmware, drive, network]) {
            assert!(told.iter().any(|found| found == line), "{line} in {told:#?}");
        }
    }
}

#[test]
fn virt_v2v_takes_both_kinds_of_digest_and_refuses_a_byte_that_changed() {
    let desk = Desk::new();
    for digest in [Digest::Sha256, Digest::Sha1] {
        let ova = desk.emit("x.ova", &with_iso(&Options { digest, ..options() }));
        if machine(&ova).is_none() {
            return;
        }
        let mut changed = bytes(&ova);
        let at = changed.windows(5).position(|window| window == b"line ").unwrap();
        changed[at] = b'L';
        std::fs::write(&ova, changed).unwrap();
        let mut virt_v2v = judge::program("virt-v2v").unwrap();
        let out = virt_v2v.args(["-i", "ova", "--print-source"]).arg(&ova).output().unwrap();
        let complaint = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success() && complaint.contains("checksum"), "{complaint}");
    }
}

/// What the Common OVF Tool tells of the machine, with single spaces, and what it complains of. None
/// without it.
fn cot(ova: &Path) -> Option<(String, String)> {
    let mut cot = judge::program("cot")?;
    let out = cot.args(["--quiet", "info", "--verbose"]).arg(ova).output().unwrap();
    let words = |bytes: &[u8]| {
        let lines = String::from_utf8_lossy(bytes).into_owned();
        lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
    };
    assert!(out.status.success(), "{out:?}");
    Some((words(&out.stdout), words(&out.stderr)))
}

/// Of descriptions of OVF 1 it knows digests of SHA-1 alone.
#[test]
fn cot_finds_the_machine_and_each_medium_in_its_place() {
    let desk = Desk::new();
    let options = Options { digest: Digest::Sha1, ..options() };
    for (ova, medium) in [
        (with_disk(&desk, &desk.disk(), &options), " 5.062 MiB harddisk @ SCSI 0:0\n"),
        (with_iso(&options), "cdrom @ IDE 0:0\n"),
    ] {
        let Some((told, complaint)) = cot(&desk.emit("x.ova", &ova)) else { return };
        assert_eq!(complaint, "");
        for text in [
            medium,
            "System types: vmx-15\n",
            "Ethernet device types: VmxNet3\n",
            "None (default) 2 2 GiB 1 0",
            "ethernet0 : VM Network\n",
        ] {
            assert!(told.contains(text), "{text} in {told}");
        }
    }
}

#[test]
fn cot_sees_that_a_byte_changed() {
    let desk = Desk::new();
    let options = Options { digest: Digest::Sha1, ..options() };
    let ova = desk.emit("x.ova", &with_iso(&options));
    let mut changed = bytes(&ova);
    let at = changed.windows(5).position(|window| window == b"line ").unwrap();
    changed[at] = b'L';
    std::fs::write(&ova, changed).unwrap();
    let Some((_, complaint)) = cot(&ova) else { return };
    assert!(complaint.contains("The sha1 checksum for file 'demo.iso' is expected to be:"), "{complaint}");
}

#[test]
fn the_disk_in_the_archive_is_the_disk() {
    let desk = Desk::new();
    let mut disk = desk.disk();
    let ova = desk.emit("x.ova", &with_disk(&desk, &disk, &options()));
    std::fs::write(desk.path("demo.vmdk"), &files(&ova)[2].1).unwrap();
    disk.pad_to_multiple(64 * KIB);
    qemu::agrees("vmdk", &desk.path("demo.vmdk"), &desk.emit("raw", &disk));
}

#[test]
fn names_and_sizes_that_an_ova_cannot_have_are_refused() {
    let iso = |name: &str, file: Layout| Medium { name: name.into(), file, kind: MediumKind::Cdrom };
    for name in ["", "a b", "a/b", "a)b", "\u{e4}", "<x>"] {
        let e = ova::layout(vec![iso(name, Layout::default())], &options()).unwrap_err();
        assert!(matches!(e, Error::Name { .. }), "{e}");
        let guest = Options { guest: name.into(), ..options() };
        assert!(matches!(ova::layout(Vec::new(), &guest), Err(Error::Name { .. })));
    }
    for name in ["", "a\nb", "a\u{85}b", &"n".repeat(81)] {
        let named = Options { name: name.into(), ..options() };
        assert!(matches!(ova::layout(Vec::new(), &named), Err(Error::MachineName { .. })), "{name:?}");
    }
    for name in ["demo.ovf", "demo.mf", "twice.iso"] {
        let media = vec![iso("twice.iso", Layout::default()), iso(name, Layout::default())];
        let e = ova::layout(media, &options()).unwrap_err();
        assert_eq!(e.to_string(), format!("two files are named `{name}`"));
    }
    let media = ["a", "b", "c"].map(|name| iso(name, Layout::default())).into();
    let e = ova::layout(media, &options()).unwrap_err();
    assert_eq!(e.to_string(), "3 media; a machine here has up to 7 disks and 2 ISO images");
    let disk = |name: &str| Medium { kind: MediumKind::Disk { size: MIB }, ..iso(name, Layout::default()) };
    let on_ide = Options { adapter: Adapter::Ide, ..options() };
    let e = ova::layout(["a", "b", "c"].map(disk).into(), &on_ide).unwrap_err();
    assert_eq!(e.to_string(), "3 media; a machine here has up to 2 disks and 2 ISO images");
    let e = ova::layout(vec![iso("x.iso", Content::Hole(8 << 30).into())], &options()).unwrap_err();
    assert_eq!(
        e.to_string(),
        "`x.iso` has 8589934592 bytes; an OVA is a ustar archive, whose files have at most 8589934591"
    );
}
