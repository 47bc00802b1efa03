//! A compiler with its library's source, and a linker: those of Debian 12, unpacked without
//! installing.
//!
//! With them anything can be built for a target that the machine's own compiler has no library
//! for, and everyone who builds it has the same bytes.

use crate::debian::{Arch, Packages};
use crate::product;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the committed UEFI stub was made by.
const COMPILER: &str = "rustc 1.96.0 ";
const LINKER: &str = "LLD 22.1.8";

/// Packages, and those of their dependencies that a machine with Rust and apt may lack.
const PACKAGES: [(&str, &[&str]); 4] = [
    ("rustc-web", &["libstd-rust-web", "libllvm"]),
    ("rust-web-src", &[]),
    ("cargo-web", &["libcurl", "libgit2", "libhttp-parser", "libmbed", "libsqlite3", "libssh2", "libssl"]),
    ("lld-22", &["libllvm22"]),
];

/// The unpacked tools.
pub(crate) struct Toolchain {
    dir: PathBuf,
}

impl Toolchain {
    /// The tools, unpacked if they are not yet. The network is needed only the first time.
    pub(crate) fn unpacked() -> Result<Self> {
        let dir = std::path::absolute(product::target().join("toolchain"))?;
        if !dir.exists() {
            let mut packages = Packages::of(Arch::Amd64);
            let partial = dir.with_extension("partial");
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
        let tools = Toolchain { dir };
        tools.is(&tools.rustc(), COMPILER)?;
        tools.is(&tools.linker(), LINKER)?;
        Ok(tools)
    }

    /// Where they are.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn rustc(&self) -> PathBuf {
        self.dir.join("usr/bin/rustc")
    }

    /// The linker, which has other names for other kinds of files.
    pub(crate) fn linker(&self) -> PathBuf {
        self.dir.join("usr/lib/llvm-22/bin/lld-link")
    }

    /// Cargo with the compiler; what it builds goes to `out`.
    pub(crate) fn cargo(&self, out: &Path) -> Command {
        self.driven_by(&self.dir.join("usr/bin/cargo"), out)
    }

    /// A program that drives cargo.
    pub(crate) fn driven_by(&self, program: &Path, out: &Path) -> Command {
        let mut cargo = self.command(program);
        cargo
            .env("CARGO", self.dir.join("usr/bin/cargo"))
            .env("RUSTC", self.rustc())
            // Building the library from source is for compilers of the day, or for those who say so.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", out)
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTC_WORKSPACE_WRAPPER");
        cargo
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
}
