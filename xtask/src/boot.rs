//! `cargo xtask boot [FILTER]`: firmware in emulators boots what `mkimage` writes.
//!
//! A boot counts when the guest's first program says on the serial port what it was given: the
//! command line, and the digest of every byte of the initrd's payload. A medium that is broken
//! counts when the loader says so on the screen.

mod bochs;
mod cases;
mod media;

use crate::ci;
use crate::debian::Packages;
use crate::machine::{self, Machine, Wait, qemu};
use crate::product;
use crate::tally::{Outcome, Tally};
use anyhow::Result;
use cases::{CASES, Case, Device, Expect, Fault, Firmware};
use media::{Media, Medium};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

/// Emulators at a time: as many as the smallest machine of the project has cores.
const AT_A_TIME: usize = 2;

/// Runs the cases whose names contain `filter`.
pub(crate) fn run(mkimage: &Path, filter: &str, tally: &mut Tally) -> Result<()> {
    let (runnable, missing): (Vec<&Case>, Vec<&Case>) = CASES
        .iter()
        .filter(|case| case.name.contains(filter))
        .partition(|case| machine::installed(case.firmware.program()));
    for case in missing {
        tally.add(
            &format!("boot: {}", case.name),
            Outcome::Skipped(machine::missing(case.firmware.program())),
            ci(),
        );
    }
    if runnable.is_empty() {
        return Ok(());
    }
    let dir = product::target().join("boot");
    let mut packages = Packages::at(product::target().join("debian"));
    let wanted = runnable.iter().map(|case| (case.payload, case.fault));
    let media = Media::make(mkimage, &mut packages, dir, wanted)?;

    let queue = Mutex::new(runnable.into_iter());
    let tally = Mutex::new(tally);
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(case) = next(&queue) {
                    let (outcome, seconds) =
                        boot(case, &media).unwrap_or_else(|e| (Outcome::Failed(format!("{e:#}")), 0.0));
                    if let Ok(mut tally) = tally.lock() {
                        tally.add(&format!("boot: {} ({seconds:.1} s)", case.name), outcome, ci());
                    }
                }
            });
        }
    });
    Ok(())
}

/// The next case; none when another thread has panicked.
fn next<'a>(queue: &Mutex<impl Iterator<Item = &'a Case>>) -> Option<&'a Case> {
    queue.lock().ok()?.next()
}

/// Boots one case: how it went, and seconds.
fn boot(case: &Case, media: &Media) -> Result<(Outcome, f64)> {
    let medium = media.medium(case.payload, case.fault)?;
    let mut machine = match case.firmware {
        Firmware::SeaBios => Machine::start(&mut emulator(case, &medium))?,
        Firmware::Bochs => bochs::start(&medium.path, case.memory_mib)?,
    };
    let stop: &[&str] = match case.expect {
        Expect::Guest => &["guest: end", "Kernel panic"],
        Expect::Words(words) => &[words],
    };
    let wait = machine.wait(stop, Duration::from_secs(case.limit_seconds));
    let said = machine.said();
    let seconds = machine.elapsed().as_secs_f64();
    let log = media.log(case.name, &said)?;
    let outcome = match missing_from(&said, case, &medium) {
        None if wait == Wait::Seen => Outcome::Passed,
        missing => {
            let missing = missing.unwrap_or_default();
            Outcome::Failed(format!(
                "{wait:?} without `{missing}`; the serial port's words are in `{}`",
                log.display()
            ))
        }
    };
    Ok((outcome, seconds))
}

/// The first line that should be among what the machine said and is not.
fn missing_from(said: &str, case: &Case, medium: &Medium) -> Option<String> {
    let wanted = match case.expect {
        Expect::Guest => &medium.guest_lines[..],
        Expect::Words(words) => &[words.to_owned()],
    };
    wanted.iter().find(|line| !said.contains(line.as_str())).cloned()
}

/// QEMU with the medium attached as the case wants it.
fn emulator(case: &Case, medium: &Medium) -> Command {
    let mut command = qemu(case.machine, case.memory_mib);
    command.args(["-nic", "none"]);
    if let Expect::Words(_) = case.expect {
        // SeaBIOS then writes on the serial port what it shows on the screen.
        command.args(["-machine", "graphics=off"]);
    }
    let mut drive = String::from("if=none,id=medium,format=raw");
    drive += if case.device.is_cd() { ",media=cdrom,readonly=on" } else { ",snapshot=on" };
    let file = medium.path.display().to_string().replace(',', ",,");
    if case.fault == Fault::BadRead {
        drive += &format!(
            ",file.driver=blkdebug,file.image.driver=file,file.image.filename={file}\
             ,file.inject-error.0.event=none,file.inject-error.0.iotype=read,file.inject-error.0.errno=5\
             ,file.inject-error.0.once=off,file.inject-error.0.sector={},rerror=report",
            medium.in_kernel / 512
        );
    } else {
        drive += &format!(",file={file}");
    }
    command.arg("-drive").arg(drive);
    command.args(match case.device {
        Device::CdIde => &["-device", "ide-cd,drive=medium,bus=ide.0,bootindex=0"][..],
        Device::CdAhci => {
            &["-device", "ahci,id=ahci", "-device", "ide-cd,drive=medium,bus=ahci.0,bootindex=0"]
        }
        Device::CdVirtioScsi => {
            &["-device", "virtio-scsi-pci", "-device", "scsi-cd,drive=medium,bootindex=0"]
        }
        Device::DiskUsb => &["-device", "qemu-xhci", "-device", "usb-storage,drive=medium,bootindex=0"],
        Device::DiskVirtio => &["-device", "virtio-blk-pci,drive=medium,bootindex=0"],
        Device::DiskAhci => {
            &["-device", "ahci,id=ahci", "-device", "ide-hd,drive=medium,bus=ahci.0,bootindex=0"]
        }
    });
    command
}
