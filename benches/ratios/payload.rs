//! The initrd, from images that are in the cache.

use crate::cost::{mkimage, shell};
use crate::inputs::Inputs;
use crate::table::{Contender, Row, Table, Target};
use crate::{Result, store};
use std::cell::Cell;
use std::process::Command;
use std::time::Duration;

/// A build of `NAME.yml` as an initrd.
pub(crate) fn build(inputs: &Inputs, name: &str, more: &[&str]) -> Command {
    let file = format!("{name}.yml");
    let mut command = mkimage(["build", "--quiet", "--offline", "--arch", "amd64", "--no-sbom", &file]);
    command.args(["--cache", store::CACHE, "--name", name]).args(more).current_dir(inputs.dir());
    command
}

/// The same, with nothing in the cache but images.
pub(crate) fn build_anew(inputs: &Inputs, name: &str) -> Command {
    store::forget(inputs, store::CACHE);
    build(inputs, name, &[])
}

/// An image of programs, in the cache.
fn programs(inputs: &Inputs) -> Result<()> {
    if !inputs.at("programs.yml").exists() {
        store::add(inputs, "bench/programs:1", &inputs.programs()?)?;
        std::fs::write(inputs.at("programs.yml"), "init: ['bench/programs:1']\n")?;
    }
    Ok(())
}

/// All of it.
pub(crate) fn initrd(inputs: &Inputs, table: &mut Table) -> Result<()> {
    programs(inputs)?;
    let plain = ["--initrd-compression", "none", "--dir", "plain"];
    std::fs::create_dir_all(inputs.at("plain"))?;
    crate::cost::run(&mut build(inputs, "programs", &plain))?;
    let (ours, theirs) = (inputs.at("programs-initrd.img"), inputs.at("pigz.gz"));
    let pigz = "pigz -6 -c plain/programs-initrd.img > pigz.gz; sync pigz.gz";
    table.row(&Row {
        what: "kernel+initrd, 256 MiB of programs".into(),
        against: "`pigz -6` over the same archive".into(),
        tools: &["pigz"],
        ours: Contender::new(&ours, || build_anew(inputs, "programs")),
        theirs: Some(Contender::new(&theirs, || shell(inputs.dir(), pigz))),
        target: Target { wall: Some(1.1), size: Some(1.02), ..Target::default() },
        ..Row::default()
    })
}

/// Three formats of one payload, against the payload alone.
pub(crate) fn formats(inputs: &Inputs, table: &mut Table) -> Result<()> {
    programs(inputs)?;
    let kernel = inputs.kernel()?;
    let layer = inputs.once("kernel.tar", |out| {
        let mut tar = tar::Builder::new(out);
        tar.append_path_with_name(&kernel, "kernel")?;
        Ok(tar.finish()?)
    })?;
    store::add(inputs, "bench/kernel:1", &layer)?;
    let kernel = "kernel: {image: 'bench/kernel:1', cmdline: quiet, tar: none}";
    std::fs::write(
        inputs.at("bootable.yml"),
        format!(
            "{kernel}
init: ['bench/programs:1']
"
        ),
    )?;
    let build = |formats| {
        store::forget(inputs, store::CACHE);
        build(inputs, "bootable", &["-f", formats])
    };
    let (ours, theirs) = (inputs.at("bootable.iso"), inputs.at("bootable-initrd.img"));
    table.row(&Row {
        what: "kernel+initrd, iso and raw-efi in one run".into(),
        against: "kernel+initrd alone".into(),
        ours: Contender::new(&ours, || build("kernel+initrd,iso,raw-efi")),
        theirs: Some(Contender::new(&theirs, || build("kernel+initrd"))),
        target: Target { wall: Some(1.25), ..Target::default() },
        ..Row::default()
    })
}

/// What is left to do when little has changed.
pub(crate) fn change(inputs: &Inputs, table: &mut Table) -> Result<()> {
    programs(inputs)?;
    let count = Cell::new(0);
    let changed = || {
        count.set(count.get() + 1);
        let text = format!(
            "init: ['bench/programs:1']\nfiles:\n  - path: etc/motd\n    contents: build {}\n",
            count.get()
        );
        std::fs::write(inputs.at("changed.yml"), text)
    };
    // What a segment is made of is known by its layers' digests; a block is read, and digested itself.
    for (format, output, wall) in
        [("kernel+initrd", "changed-initrd.img", 3.0), ("kernel+squashfs", "changed-squashfs.img", 5.0)]
    {
        changed()?;
        crate::cost::run(&mut build(inputs, "changed", &["-f", format]))?;
        let (ours, theirs) = (inputs.at(output), inputs.at("copy"));
        let copy = format!("cp {output} copy; sync copy");
        table.row(&Row {
            what: format!("{format}, one `files:` line changed"),
            against: "`cp` of the output".into(),
            ours: Contender::new(&ours, || {
                changed().expect("a file that was just written can be written");
                build(inputs, "changed", &["-f", format])
            }),
            theirs: Some(Contender::new(&theirs, || shell(inputs.dir(), &copy))),
            target: Target { wall: Some(wall), slack: Duration::from_millis(50), ..Target::default() },
            ..Row::default()
        })?;
    }
    Ok(())
}
