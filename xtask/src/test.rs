//! `cargo xtask test`: every test there is.

use crate::tally::{Outcome, Tally};
use crate::{ci, product, root};
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs everything; true when nothing failed.
pub(crate) fn run() -> Result<bool> {
    let mut tally = Tally::default();
    counted(&mut tally, "cargo test", Command::new("cargo").args(["test", "--workspace", "--no-fail-fast"]))?;

    let mkimage = product::mkimage()?;
    conformance(&mut tally, &mkimage)?;

    println!();
    for remark in tally.remarks() {
        println!("{remark}");
    }
    println!("{tally}");
    Ok(tally.failed() == 0)
}

/// Root file systems as the original tool made them, which are kept beside the project, not in it.
fn conformance(tally: &mut Tally, mkimage: &Path) -> Result<()> {
    let check = root().join("../shared/conformance/check.py");
    if !check.exists() {
        let why = format!("`{}` is not there", check.display());
        tally.add("conformance with the original tool", Outcome::Skipped(why), ci());
        return Ok(());
    }
    counted(tally, "conformance", Command::new("python3").arg(check).arg("--bin").arg(mkimage))
}

/// Runs a program that counts its own checks. That it fails without having counted a failure, or
/// counts nothing, is a failure too.
fn counted(tally: &mut Tally, name: &str, command: &mut Command) -> Result<()> {
    println!("== {name}");
    let mut child = command
        .current_dir(root())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    let mut own = Tally::default();
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line?;
            println!("{line}");
            if line.starts_with("test result:") || line.starts_with(|c: char| c.is_ascii_digit()) {
                own.add_line(&line);
                tally.add_line(&line);
            }
        }
    }
    let status = child.wait()?;
    if !status.success() && own.failed() == 0 || own.count() == 0 {
        tally.add(name, Outcome::Failed(format!("{status}, {own}")), ci());
    }
    Ok(())
}
