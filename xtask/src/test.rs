//! `cargo xtask test`: every test there is, but the slow boots and those without an initrd.

use crate::boot::Selection;
use crate::counted::{conformance, counted};
use crate::libtest::Output;
use crate::machine::{self, installed};
use crate::tally::{Outcome, Tally};
use crate::{boot, builds, ci, demo, product, stub, windows};
use anyhow::Result;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs everything; true when nothing failed.
pub(crate) fn run() -> Result<bool> {
    let mut tally = Tally::default();
    let mut tests = Command::new("cargo");
    tests.args(["test", "--workspace", "--no-fail-fast", "--", "--show-output"]);
    let mut output = Output::default();
    counted(&mut tally, "cargo test", &mut tests, |line, tally| output.line(line, tally))?;

    let mkimage = product::mkimage()?;
    conformance(&mut tally, "conformance", |check| {
        check.arg("--bin").arg(&mkimage);
    })?;
    whole(&mut tally, "stub", |tally| {
        stub::check(tally);
        Ok(())
    });
    whole(&mut tally, "windows", |tally| windows::run(&mkimage, tally));
    whole(&mut tally, "boots", |tally| boot::run(&mkimage, Selection::Usual, tally));
    whole(&mut tally, "demo", |tally| demonstrated(&mkimage, tally));

    println!();
    for remark in tally.remarks() {
        println!("{remark}");
    }
    println!("{tally}");
    Ok(tally.failed() == 0)
}

/// Runs checks that count themselves; that they cannot run to their end is a failure of its own.
fn whole(tally: &mut Tally, name: &str, checks: impl FnOnce(&mut Tally) -> Result<()>) {
    println!("== {name}");
    if let Err(e) = checks(tally) {
        tally.add(name, Outcome::Failed(format!("{e:#}")), ci());
    }
}

/// The demo, and what must be true of its build.
fn demonstrated(mkimage: &Path, tally: &mut Tally) -> Result<()> {
    if !installed("apt-get") {
        let why = "its images are made from Debian's or Ubuntu's packages, which need apt-get";
        tally.add("demo", Outcome::Skipped(why.into()), ci());
        return Ok(());
    }
    let dir = demo::dir()?;
    let cache = demo::filled_cache(mkimage, &dir)?;
    let cost = demo::build(mkimage, &cache, &dir, &[])?;
    let (seconds, mib) = (cost.time.as_secs_f64(), cost.peak_kib.div_ceil(1024));
    let name = format!("demo: built in {seconds:.1} s with {mib} MiB of memory, boots, keeps its promises");
    tally.add(&name, booted(&dir), ci());
    for (name, flags) in VARIANTS {
        let outcome = variant(mkimage, &cache, &dir.join("variant"), flags);
        tally.add(name, outcome.unwrap_or_else(|e| Outcome::Failed(format!("{e:#}"))), ci());
    }
    builds::run(mkimage, &cache, tally)
}

/// Other ways to the same system: what each is, and the flags for it.
const VARIANTS: [(&str, &[&str]); 5] = [
    ("demo: segments as zstd", &["--initrd-compression", "zstd"]),
    ("demo: segments as xz", &["--initrd-compression", "xz"]),
    ("demo: segments as lz4", &["--initrd-compression", "lz4"]),
    ("demo: segments as they are", &["--initrd-compression", "none"]),
    ("demo: isolinux", &["--bios-loader", "loader"]),
];

/// Where Debian keeps isolinux's files.
const ISOLINUX: [&str; 3] = [
    "/usr/lib/ISOLINUX/isolinux.bin",
    "/usr/lib/ISOLINUX/isohdpfx.bin",
    "/usr/lib/syslinux/modules/bios/ldlinux.c32",
];

fn variant(mkimage: &Path, cache: &Path, dir: &Path, flags: &[&str]) -> Result<Outcome> {
    let loader = std::path::absolute(dir)?.join("loader");
    fs::create_dir_all(&loader)?;
    let mut flags = flags.to_vec();
    let folder = loader.display().to_string();
    if let Some(name) = flags.iter_mut().find(|flag| **flag == "loader") {
        *name = &folder;
        for file in ISOLINUX.map(Path::new) {
            if !file.exists() {
                let why = format!("`{}` is missing; isolinux and syslinux-common have it", file.display());
                return Ok(Outcome::Skipped(why));
            }
            fs::copy(file, loader.join(file.file_name().unwrap_or_default()))?;
        }
    }
    demo::build(mkimage, cache, dir, &flags)?;
    Ok(booted(dir))
}

/// Boots the demo's ISO image in `dir`.
fn booted(dir: &Path) -> Outcome {
    if !installed("qemu-system-x86_64") {
        return Outcome::Skipped(machine::missing("qemu-system-x86_64"));
    }
    match demo::boot(&dir.join("demo.iso")) {
        Ok(()) => Outcome::Passed,
        Err(e) => Outcome::Failed(format!("{e:#}")),
    }
}
