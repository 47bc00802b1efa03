//! A kernel that has all in itself that it needs to mount what `mkimage` writes.
//!
//! ```text
//! linux-source-6.1 ──▶ rootfs-kernel/source ──▶ rootfs-kernel/build ──▶ rootfs-kernel/kernel
//!                        testdata/boot/rootfs.config ──┘
//! ```
//!
//! It is built once: while the configuration that lies beside the kernel is what it was.

use crate::debian::{Entry, Packages, unpack};
use crate::{machine, product, root};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's package of the sources.
const PACKAGE: &str = "linux-source-6.1";

/// What a kernel is built with, and the package that has it: programs, and a header of objtool's.
const NEEDS: [(&str, &str); 7] = [
    ("make", "make"),
    ("gcc", "gcc"),
    ("flex", "flex"),
    ("bison", "bison"),
    ("bc", "bc"),
    ("xz", "xz-utils"),
    ("/usr/include/gelf.h", "libelf-dev"),
];

/// Parts of the sources that only make the unpacking long.
const UNUSED: [&str; 4] = ["Documentation/*/*", "drivers/gpu/drm/amd/include", "boot/dts", "tools/testing"];

/// The kernel's file.
pub(crate) fn built(packages: &mut Packages) -> Result<PathBuf> {
    let dir = std::path::absolute(product::target().join("rootfs-kernel"))?;
    let (kernel, kept) = (dir.join("kernel"), dir.join("kernel.config"));
    let config = fs::read_to_string(root().join("testdata/boot/rootfs.config"))?;
    if kernel.exists() && fs::read_to_string(&kept).is_ok_and(|kept| kept == config) {
        return Ok(kernel);
    }
    let absent =
        absent(|need| machine::installed(need) || Path::new(need).is_absolute() && Path::new(need).exists());
    ensure!(
        absent.is_empty(),
        "a kernel is built for these boots: apt-get install --no-install-recommends {}",
        absent.join(" ")
    );
    let source = dir.join("source");
    if !source.exists() {
        extract(packages, &source)?;
    }
    println!("building a kernel; this takes some minutes");
    let build = dir.join("build");
    // What was built of another configuration.
    let _ = fs::remove_dir_all(&build);
    fs::create_dir_all(&build)?;
    let own = build.join("rootfs.config");
    fs::write(&own, &config)?;
    make(&source, &build, |make| make.env("KCONFIG_ALLCONFIG", &own).arg("allnoconfig"))?;
    let lost = lost(&config, &fs::read_to_string(build.join(".config"))?);
    ensure!(lost.is_empty(), "the kernel has not taken {}", lost.join(", "));
    let jobs = std::thread::available_parallelism()?;
    make(&source, &build, |make| make.arg(format!("-j{jobs}")).arg("bzImage"))?;
    fs::copy(build.join("arch/x86/boot/bzImage"), &kernel)?;
    // Last: from now on the kernel counts.
    fs::write(&kept, &config)?;
    fs::remove_dir_all(&build)?;
    fs::remove_dir_all(&source)?;
    Ok(kernel)
}

/// The packages of what `has` says no to.
fn absent(has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    NEEDS.into_iter().filter(|(need, _)| !has(need)).map(|(_, package)| package).collect()
}

/// The lines of `config` that are not in `dot_config`: make drops without a word what depends on
/// something that is off.
fn lost<'a>(config: &'a str, dot_config: &str) -> Vec<&'a str> {
    let wanted = config.lines().filter(|line| line.starts_with("CONFIG_"));
    wanted.filter(|line| !dot_config.lines().any(|other| other == *line)).collect()
}

/// Unpacks the kernel's sources as the folder `source`, which is there only when it is complete.
fn extract(packages: &mut Packages, source: &Path) -> Result<()> {
    let partial = source.with_extension("partial");
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial)?;
    let archive = source.with_extension("tar.xz");
    for deb in packages.fetch(PACKAGE, &[])? {
        unpack(
            &deb,
            |path| path.ends_with(".tar.xz"),
            |_, entry| {
                if let Entry::File { data, .. } = entry {
                    fs::write(&archive, data)?;
                }
                Ok(())
            },
        )?;
    }
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--xz", "--strip-components=1", "--directory"]).arg(&partial);
    tar.args(UNUSED.map(|part| format!("--exclude=*/{part}"))).arg("--file").arg(&archive);
    product::run(&mut tar).with_context(|| format!("cannot unpack `{PACKAGE}`"))?;
    fs::remove_file(&archive)?;
    Ok(fs::rename(&partial, source)?)
}

/// Runs the kernel's make.
fn make(source: &Path, build: &Path, goal: impl FnOnce(&mut Command) -> &mut Command) -> Result<()> {
    let mut command = Command::new("make");
    command.current_dir(source).args(["--silent", "ARCH=x86_64"]).arg(format!("O={}", build.display()));
    // This make is not a part of one that may have started cargo.
    command.env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    product::run(goal(&mut command)).context("cannot build the kernel")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_installed_is_named_by_its_package() {
        assert_eq!(absent(|need| need != "xz" && !need.ends_with(".h")), ["xz-utils", "libelf-dev"]);
        assert!(absent(|_| true).is_empty());
    }

    #[test]
    fn an_option_that_make_dropped_is_lost() {
        let config = "# Why\nCONFIG_A=y\nCONFIG_B=y\n";
        assert_eq!(lost(config, "CONFIG_A=y\n# CONFIG_B is not set\n"), ["CONFIG_B=y"]);
        assert!(lost(config, "CONFIG_B=y\nCONFIG_A=y\n").is_empty());
    }
}
