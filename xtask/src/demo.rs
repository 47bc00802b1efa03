//! `cargo xtask demo`: from the distribution's packages to a web page served by a container on an
//! ISO image that a BIOS has booted.
//!
//! ```text
//! packages ──▶ container images ──▶ cache ──▶ mkimage build ──▶ ISO ──▶ QEMU ──▶ report, page
//! ```
//!
//! Debian's runc runs every container in the guest. Each says what it was given before it becomes
//! its program, and that is compared with the YAML file.

mod images;
mod promise;
mod report;

use crate::debian::{Arch, Packages};
use crate::image;
use crate::machine::{self, Machine, Wait, qemu};
use crate::product::{self, Cost};
use crate::root;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The demo's own files: the YAML file, the guest's scripts.
pub(crate) fn texts() -> PathBuf {
    root().join("testdata/demo")
}

/// Where the demo keeps what it makes.
pub(crate) fn dir() -> Result<PathBuf> {
    let dir = std::path::absolute(product::target().join("demo"))?;
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// How the demo's image is built, but for folders.
pub(crate) const BUILD: [&str; 8] =
    ["build", "--offline", "--format", "iso-bios", "--name", "demo", "--arch", "amd64"];

/// The OCI layout that a cache was filled from.
pub(crate) fn layout(cache: &Path) -> PathBuf {
    cache.with_file_name("images")
}

/// Runs all of it; what is there from an earlier run is used again.
pub(crate) fn run() -> Result<bool> {
    let dir = dir()?;
    let mkimage = product::mkimage()?;
    let cache = filled_cache(&mkimage, &dir)?;
    let iso = dir.join("demo.iso");
    let cost = build(&mkimage, &cache, &dir, &[])?;
    let size = fs::metadata(&iso)?.len() >> 20;
    let (seconds, peak) = (cost.time.as_secs_f64(), cost.peak_kib >> 10);
    println!("built `{}`, {size} MiB, in {seconds:.1} s with at most {peak} MiB of memory", iso.display());

    if !machine::installed("qemu-system-x86_64") {
        println!("\nto boot it, install QEMU and run this again; all that is done is kept:");
        println!("  sudo apt-get install --no-install-recommends qemu-system-x86");
        return Ok(true);
    }
    boot(&iso)?;
    println!("\nthe image is `{}`", iso.display());
    println!("to write it to a stick, replacing all that is on it:");
    println!("  sudo dd if={} of=/dev/sdX bs=4M conv=fsync status=progress", iso.display());
    Ok(true)
}

/// A cache that holds the demo's images.
pub(crate) fn filled_cache(mkimage: &Path, dir: &Path) -> Result<PathBuf> {
    let mut packages = Packages::of(Arch::Amd64);
    let layout = dir.join("images");
    // Scripts may have changed since the last run, and packing takes a second.
    let _ = fs::remove_dir_all(&layout);
    println!("packing container images");
    image::write(&layout, &images::make(&mut packages, &texts())?)?;
    let cache = dir.join("cache");
    product::run(Command::new(mkimage).args(["cache", "import", "--cache"]).arg(&cache).arg(&layout))?;
    Ok(cache)
}

/// Builds the demo's ISO image in `out`, with more flags.
pub(crate) fn build(mkimage: &Path, cache: &Path, out: &Path, flags: &[&str]) -> Result<Cost> {
    let mut command = Command::new(mkimage);
    command.args(BUILD).args(flags).arg("--cache").arg(cache).arg("--dir").arg(out);
    product::run(command.arg("demo.yml").current_dir(texts()))
}

/// Boots the image, holds the containers' reports against the YAML file, and fetches the page.
pub(crate) fn boot(iso: &Path) -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = qemu(Arch::Amd64, "pc", 1024);
    command.arg("-cdrom").arg(iso).arg("-netdev");
    command.arg(format!("user,id=net,hostfwd=tcp:127.0.0.1:{port}-:80"));
    command.args(["-device", "virtio-net-pci,netdev=net"]);
    println!("booting it under SeaBIOS");
    let mut guest = Machine::start(&mut command)?;
    let console = iso.with_extension("console");
    let waited = guest.wait(&["report: web: end"], Duration::from_secs(300));
    fs::write(&console, guest.said())?;
    let at = console.display();
    ensure!(waited == Wait::Seen, "the web service did not start ({waited:?}); the console is in `{at}`");
    println!("the web service started after {:.1} s", guest.elapsed().as_secs_f64());

    compare(&guest.said()).with_context(|| format!("the console is in `{at}`"))?;
    let page = fetch(port)?;
    ensure!(page.contains("Hello from a container"), "the page is not the one that was written:\n{page}");
    println!("http://127.0.0.1:{port}/ answered with the page:");
    for line in page.split_once("\r\n\r\n").map_or(page.as_str(), |(_, body)| body).lines() {
        println!("  {line}");
    }
    Ok(())
}

/// Every container's report against the YAML file and the labels.
fn compare(console: &str) -> Result<()> {
    let yaml = fs::read_to_string(texts().join("demo.yml"))?;
    let spec: promise::Spec = serde_saphyr::from_str(&yaml)?;
    let label = fs::read_to_string(texts().join("web/label.json"))?;
    let labels = BTreeMap::from([("demo.example/lighttpd:amd64".to_owned(), label)]);
    let reports = report::read(console);
    let host = reports.get("host").context("the guest said nothing about itself")?;
    let mut wrong = Vec::new();
    for promise in promise::promises(&spec, &labels)? {
        let name = &promise.name;
        let Some(report) = reports.get(name) else {
            wrong.push(format!("{name}: no report"));
            continue;
        };
        let differences = report::broken(&promise, report, host);
        if differences.is_empty() {
            let [user, capabilities] = ["Uid", "CapEff"].map(|key| &promise.values[&format!("status {key}")]);
            let user = user.split(' ').next().unwrap_or_default();
            println!(
                "container {name}: user {user}, capabilities {capabilities} and {} mounts, as the YAML says",
                promise.mounts.len()
            );
        }
        wrong.extend(differences.into_iter().map(|difference| format!("{name}: {difference}")));
    }
    if !wrong.is_empty() {
        bail!("the containers are not what the YAML says:\n{}", wrong.join("\n"));
    }
    Ok(())
}

/// The answer to `GET /`. The server may take a moment to listen.
fn fetch(port: u16) -> Result<String> {
    let start = Instant::now();
    loop {
        match get(port) {
            Ok(page) if page.starts_with("HTTP/1.0 200") => return Ok(page),
            answer if start.elapsed() > Duration::from_secs(60) => {
                bail!("the web server does not answer with a page: {answer:?}")
            }
            _ => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

fn get(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET / HTTP/1.0\r\nHost: demo\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}
