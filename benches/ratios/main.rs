//! `cargo bench`: mkimage against the tools that a user would pick instead, as ratios in one run.
//!
//! ```text
//! inputs ─▶ ┌ mkimage ───┐ ─▶ cost ┐
//!           │ other tool │ ─▶ cost ┴─▶ ratios ─▶ row
//!           └ several times, alternating; the best of each counts
//! ```
//!
//! `cargo bench -- WORD` runs the groups whose names contain the word. The inputs are this
//! machine's `/usr` and what a generator with a fixed seed makes, in a folder under `target` that
//! is gone afterwards; 24 GiB of room are enough. All are in the page cache. What a command wrote
//! is on the disk when its time ends. A tool that is missing is a row that says so.

mod boot;
mod cost;
mod growth;
mod inputs;
mod kernel;
mod media;
mod noise;
mod packed;
mod payload;
mod roots;
mod start;
mod store;
mod table;

use inputs::Inputs;
use std::error::Error;
use table::Table;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Makes the rows of a group.
type Group = fn(&Inputs, &mut Table) -> Result<()>;

const GROUPS: &[(&str, Group)] = &[
    ("start", start::start),
    ("initrd", payload::initrd),
    ("formats", payload::formats),
    ("change", payload::change),
    ("copy", media::copy),
    ("efi", media::efi),
    ("iso", roots::iso),
    ("erofs", roots::erofs),
    ("squashfs", roots::squashfs),
    ("vmdk", packed::vmdk),
    ("qcow2", packed::qcow2),
    ("services", growth::services),
    ("boot", boot::boot),
    ("memory", media::memory),
];

fn main() -> Result<()> {
    // Cargo's own flags begin with dashes.
    let word = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let inputs = Inputs::new()?;
    let mut table = Table::default();
    for (_, group) in GROUPS.iter().filter(|(name, _)| name.contains(&word)) {
        group(&inputs, &mut table)?;
    }
    table.end();
    Ok(())
}
