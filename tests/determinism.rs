//! The same specification gives the same bytes, wherever and however it is built.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use support::image::{Compression, Made, gzip, tar};
use support::kernel::arm64_image;
use support::noise::noise;
use support::workplace::{Workplace, done};

/// Images that give threads something to do: several layers, and segments of several blocks.
fn place() -> Workplace {
    let place = Workplace::new();
    for (name, word, len) in
        [("docker.io/example/one:1", "first ", 9 << 20), ("docker.io/example/two:1", "second ", 1 << 20)]
    {
        let text = word.repeat(len / word.len());
        let layers =
            [tar(&[("a", text.as_bytes()), ("noise", &noise(300_000))]), tar(&[("b", word.as_bytes())])];
        let layers = layers.map(|layer| (Compression::Zstd, layer));
        Made::image("amd64", &layers).write(&place.cache(), name);
    }
    let spec = support::workplace::DEMO.replace("init: [", "init: ['example/one:1', ");
    place.write("amd64.yml", spec + "onboot: [{name: two, image: 'example/two:1'}]\n");

    let modules = tar(&[("boot/dtb/broadcom/bcm2837-rpi-3-b.dtb", b"a device tree")]);
    let layer = tar(&[("kernel", &gzip(&arm64_image())), ("kernel.tar", &modules)]);
    Made::image("arm64", &[(Compression::Zstd, layer)]).write(&place.cache(), "docker.io/example/pi:1");
    place.write("arm64.yml", "kernel: {image: 'example/pi:1', cmdline: 'quiet'}\n");
    std::fs::create_dir(place.out().join("firmware")).unwrap();
    for name in ["bootcode.bin", "start.elf", "fixup.dat", "u-boot.bin"] {
        place.write(&format!("firmware/{name}"), noise(100_000));
    }
    place
}

/// What is built, for what, and how.
const BUILDS: [(&str, &[&str]); 13] = [
    ("amd64", &["-f", "tar"]),
    ("amd64", &["-f", "kernel+initrd,iso-bios"]),
    ("amd64", &["-f", "kernel+initrd,iso-bios", "--initrd-compression", "zstd"]),
    ("amd64", &["-f", "kernel+initrd,iso-bios", "--initrd-compression", "xz"]),
    ("amd64", &["-f", "kernel+initrd,iso-bios", "--initrd-compression", "lz4"]),
    ("amd64", &["-f", "kernel+initrd,iso-bios", "--initrd-compression", "none"]),
    ("amd64", &["-f", "iso-bios", "--payload", "rootfs"]),
    ("amd64", &["-f", "iso,iso-efi,iso-efi-initrd,raw,raw-bios,raw-efi,uki"]),
    ("amd64", &["-f", "raw-efi", "--sector-size", "4096"]),
    ("amd64", &["-f", "kernel+erofs,kernel+squashfs,tar-kernel-initrd"]),
    ("amd64", &["-f", "gcp,ova,qcow2-bios,qcow2-efi,vhd,vhdx,vmdk", "--qcow2-compression", "zlib"]),
    ("amd64", &["-f", "dynamic-vhd,qcow2-bios", "--qcow2-compression", "zstd"]),
    ("arm64", &["-f", "rpi3,rpi3-disk", "--rpi-firmware", "firmware"]),
];

/// All outputs of a build, which `change` runs under other circumstances.
fn outputs(
    place: &Workplace,
    arch: &str,
    args: &[&str],
    change: impl FnOnce(Command) -> Command,
) -> BTreeMap<String, Vec<u8>> {
    let before = place.names();
    done(&mut change(place.command(&[&["build", "--arch", arch, &format!("{arch}.yml")], args].concat())));
    let names = place.names().into_iter().filter(|name| !before.contains(name));
    let read = names.map(|name| (name.clone(), place.read(&name))).collect::<BTreeMap<_, _>>();
    for name in read.keys() {
        std::fs::remove_file(place.out().join(name)).unwrap();
    }
    read
}

fn assert_same(
    args: &[&str],
    how: &str,
    found: &BTreeMap<String, Vec<u8>>,
    want: &BTreeMap<String, Vec<u8>>,
) {
    assert_eq!(found.keys().collect::<Vec<_>>(), want.keys().collect::<Vec<_>>());
    for (name, bytes) in want {
        if found[name] != *bytes {
            let at = bytes.iter().zip(&found[name]).position(|(a, b)| a != b);
            panic!("{name} of {args:?} differs at byte {at:?}: {how}");
        }
    }
}

#[test]
fn circumstances_do_not_reach_an_output() {
    // Folders of other names, caches of their own, which the first build of each finds cold.
    let (one, two) = (place(), place());
    for (arch, args) in BUILDS {
        let want = outputs(&one, arch, &[args, &["--jobs", "1"]].concat(), |command| command);
        assert!(!want.is_empty() && want.values().all(|bytes| !bytes.is_empty()));
        let elsewhere = |mut command: Command| {
            command.env("TZ", "Pacific/Kiritimati").env("LC_ALL", "tr_TR.UTF-8").env("LANG", "tr_TR.UTF-8");
            command.env("HOME", two.out()).env("USER", "someone").env("SOURCE_DATE_EPOCH", "1");
            under_umask(command)
        };
        let found = outputs(&two, arch, &[args, &["--jobs", "7"]].concat(), elsewhere);
        assert_same(args, "elsewhere, seven threads, cold cache", &found, &want);
        let found = outputs(&two, arch, args, |command| command);
        assert_same(args, "warm cache", &found, &want);
        std::fs::remove_dir_all(two.cache().join(".mkimage")).unwrap();
    }
}

/// The command as a shell runs it that lets nobody else read or write.
#[cfg(unix)]
fn under_umask(command: Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 077; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

#[cfg(not(unix))]
fn under_umask(command: Command) -> Command {
    command
}

#[cfg(unix)]
#[test]
fn outputs_have_the_permissions_that_the_umask_leaves() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    done(&mut under_umask(place.build(&["-f", "tar", "amd64.yml"])));
    let mode = std::fs::metadata(place.out().join("amd64.tar")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
