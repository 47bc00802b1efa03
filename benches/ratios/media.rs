//! Media from a kernel and an initrd that are there already.

use crate::cost::{mkimage, shell};
use crate::inputs::Inputs;
use crate::table::{Contender, Row, Table, Target};
use crate::{Result, noise, store};
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::PathBuf;
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

/// Memory that does not grow with the payload: of zeros, and of noise that repeats for half of it.
pub(crate) fn memory(inputs: &Inputs, table: &mut Table) -> Result<()> {
    const LEN: u64 = 10 << 30;
    let path = archive(inputs, LEN, |_| Ok(()))?;
    row(inputs, table, "iso", "`--payload rootfs` of 10 GiB", &[], "ours.iso")?;
    std::fs::remove_file(path)?;

    let path = archive(inputs, LEN, |out| Ok(noise::half_repeated(10, 20 << 10, out)?))?;
    let zstd = ["--squashfs-compression", "zstd"];
    store::forget(inputs, SCRATCH);
    for what in ["zstd, 10 GiB, half of it random", "zstd, the same again, its blocks in the cache"] {
        row(inputs, table, "kernel+squashfs", what, &zstd, "ours-squashfs.img")?;
    }
    Ok(std::fs::remove_file(path)?)
}

/// The name of the archive that is built from.
const LARGE: &str = "large.tar";

/// An archive with a kernel and one file of `len` bytes, zeros where `contents` writes nothing.
fn archive(
    inputs: &Inputs,
    len: u64,
    contents: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<PathBuf> {
    let kernel = std::fs::read(inputs.kernel()?)?;
    let path = inputs.at(LARGE);
    let mut file = BufWriter::new(File::create(&path)?);
    for (name, len) in [("boot/kernel", kernel.len() as u64), ("data", len)] {
        let mut header = tar::Header::new_gnu();
        header.set_path(name)?;
        header.set_mode(0o644);
        header.set_size(len);
        header.set_cksum();
        file.write_all(header.as_bytes())?;
        if name != "data" {
            file.write_all(&kernel)?;
        }
    }
    let start = file.stream_position()?;
    contents(&mut file)?;
    // What is not written is a hole, and two blocks of zeros end an archive.
    file.into_inner()?.set_len(start + len + 1024)?;
    Ok(path)
}

/// A build from the archive, whose memory is all that counts.
fn row(
    inputs: &Inputs,
    table: &mut Table,
    format: &str,
    what: &str,
    more: &[&str],
    output: &str,
) -> Result<()> {
    let ours = inputs.at(output);
    let build = || {
        let mut command = mkimage(["media", "--quiet", "--tar", LARGE, "--payload", "rootfs"]);
        command.args(["--name", "ours", "--cache", SCRATCH, "-f", format]).args(more);
        command.current_dir(inputs.dir());
        command
    };
    table.row(&Row {
        what: format!("{format}, {what}"),
        against: "–".into(),
        ours: Contender::new(&ours, build),
        runs: 1,
        ..Row::default()
    })
}
