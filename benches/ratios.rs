//! `cargo bench`: mkimage against the tools that a user would pick instead, as ratios in one run.
//!
//! The input is this machine's `/usr/bin`; the outputs go to a temporary folder. Every command
//! runs three times, and the fastest run counts. A tool that is missing is a row that says so.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let at = |name: &str| dir.path().join(name);
    let (tar, cpio) = (at("root.tar"), at("plain-initrd.img"));
    archive(Path::new("/usr/bin"), &tar)?;
    let media = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mkimage"));
        command.arg("media").arg("--quiet").arg("--dir").arg(dir.path()).args(args);
        command
    };
    let tar_flag = tar.display().to_string();
    let initrd = ["--tar", &tar_flag, "-f", "kernel+initrd", "--name"];
    run(&mut media(&[&initrd[..], &["plain", "--initrd-compression", "none"]].concat()))?;

    println!("| what | against | time | its time | ratio | size ratio |");
    println!("|---|---|---|---|---|---|");
    let ours = fastest(|| media(&[&initrd[..], &["gzip"]].concat()))?;
    let pigz = fastest(|| shell(&format!("pigz -6 -c {} > {}", cpio.display(), at("pigz").display())));
    let sizes = || Some((len(&at("gzip-initrd.img"))?, len(&at("pigz"))?));
    row("initrd, gzip", "`pigz -6` over the same archive", ours, pigz.ok(), sizes());

    let payload = at("payload");
    run(&mut shell(&format!("cat {0} {0} {0} > {1}", cpio.display(), payload.display())))?;
    std::fs::write(at("kernel"), kernel())?;
    let (kernel, payload_flag) = (at("kernel").display().to_string(), payload.display().to_string());
    let iso = ["--kernel", &kernel, "--initrd", &payload_flag, "-f", "iso-bios", "--name", "out"];
    let ours = fastest(|| media(&iso))?;
    let cp = fastest(|| shell(&format!("cp {} {1}; sync {1}", payload.display(), at("copy").display())));
    let sizes = || Some((len(&at("out.iso"))?, len(&at("copy"))?));
    row("iso-bios from an initrd that is there", "`cp` of it, synced", ours, cp.ok(), sizes());
    Ok(())
}

/// A file that has a kernel's header and starts nothing.
fn kernel() -> Vec<u8> {
    let mut kernel = vec![0; 8192];
    kernel[0x1f1] = 1; // setup_sects
    kernel[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
    kernel[0x202..0x208].copy_from_slice(b"HdrS\x0f\x02");
    kernel[0x211] = 1; // loaded high
    kernel[0x22c..0x230].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes()); // initrd_addr_max
    kernel[0x238..0x23c].copy_from_slice(&2047_u32.to_le_bytes()); // cmdline_size
    kernel
}

fn archive(folder: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut tar = tar::Builder::new(std::fs::File::create(out)?);
    tar.follow_symlinks(false);
    tar.append_dir_all("bin", folder)?;
    Ok(tar.finish()?)
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-ec", script]);
    command
}

fn run(command: &mut Command) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).status()?;
    if status.success() { Ok(start.elapsed()) } else { Err(format!("{command:?}: {status}").into()) }
}

fn fastest(command: impl Fn() -> Command) -> Result<Duration, Box<dyn Error>> {
    let times = (0..RUNS).map(|_| run(&mut command())).collect::<Result<Vec<_>, _>>()?;
    Ok(times.into_iter().min().unwrap_or_default())
}

/// KiB.
fn len(path: &Path) -> Option<f64> {
    let len = std::fs::metadata(path).ok()?.len();
    Some(f64::from(u32::try_from(len >> 10).ok()?))
}

fn row(what: &str, against: &str, ours: Duration, theirs: Option<Duration>, sizes: Option<(f64, f64)>) {
    let Some((theirs, (our_len, their_len))) = theirs.zip(sizes) else {
        println!("| {what} | {against} | {ours:.2?} | not installed | | |");
        return;
    };
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("| {what} | {against} | {ours:.2?} | {theirs:.2?} | {ratio:.2} | {:.3} |", our_len / their_len);
}
