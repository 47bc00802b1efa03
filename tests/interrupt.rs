//! Ctrl-C leaves nothing behind.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]
#![cfg(unix)]

mod support;

use std::fs::{self, File};
use std::io::Read;
use std::process::{Command, Stdio};
use support::image::tar;
use support::noise::noise;
use support::workplace::{Workplace, done, layered, listed, untar};

fn run(program: &str, args: &[&str]) {
    assert!(Command::new(program).args(args).status().unwrap().success(), "{program} {args:?}");
}

/// The names in the cache's own folder, below it, that are neither locks nor unpacked layers.
fn temporary(place: &Workplace) -> Vec<String> {
    let layers = listed(&place.cache().join(".mkimage/layers/sha256"));
    layers.into_iter().filter(|name| !name.ends_with(".tar")).collect()
}

#[test]
fn an_interrupted_build_leaves_what_was_there() {
    let place = Workplace::new();
    let big = tar(&[("big", &noise(4_000_000))]);
    layered(big).write(&place.cache(), "docker.io/example/big:1");
    place.write("big.yml", "init: ['example/big:1']");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        place.write("big.tar", "before");
        // A disk that never finishes.
        let partial = place.out().join("big.tar.partial");
        run("mkfifo", &[partial.to_str().unwrap()]);
        let mut build = place.build(&["-f", "tar", "big.yml"]).stderr(Stdio::null()).spawn().unwrap();
        let mut disk = File::open(&partial).unwrap();
        disk.read_exact(&mut [0; 512]).unwrap();
        assert!(temporary(&place).iter().any(|name| name.starts_with("scratch-")), "it is at work");
        run("kill", &[&format!("-{signal}"), &build.id().to_string()]);
        assert_eq!(build.wait().unwrap().code(), Some(code));
        assert_eq!(place.names(), ["big.tar", "big.yml", "demo.yml"]);
        assert_eq!(place.read("big.tar"), b"before");
        assert_eq!(temporary(&place), [""; 0]);
    }
    done(&mut place.build(&["-f", "tar", "big.yml"]));
    assert!(untar(&place.read("big.tar"))["big"] == noise(4_000_000));
}

#[test]
fn what_a_killed_build_leaves_goes_with_the_next_that_is_alone() {
    let place = Workplace::new();
    let private = place.cache().join(".mkimage");
    let killed = private.join("layers/sha256/scratch-killed");
    fs::create_dir_all(&killed).unwrap();
    fs::write(killed.join("vmdk.spool"), noise(1000)).unwrap();
    let other = File::create(private.join("use")).unwrap();
    other.lock_shared().unwrap();
    done(&mut place.build(&["-f", "tar", "demo.yml"]));
    assert!(killed.exists(), "it may be another build's");
    other.unlock().unwrap();
    done(&mut place.build(&["-f", "tar", "demo.yml"]));
    assert!(!killed.exists());
}

#[test]
fn an_interrupted_import_leaves_nothing_in_the_cache() {
    let place = Workplace::new();
    let before = String::from_utf8(done(&mut place.command(&["cache", "ls"]))).unwrap();
    let mut import = place.command(&["cache", "import", "-"]);
    let mut import = import.stdin(Stdio::piped()).spawn().unwrap();
    // Open to the end, which `wait` would close before the signal arrives.
    let archive = import.stdin.take();
    let private = place.cache().join(".mkimage");
    let staged = || {
        let names = if private.is_dir() { listed(&private) } else { Vec::new() };
        names.into_iter().any(|name| name.starts_with("import-"))
    };
    // It waits for its archive.
    while !staged() {
        assert!(import.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    run("kill", &["-INT", &import.id().to_string()]);
    assert_eq!(import.wait().unwrap().code(), Some(130));
    drop(archive);
    assert!(!staged());
    assert_eq!(String::from_utf8(done(&mut place.command(&["cache", "ls"]))).unwrap(), before);
    assert!(fs::read_dir(place.cache()).unwrap().count() > 0);
}
