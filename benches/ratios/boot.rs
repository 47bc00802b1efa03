//! From power-on to the kernel's entry, in QEMU without hardware virtualization.

use crate::cost::{self, shell};
use crate::inputs::Inputs;
use crate::kernel::EXIT;
use crate::table::{Contender, Row, Table, Target};
use crate::{Result, noise};
use std::path::Path;

/// Where distributions have isolinux.
const ISOLINUX: [&str; 2] = ["/usr/lib/ISOLINUX/isolinux.bin", "/usr/lib/syslinux/modules/bios/ldlinux.c32"];

/// The built-in BIOS loader, which also checks what it has read.
pub(crate) fn boot(inputs: &Inputs, table: &mut Table) -> Result<()> {
    inputs.kernel()?;
    inputs.once("boot-initrd", |out| Ok(noise::half_random(3, 128, out)?))?;
    let target = Target { wall: Some(1.0), ..Target::default() };
    std::fs::create_dir_all(inputs.at("isolinux"))?;
    let found = ISOLINUX.iter().all(|file| Path::new(file).exists());
    for file in ISOLINUX.iter().filter(|_| found) {
        let name = Path::new(file).file_name().unwrap_or_default();
        std::fs::copy(file, inputs.at("isolinux").join(name))?;
    }
    let medium = |name: &str, more: &str| {
        let flags = "media --quiet --kernel kernel --initrd boot-initrd -f iso-bios --name";
        let args = format!("{flags} {name} {more}");
        cost::run(cost::mkimage(args.split_whitespace()).current_dir(inputs.dir()))
    };
    medium("ours", "")?;
    if found {
        medium("isolinux", "--bios-loader isolinux")?;
    }
    for (bus, board) in [("IDE", "pc"), ("AHCI", "q35")] {
        let start = |iso: &str| {
            let script = format!(
                "qemu-system-x86_64 -accel tcg -cpu max -machine {board} -m 512 -nodefaults -display none \
                 -device isa-debug-exit,iobase=0xf4,iosize=4 -cdrom {iso} || [ $? = {EXIT} ]"
            );
            shell(inputs.dir(), &script)
        };
        let tool = if found { "qemu-system-x86_64" } else { "isolinux" };
        let (ours, theirs) = (inputs.at("ours.iso"), inputs.at("isolinux.iso"));
        table.row(&Row {
            what: format!("BIOS loading of 72 MiB, CD on {bus}"),
            against: "isolinux".into(),
            tools: &[tool],
            ours: Contender { keep: true, ..Contender::new(&ours, || start("ours.iso")) },
            theirs: Some(Contender { keep: true, ..Contender::new(&theirs, || start("isolinux.iso")) }),
            runs: 6,
            is_build: false,
            target,
            ..Row::default()
        })?;
    }
    Ok(())
}
