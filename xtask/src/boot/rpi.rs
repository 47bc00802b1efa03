//! Cards for the Raspberry Pi, in QEMU's `raspi3b`.
//!
//! The board's own firmware is not free, and QEMU has none. It does here what the firmware would: it
//! starts what `config.txt` names, U-Boot or the kernel. What the firmware makes of a card is not
//! tested by that.
//!
//! ```text
//! firmware/              U-Boot of Debian's, and files in place of the firmware's
//! Image.gz, *.dtb        Debian's kernel, compressed as LinuxKit's is, and the board's device tree
//! files/, u-boot.img     what is in `rpi3`, and a card with it
//! pi-rpi3.img, card/     `rpi3-disk`, and what is on it
//! ```

use super::guest::{self, Payload};
use super::mtools::mtools;
use crate::ci;
use crate::debian::{Arch, Entry, Packages, unpack};
use crate::machine::{self, Machine, qemu};
use crate::product;
use crate::tally::{Outcome, Tally};
use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The cases, which are slow.
pub(super) const CASES: [&str; 2] = ["rpi3: U-Boot, SD card", "rpi3-disk: QEMU for the firmware"];

/// After these seconds a boot has failed: a multiple of what one takes on a busy machine.
const PATIENCE: u64 = 400;
/// Where the partition begins, bytes.
const FIRST: u32 = 1 << 20;
/// QEMU wants cards whose lengths are powers of two.
const CARD: u32 = 128 << 20;
const TREE: &str = "bcm2837-rpi-3-b.dtb";

/// Runs `cases`.
pub(super) fn run(mkimage: &Path, cases: &[&str], tally: &mut Tally) -> Result<()> {
    let mut add = |case: &str, outcome| tally.add(&format!("boot: {case}"), outcome, ci());
    let program = machine::program(Arch::Arm64);
    if !machine::installed(program) {
        cases.iter().for_each(|case| add(case, Outcome::Skipped(machine::missing(program))));
        return Ok(());
    }
    let folder = std::path::absolute(product::target().join("boot/rpi"))?;
    let lines = make(mkimage, &folder)?;
    for case in cases {
        let boot = if *case == CASES[0] { u_boot(&folder) } else { card(&folder) };
        add(
            case,
            boot.and_then(|command| judge(command, &lines, &folder))
                .unwrap_or_else(|e| Outcome::Failed(format!("{e:#}"))),
        );
    }
    Ok(())
}

/// Makes both media, and gives the lines that the guest has to say.
fn make(mkimage: &Path, folder: &Path) -> Result<Vec<String>> {
    let firmware = folder.join("firmware");
    fs::create_dir_all(&firmware)?;
    let mut packages = Packages::of(Arch::Arm64);
    let mut wanted = [None, None, None];
    let names = ["boot/vmlinuz", TREE, "rpi_3/u-boot.bin"];
    let mut debs = packages.fetch("linux-image-arm64", &["linux-image-"])?;
    debs.extend(packages.fetch("u-boot-rpi", &[])?);
    for deb in debs {
        let place = |path: &str| names.iter().position(|name| path.starts_with(name) || path.ends_with(name));
        unpack(
            &deb,
            |path| place(path).is_some(),
            |path, entry| {
                if let (Some(n), Entry::File { data, .. }) = (place(&path), entry) {
                    wanted[n] = Some(data);
                }
                Ok(())
            },
        )?;
    }
    let [Some(kernel), Some(tree), Some(u_boot)] = wanted else {
        bail!("there is no kernel, device tree or U-Boot for the Raspberry Pi in Debian's packages");
    };
    let mut packed = GzEncoder::new(File::create(folder.join("Image.gz"))?, Compression::fast());
    packed.write_all(&kernel)?;
    packed.finish()?;
    fs::write(folder.join(TREE), tree)?;
    fs::write(firmware.join("u-boot.bin"), u_boot)?;
    for name in ["bootcode.bin", "start.elf", "fixup.dat"] {
        fs::write(firmware.join(name), "in place of the firmware's")?;
    }
    fs::write(folder.join("guest.cpio"), guest::initrd(&mut packages)?)?;
    let digest = guest::payload(Payload::Small, File::create(folder.join("payload.cpio"))?)?;
    let mut command = Command::new(mkimage);
    command.current_dir(folder).args([
        "media",
        "--quiet",
        "--format",
        "rpi3,rpi3-disk",
        "--kernel",
        "Image.gz",
    ]);
    command.args([
        "--initrd",
        "guest.cpio",
        "--initrd",
        "payload.cpio",
        "--cmdline",
        guest::cmdline(Arch::Arm64),
    ]);
    command.args(["--dtb", TREE, "--rpi-firmware", "firmware", "--size", "128M", "--name", "pi"]);
    product::run(&mut command)?;
    Ok(guest::lines(Arch::Arm64, Payload::Small, &digest))
}

