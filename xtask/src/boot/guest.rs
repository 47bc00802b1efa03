//! The guest: the distribution's kernel, and an initrd whose program says what it was given.

use crate::debian::{Arch, Packages};
use crate::files::Files;
use crate::noise::Noise;
use crate::{kernel, root};
use anyhow::Result;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

/// What the initrd carries besides the guest's program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Payload {
    /// A mebibyte.
    Small,
    /// 600 MiB in an archive of its own: more than what lies below a hole at 1 GiB or a small
    /// machine's memory.
    Big,
}

impl Payload {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Payload::Small => "small",
            Payload::Big => "big",
        }
    }

    /// Bytes.
    pub(crate) fn len(self) -> u32 {
        match self {
            Payload::Small => 1 << 20,
            Payload::Big => 600 << 20,
        }
    }

    /// How many times as long as usual a boot may take.
    pub(crate) fn patience(self) -> u64 {
        match self {
            Payload::Small => 1,
            Payload::Big => 3,
        }
    }
}

/// The kernel's command line. It names the serial port.
pub(crate) const fn cmdline(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "console=ttyS0,115200 panic=-1 no_timer_check word=\"two words\"",
        Arch::Arm64 => "console=ttyAMA0,115200 panic=-1 word=\"two words\"",
    }
}

/// What the guest must say.
pub(crate) fn lines(arch: Arch, payload: Payload, digest: &str) -> Vec<String> {
    vec![
        format!("guest: cmdline {}", cmdline(arch)),
        format!("guest: /payload-{} {digest}", payload.name()),
        "guest: end".to_owned(),
    ]
}

/// What the guest says in place of `line` when GRUB starts it, which names the kernel, and has its own
/// way of quoting.
pub(crate) fn by_grub(line: &str) -> String {
    line.replace("guest: cmdline ", "guest: cmdline BOOT_IMAGE=/boot/kernel ")
        .replace("word=\"two words\"", "\"word=two words\"")
}

/// What it says when systemd-boot does, which names the initrd.
pub(crate) fn by_systemd_boot(line: &str) -> String {
    line.replace("guest: cmdline ", "guest: cmdline initrd=\\boot\\initrd.img ")
}

/// Puts `kernel` and `guest.cpio`, an initrd with the program that reports, into `folder`.
pub(crate) fn make(packages: &mut Packages, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("kernel"), kernel::fetch(packages, &[])?.image)?;
    fs::write(folder.join("guest.cpio"), initrd(packages)?)?;
    Ok(())
}

/// An initrd with the program that reports.
pub(crate) fn initrd(packages: &mut Packages) -> Result<Vec<u8>> {
    let mut files = Files::default();
    files.unpack(&packages.fetch("busybox-static", &[])?, |path| path == "bin/busybox")?;
    files.file("init", 0o755, fs::read(root().join("testdata/boot/init"))?);
    files.initrd()
}

/// Writes an initrd with one file of noise; the file's SHA-256 in hexadecimal.
pub(crate) fn payload(payload: Payload, out: File) -> Result<String> {
    let mut out = BufWriter::new(out);
    let name = format!("payload-{}", payload.name());
    let header = cpio::newc::Builder::new(&name).ino(1).mode(0o100_644).nlink(1);
    let mut writer = header.write(&mut out, payload.len());
    let mut hash = Sha256::new();
    let mut noise = Noise::new(0);
    let mut block = [0; 1 << 16];
    for _ in 0..payload.len() >> 16 {
        noise.fill(&mut block);
        hash.update(block);
        writer.write_all(&block)?;
    }
    writer.finish()?;
    cpio::newc::trailer(&mut out)?.flush()?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
