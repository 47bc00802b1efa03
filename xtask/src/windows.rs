//! `cargo xtask windows`: builds `mkimage` for Windows on Linux, and runs it under wine.
//!
//! ```text
//! mkimage.exe ──wine──▶ root file systems ── compared with ──▶ the original tool's
//!      ╰───────wine──▶ every format ─────── compared with ──▶ what `mkimage` makes here
//! ```
//!
//! Wine imitates NTFS well (names that differ in case only, `aux.c`, `a:b`, locks, renames over
//! files that are open), but it is not Windows, and this is the library of MinGW, not of MSVC.

mod same;
mod wine;

use crate::counted::conformance;
use crate::product;
use crate::tally::{Outcome, Tally};
use crate::toolchain::Toolchain;
use crate::{ci, root};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use wine::Wine;

const TARGET: &str = "x86_64-pc-windows-gnu";
/// Packages that work on every byte.
const FAST: [&str; 7] = ["crc32c", "lz4_flex", "lzma-rust2", "sha1", "sha2", "zlib-rs", "zstd-sys"];

/// Everything that is tried under wine. `mkimage` is the command of this system.
pub(crate) fn run(mkimage: &Path, tally: &mut Tally) -> Result<()> {
    if let Some(why) = wine::missing() {
        tally.add("windows", Outcome::Skipped(why), ci());
        return Ok(());
    }
    let tools = match Toolchain::unpacked() {
        Ok(tools) => tools,
        Err(e) => {
            tally.add("windows", Outcome::Skipped(format!("{e:#}")), ci());
            return Ok(());
        }
    };
    let exe = build(&tools)?;
    let wine = Wine::started()?;
    same::run(mkimage, &exe, &wine, tally)?;
    conformance(tally, "conformance under wine", |check| {
        wine.surround(check).args(["--runner", wine::runner(), "--bin"]).arg(&exe);
    })
}

/// The command for Windows, built in [`TARGET`]'s folder of its own.
fn build(tools: &Toolchain) -> Result<PathBuf> {
    let out = std::path::absolute(product::target().join("windows"))?;
    let status = tools
        .cargo(&out)
        .args(["build", "--quiet", "--release", "--locked", "--package", "mkimage", "--target", TARGET])
        .arg("-Zbuild-std=std,panic_abort")
        .current_dir(root())
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", wine::GCC)
        // Building takes longer than running: only what compresses and hashes is to be fast.
        .args(["--config", "profile.release.lto='off'", "--config", "profile.release.opt-level=0"])
        .args(
            FAST.iter()
                .flat_map(|name| ["--config".into(), format!("profile.release.package.{name}.opt-level=2")]),
        )
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "`mkimage` does not build for Windows");
    Ok(out.join(TARGET).join("release/mkimage.exe"))
}
