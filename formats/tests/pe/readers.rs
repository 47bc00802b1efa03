//! What objdump, pefile and sbsign make of images.

use crate::stub::{AMD64, ARM64, stub};
use crate::{appended, bytes, judge, specimen};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's package of it is a test's need, as programs are.
const SYSTEMD: &str = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
/// pefile is a module of Debian's Python, and another one may come first.
const PYTHON: &str = "/usr/bin/python3";

/// Those of the loaders.
const OWN: [(&str, u16, &[u8]); 2] = [
    ("x86_64.efi", AMD64, include_bytes!("../../loaders/uefi/x86_64.efi")),
    ("aarch64.efi", ARM64, include_bytes!("../../loaders/uefi/aarch64.efi")),
];

/// The stubs for `machines`, and their names.
fn stubs(machines: &[u16]) -> Vec<(String, Vec<u8>)> {
    let mut stubs: Vec<_> = machines.iter().map(|&m| (format!("{m:#x}"), stub(m))).collect();
    let own = OWN.iter().filter(|(_, machine, _)| machines.contains(machine));
    stubs.extend(own.map(|(name, _, stub)| ((*name).to_owned(), stub.to_vec())));
    match std::fs::read(SYSTEMD) {
        Ok(stub) => stubs.push((SYSTEMD.into(), stub)),
        Err(e) => judge::skip::missing(format_args!("`{SYSTEMD}`: {e}")),
    }
    stubs
}

fn written(image: &[u8], dir: &Path) -> PathBuf {
    let path = dir.join("x.efi");
    std::fs::write(&path, image).unwrap();
    path
}

#[test]
fn rule_25_objdump_finds_pages_of_read_only_data() {
    let Some(_) = judge::program("objdump") else { return };
    for (name, stub) in stubs(&[AMD64]) {
        let dir = tempfile::tempdir().unwrap();
        let path = written(&appended(&stub, &specimen()), dir.path());
        let headers = judge::output(Command::new("objdump").arg("-h").arg(&path));
        let lines: Vec<Vec<&str>> = headers.lines().map(|line| line.split_whitespace().collect()).collect();
        for section in specimen() {
            let row = lines.iter().position(|fields| fields.get(1) == Some(&section.name)).unwrap();
            let number = |field: usize| u64::from_str_radix(lines[row][field], 16).unwrap();
            assert_eq!(number(2), section.content.len(), "{name}: {headers}");
            assert_eq!((number(3) % 4096, number(5) % 4096), (0, 0), "{name}: {headers}");
            assert_eq!(lines[row + 1].join(" "), "CONTENTS, ALLOC, LOAD, READONLY, DATA");
            let dump = dir.path().join("section");
            let dumped = format!("{}={}", section.name, dump.display());
            let copy = dir.path().join("copy.efi");
            judge::output(Command::new("objcopy").args(["--dump-section", &dumped]).args([&path, &copy]));
            assert!(std::fs::read(dump).unwrap() == bytes(&section.content), "{name}: {}", section.name);
        }
    }
}

#[test]
fn pefile_finds_no_gap_and_nothing_to_warn_of() {
    let Some(_) = judge::program(PYTHON) else { return };
    let found = Command::new(PYTHON).args(["-c", "import pefile"]).output().unwrap();
    if !found.status.success() {
        judge::skip::missing("`python3-pefile` is missing");
        return;
    }
    for (name, stub) in stubs(&[AMD64, ARM64]) {
        let dir = tempfile::tempdir().unwrap();
        let path = written(&appended(&stub, &specimen()), dir.path());
        let found = judge::output(Command::new(PYTHON).args(["-c", include_str!("headers.py")]).arg(&path));
        let (machine, warning) = match name.as_str() {
            // Of the stub alone too.
            SYSTEMD => ("0x8664", "warning: Overlapping offsets in relocation data at RVA: 0x374a\n"),
            "x86_64.efi" => ("0x8664", ""),
            "aarch64.efi" => ("0xaa64", ""),
            machine => (machine, ""),
        };
        let want = format!(
            "machine {machine} symbols 0\nafter the sections 0\nafter the last page 0\nchecksum 0\n\
             .cmdline 19 4096 0x40000040\n.linux 5000 8192 0x40000040\n.initrd 4096 4096 0x40000040\n{warning}"
        );
        assert_eq!(found, want, "{name}");
    }
}

#[test]
fn a_signature_holds_and_one_byte_changed_breaks_it() {
    let Some(mut openssl) = judge::program("openssl") else { return };
    let Some(_) = judge::program("sbsign") else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let key = "req -x509 -newkey rsa:2048 -nodes -subj /CN=test -keyout key.pem -out cert.pem";
    let made = openssl.current_dir(dir.path()).args(key.split(' ')).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for (name, stub) in stubs(&[AMD64, ARM64]) {
        let path = written(&appended(&stub, &specimen()), dir.path());
        let signing = "--key key.pem --cert cert.pem --output signed.efi x.efi";
        let out = Command::new("sbsign").current_dir(dir.path()).args(signing.split(' ')).output().unwrap();
        // It would tell of gaps and of bytes after the last section.
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!((out.status.success(), &*said), (true, "Signing Unsigned original image\n"), "{name}");
        let verify = |name: &str| {
            let mut sbverify = Command::new("sbverify");
            sbverify.arg("--cert").args([file("cert.pem"), file(name)]).output().unwrap().status.success()
        };
        assert!(verify("signed.efi"), "{name}");
        let (mut signed, unsigned) =
            (std::fs::read(file("signed.efi")).unwrap(), std::fs::metadata(path).unwrap());
        // The last byte of the last section.
        signed[usize::try_from(unsigned.len()).unwrap() - 1] ^= 1;
        std::fs::write(file("broken.efi"), &signed).unwrap();
        assert!(!verify("broken.efi"), "{name}");
    }
}