/// A machine that starts U-Boot with a card of the archive's files.
fn u_boot(folder: &Path) -> Result<Command> {
    let (files, card) = (folder.join("files"), folder.join("u-boot.img"));
    let _ = fs::remove_dir_all(&files);
    fs::create_dir_all(&files)?;
    product::run(
        Command::new("tar")
            .arg("--extract")
            .arg("--directory")
            .arg(&files)
            .arg("--file")
            .arg(folder.join("pi.tar")),
    )?;
    // One partition, of FAT32.
    let mut table = [0; 512];
    table[0x1be..0x1c6].copy_from_slice(&[0x80, 0, 0, 0, 0x0c, 0, 0, 0]);
    table[0x1c6..0x1ca].copy_from_slice(&(FIRST / 512).to_le_bytes());
    table[0x1ca..0x1ce].copy_from_slice(&((CARD - FIRST) / 512).to_le_bytes());
    table[0x1fe..].copy_from_slice(&[0x55, 0xaa]);
    let mut file = File::create(&card)?;
    file.write_all(&table)?;
    file.set_len(CARD.into())?;
    let volume = format!("{}@@{FIRST}", card.display());
    mtools(&volume, "mformat", &["-F", "::"])?;
    for entry in fs::read_dir(&files)? {
        mtools(&volume, "mcopy", &["-s", &entry?.path().display().to_string(), "::"])?;
    }
    let program = setting(&files.join("config.txt"), "kernel=")?;
    let mut command = qemu(Arch::Arm64, "raspi3b", 1024);
    command.arg("-kernel").arg(files.join(program));
    command.arg("-drive").arg(format!("if=sd,format=raw,snapshot=on,file={}", card.display()));
    Ok(command)
}

/// A machine that starts the kernel which is on the card.
fn card(folder: &Path) -> Result<Command> {
    let files = folder.join("card");
    let _ = fs::remove_dir_all(&files);
    fs::create_dir_all(&files)?;
    let volume = format!("{}@@{FIRST}", folder.join("pi-rpi3.img").display());
    mtools(&volume, "mcopy", &["::*", &files.display().to_string()])?;
    let config = files.join("config.txt");
    let initrd = setting(&config, "initramfs ")?;
    let initrd = initrd.strip_suffix(" followkernel").context("`initramfs` has no place")?;
    let cmdline = fs::read_to_string(files.join("cmdline.txt"))?;
    let mut command = qemu(Arch::Arm64, "raspi3b", 1024);
    command.arg("-kernel").arg(files.join(setting(&config, "kernel=")?));
    command.arg("-initrd").arg(files.join(initrd)).arg("-dtb").arg(files.join(TREE));
    command.args(["-append", cmdline.trim_end()]);
    Ok(command)
}

/// What follows `key` in a line of `config.txt`.
fn setting(config: &Path, key: &str) -> Result<String> {
    let text = fs::read_to_string(config)?;
    let found = text.lines().find_map(|line| line.strip_prefix(key));
    Ok(found.with_context(|| format!("no `{key}` in `{}`", config.display()))?.to_owned())
}

/// Boots, and compares what the guest says.
fn judge(mut command: Command, lines: &[String], folder: &Path) -> Result<Outcome> {
    let mut machine = Machine::start(&mut command)?;
    let limit = Duration::from_secs(PATIENCE);
    machine.judge(&["guest: end", "Kernel panic"], limit, lines, &folder.join("serial.log"))
}
