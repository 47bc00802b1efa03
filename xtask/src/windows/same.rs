//! One specification gives the same bytes on both systems.

use super::wine::Wine;
use crate::files::Files;
use crate::image::{self, Image, Packing};
use crate::noise::Noise;
use crate::tally::{Outcome, Tally};
use crate::{ci, demo, product, root};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is built besides every format as it comes: the flags.
const VARIANTS: [&[&str]; 15] = [
    &["iso", "--payload", "rootfs"],
    &["iso", "--hybrid", "strict"],
    &["iso", "--hybrid", "mbr-ef"],
    &["iso", "--hybrid", "isohybrid"],
    &["kernel+initrd", "--initrd-compression", "zstd"],
    &["kernel+initrd", "--initrd-compression", "xz"],
    &["kernel+initrd", "--initrd-compression", "lz4"],
    &["kernel+initrd", "--initrd-compression", "none"],
    &["raw-efi", "--sector-size", "4096"],
    &["raw", "--size", "1G"],
    &["qcow2-efi", "--qcow2-compression", "zlib"],
    &["qcow2-efi", "--qcow2-compression", "zstd"],
    &["vmdk", "--vmdk-kind", "monolithic-sparse"],
    &["vmdk", "--vmdk-kind", "monolithic-flat"],
    &["ova", "--firmware", "both"],
];

/// What is made of a kernel and an initrd that are there already.
const MEDIA: [&str; 2] = ["iso", "vhdx"];

/// Names that Windows gives other meanings to, or cannot have side by side.
const NAMES: [&str; 10] =
    ["README", "readme", "aux.c", "con", "a:b", "stop.", "space ", "back\\slash", "what?*|<>\"", "ünï"];

/// The files of a card, and the flags for those that have one.
const CARD: [(Option<&str>, &str); 7] = [
    (Some("--kernel"), "kernel"),
    (Some("--initrd"), "initrd.img"),
    (Some("--dtb"), "bcm2837-rpi-3-b.dtb"),
    (None, "bootcode.bin"),
    (None, "start.elf"),
    (None, "fixup.dat"),
    (None, "u-boot.bin"),
];
/// \[DT\] *Devicetree Specification* 0.4, §5.2 "Header", `magic`.
const DEVICE_TREE: [u8; 4] = [0xd0, 0x0d, 0xfe, 0xed];

/// Two systems' commands, and what both build.
struct Same<'a> {
    mkimage: &'a Path,
    exe: &'a Path,
    wine: &'a Wine,
    dir: PathBuf,
}

/// A system.
#[derive(Clone, Copy)]
enum System {
    /// This one.
    Here,
    /// Wine.
    Windows,
}

/// Fills two caches with the demo's images and one with [`NAMES`], and compares what is built
/// from them.
pub(super) fn run(mkimage: &Path, exe: &Path, wine: &Wine, tally: &mut Tally) -> Result<()> {
    let dir = std::path::absolute(product::target().join("windows/same"))?;
    // What the last run left.
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir)?;
    let demo = demo::layout(&demo::filled_cache(mkimage, &demo::dir()?)?);
    let same = Same { mkimage, exe, wine, dir };
    same.add(tally, "cache import", || same.imported(&demo));
    let formats = same.formats()?;
    let (of_arm64, formats): (Vec<&str>, _) =
        formats.iter().map(String::as_str).partition(|name| name.starts_with("rpi3"));
    for flags in formats.into_iter().map(|name| vec![name]).chain(VARIANTS.map(<[&str]>::to_vec)) {
        same.add(tally, &flags.join(" "), || same.built(&flags));
    }
    let (pc, card) = (same.parts_of_a_pc()?, same.parts_of_a_card()?);
    for (format, parts) in
        MEDIA.iter().map(|name| (*name, &pc)).chain(of_arm64.iter().map(|name| (*name, &card)))
    {
        same.add(tally, &format!("media {format}"), || same.media(format, parts));
    }
    fs::remove_dir_all(&same.dir).context("cannot remove what was built for Windows")
}

