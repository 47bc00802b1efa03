//! Bochs, whose BIOS enters boot images at 07c0:0000 and reads CDs by code of its own.

use crate::bus::BOCHS;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for the words. It interprets each instruction.
const PATIENCE: Duration = Duration::from_secs(240);

/// Starts Bochs with `image` and returns what came over COM1, up to one of `ends`.
pub(crate) fn run(image: &Path, cd: bool, ends: &[&str]) -> std::io::Result<String> {
    let dir = tempfile::tempdir()?;
    let at = |name: &str| dir.path().join(name);
    let drive = if cd {
        format!("type=cdrom, path={}, status=inserted\nboot: cdrom", image.display())
    } else {
        format!("type=disk, mode=flat, path={}, cylinders=0\nboot: disk", image.display())
    };
    // The display waits for nobody; the words are read from the serial line.
    let config = format!(
        "display_library: rfb, options=\"timeout=0\"
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1, iodebug=1
megs: 64
romimage: file=$BXSHARE/BIOS-bochs-latest
vgaromimage: file=$BXSHARE/VGABIOS-lgpl-latest
cpu: ips=200000000, reset_on_triple_fault=0
clock: sync=none
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: {drive}
com1: enabled=1, mode=file, dev={}
log: {}
panic: action=fatal
",
        at("serial").display(),
        at("log").display()
    );
    std::fs::write(at("config"), config)?;
    std::fs::write(at("debugger"), "c\n")?;
    let mut child = Command::new(BOCHS)
        .args(["-q", "-f"])
        .arg(at("config"))
        .arg("-rc")
        .arg(at("debugger"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let began = Instant::now();
    let mut said = String::new();
    while began.elapsed() < PATIENCE && !ends.iter().any(|end| said.contains(end)) {
        std::thread::sleep(Duration::from_millis(100));
        said = std::fs::read(at("serial"))
            .map_or_else(|_| String::new(), |b| String::from_utf8_lossy(&b).into());
        if child.try_wait()?.is_some() {
            break;
        }
    }
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    Ok(said)
}
