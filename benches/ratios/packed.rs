//! Compressed disks.

use crate::Result;
use crate::cost::{self, shell};
use crate::inputs::Inputs;
use crate::media::media;
use crate::table::{Contender, Row, Table, Target};

/// What is asked of both.
const TARGET: f64 = 0.6;
const SIZE: f64 = 1.02;

/// streamOptimized.
pub(crate) fn vmdk(inputs: &Inputs, table: &mut Table) -> Result<()> {
    let script = "qemu-img convert -m 2 -W -f raw -O vmdk -o subformat=streamOptimized disk.img theirs.vmdk
sync theirs.vmdk";
    row(inputs, table, "vmdk", ["ours.vmdk", "theirs.vmdk"], &[], script)
}

/// With zlib.
pub(crate) fn qcow2(inputs: &Inputs, table: &mut Table) -> Result<()> {
    let script = "qemu-img convert -m 2 -W -c -f raw -O qcow2 disk.img theirs.qcow2
sync theirs.qcow2";
    let more = ["--qcow2-compression", "zlib"];
    row(inputs, table, "qcow2-bios", ["ours.qcow2", "theirs.qcow2"], &more, script)
}

fn row(
    inputs: &Inputs,
    table: &mut Table,
    format: &str,
    outputs: [&str; 2],
    more: &[&str],
    script: &str,
) -> Result<()> {
    let (_, _) = (inputs.kernel()?, inputs.half_random()?);
    if !inputs.at("disk.img").exists() {
        cost::run(&mut media(inputs, "raw-bios", &[]))?;
        std::fs::rename(inputs.at("ours-bios.img"), inputs.at("disk.img"))?;
    }
    let [ours, theirs] = outputs.map(|name| inputs.at(name));
    table.row(&Row {
        what: format!("{format}, 1 GiB, half of it random"),
        against: "qemu-img convert".into(),
        tools: &["qemu-img"],
        ours: Contender::new(&ours, || media(inputs, format, more)),
        theirs: Some(Contender::new(&theirs, || shell(inputs.dir(), script))),
        target: Target { wall: Some(TARGET), size: Some(SIZE), ..Target::default() },
        ..Row::default()
    })
}
