//! `cargo xtask boot --rootfs`: media that carry the root file system itself, without an initrd.
//!
//! ```text
//! init, busybox, specimens ──▶ root.tar ──▶ mkimage media ──▶ CD or disk ──▶ kernel mounts it
//! ```
//!
//! Kernels of distributions have the drivers for this as modules, which are on the medium that they
//! are needed for. So a small kernel is built, which takes minutes, and the suite is not a part of
//! the tests.

mod kernel;
mod specimens;

use super::device::Bus::{Ahci, Ide, VirtioScsi};
use super::device::Device::{self, Cd};
use super::fault::Drive;
use super::firmware::Firmware::{self, Ovmf, SeaBios};
use super::media::Medium;
use super::some_at_a_time;
use crate::debian::{Arch, Packages};
use crate::files::Files;
use crate::machine::{self, Machine, installed, qemu};
use crate::noise::Noise;
use crate::product;
use crate::tally::{Outcome, Tally};
use crate::{ci, root};
use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

/// One boot.
struct Case {
    format: &'static str,
    /// What `mkimage` is told beside it.
    flags: &'static [&'static str],
    /// What comes after the name in the name of the medium.
    suffix: &'static str,
    start: Start,
    /// What the kernel finds there.
    file_system: &'static str,
}

/// How the kernel comes to its root.
#[derive(Clone, Copy)]
enum Start {
    /// Firmware loads it from the medium.
    From(Firmware, Device),
    /// QEMU is handed it, and has the medium as its first virtio-blk disk.
    Beside,
}

const CASES: &[Case] = &[
    Case { format: "iso-bios", suffix: ".iso", start: Start::From(SeaBios, Cd(Ide)), ..CASE },
    Case { format: "iso-bios", suffix: ".iso", start: Start::From(SeaBios, Cd(Ahci)), ..CASE },
    Case { format: "iso-bios", suffix: ".iso", start: Start::From(SeaBios, Cd(VirtioScsi)), ..CASE },
    Case { format: "iso-efi", suffix: "-efi.iso", start: Start::From(Ovmf, Cd(Ide)), ..CASE },
    Case { format: "iso-efi", suffix: "-efi.iso", start: Start::From(Ovmf, Cd(Ahci)), ..CASE },
    Case { format: "iso", suffix: ".iso", start: Start::From(SeaBios, Cd(Ahci)), ..CASE },
    Case { format: "iso", suffix: ".iso", start: Start::From(Ovmf, Cd(Ahci)), ..CASE },
    Case { format: "kernel+iso", suffix: ".iso", ..CASE },
    Case { format: "kernel+erofs", suffix: "-erofs.img", file_system: "erofs", ..CASE },
    SQUASHFS,
    Case { flags: &["--squashfs-compression", "xz", "--squashfs-block-size", "1M"], ..SQUASHFS },
    Case { flags: &["--squashfs-compression", "lz4"], ..SQUASHFS },
    Case { flags: &["--squashfs-compression", "zstd", "--squashfs-block-size", "4K"], ..SQUASHFS },
];

const SQUASHFS: Case =
    Case { format: "kernel+squashfs", suffix: "-squashfs.img", file_system: "squashfs", ..CASE };

const CASE: Case = Case { format: "", flags: &[], suffix: "", start: Start::Beside, file_system: "iso9660" };

const CMDLINE: &str = "console=ttyS0,115200 panic=-1 no_timer_check word=\"two words\"";

/// The file whose digest is reported.
const NOISE: &str = "data/Noise of the guest";

/// Programs of busybox that `init` runs.
const APPLETS: [&str; 14] = [
    "cat",
    "dmesg",
    "find",
    "ls",
    "mkdir",
    "mount",
    "readlink",
    "rm",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "wc",
    "sh",
];

const MEMORY_MIB: u32 = 1024;

/// Time after which a boot has failed.
const LIMIT: Duration = Duration::from_secs(180);

impl Case {
    fn name(&self) -> String {
        let start = match self.start {
            Start::From(firmware, device) => format!("{}, {}", firmware.name(), device.name()),
            Start::Beside => "kernel handed over, disk on virtio-blk".to_owned(),
        };
        format!("rootfs as {}: {start}", self.medium())
    }

    /// What the medium is called, and its folder. Cases with the same one share it.
    fn medium(&self) -> String {
        let values = self.flags.iter().filter(|flag| !flag.starts_with("--"));
        [self.format].iter().chain(values).copied().collect::<Vec<_>>().join(" ")
    }

    /// The command line that the kernel is started with: `mkimage` names the CD, and nobody knows
    /// where the disk beside a kernel will be.
    fn cmdline(&self) -> String {
        let device = match self.start {
            Start::From(..) => "/dev/sr0",
            Start::Beside => "/dev/vda",
        };
        format!("{CMDLINE} root={device}")
    }

    /// What the guest must say.
    fn lines(&self, digest: &str) -> Result<Vec<String>> {
        let mut lines = specimens::lines(self.file_system == "iso9660")?;
        lines.extend([
            format!("guest: cmdline {}", self.cmdline()),
            format!("guest: root {} ro", self.file_system),
            "guest: overlay 0 left".to_owned(),
            format!("guest: /payload {digest}"),
            "guest: end".to_owned(),
        ]);
        Ok(lines)
    }

    /// What the machine needs and has not.
    fn missing(&self) -> Option<String> {
        let qemu = machine::program(Arch::Amd64);
        match self.start {
            Start::From(firmware, _) => firmware.missing(),
            Start::Beside => (!installed(qemu)).then(|| machine::missing(qemu)),
        }
    }
}

