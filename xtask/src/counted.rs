//! Checks by other programs, which count them themselves.

use crate::tally::{Outcome, Tally};
use crate::{ci, root};
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Root file systems as the original tool made them, which are kept beside the project, not in it.
/// `with` tells the check which command to judge.
pub(crate) fn conformance(tally: &mut Tally, name: &str, with: impl FnOnce(&mut Command)) -> Result<()> {
    let check = root().join("../shared/conformance/check.py");
    if !check.exists() {
        let why = format!("`{}` is not there", check.display());
        tally.add(name, Outcome::Skipped(why), ci());
        return Ok(());
    }
    let mut command = Command::new("python3");
    command.arg(check);
    with(&mut command);
    counted(tally, name, &mut command, |line, tally| {
        if line.starts_with(|c: char| c.is_ascii_digit()) {
            tally.add_line(line);
        }
    })
}

/// Runs a program that counts its own checks, in lines that `count` looks for. That it fails
/// without having counted a failure, or counts nothing, is a failure too.
pub(crate) fn counted(
    tally: &mut Tally,
    name: &str,
    command: &mut Command,
    mut count: impl FnMut(&str, &mut Tally),
) -> Result<()> {
    println!("== {name}");
    let mut child = command
        .current_dir(root())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    let (failed, before) = (tally.failed(), tally.count());
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line?;
            println!("{line}");
            count(&line, tally);
        }
    }
    let status = child.wait()?;
    let counted = tally.count() - before;
    if !status.success() && tally.failed() == failed || counted == 0 {
        tally.add(name, Outcome::Failed(format!("{status} after {counted} checks")), ci());
    }
    Ok(())
}
