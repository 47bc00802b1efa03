//! File systems of many small files.

use crate::cost::{mkimage, shell};
use crate::inputs::{FILES, Inputs};
use crate::media::SCRATCH;
use crate::table::{Contender, Row, Table, Target};
use crate::{Result, store};
use std::process::Command;

/// What is asked of both in size.
const SIZE: f64 = 1.02;

/// A root file system's archive as `format`; the outputs are called `ours`.
fn media(inputs: &Inputs, format: &str) -> Command {
    store::forget(inputs, SCRATCH);
    let mut command = mkimage(["media", "--quiet", "--tar", "root.tar", "--payload", "rootfs"]);
    command.args(["--name", "ours", "--cache", SCRATCH, "-f", format]).current_dir(inputs.dir());
    command
}

/// Against both, so that the faster one is among them.
pub(crate) fn iso(inputs: &Inputs, table: &mut Table) -> Result<()> {
    inputs.root_tar()?;
    let options = "-quiet -R -J -joliet-long -o theirs.iso root";
    for (tool, script) in [
        ("xorriso", format!("xorriso -as mkisofs {options}; sync theirs.iso")),
        ("genisoimage", format!("genisoimage {options}; sync theirs.iso")),
    ] {
        let (ours, theirs) = (inputs.at("ours.iso"), inputs.at("theirs.iso"));
        table.row(&Row {
            what: format!("iso-bios, `--payload rootfs`, {FILES} files"),
            against: tool.into(),
            tools: &[tool],
            ours: Contender::new(&ours, || media(inputs, "iso-bios")),
            theirs: Some(Contender::new(&theirs, || shell(inputs.dir(), &script))),
            target: Target { cpu: Some(0.5), ..Target::default() },
            ..Row::default()
        })?;
    }
    Ok(())
}

/// Not compressed.
pub(crate) fn erofs(inputs: &Inputs, table: &mut Table) -> Result<()> {
    inputs.root_tar()?;
    let (ours, theirs) = (inputs.at("ours-erofs.img"), inputs.at("theirs.erofs"));
    table.row(&Row {
        what: format!("kernel+erofs, {FILES} files"),
        against: "mkfs.erofs".into(),
        tools: &["mkfs.erofs"],
        ours: Contender::new(&ours, || media(inputs, "kernel+erofs")),
        theirs: Some(Contender::new(&theirs, || {
            shell(inputs.dir(), "mkfs.erofs -x-1 --quiet theirs.erofs root; sync theirs.erofs")
        })),
        target: Target { wall: Some(1.0), ..Target::default() },
        ..Row::default()
    })
}

/// At the levels and with the blocks that mksquashfs takes by itself.
pub(crate) fn squashfs(inputs: &Inputs, table: &mut Table) -> Result<()> {
    inputs.root_tar()?;
    let (ours, theirs) = (inputs.at("ours-squashfs.img"), inputs.at("theirs.squashfs"));
    for compression in ["gzip", "zstd"] {
        let script = format!(
            "mksquashfs root theirs.squashfs -quiet -no-progress -comp {compression} -e boot/kernel
sync theirs.squashfs"
        );
        table.row(&Row {
            what: format!("kernel+squashfs, {compression}, {FILES} files"),
            against: "mksquashfs".into(),
            tools: &["mksquashfs"],
            ours: Contender::new(&ours, || {
                let mut command = media(inputs, "kernel+squashfs");
                command.args(["--squashfs-compression", compression]);
                command
            }),
            theirs: Some(Contender::new(&theirs, || shell(inputs.dir(), &script))),
            target: Target { wall: Some(1.0), size: Some(SIZE), ..Target::default() },
            ..Row::default()
        })?;
    }
    Ok(())
}
