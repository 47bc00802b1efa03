//! `cargo xtask stub`: builds the UEFI stub, or compares what a build gives with what is committed.
//!
//! Rust's library for UEFI does not come with most compilers, and another compiler or linker makes
//! other bytes. So that anyone can check the committed files, they are made by one compiler, with
//! its library built from source, and one linker: those of Debian 12, unpacked without installing.
//! To see only that the stub compiles, any compiler will do:
//! `rustup target add x86_64-unknown-uefi`, then `cargo build --target x86_64-unknown-uefi` in its
//! folder.

use crate::debian::{Arch, Packages};
use crate::tally::{Outcome, Tally};
use crate::{ci, product, root};
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the committed files were made by.
const COMPILER: &str = "rustc 1.96.0 ";
const LINKER: &str = "LLD 22.1.8";

/// Packages, and those of their dependencies that a machine with Rust and apt may lack.
const PACKAGES: [(&str, &[&str]); 4] = [
    ("rustc-web", &["libstd-rust-web", "libllvm"]),
    ("rust-web-src", &[]),
    ("cargo-web", &["libcurl", "libgit2", "libhttp-parser", "libmbed", "libsqlite3", "libssh2", "libssl"]),
    ("lld-22", &["libllvm22"]),
];

/// Rust's name of a target, and the committed file.
const TARGETS: [(&str, &str); 2] =
    [("x86_64-unknown-uefi", "x86_64.efi"), ("aarch64-unknown-uefi", "aarch64.efi")];

/// Builds what is committed.
pub(crate) fn build() -> Result<bool> {
    let tools = Tools::unpacked()?;
    for (target, name) in TARGETS {
        fs::write(source().join(name), tools.build(target)?)?;
        println!("made {name}");
    }
    Ok(true)
}

/// Builds, and compares with what is committed.
pub(crate) fn check(tally: &mut Tally) {
    let tools = Tools::unpacked();
    for (target, name) in TARGETS {
        let outcome = match &tools {
            Err(e) => Outcome::Skipped(format!("{e:#}")),
            Ok(tools) => compared(tools, target, name).unwrap_or_else(|e| Outcome::Failed(format!("{e:#}"))),
        };
        tally.add(&format!("stub: {name} is what its source gives"), outcome, ci());
    }
}

fn compared(tools: &Tools, target: &str, name: &str) -> Result<Outcome> {
    let (built, committed) = (tools.build(target)?, fs::read(source().join(name))?);
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

/// A compiler, its library's source and a linker, in a folder of their own.
struct Tools {
    dir: PathBuf,
}

impl Tools {
    fn unpacked() -> Result<Self> {
        let own = product::target().join("stub");
        let dir = std::path::absolute(own.join("tools"))?;
        if !dir.exists() {
            let mut packages = Packages::of(Arch::Amd64);
            let partial = own.join("tools.partial");
            // What a run that was interrupted left there.
            let _ = fs::remove_dir_all(&partial);
            fs::create_dir_all(&partial)?;
            for (name, prefixes) in PACKAGES {
                for deb in packages.fetch(name, prefixes)? {
                    let status = Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&partial).status();
                    ensure!(
                        status.context("cannot run dpkg-deb")?.success(),
                        "dpkg-deb cannot unpack `{}`",
                        deb.display()
                    );
                }
            }
            fs::rename(&partial, &dir)?;
        }
        let tools = Tools { dir };
        tools.is(&tools.rustc(), COMPILER)?;
        tools.is(&tools.linker(), LINKER)?;
        Ok(tools)
    }

    fn rustc(&self) -> PathBuf {
        self.dir.join("usr/bin/rustc")
    }

    fn linker(&self) -> PathBuf {
        self.dir.join("usr/lib/llvm-22/bin/lld-link")
    }

    /// A program among these, with the libraries among these.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let libraries = ["usr/lib/x86_64-linux-gnu", "usr/lib/llvm-22/lib"].map(|dir| self.dir.join(dir));
        let list: Vec<OsString> = libraries.into_iter().map(PathBuf::into_os_string).collect();
        command.env("LD_LIBRARY_PATH", list.join(":".as_ref()));
        command
    }

    /// That `program` is the `version` of which the committed files are.
    fn is(&self, program: &Path, version: &str) -> Result<()> {
        let output = self.command(program).arg("--version").output();
        let output = output.with_context(|| format!("cannot run `{}`", program.display()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(
            said.contains(version),
            "`{}` is `{}`, and the committed stub is of `{}`",
            program.display(),
            said.trim(),
            version.trim()
        );
        Ok(())
    }

    /// The stub for `target`.
    fn build(&self, target: &str) -> Result<Vec<u8>> {
        let out = std::path::absolute(product::target().join("stub/build"))?;
        let status = self
            .command(&self.dir.join("usr/bin/cargo"))
            .args(["build", "--quiet", "--release", "--locked", "--target", target])
            .args(["-Zbuild-std=core,compiler_builtins", "-Zbuild-std-features=compiler-builtins-mem"])
            .current_dir(source())
            .env("RUSTC", self.rustc())
            // Building the library from source is for compilers of the day, or for those who say so.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", &out)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags()?.join("\u{1f}".as_ref()))
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .status()
            .context("cannot run cargo")?;
        ensure!(status.success(), "the stub for {target} does not build");
        let file = out.join(target).join("release/stub.efi");
        fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))
    }

    /// What makes the bytes the same in any folder, and the sections pages.
    fn flags(&self) -> Result<Vec<OsString>> {
        let mut linker = OsString::from("-Clinker=");
        linker.push(self.linker());
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
        for (from, to) in [(source(), "/stub"), (self.dir.clone(), "/tools"), (registry()?, "/cargo")] {
            let mut flag = OsString::from("--remap-path-prefix=");
            flag.push(from);
            flag.push("=");
            flag.push(to);
            flags.push(flag);
        }
        Ok(flags)
    }
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
