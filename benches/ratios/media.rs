//! Media from a kernel and an initrd that are there already.

use crate::cost::{mkimage, shell};
use crate::inputs::Inputs;
use crate::table::{Contender, Row, Table, Target};
use crate::{Result, store};
use std::fs::File;
use std::io::Write;
use std::process::Command;

/// A cache with nothing in it that an earlier run made.
pub(crate) const SCRATCH: &str = "scratch";

/// `mkimage media` with a kernel and a gibibyte as the initrd; the outputs are called `ours`.
pub(crate) fn media(inputs: &Inputs, format: &str, more: &[&str]) -> Command {
    store::forget(inputs, SCRATCH);
    let mut command = mkimage(["media", "--quiet", "--kernel", "kernel", "--initrd", "half-random"]);
    command.args(["--name", "ours", "--cache", SCRATCH, "-f", format]).args(more).current_dir(inputs.dir());
    command
}

/// What is hardly more than a copy.
pub(crate) fn copy(inputs: &Inputs, table: &mut Table) -> Result<()> {
    let (_, initrd) = (inputs.kernel()?, inputs.half_random()?);
    File::open(initrd)?.sync_all()?;
    for (format, output) in [("iso", "ours.iso"), ("raw", "ours.img")] {
        let (ours, theirs) = (inputs.at(output), inputs.at("copy"));
        table.row(&Row {
            what: format!("{format}, an initrd of 1 GiB"),
            against: "`cp` of the initrd".into(),
            ours: Contender::new(&ours, || media(inputs, format, &[])),
            theirs: Some(Contender::new(&theirs, || shell(inputs.dir(), "cp half-random copy; sync copy"))),
            target: Target { wall: Some(1.2), ..Target::default() },
            ..Row::default()
        })?;
    }
    Ok(())
}

/// The file system in a file of its own, then on the disk: LinuxKit's recipe.
const RAW_EFI: &str = "\
rm -f esp.img theirs.img
mkfs.vfat -C -F 32 esp.img $((1100 << 10))
mmd -i esp.img ::/EFI ::/EFI/BOOT
mcopy -i esp.img kernel half-random ::/EFI/BOOT
truncate -s 1104M theirs.img
sgdisk --clear --new 1:2048 --typecode 1:ef00 theirs.img
dd if=esp.img of=theirs.img bs=1M seek=1 conv=notrunc,fsync
rm esp.img
";

/// An EFI system partition on a disk.
pub(crate) fn efi(inputs: &Inputs, table: &mut Table) -> Result<()> {
    let (_, initrd) = (inputs.kernel()?, inputs.half_random()?);
    File::open(initrd)?.sync_all()?;
    let (ours, theirs) = (inputs.at("ours-efi.img"), inputs.at("theirs.img"));
    table.row(&Row {
        what: "raw-efi, an initrd of 1 GiB".into(),
        against: "mkfs.vfat, mcopy, sgdisk, dd".into(),
        tools: &["mkfs.vfat", "mcopy", "sgdisk"],
        ours: Contender::new(&ours, || media(inputs, "raw-efi", &[])),
        theirs: Some(Contender::new(&theirs, || shell(inputs.dir(), RAW_EFI))),
        target: Target { wall: Some(0.3), ..Target::default() },
        ..Row::default()
    })
}

/// Memory that does not grow with the payload.
pub(crate) fn memory(inputs: &Inputs, table: &mut Table) -> Result<()> {
    const LEN: u64 = 10 << 30;
    let kernel = std::fs::read(inputs.kernel()?)?;
    let path = inputs.at("large.tar");
    let mut file = File::create(&path)?;
    for (name, len) in [("boot/kernel", kernel.len() as u64), ("data", LEN)] {
        let mut header = tar::Header::new_gnu();
        header.set_path(name)?;
        header.set_mode(0o644);
        header.set_size(len);
        header.set_cksum();
        file.write_all(header.as_bytes())?;
        if len < LEN {
            file.write_all(&kernel)?;
        }
    }
    // The contents are a hole, and two blocks of zeros end an archive.
    let end = file.metadata()?.len() + LEN + 1024;
    file.set_len(end)?;
    let ours = inputs.at("ours.iso");
    let build = || {
        let mut command = mkimage(["media", "--quiet", "--tar", "large.tar", "--payload", "rootfs"]);
        command.args(["--name", "ours", "--cache", SCRATCH, "-f", "iso"]).current_dir(inputs.dir());
        command
    };
    table.row(&Row {
        what: "iso, `--payload rootfs` of 10 GiB".into(),
        against: "–".into(),
        ours: Contender::new(&ours, build),
        runs: 1,
        ..Row::default()
    })?;
    Ok(std::fs::remove_file(path)?)
}
