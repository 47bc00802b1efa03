//! `cargo xtask stub`: builds the UEFI stub, or compares what a build gives with what is committed.
//!
//! Rust's library for UEFI does not come with most compilers, and another compiler or linker makes
//! other bytes. So that anyone can check the committed files, they are made by one compiler, with
//! its library built from source, and one linker: those of [`toolchain`](crate::toolchain).
//! To see only that the stub compiles, any compiler will do:
//! `rustup target add x86_64-unknown-uefi`, then `cargo build --target x86_64-unknown-uefi` in its
//! folder.

use crate::tally::{Outcome, Tally};
use crate::toolchain::Toolchain;
use crate::{ci, product, root};
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

/// Rust's name of a target, and the committed file.
const TARGETS: [(&str, &str); 2] =
    [("x86_64-unknown-uefi", "x86_64.efi"), ("aarch64-unknown-uefi", "aarch64.efi")];

/// Builds what is committed.
pub(crate) fn build() -> Result<bool> {
    let tools = Toolchain::unpacked()?;
    for (target, name) in TARGETS {
        fs::write(source().join(name), build_for(target, &tools)?)?;
        println!("made {name}");
    }
    Ok(true)
}

/// Builds, and compares with what is committed.
pub(crate) fn check(tally: &mut Tally) {
    let tools = Toolchain::unpacked();
    for (target, name) in TARGETS {
        let outcome = match &tools {
            Err(e) => Outcome::Skipped(format!("{e:#}")),
            Ok(tools) => compared(tools, target, name).unwrap_or_else(|e| Outcome::Failed(format!("{e:#}"))),
        };
        tally.add(&format!("stub: {name} is what its source gives"), outcome, ci());
    }
}

fn compared(tools: &Toolchain, target: &str, name: &str) -> Result<Outcome> {
    let (built, committed) = (build_for(target, tools)?, fs::read(source().join(name))?);
    let Some(at) = first_difference(&built, &committed) else { return Ok(Outcome::Passed) };
    Ok(Outcome::Failed(format!(
        "the build is another from byte {at:#x} on ({} bytes, {} committed); `cargo xtask stub` makes the file anew",
        built.len(),
        committed.len()
    )))
}

/// Where two files are not the same: at the end of the shorter, if that is all of the other's start.
fn first_difference(a: &[u8], b: &[u8]) -> Option<usize> {
    let shorter = a.len().min(b.len());
    let differs = a.iter().zip(b).position(|(a, b)| a != b);
    differs.or((a.len() != b.len()).then_some(shorter))
}

/// The stub's folder.
fn source() -> PathBuf {
    root().join("formats/loaders/uefi")
}

/// The stub for `target`.
fn build_for(target: &str, tools: &Toolchain) -> Result<Vec<u8>> {
    let out = std::path::absolute(product::target().join("stub/build"))?;
    let status = tools
        .cargo(&out)
        .args(["build", "--quiet", "--release", "--locked", "--target", target])
        .args(["-Zbuild-std=core,compiler_builtins", "-Zbuild-std-features=compiler-builtins-mem"])
        .current_dir(source())
        .env("CARGO_ENCODED_RUSTFLAGS", flags(tools)?.join("\u{1f}".as_ref()))
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "the stub for {target} does not build");
    let file = out.join(target).join("release/stub.efi");
    fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))
}

/// What makes the bytes the same in any folder, and the sections pages.
fn flags(tools: &Toolchain) -> Result<Vec<OsString>> {
    let mut linker = OsString::from("-Clinker=");
    linker.push(tools.linker());
    let mut flags: Vec<OsString> = vec![linker];
    flags.extend(
        [
            "-Clinker-flavor=lld-link",
            "-Clink-arg=/Brepro",
            "-Clink-arg=/DEBUG:NONE",
            "-Clink-arg=/FILEALIGN:4096",
            "-Clink-arg=/NXCOMPAT",
            "-Zlocation-detail=none",
        ]
        .map(OsString::from),
    );
    for (from, to) in [(source(), "/stub"), (tools.dir().to_owned(), "/tools"), (registry()?, "/cargo")] {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        flags.push(flag);
    }
    Ok(flags)
}

/// Where cargo keeps the source of dependencies.
fn registry() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    Ok(std::env::home_dir().context("there is no home folder, where cargo keeps sources")?.join(".cargo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_differ_at_the_first_other_byte_or_where_one_ends() {
        assert_eq!(first_difference(b"abc", b"abc"), None);
        assert_eq!(first_difference(b"abc", b"axx"), Some(1));
        assert_eq!(first_difference(b"abc", b"ab"), Some(2));
        assert_eq!(first_difference(b"", b"ab"), Some(0));
    }
}
