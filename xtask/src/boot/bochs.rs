//! Bochs: a second BIOS, of which SeaBIOS is not a descendant in all that a loader meets. It starts
//! CD images at 07C0:0000.

use super::device::Device;
use crate::machine::Machine;
use anyhow::Result;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) const BIOS: &str = "/usr/share/bochs/BIOS-bochs-latest";
pub(crate) const VGA_BIOS: &str = "/usr/share/vgabios/vgabios.bin";

/// Starts Bochs with the medium as a CD or a disk of its IDE controller. Its serial port is a file that
/// is the standard output.
pub(crate) fn start(medium: &Path, device: Device, memory_mib: u32) -> Result<Machine> {
    let (drive, boot) = match device {
        Device::Cd(_) => ("type=cdrom, status=inserted", "cdrom"),
        // Cylinders are computed. What the guest writes goes to another file.
        _ => ("type=disk, mode=volatile", "disk"),
    };
    let config = medium.with_extension("bxrc");
    let log = medium.with_extension("bochs.log");
    fs::write(
        &config,
        format!(
            "display_library: rfb, options=\"timeout=0\"\n\
             plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1, iodebug=1\n\
             config_interface: textconfig\n\
             megs: {memory_mib}\n\
             romimage: file={BIOS}\n\
             vgaromimage: file={VGA_BIOS}\n\
             cpu: model=corei7_sandy_bridge_2600k, count=1, ips=200000000, reset_on_triple_fault=0\n\
             clock: sync=none\n\
             ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14\n\
             ata0-master: {drive}, path={}\n\
             boot: {boot}\n\
             com1: enabled=1, mode=file, dev=/dev/stdout\n\
             log: {}\n\
             panic: action=fatal\nerror: action=report\ninfo: action=report\n",
            medium.display(),
            log.display()
        ),
    )?;
    // Debian's Bochs has a debugger, which waits for this word.
    let commands = medium.with_extension("bochs.rc");
    fs::write(&commands, "c\n")?;
    let mut bochs = Command::new("bochs");
    bochs.args(["-q", "-f"]).arg(&config).arg("-rc").arg(&commands).stderr(Stdio::null());
    Machine::start(&mut bochs)
}