/// Builds the kernel, if it is not there yet, and runs every case.
pub(crate) fn run(mkimage: &Path, tally: &mut Tally) -> Result<()> {
    let dir = std::path::absolute(product::target().join("boot/rootfs"))?;
    fs::create_dir_all(&dir)?;
    let mut packages = Packages::of(Arch::Amd64);
    let kernel = kernel::built(&mut packages)?;
    let (files, digest) = root_files(&mut packages, &kernel)?;
    fs::write(dir.join("root.tar"), [specimens::archive()?, files.tar()?].concat())?;
    let mut media = BTreeMap::new();
    for case in CASES {
        media.entry(case.medium()).or_insert_with(|| made(mkimage, &dir, case));
    }
    let tally = Mutex::new(tally);
    some_at_a_time(CASES, |case| {
        let booted = || match &media[&case.medium()] {
            Ok(medium) => boot(&dir, case, medium, &digest),
            Err(e) => bail!("{e:#}"),
        };
        let outcome = match case.missing() {
            Some(why) => Outcome::Skipped(why),
            None => booted().unwrap_or_else(|e| Outcome::Failed(format!("{e:#}"))),
        };
        if let Ok(mut tally) = tally.lock() {
            tally.add(&format!("boot: {}", case.name()), outcome, ci());
        }
    });
    Ok(())
}

/// The root file system, and the digest of the file that the guest reads.
fn root_files(packages: &mut Packages, kernel: &Path) -> Result<(Files, String)> {
    let mut noise = vec![0; 3 << 20];
    Noise::new(1).fill(&mut noise);
    let digest = Sha256::digest(&noise).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut files = Files::default();
    files.unpack(&packages.fetch("busybox-static", &[])?, |path| path == "bin/busybox")?;
    for applet in APPLETS {
        files.link(format!("bin/{applet}"), "busybox");
    }
    files.unpack(&packages.fetch("attr", &["lib"])?, |path| {
        let library = path.strip_prefix("lib/x86_64-linux-gnu/");
        path == "bin/getfattr"
            || path.starts_with("lib64/")
            || library
                .is_some_and(|name| ["libattr.", "libc.", "ld-linux"].iter().any(|n| name.starts_with(n)))
    })?;
    files.file("boot/kernel", 0o644, fs::read(kernel)?);
    files.file("boot/cmdline", 0o644, CMDLINE);
    files.file("sbin/init", 0o755, fs::read(root().join("testdata/boot/rootfs-init"))?);
    files.file(NOISE, 0o644, noise);
    files.link("payload", NOISE);
    // Nobody can make a folder on the medium, and the kernel wants `dev`.
    ["dev", "mnt", "proc", "run"].into_iter().for_each(|folder| files.folder(folder));
    Ok((files, digest))
}

/// Boots `case` from its medium.
fn boot(dir: &Path, case: &Case, medium: &Path, digest: &str) -> Result<Outcome> {
    let mut machine = match case.start {
        Start::From(firmware, device) => {
            let medium = Medium {
                path: medium.to_owned(),
                driver: "raw",
                drive: Drive::Good,
                guest_lines: Vec::new(),
            };
            firmware.start(device, &medium, MEMORY_MIB)?
        }
        Start::Beside => beside(dir, case, medium)?,
    };
    let stop = ["guest: end", "Kernel panic", "UEFI Interactive Shell"];
    let log = dir.join(format!("{}.log", case.name().replace([' ', ':', ','], "-")));
    machine.judge(&stop, LIMIT, &case.lines(digest)?, &log)
}

/// Runs `mkimage` on the root file system; the medium.
fn made(mkimage: &Path, dir: &Path, case: &Case) -> Result<PathBuf> {
    let own = dir.join(case.medium());
    fs::create_dir_all(&own)?;
    let mut command = Command::new(mkimage);
    command.current_dir(dir).args(["media", "--tar", "root.tar", "--payload", "rootfs", "--name", "root"]);
    command.args(["--cache", "cache", "--format", case.format]).args(case.flags).arg("--dir").arg(&own);
    product::run(&mut command)?;
    let path = own.join(format!("root{}", case.suffix));
    ensure!(path.exists(), "there is no `{}`", path.display());
    Ok(path)
}

/// Starts the kernel that `mkimage` wrote beside `medium`, with the words that it wrote.
fn beside(dir: &Path, case: &Case, medium: &Path) -> Result<Machine> {
    let own = dir.join(case.medium());
    let cmdline = fs::read_to_string(own.join("root-cmdline")).context("there is no command line")?;
    ensure!(cmdline == CMDLINE, "the command line is `{cmdline}`");
    let mut command = qemu(Arch::Amd64, "q35", MEMORY_MIB);
    command.args(["-nic", "none", "-append", &case.cmdline()]).arg("-kernel").arg(own.join("root-kernel"));
    let file = medium.display().to_string().replace(',', ",,");
    command.arg("-drive").arg(format!("if=virtio,format=raw,readonly=on,file={file}"));
    Machine::start(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_case_has_a_name_of_its_own() {
        assert_eq!(CASES.iter().map(Case::name).collect::<BTreeSet<_>>().len(), CASES.len());
    }

    #[test]
    fn the_guest_says_where_its_root_is() {
        let erofs = CASES.iter().find(|case| case.file_system == "erofs").unwrap();
        let lines = erofs.lines("00ff").unwrap();
        assert_eq!(
            lines[lines.len() - 5..],
            [
                "guest: cmdline console=ttyS0,115200 panic=-1 no_timer_check word=\"two words\" root=/dev/vda",
                "guest: root erofs ro",
                "guest: overlay 0 left",
                "guest: /payload 00ff",
                "guest: end",
            ]
        );
        assert!(CASES[0].cmdline().ends_with(" root=/dev/sr0"));
    }
}
