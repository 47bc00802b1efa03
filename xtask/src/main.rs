//! The project's own chores, each one word after `cargo xtask`.
//!
//! They run other programs (cargo, apt, QEMU) and judge what `mkimage` made; none of them makes a
//! part of an output, but for the stub, which is committed.

mod boot;
mod builds;
mod counted;
mod debian;
mod demo;
mod files;
mod image;
mod kernel;
mod libtest;
mod link;
mod machine;
#[path = "../../testdata/noise.rs"]
mod noise;
mod product;
mod stub;
mod tally;
mod test;
mod toolchain;
mod windows;

use boot::Selection;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo            build an ISO image of containers from the distribution's packages, and boot it
  boot            boot media under the firmware of emulators; `boot --all` has the slow cases too,
                  `boot TEXT` those whose names contain TEXT
  boot --rootfs   build a kernel, and boot media that carry the root file system without an initrd
  builds          build twice and compare every byte; watch the memory of a large build
  stub [--check]  build the UEFI stub that is committed, or compare it with a build
  windows         build for Windows, run under wine, and compare with what is built here
  link [TEXT]     link a static program for Linux, and programs for macOS; or those for targets
                  whose names contain TEXT
  test            run the tests, without the slow boots and those of --rootfs; the last line counts
                  what passed, failed and was skipped";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["demo"] => demo::run(),
        ["boot"] => boots(Selection::Usual),
        ["boot", "--all"] => boots(Selection::Named("")),
        ["boot", "--rootfs"] => root_file_systems(),
        ["boot", filter] => boots(Selection::Named(filter)),
        ["builds"] => builds(),
        ["stub"] => stub::build(),
        ["stub", "--check"] => stub_is_committed(),
        ["windows"] => windows(),
        ["link"] => link::run(""),
        ["link", filter] => link::run(filter),
        ["test"] => test::run(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

/// The boot suite alone.
fn boots(selection: Selection) -> anyhow::Result<bool> {
    let mut tally = tally::Tally::default();
    boot::run(&product::mkimage()?, selection, &mut tally)?;
    println!("{tally}");
    Ok(tally.failed() == 0 && tally.count() > 0)
}

/// The boots without an initrd, which no other command has.
fn root_file_systems() -> anyhow::Result<bool> {
    let mut tally = tally::Tally::default();
    boot::rootfs::run(&product::mkimage()?, &mut tally)?;
    println!("{tally}");
    Ok(tally.failed() == 0)
}

/// What must be true of any build, alone.
fn builds() -> anyhow::Result<bool> {
    let mut tally = tally::Tally::default();
    let mkimage = product::mkimage()?;
    let cache = demo::filled_cache(&mkimage, &demo::dir()?)?;
    builds::run(&mkimage, &cache, &mut tally)?;
    println!("{tally}");
    Ok(tally.failed() == 0)
}

/// The stub's check alone.
fn stub_is_committed() -> anyhow::Result<bool> {
    let mut tally = tally::Tally::default();
    stub::check(&mut tally);
    println!("{tally}");
    Ok(tally.failed() == 0)
}

/// What runs on Windows, alone.
fn windows() -> anyhow::Result<bool> {
    let mut tally = tally::Tally::default();
    windows::run(&product::mkimage()?, &mut tally)?;
    println!("{tally}");
    Ok(tally.failed() == 0)
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// What is missing is a failure here, not a skip: nobody would notice a skip.
fn ci() -> bool {
    std::env::var_os("CI").is_some()
}
