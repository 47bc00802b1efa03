//! The media that are booted: the distribution's kernel, an initrd that reports, and faults.

use super::cases::Fault;
use crate::debian::Packages;
use crate::files::Files;
use crate::noise::Noise;
use crate::{kernel, product, root};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the initrd carries besides the guest's program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Payload {
    /// A mebibyte.
    Small,
    /// 600 MiB in an archive of its own: more than what lies below a hole at 1 GiB or a small
    /// machine's memory.
    Big,
}

impl Payload {
    fn name(self) -> &'static str {
        match self {
            Payload::Small => "small",
            Payload::Big => "big",
        }
    }

    fn len(self) -> u32 {
        match self {
            Payload::Small => 1 << 20,
            Payload::Big => 600 << 20,
        }
    }
}

/// One image, and what its guest must say.
pub(crate) struct Medium {
    /// The file.
    pub(crate) path: PathBuf,
    /// Offset in bytes of a byte of the kernel.
    pub(crate) in_kernel: u64,
    /// Lines of the guest's report.
    pub(crate) guest_lines: Vec<String>,
}

/// The images of a run, in a folder.
pub(crate) struct Media {
    dir: PathBuf,
}

const CMDLINE: &str = "console=ttyS0,115200 panic=-1 no_timer_check word=\"two words\"";

impl Media {
    /// Makes all that `wanted` names.
    pub(crate) fn make(
        mkimage: &Path,
        packages: &mut Packages,
        dir: PathBuf,
        wanted: impl Iterator<Item = (Payload, Fault)>,
    ) -> Result<Self> {
        fs::create_dir_all(&dir)?;
        let media = Media { dir: std::path::absolute(dir)? };
        let wanted: BTreeSet<_> = wanted.collect();
        let payloads: BTreeSet<_> = wanted.iter().map(|(payload, _)| *payload).collect();
        media.guest(packages)?;
        for payload in payloads {
            media.payload(payload)?;
            media.image(mkimage, payload)?;
        }
        for (payload, fault) in wanted {
            media.spoil(payload, fault)?;
        }
        Ok(media)
    }

    /// The image with a payload and a fault.
    pub(crate) fn medium(&self, payload: Payload, fault: Fault) -> Result<Medium> {
        let path = self.path(payload, fault);
        let digest = fs::read_to_string(self.dir.join(format!("{}.sha256", payload.name())))?;
        let guest_lines = vec![
            format!("guest: cmdline {CMDLINE}"),
            format!("guest: /payload-{} {digest}", payload.name()),
            "guest: end".to_owned(),
        ];
        let in_kernel = match fault {
            Fault::BadRead => self.places(payload)?.0,
            _ => 0,
        };
        Ok(Medium { path, in_kernel, guest_lines })
    }

    /// Keeps what a machine said; where.
    pub(crate) fn log(&self, name: &str, said: &str) -> Result<PathBuf> {
        let name: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let path = self.dir.join(format!("{name}.log"));
        fs::write(&path, said).with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(path)
    }

    fn path(&self, payload: Payload, fault: Fault) -> PathBuf {
        let suffix = match fault {
            // The fault is in the drive, not in the image.
            Fault::None | Fault::BadRead => "",
            Fault::Truncated => "-truncated",
            Fault::Kernel => "-kernel",
            Fault::Initrd => "-initrd",
        };
        self.dir.join(format!("{}{suffix}.iso", payload.name()))
    }

    /// The kernel, and an initrd with the program that reports.
    fn guest(&self, packages: &mut Packages) -> Result<()> {
        fs::write(self.dir.join("kernel"), kernel::fetch(packages, &[])?.image)?;
        let mut files = Files::default();
        files.unpack(&packages.fetch("busybox-static", &[])?, |path| path == "bin/busybox")?;
        files.file("init", 0o755, fs::read(root().join("testdata/boot/init"))?);
        fs::write(self.dir.join("guest.cpio"), files.initrd()?)?;
        Ok(())
    }

    /// An initrd with one file of noise, and the file's digest.
    fn payload(&self, payload: Payload) -> Result<()> {
        let mut out = BufWriter::new(File::create(self.dir.join(format!("{}.cpio", payload.name())))?);
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
        let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        fs::write(self.dir.join(format!("{}.sha256", payload.name())), digest)?;
        Ok(())
    }

    fn image(&self, mkimage: &Path, payload: Payload) -> Result<()> {
        let mut command = Command::new(mkimage);
        command.current_dir(&self.dir);
        command.args(["media", "--kernel", "kernel", "--initrd", "guest.cpio", "--initrd"]);
        command.arg(format!("{}.cpio", payload.name())).args(["--cmdline", CMDLINE]);
        command.args(["--format", "iso-bios", "--name", payload.name()]);
        product::run(&mut command)?;
        Ok(())
    }

    /// A copy with a fault.
    fn spoil(&self, payload: Payload, fault: Fault) -> Result<()> {
        let (whole, copy) = (self.path(payload, Fault::None), self.path(payload, fault));
        if copy == whole {
            return Ok(());
        }
        fs::copy(&whole, &copy)?;
        let (kernel, initrd) = self.places(payload)?;
        let file = File::options().read(true).write(true).open(&copy)?;
        match fault {
            Fault::Truncated => file.set_len(kernel / 2048 * 2048)?,
            Fault::Kernel => flip(file, kernel)?,
            Fault::Initrd => flip(file, initrd)?,
            Fault::None | Fault::BadRead => {}
        }
        Ok(())
    }

    /// Offsets of a byte in the middle of the kernel and of one in the initrd's payload. They are
    /// searched for: this suite knows nothing of file systems.
    fn places(&self, payload: Payload) -> Result<(u64, u64)> {
        let image = fs::read(self.path(payload, Fault::None))?;
        let kernel = fs::read(self.dir.join("kernel"))?;
        let sector = &kernel[kernel.len() / 2..][..2048];
        let in_kernel = memmem(&image, sector).context("the kernel is not in the image")?;
        let name = format!("payload-{}\0", payload.name());
        let in_initrd = memmem(&image, name.as_bytes()).context("the initrd is not in the image")?;
        Ok((u64::try_from(in_kernel)?, u64::try_from(in_initrd + 100_000)?))
    }
}

/// Where `needle` first is in `haystack`.
fn memmem(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Inverts the lowest bit of the byte at `at`.
fn flip(mut file: File, at: u64) -> Result<()> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut byte)?;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(&[byte[0] ^ 1])?;
    Ok(())
}