impl Same<'_> {
    fn add(&self, tally: &mut Tally, what: &str, check: impl FnOnce() -> Result<Outcome>) {
        let outcome = check().unwrap_or_else(|e| Outcome::Failed(format!("{e:#}")));
        tally.add(&format!("windows: {what} gives the same bytes"), outcome, ci());
    }

    /// `mkimage ARGS` of a system.
    fn command(&self, system: System, args: &[&str]) -> Command {
        let mut command = match system {
            System::Here => Command::new(self.mkimage),
            System::Windows => {
                let mut command = self.wine.command();
                command.arg(self.exe);
                command
            }
        };
        command.args(args).arg("--quiet").arg("--cache").arg(self.place(system, "cache"));
        command.current_dir(demo::texts());
        command
    }

    /// A system's folder for something.
    fn place(&self, system: System, what: &str) -> PathBuf {
        let system = match system {
            System::Here => "here",
            System::Windows => "windows",
        };
        self.dir.join(system).join(what)
    }

    /// The names of all formats, which the command tells to whoever asks for another.
    fn formats(&self) -> Result<Vec<String>> {
        let output = self.command(System::Here, &["build", "--format", "?", "demo.yml"]).output()?;
        let said = String::from_utf8(output.stderr)?;
        let list = said.lines().find_map(|line| line.split_once("the formats are "));
        let (_, list) = list.with_context(|| format!("there is no list of formats in `{said}`"))?;
        Ok(list.split(", ").map(str::to_owned).collect())
    }

    /// Fills a cache on each system.
    fn imported(&self, demo: &Path) -> Result<Outcome> {
        let mut odd = Files::default();
        for name in NAMES {
            odd.file(format!("odd/{name}"), 0o644, name);
            odd.link(format!("odd/links/{name}"), &format!("../{name}"));
        }
        let odd = Image {
            reference: "demo.example/odd:amd64",
            layers: vec![(odd, Packing::Zstd)],
            config: json!({}),
        };
        let layout = self.dir.join("odd");
        image::write(&layout, &[odd])?;
        self.compared("cache", |system| {
            for layout in [demo, &layout] {
                product::run(self.command(system, &["cache", "import"]).arg(layout))?;
            }
            Ok(())
        })
    }

    /// Builds one format, as its first flag says, and compares.
    fn built(&self, flags: &[&str]) -> Result<Outcome> {
        self.compared("out", |system| {
            let mut build = self.command(system, &["build", "--offline", "--arch", "amd64"]);
            build.arg("--format").args(flags).arg("--dir").arg(self.place(system, "out"));
            build.arg("demo.yml").arg(root().join("testdata/windows/names.yml"));
            product::run(&mut build).map(drop)
        })
    }

    /// The flags for a medium of the demo's kernel and initrd.
    fn parts_of_a_pc(&self) -> Result<Vec<OsString>> {
        let parts = self.place(System::Here, "parts");
        fs::create_dir_all(&parts)?;
        let mut build =
            self.command(System::Here, &["build", "--offline", "--arch", "amd64", "--name", "pc"]);
        build.args(["--format", "kernel+initrd", "demo.yml", "--dir"]).arg(&parts);
        product::run(&mut build)?;
        let [kernel, initrd] = ["pc-kernel", "pc-initrd.img"].map(|name| parts.join(name).into());
        Ok(vec!["--kernel".into(), kernel, "--initrd".into(), initrd, "--cmdline".into(), "quiet".into()])
    }

    /// The flags for a Raspberry Pi's card. Its files are noise, but for what is looked at.
    fn parts_of_a_card(&self) -> Result<Vec<OsString>> {
        let parts = self.place(System::Here, "card");
        fs::create_dir_all(&parts)?;
        let mut flags = Vec::new();
        for (flag, name) in CARD {
            let mut data = vec![0; 8192];
            Noise::new(u64::try_from(flags.len())?).fill(&mut data);
            data[..0x40].fill(0);
            data[..4].copy_from_slice(&DEVICE_TREE);
            data[0x10..0x18].copy_from_slice(&0x1_0000_u64.to_le_bytes());
            data[0x38..0x3c].copy_from_slice(b"ARM\x64");
            fs::write(parts.join(name), data)?;
            flags.extend(
                flag.map(|flag| [flag.into(), parts.join(name).into_os_string()]).into_iter().flatten(),
            );
        }
        flags.extend(["--rpi-firmware".into(), parts.into_os_string()]);
        Ok(flags)
    }

    /// Builds a medium from files that are there already.
    fn media(&self, format: &str, parts: &[OsString]) -> Result<Outcome> {
        self.compared("out", |system| {
            let mut media = self.command(system, &["media", "--format", format]);
            media.args(parts).arg("--dir").arg(self.place(system, "out"));
            product::run(&mut media).map(drop)
        })
    }

    /// Has both systems fill their folder called `what`, and compares every file.
    fn compared(&self, what: &str, fill: impl Fn(System) -> Result<()>) -> Result<Outcome> {
        let mut found = Vec::new();
        for system in [System::Here, System::Windows] {
            let folder = self.place(system, what);
            fs::create_dir_all(&folder)?;
            fill(system)?;
            found.push(digests(&folder)?);
            if what == "out" {
                fs::remove_dir_all(folder)?;
            }
        }
        let (want, got) = (&found[0], &found[1]);
        ensure!(!want.is_empty(), "nothing was made");
        let differs = want.keys().chain(got.keys()).find(|name| want.get(*name) != got.get(*name));
        Ok(match differs {
            None => Outcome::Passed,
            Some(name) => Outcome::Failed(format!("`{}` is another, or only one has it", name.display())),
        })
    }
}

/// The digest of every file below a folder, by its path from there.
fn digests(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            found.insert(path.strip_prefix(folder)?.to_owned(), digest(&path)?);
        }
    }
    Ok(found)
}

/// SHA-256.
fn digest(path: &Path) -> Result<Vec<u8>> {
    let (mut file, mut hash, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().to_vec()),
            n => hash.update(&buffer[..n]),
        }
    }
}
