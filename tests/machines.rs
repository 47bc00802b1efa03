//! Disks of virtual machines, and what they say of themselves.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use support::kernel::bzimage;
use support::noise::noise;
use support::workplace::{Workplace, done, other, untar};

/// A folder with media of the demo's kernel and an initrd, and what was said.
fn media(args: &[&str]) -> (Workplace, String) {
    let place = Workplace::new();
    place.write("kernel", bzimage());
    place.write("initrd", noise(100_000));
    let media = ["media", "--kernel", "kernel", "--initrd", "initrd"];
    let output = place.command(&[&media, args].concat()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    (place, said)
}

/// What qemu-img prints. None if it is not installed.
fn qemu_img(place: &Workplace, args: &[&str]) -> Option<String> {
    Some(String::from_utf8(other(place, "qemu-img", args)?).unwrap())
}

/// Some text of a binary file is there.
fn says(file: &[u8], text: &str) -> bool {
    file.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn rule_34_disks_for_uefi_alone_say_that_the_machine_has_to_be_set_to_it() {
    let words = "boots by UEFI alone, which many virtual machines have to be set to (VMware: firmware = \"efi\"; \
                 Parallels: vm.bios.efi=64; UTM: UEFI boot)";
    for (args, named) in [
        (&["-f", "qcow2-efi"][..], Some("qcow2-efi")),
        (&["-f", "vmdk", "--firmware", "uefi"], Some("vmdk")),
        (&["-f", "vmdk,qcow2-bios,raw-efi"], None),
        (&["-f", "vmdk", "--firmware", "both"], None),
        (&["-f", "ova"], None), // it says so itself
    ] {
        let (_, said) = media(args);
        let notes: Vec<_> = said.lines().filter(|line| line.starts_with("note: ")).collect();
        let want: Vec<_> = named.iter().map(|name| format!("note: `{name}` {words}")).collect();
        assert_eq!(notes, want, "{args:?}");
    }
    assert!(says(&media(&["-f", "ova"]).0.read("media.ova"), "key=\"firmware\" vmw:value=\"efi\""));
}

#[test]
fn rule_40_a_qcow2_has_clusters_of_8_kib_for_oracle() {
    for compression in ["none", "zlib"] {
        let args = ["-f", "qcow2-bios,raw-bios", "--qcow2-cluster-size", "8K", "--size", "256M"];
        let (place, _) = media(&[&args[..], &["--qcow2-compression", compression]].concat());
        assert_eq!(place.read("media.qcow2")[20..24], 13_u32.to_be_bytes(), "2 to the 13th bytes");
        let Some(info) = qemu_img(&place, &["info", "media.qcow2"]) else { return };
        assert!(info.contains("cluster_size: 8192\n"), "{info}");
        qemu_img(&place, &["check", "media.qcow2"]);
        qemu_img(&place, &["compare", "media.qcow2", "media-bios.img"]);
    }
}

#[test]
fn a_vmdk_says_what_the_flags_say() {
    for kind in ["stream-optimized", "monolithic-sparse", "monolithic-flat"] {
        let args = ["--vm-adapter", "ide", "--vm-hardware-version", "13", "--vm-tools-version", "10338"];
        let (place, _) = media(&[&args[..], &["-f", "vmdk", "--vmdk-kind", kind]].concat());
        let vmdk = place.read("media.vmdk");
        for (key, value) in [("virtualHWVersion", "13"), ("adapterType", "ide"), ("toolsVersion", "10338")] {
            assert!(says(&vmdk, &format!("ddb.{key} = \"{value}\"\n")), "{key} of {kind}");
        }
    }
    let vmdk = media(&["-f", "vmdk"]).0.read("media.vmdk");
    for (key, value) in
        [("virtualHWVersion", "6"), ("adapterType", "lsilogic"), ("toolsVersion", "2147483647")]
    {
        assert!(says(&vmdk, &format!("ddb.{key} = \"{value}\"\n")), "{key}");
    }
}

#[test]
fn an_ova_says_what_the_flags_say() {
    let args = [
        "--vm-adapter",
        "buslogic",
        "--vm-hardware-version",
        "21",
        "--vm-tools-version",
        "1",
        "--vm-guest-id",
        "debian12_64Guest",
        "--vm-cpus",
        "4",
        "--vm-memory",
        "512",
        "--ova-digest",
        "sha1",
        "--firmware",
        "bios",
        "--name",
        "R&D 1",
    ];
    let (place, _) = media(&[&args[..], &["-f", "ova"]].concat());
    let files = untar(&place.read("R&D 1.ova"));
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["R_D_1-disk1.vmdk", "R_D_1.mf", "R_D_1.ovf"]);
    for text in [
        "<Name>R&amp;D 1</Name>",
        "vmx-21<",
        "vmw:osType=\"debian12_64Guest\"",
        "<rasd:VirtualQuantity>4<",
        "<rasd:VirtualQuantity>512<",
        "<rasd:ResourceSubType>buslogic<",
        "vmw:key=\"firmware\" vmw:value=\"bios\"",
    ] {
        assert!(says(&files["R_D_1.ovf"], text), "{text}");
    }
    assert!(says(&files["R_D_1-disk1.vmdk"], "ddb.toolsVersion = \"1\"\n"));
    assert!(files["R_D_1.mf"].starts_with(b"SHA1(R_D_1.ovf)= "));
}

#[test]
fn an_ova_may_have_the_iso_as_its_cd() {
    let (place, _) = media(&["-f", "ova,iso", "--ova-medium", "cd"]);
    let files = untar(&place.read("media.ova"));
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["media.iso", "media.mf", "media.ovf"]);
    assert!(files["media.iso"] == place.read("media.iso"));
    for text in ["vmware.cdrom.iso", "ovf:/file/file1", "vmw:key=\"firmware\" vmw:value=\"efi\""] {
        assert!(says(&files["media.ovf"], text), "{text}");
    }
    assert!(!says(&files["media.ovf"], "DiskSection"));
    // It is made from the payload alone, as the ISO is: nothing has to be compressed first.
    assert!(!place.cache().join(".mkimage").exists());
    done(&mut place.command(&[
        "media",
        "--kernel",
        "kernel",
        "-f",
        "ova",
        "--ova-medium",
        "cd",
        "--firmware",
        "bios",
    ]));
    assert!(says(&place.read("media.ova"), "vmw:key=\"firmware\" vmw:value=\"bios\""));
}
