//! What must be true of any build: the same bytes wherever it runs, and little memory.

use crate::ci;
use crate::demo;
use crate::files::Files;
use crate::image::{self, Image, Packing};
use crate::noise::Noise;
use crate::product;
use crate::tally::{Outcome, Tally};
use anyhow::{Context, Result};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The most memory that a build may need, MiB.
const MEMORY_MIB: u64 = 96;
/// Bytes of each layer; the four are a gibibyte.
const LAYER: usize = 256 << 20;

/// Runs both checks. `cache` holds the demo's images.
pub(crate) fn run(mkimage: &Path, cache: &Path, tally: &mut Tally) -> Result<()> {
    let dir = std::path::absolute(product::target().join("builds"))?;
    // What the last run left.
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir)?;
    let same = same_bytes(mkimage, cache, &dir).unwrap_or_else(|e| Outcome::Failed(format!("{e:#}")));
    tally.add("the demo's ISO has the same bytes elsewhere", same, ci());
    let (name, outcome) = match peak(mkimage, cache, &dir) {
        Ok(cost) => {
            let mib = cost.peak_kib.div_ceil(1024);
            let seconds = cost.time.as_secs_f64();
            let name = format!("a build with 1 GiB of layers takes {mib} MiB of memory, {seconds:.1} s");
            let more = || Outcome::Failed(format!("more than {MEMORY_MIB} MiB"));
            (name, if (1..=MEMORY_MIB).contains(&mib) { Outcome::Passed } else { more() })
        }
        Err(e) => ("a build with 1 GiB of layers".into(), Outcome::Failed(format!("{e:#}"))),
    };
    tally.add(&name, outcome, ci());
    fs::remove_dir_all(&dir).context("cannot remove what the checks of builds made")
}

/// Builds the demo twice, in another folder, time zone and locale, with another umask and on
/// another number of processors.
fn same_bytes(mkimage: &Path, cache: &Path, dir: &Path) -> Result<Outcome> {
    let elsewhere = dir.join("a longer name, with spaces");
    fs::create_dir_all(&elsewhere)?;
    for name in ["demo.yml", "lighttpd.conf"] {
        fs::copy(demo::texts().join(name), elsewhere.join(name))?;
    }
    let here = dir.join("here");
    fs::create_dir_all(&here)?;
    build(mkimage, cache, &demo::texts(), &here, "umask 022; exec \"$@\"", "UTC", "C")?;
    let script = "umask 077; exec taskset -c 0 \"$@\"";
    build(mkimage, cache, &elsewhere, &elsewhere, script, "Pacific/Kiritimati", "tr_TR.UTF-8")?;
    let [one, other] = [&here, &elsewhere].map(|folder| fs::read(folder.join("demo.iso")));
    let (one, other) = (one?, other?);
    Ok(match one.iter().zip(&other).position(|(a, b)| a != b) {
        None if one.len() == other.len() => Outcome::Passed,
        None => Outcome::Failed(format!("{} and {} bytes", one.len(), other.len())),
        Some(at) => Outcome::Failed(format!("they differ first at byte {at:#x}")),
    })
}

fn build(
    mkimage: &Path,
    cache: &Path,
    texts: &Path,
    out: &Path,
    script: &str,
    zone: &str,
    locale: &str,
) -> Result<()> {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(mkimage).args(demo::BUILD).arg("--cache").arg(cache);
    command.arg("--dir").arg(out).arg("demo.yml").current_dir(texts).env("TZ", zone).env("LC_ALL", locale);
    product::run(&mut command)?;
    Ok(())
}

/// Builds an image of a gibibyte from layers of every kind.
fn peak(mkimage: &Path, demo_cache: &Path, dir: &Path) -> Result<product::Cost> {
    let packings = [Packing::Plain, Packing::Gzip, Packing::Zstd, Packing::Plain];
    let layers = (0..).zip(packings).map(|(seed, packing)| {
        let mut data = vec![0; LAYER];
        Noise::new(seed).fill(&mut data);
        let mut files = Files::default();
        files.file(format!("noise/{seed}"), 0o644, data);
        (files, packing)
    });
    let image = Image { reference: "demo.example/noise:amd64", layers: layers.collect(), config: json!({}) };
    let layout = dir.join("noise");
    image::write(&layout, &[image])?;
    let cache = dir.join("cache");
    for layout in [demo::layout(demo_cache), layout] {
        product::run(Command::new(mkimage).args(["cache", "import", "--cache"]).arg(&cache).arg(&layout))?;
    }
    fs::write(
        dir.join("noise.yml"),
        "kernel:\n  image: demo.example/kernel:amd64\n  cmdline: quiet\ninit:\n  - demo.example/noise:amd64\n",
    )?;
    let mut command = Command::new(mkimage);
    command.args(["build", "--offline", "--format", "iso-bios", "--arch", "amd64", "--cache"]);
    command.arg(&cache).arg("noise.yml").current_dir(dir);
    product::run(&mut command)
}
