//! The media that are booted, in a folder:
//!
//! ```text
//! small.cpio  big.cpio            what initrds carry, and `.sha256` with the digest
//! ARCH/kernel  ARCH/guest.cpio    the distribution's kernel, an initrd that reports
//! ARCH/FORMAT/small-….iso         media, and copies with faults
//! ```

use super::esp;
use super::fault::{self, Drive};
use super::format::{Format, Take};
use super::guest::{self, Payload};
use super::mtools::mtools;
use super::recipe::Recipe;
use crate::debian::{Arch, Packages};
use crate::product;
use anyhow::{Context, Result, anyhow, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One image, and what its guest must say.
#[derive(Clone)]
pub(crate) struct Medium {
    /// The file.
    pub(crate) path: PathBuf,
    /// QEMU's name for the format that it has.
    pub(crate) driver: &'static str,
    /// What it is in.
    pub(crate) drive: Drive,
    /// Lines of the guest's report.
    pub(crate) guest_lines: Vec<String>,
}

/// The images of a run. Of one that could not be made there is the reason.
pub(crate) struct Media {
    dir: PathBuf,
    made: BTreeMap<Recipe, Result<Medium, String>>,
}

impl Media {
    /// Makes all that `wanted` names.
    pub(crate) fn make(mkimage: &Path, dir: PathBuf, wanted: &BTreeSet<Recipe>) -> Result<Self> {
        fs::create_dir_all(&dir)?;
        let mut media = Media { dir: std::path::absolute(dir)?, made: BTreeMap::new() };
        let mut digests = BTreeMap::new();
        for payload in wanted.iter().map(|recipe| recipe.payload).collect::<BTreeSet<_>>() {
            let file = File::create(media.dir.join(format!("{}.cpio", payload.name())))?;
            digests.insert(payload, guest::payload(payload, file)?);
        }
        let guests: BTreeMap<_, _> = wanted
            .iter()
            .flat_map(|recipe| recipe.format.arches(recipe.arch))
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|arch| (arch, guest::make(&mut Packages::of(arch), &media.dir.join(arch.name()))))
            .collect();
        let mut whole = BTreeMap::new();
        for recipe in wanted {
            let &Recipe { arch, format, payload, .. } = recipe;
            let arches = format.arches(arch);
            let home = arches[0];
            let folder = media.dir.join(home.name());
            let image = whole.entry((home, format, payload)).or_insert_with(|| {
                for arch in arches {
                    guests[arch].as_ref().map_err(|e| anyhow!("{e:#}"))?;
                }
                image(mkimage, &folder, format, payload, home)
            });
            let medium = image.as_ref().map_err(|e| anyhow!("{e:#}")).and_then(|image| {
                let (path, drive) = fault::spoil(image, &folder, recipe)?;
                let guest_lines = guest::lines(arch, payload, &digests[&payload]);
                Ok(Medium { path, driver: format.driver, drive, guest_lines })
            });
            media.made.insert(*recipe, medium.map_err(|e| format!("{e:#}")));
        }
        Ok(media)
    }

    /// The image that a recipe has become.
    pub(crate) fn medium(&self, recipe: &Recipe) -> Result<&Medium> {
        self.made.get(recipe).context("nobody wanted it")?.as_ref().map_err(|e| anyhow!("{e}"))
    }

    /// Where what a machine said is kept.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        let name: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        self.dir.join(format!("{name}.log"))
    }
}

/// Makes an image without faults from the kernel and the initrd in `folder`.
fn image(mkimage: &Path, folder: &Path, format: Format, payload: Payload, arch: Arch) -> Result<PathBuf> {
    let own = folder.join(format.label);
    fs::create_dir_all(&own)?;
    let mut command = Command::new(mkimage);
    command.current_dir(folder).args(["media", "--kernel", "kernel", "--initrd", "guest.cpio"]);
    command.arg("--initrd").arg(format!("../{}.cpio", payload.name()));
    command.args(["--cmdline", guest::cmdline(arch), "--name", payload.name()]).args(format.flags);
    product::run(command.arg("--dir").arg(&own))?;
    let path = own.join(format!("{}{}", payload.name(), format.suffix));
    ensure!(path.exists(), "there is no `{}`", path.display());
    match format.take {
        Take::Itself => Ok(path),
        Take::OnFat => on_fat(&path, arch),
        Take::Signed => esp::signed(&path),
        Take::Member(name) => member(&path, &name.replace('*', payload.name())),
    }
}

/// Unpacks `name` beside the archive that it is in.
fn member(archive: &Path, name: &str) -> Result<PathBuf> {
    let folder = archive.parent().context("an archive is in a folder")?;
    let mut tar = Command::new("tar");
    // A disk of a cloud is nearly all zeros.
    tar.args(["--extract", "--sparse", "--directory"]).arg(folder).arg("--file").arg(archive).arg(name);
    product::run(&mut tar)?;
    Ok(folder.join(name))
}

/// Puts an EFI program on a file system, where firmware looks on removable media.
fn on_fat(program: &Path, arch: Arch) -> Result<PathBuf> {
    let path = program.with_extension("img");
    let _ = fs::remove_file(&path);
    let name = match arch {
        Arch::Amd64 => "::/EFI/BOOT/BOOTX64.EFI",
        Arch::Arm64 => "::/EFI/BOOT/BOOTAA64.EFI",
    };
    // Some room for the tables, and enough clusters for FAT32.
    let sectors = (fs::metadata(program)?.len() / 512 * 11 / 10).max(80 << 11).to_string();
    mtools(&path, "mformat", &["-C", "-F", "-T", &sectors, "-h", "64", "-s", "32", "::"])?;
    mtools(&path, "mmd", &["::/EFI", "::/EFI/BOOT"])?;
    mtools(&path, "mcopy", &[&program.display().to_string(), name])?;
    Ok(path)
}
