//! `cargo xtask boot [TEXT | --all]`: firmware in emulators boots what `mkimage` writes.
//!
//! A boot counts when the guest's first program says on the serial port what it was given: the
//! command line, and the digest of every byte of the initrd's payload. A medium that is broken
//! counts when the loader says so on the screen.

mod bochs;
mod cases;
mod device;
mod esp;
mod fault;
mod firmware;
mod format;
mod guest;
mod media;
mod mtools;
mod recipe;
pub(crate) mod rootfs;
mod rpi;
mod tpm;

use crate::ci;
use crate::product;
use crate::tally::{Outcome, Tally};
use anyhow::Result;
use cases::{Case, Expect};
use device::Device;
use media::{Media, Medium};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// Emulators at a time: as many as the smallest machine of the project has cores.
const AT_A_TIME: usize = 2;

/// Which cases run.
#[derive(Clone, Copy)]
pub(crate) enum Selection<'a> {
    /// All but the slow ones.
    Usual,
    /// Those whose names contain a text; nothing is in every name.
    Named(&'a str),
}

impl Selection<'_> {
    fn has(self, name: &str, slow: bool) -> bool {
        match self {
            Selection::Usual => !slow,
            Selection::Named(text) => name.contains(text),
        }
    }
}

/// Runs the selected cases.
pub(crate) fn run(mkimage: &Path, selection: Selection, tally: &mut Tally) -> Result<()> {
    let boards: Vec<_> = rpi::CASES.into_iter().filter(|name| selection.has(name, true)).collect();
    if !boards.is_empty() {
        rpi::run(mkimage, &boards, tally)?;
    }
    let mut runnable = Vec::new();
    for case in cases::all().into_iter().filter(|case| selection.has(&case.name, case.slow)) {
        match case.firmware.missing().or_else(|| case.recipe.format.missing()) {
            None => runnable.push(case),
            Some(why) => tally.add(&format!("boot: {}", case.name), Outcome::Skipped(why), ci()),
        }
    }
    if runnable.is_empty() {
        return Ok(());
    }
    let wanted = runnable.iter().map(|case| case.recipe).collect();
    let media = Media::make(mkimage, product::target().join("boot"), &wanted)?;

    let tally = Mutex::new(tally);
    some_at_a_time(&runnable, |case| {
        let boot = || boot(case, &media).unwrap_or_else(|e| (Outcome::Failed(format!("{e:#}")), 0.0));
        let (mut outcome, mut seconds) = boot();
        // An emulator may stop: AAVMF did, once, in a boot that 300 others went through. What is not
        // chance shows itself again, and what was seen the first time is among the last lines.
        if let Outcome::Failed(why) = &outcome
            && seconds >= case.limit_seconds as f64
        {
            let remark = format!("booted again: {}: {why}", case.name);
            println!("{remark}");
            if let Ok(mut tally) = tally.lock() {
                tally.remark(remark);
            }
            (outcome, seconds) = boot();
        }
        if let Ok(mut tally) = tally.lock() {
            tally.add(&format!("boot: {} ({seconds:.1} s)", case.name), outcome, ci());
        }
    });
    Ok(())
}

/// Calls `work` for each item.
fn some_at_a_time<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let queue = Mutex::new(items.iter());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(item) = next(&queue) {
                    work(item);
                }
            });
        }
    });
}

/// The next item; none when another thread has panicked.
fn next<'a, T>(queue: &Mutex<impl Iterator<Item = &'a T>>) -> Option<&'a T> {
    queue.lock().ok()?.next()
}

/// Boots one case: how it went, and seconds.
fn boot(case: &Case, media: &Media) -> Result<(Outcome, f64)> {
    let medium = media.medium(&case.recipe)?;
    let mut machine = case.firmware.start(case.device, medium, case.memory_mib)?;
    let stop: &[&str] = match case.expect {
        // A UEFI that has nothing left to start ends in its shell.
        Expect::Guest | Expect::GuestBy(_) | Expect::Measured(_) => {
            &["guest: end", "Kernel panic", "UEFI Interactive Shell"]
        }
        Expect::Words(words) => &[words],
    };
    let limit = Duration::from_secs(case.limit_seconds);
    let outcome = machine.judge(stop, limit, &lines(case, medium)?, &media.log(&case.name))?;
    Ok((outcome, machine.elapsed().as_secs_f64()))
}

/// What the machine should say.
fn lines(case: &Case, medium: &Medium) -> Result<Vec<String>> {
    Ok(match case.expect {
        Expect::Guest => medium.guest_lines.clone(),
        Expect::GuestBy(loader) => medium.guest_lines.iter().map(|line| loader(line)).collect(),
        Expect::Measured(sections) => {
            let program = match case.device {
                Device::Program => medium.path.clone(),
                _ => esp::loader(&medium.path)?,
            };
            let register = tpm::predicted(&program, sections)?;
            medium.guest_lines.iter().cloned().chain([format!("guest: PCR 11 {register}")]).collect()
        }
        Expect::Words(words) => vec![words.to_owned()],
    })
}
