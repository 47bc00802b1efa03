//! `cargo xtask link`: one static program for Linux, and programs for macOS, which nothing here can
//! run.
//!
//! Zig knows the libraries of both, and links for both; it comes from Python's package index. Where
//! a dependency wanted one of Apple's frameworks, the last step would fail, since those come with
//! Apple's tools alone.

use crate::product;
use crate::root;
use crate::toolchain::Toolchain;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The linker, and what makes cargo use it.
const PACKAGES: [&str; 2] = ["ziglang==0.17.1", "cargo-zigbuild==0.24.1"];

/// Rust's names of the targets, and flags: Debian's compiler comes without musl, Zig with it.
const TARGETS: [(&str, &str); 3] = [
    ("x86_64-unknown-linux-musl", "-Clink-self-contained=no"),
    ("x86_64-apple-darwin", ""),
    ("aarch64-apple-darwin", ""),
];

/// Links for those targets whose names contain `filter`.
pub(crate) fn run(filter: &str) -> Result<bool> {
    let tools = Toolchain::unpacked()?;
    let out = std::path::absolute(product::target().join("link"))?;
    let zig = zig(&out.join("zig"))?;
    let mut path = OsString::from(&zig);
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    for (target, flags) in TARGETS.iter().filter(|(target, _)| target.contains(filter)) {
        let status = tools
            .driven_by(&zig.join("cargo-zigbuild"), &out)
            .args(["zigbuild", "--quiet", "--release", "--locked", "--package", "mkimage"])
            .args(["--target", target, "-Zbuild-std=std,panic_abort"])
            .current_dir(root())
            .env("PATH", &path)
            .env("RUSTFLAGS", flags)
            // The programs that strip here know neither system.
            .env("CARGO_PROFILE_RELEASE_STRIP", "none")
            // The oldest system that both of Apple's processors have.
            .env("MACOSX_DEPLOYMENT_TARGET", "11.0")
            .status()
            .context("cannot run cargo-zigbuild")?;
        ensure!(status.success(), "`mkimage` does not link for {target}");
        let file = out.join(target).join("release/mkimage");
        println!("linked `{}`, {} MiB", file.display(), fs::metadata(&file)?.len() >> 20);
    }
    Ok(true)
}

/// The folder of Zig's programs, in a Python environment at `dir`.
fn zig(dir: &Path) -> Result<PathBuf> {
    let programs = dir.join("bin");
    if !programs.join("cargo-zigbuild").exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(dir).status();
        ensure!(made.context("cannot run python3")?.success(), "python3 has no venv: python3-venv has it");
        let mut pip = Command::new(programs.join("pip"));
        let installed = pip.args(["--quiet", "install"]).args(PACKAGES).status()?;
        ensure!(installed.success(), "pip cannot install {}: is there a network?", PACKAGES.join(" and "));
    }
    Ok(programs)
}
