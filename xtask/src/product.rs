//! `mkimage` as a user gets it: built in release, run as a program, and watched.

use crate::root;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Where cargo puts what it builds, and the chores what they make.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The command, built from this tree; or the one that `MKIMAGE` names, say from a package.
pub(crate) fn mkimage() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("MKIMAGE") {
        return Ok(std::path::absolute(path)?);
    }
    if !target().join("release/mkimage").exists() {
        println!("building `mkimage`; the first time this takes minutes");
    }
    let build = Command::new("cargo")
        .args(["build", "--quiet", "--release", "--package", "mkimage"])
        .current_dir(root())
        .status()
        .context("cannot run cargo")?;
    ensure!(build.success(), "`cargo build --release` ended with {build}");
    Ok(std::path::absolute(target().join("release/mkimage"))?)
}

/// What a run of a program cost.
pub(crate) struct Cost {
    /// Wall time.
    pub(crate) time: Duration,
    /// The most memory that was resident, KiB; 0 where the system does not tell.
    pub(crate) peak_kib: u64,
}

/// Runs `command` to its end; an error when that is not a success.
pub(crate) fn run(command: &mut Command) -> Result<Cost> {
    let name = Path::new(command.get_program()).display().to_string();
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run `{name}`"))?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let ended = loop {
        // The high-water mark only rises, so the last look before the end is close to the truth.
        if let Some(now) = std::fs::read_to_string(&status).ok().as_deref().and_then(high_water) {
            peak_kib = peak_kib.max(now);
        }
        match child.try_wait()? {
            Some(ended) => break ended,
            None => sleep(Duration::from_millis(2)),
        }
    };
    let args: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
    ensure!(ended.success(), "`{name} {}` ended with {ended}", args.join(" "));
    Ok(Cost { time: start.elapsed(), peak_kib })
}

/// KiB after `VmHWM:`, "peak resident set size" of proc_pid_status(5).
fn high_water(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_of_a_program_is_seen() {
        let cost = run(Command::new("sh").args(["-c", "sleep 0.05"])).unwrap();
        assert!(cost.peak_kib > 100 && cost.time >= Duration::from_millis(50));
        assert!(run(Command::new("sh").args(["-c", "exit 3"])).is_err());
        assert_eq!(high_water("VmPeak:\t  9 kB\nVmHWM:\t    1234 kB\n"), Some(1234));
    }
}
