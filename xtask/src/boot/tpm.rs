//! A TPM of an emulator's, and what one of its registers must be.
//!
//! ```text
//! register = 0
//! for each section:  register = SHA-256(register ‖ SHA-256(name, NUL))
//!                    register = SHA-256(register ‖ SHA-256(content))
//! ```
//!
//! \[TPM\] TCG, *Trusted Platform Module Library*, Part 1 §17.2 "Extend of a PCR". The sections are
//! those of a unified kernel image, in systemd-stub's order, and then those that are mkimage's own.

use crate::machine::{Attendant, missing};
use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The emulator's program.
pub(crate) const PROGRAM: &str = "swtpm";
/// Time after which it should listen: a multiple of what it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What systemd-stub 252, Debian 12's, measures into register 11.
pub(crate) const BY_SYSTEMD_252: &[&str] = &[".linux", ".osrel", ".cmdline", ".initrd"];
/// What mkimage's stub measures: what later ones measure, as far as images have it, and its own.
pub(crate) const BY_MKIMAGE: &[&str] =
    &[".linux", ".osrel", ".cmdline", ".initrd", ".uname", ".sbat", ".extents", ".paths"];

/// Starts a TPM and gives it to the machine.
pub(crate) fn attach(qemu: &mut Command) -> Result<Attendant> {
    let dir = tempfile::tempdir()?;
    let [socket, log] = ["control", "log"].map(|name| dir.path().join(name));
    let child = Command::new(PROGRAM)
        .args(["socket", "--tpm2", "--terminate", "--tpmstate"])
        .arg(format!("dir={}", dir.path().display()))
        .arg("--ctrl")
        .arg(format!("type=unixio,path={}", socket.display()))
        .arg("--log")
        .arg(format!("file={}", log.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| missing(PROGRAM))?;
    let mut tpm = Attendant::new(child, dir);
    let start = Instant::now();
    while !socket.exists() {
        let said = || fs::read_to_string(&log).unwrap_or_default();
        ensure!(tpm.runs()?, "`{PROGRAM}` ended before it listened: {}", said());
        ensure!(start.elapsed() < PATIENCE, "`{PROGRAM}` does not listen: {}", said());
        sleep(Duration::from_millis(20));
    }
    qemu.arg("-chardev").arg(format!("socket,id=tpm,path={}", socket.display()));
    qemu.args(["-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm"]);
    Ok(tpm)
}

/// Register 11 of the bank of SHA-256 after `program` has measured those `names` that it has, as
/// Linux writes it.
pub(crate) fn predicted(program: &Path, names: &[&str]) -> Result<String> {
    let program = fs::read(program)?;
    let mut register = [0; 32];
    for name in names {
        let Some(content) = section(&program, name)? else { continue };
        let name = [name.as_bytes(), &[0]].concat();
        for measured in [&name[..], content] {
            register =
                Sha256::new().chain_update(register).chain_update(Sha256::digest(measured)).finalize().into();
        }
    }
    Ok(register.iter().map(|byte| format!("{byte:02X}")).collect())
}

/// The content of a section: \[PE\] "Section Table".
fn section<'a>(program: &'a [u8], name: &str) -> Result<Option<&'a [u8]>> {
    let number = |at: usize, len: usize| -> Result<usize> {
        let bytes = program.get(at..at + len).context("the program ends in its headers")?;
        Ok(bytes.iter().rev().fold(0, |n, byte| n << 8 | usize::from(*byte)))
    };
    let header = number(0x3c, 4)?;
    let table = header + 24 + number(header + 20, 2)?;
    for entry in (0..number(header + 6, 2)?).map(|n| table + n * 40) {
        let own = program.get(entry..entry + 8).context("the program ends in its sections")?;
        if own.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.iter().all(|byte| *byte == 0)) {
            let (len, at) = (number(entry + 8, 4)?, number(entry + 20, 4)?);
            return Ok(Some(program.get(at..at + len).context("the program ends in a section")?));
        }
    }
    Ok(None)
}
