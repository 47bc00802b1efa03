//! The same specification gives the same bytes, wherever and however it is built.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use support::image::{Compression, Made, tar};
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
    place.write("demo.yml", spec + "onboot: [{name: two, image: 'example/two:1'}]\n");
    place
}

/// What is built, and how.
const BUILDS: [&[&str]; 9] = [
    &["-f", "tar"],
    &["-f", "kernel+initrd,iso-bios"],
    &["-f", "kernel+initrd,iso-bios", "--initrd-compression", "zstd"],
    &["-f", "kernel+initrd,iso-bios", "--initrd-compression", "xz"],
    &["-f", "kernel+initrd,iso-bios", "--initrd-compression", "lz4"],
    &["-f", "kernel+initrd,iso-bios", "--initrd-compression", "none"],
    &["-f", "iso-bios", "--payload", "rootfs"],
    &["-f", "iso,iso-efi,iso-efi-initrd,raw,raw-bios,raw-efi,uki"],
    &["-f", "raw-efi", "--sector-size", "4096"],
];

/// All outputs of a build, which `change` runs under other circumstances.
fn outputs(
    place: &Workplace,
    args: &[&str],
    change: impl FnOnce(Command) -> Command,
) -> BTreeMap<String, Vec<u8>> {
    done(&mut change(place.build(&[args, &["demo.yml"]].concat())));
    let names = place.names().into_iter().filter(|name| name != "demo.yml");
    let read = names.map(|name| (name.clone(), place.read(&name))).collect();
    for name in place.names().iter().filter(|name| *name != "demo.yml") {
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
    for args in BUILDS {
        let want = outputs(&one, &[args, &["--jobs", "1"]].concat(), |command| command);
        assert!(!want.is_empty() && want.values().all(|bytes| !bytes.is_empty()));
        let elsewhere = |mut command: Command| {
            command.env("TZ", "Pacific/Kiritimati").env("LC_ALL", "tr_TR.UTF-8").env("LANG", "tr_TR.UTF-8");
            command.env("HOME", two.out()).env("USER", "someone").env("SOURCE_DATE_EPOCH", "1");
            under_umask(command)
        };
        let found = outputs(&two, &[args, &["--jobs", "7"]].concat(), elsewhere);
        assert_same(args, "elsewhere, seven threads, cold cache", &found, &want);
        let found = outputs(&two, args, |command| command);
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
    done(&mut under_umask(place.build(&["-f", "tar", "demo.yml"])));
    let mode = std::fs::metadata(place.out().join("demo.tar")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
