//! What was asked: a LinuxKit YAML file, or several appended to each other.
//!
//! ```text
//! text ──▶ nodes with their places ──▶ Spec ──▶ append ──▶ check
//!  YAML, aliases,       keys, types,    │        the next
//!  duplicate keys       values          └▶ dump  file
//! ```
//! Everything that can be known without an image, a file or a network is checked here, and all
//! that is wrong in a file is told at once, with its place. Values that something may be wrong with
//! later (a reference that nobody has, a user that no container has) keep their place as
//! [`Located`].
//!
//! Image references stay as they were written.
//!
//! ```
//! use mkimage::spec::Spec;
//!
//! # fn main() -> Result<(), mkimage::spec::Errors> {
//! let mut spec = Spec::parse("a.yml", "init: [alpine]")?;
//! spec.append(Spec::parse("b.yml", "files: [{path: etc/motd, contents: hello}]")?)?;
//! spec.check()?;
//! assert_eq!(spec.init[0].value, "alpine");
//!
//! let errors = Spec::parse("c.yml", "kernal: {image: a}").unwrap_err();
//! assert!(errors.to_string().starts_with("c.yml:1:1: unknown key `kernal`"));
//! # Ok(())
//! # }
//! ```

mod append;
mod config;
mod dump;
mod error;
mod fields;
mod files;
mod ids;
pub(crate) mod objects;
mod place;
mod read;
mod suggest;
pub(crate) mod terms;
mod value;
mod yaml;

pub use config::{
    BindNs, BlockIo, ContainerConfig, Cpu, Device, DeviceRule, HugepageLimit, Id, IdMapping, Interface,
    InterfacePriority, Memory, Mount, Network, Pids, Resources, Runtime, Strings, ThrottleDevice,
    WeightDevice,
};
pub use error::{Error, Errors, Problem};
pub(crate) use files::octal;
pub use files::{FileContent, FileEntry, MetadataFormat};
pub use ids::Ids;
pub use place::{Located, Place};
pub(crate) use suggest::nearest;
pub use terms::ContainerProblem;
pub(crate) use value::{Map, Value};
pub use yaml::Syntax;

#[cfg(test)]
mod tests;

use error::Log;
use place::Source;

/// A specification of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// Where the kernel comes from.
    pub kernel: Kernel,
    /// References of the images whose files are the root file system.
    pub init: Vec<Located<String>>,
    /// Containers that run one after the other at boot.
    pub onboot: Vec<Container>,
    /// Containers that run one after the other at shutdown.
    pub onshutdown: Vec<Container>,
    /// Containers that run all the time.
    pub services: Vec<Container>,
    /// Files to add.
    pub files: Vec<File>,
    /// Folders that containers share, empty or from an image.
    pub volumes: Vec<Volume>,
}

impl Spec {
    /// Reads a file's text; `name` is what messages call the file.
    ///
    /// # Errors
    /// Everything that is wrong in the text and can be known from it alone; a syntax error hides
    /// what comes after it.
    pub fn parse(name: &str, text: &str) -> Result<Spec, Errors> {
        let mut log = Log::new(Source::new(name, text));
        let spec = read::spec(text, &mut log);
        for file in &spec.files {
            file.check(&mut log);
        }
        for container in spec.containers() {
            for error in terms::check(&container.config) {
                log.report(error.place, error.problem);
            }
        }
        append::check_names(&spec, &mut log);
        log.finish(spec)
    }

    /// Reads a file's bytes, which must be UTF-8.
    ///
    /// # Errors
    /// As [`Spec::parse`].
    pub fn parse_bytes(name: &str, bytes: &[u8]) -> Result<Spec, Errors> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Spec::parse(name, text),
            Err(error) => {
                let (good, bad) = bytes.split_at(error.valid_up_to());
                let good = String::from_utf8_lossy(good);
                let line = good.matches('\n').count() + 1;
                let column = good.rsplit('\n').next().unwrap_or_default().chars().count();
                let mut log = Log::new(Source::new(name, &String::from_utf8_lossy(bytes)));
                let place = log.place(line, column);
                log.report(place, Problem::Encoding { byte: bad.first().copied().unwrap_or_default() });
                log.finish(Spec::default())
            }
        }
    }

    /// Checks the names that values refer to: volumes, and containers whose ids are meant.
    ///
    /// It is for the whole, after the last [`Spec::append`]: what a file names, another may have.
    ///
    /// # Errors
    /// Every name that nothing has, and every attempt to write to a volume that is read-only.
    pub fn check(&self) -> Result<(), Errors> {
        let ids = Ids::of(self);
        let mut errors = Vec::new();
        for container in self.containers() {
            let config = &container.config;
            errors.extend(terms::volumes::resolve(config, &self.volumes).err().unwrap_or_default());
            let gids = config.additional_gids.iter().flatten();
            let used = config.uid.iter().chain(&config.gid).chain(gids);
            errors.extend(used.filter_map(|id| ids.resolve(Some(id)).err()));
        }
        let owners = self.files.iter().flat_map(|file| file.uid.iter().chain(&file.gid));
        errors.extend(owners.filter_map(|id| ids.resolve(Some(id)).err()));
        Errors::unless_empty(errors)
    }
}

/// Reads the label `org.mobyproject.config` of an image.
///
/// # Errors
/// Everything that is wrong in it; the places name the image and the label.
pub(crate) fn parse_label(image: &str, text: &str) -> Result<ContainerConfig, Errors> {
    let mut log = Log::new(Source::new(&format!("{image} org.mobyproject.config"), text));
    let config = read::label(text, &mut log);
    log.finish(config)
}

/// Where the kernel comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kernel {
    /// The reference of the image; no kernel without it.
    pub image: Option<Located<String>>,
    /// The kernel's command line.
    pub cmdline: Option<Located<String>>,
    /// The path of the kernel in the image.
    pub binary: Option<Located<String>>,
    /// The path of the archive of modules in the image.
    pub tar: Option<Located<String>>,
    /// The path of the archive of processor microcode in the image.
    pub ucode: Option<Located<String>>,
}

impl Kernel {
    /// The kernel's command line; empty by default.
    #[must_use]
    pub fn cmdline(&self) -> &str {
        self.cmdline.as_ref().map_or("", |c| c)
    }

    /// The path of the kernel in the image.
    #[must_use]
    pub fn binary(&self) -> &str {
        self.binary.as_ref().map_or("kernel", |b| b)
    }

    /// The path of the archive of modules in the image, if it is wanted.
    #[must_use]
    pub fn tar(&self) -> Option<&str> {
        let tar = self.tar.as_ref().map_or("kernel.tar", |t| t);
        (!tar.is_empty() && tar != "none").then_some(tar)
    }

    /// The path of the archive of microcode in the image, if it is wanted.
    #[must_use]
    pub fn ucode(&self) -> Option<&str> {
        self.ucode.as_ref().map(|u| u.as_str()).filter(|u| !u.is_empty())
    }
}

/// An entry of `onboot`, `onshutdown` or `services`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The name; of a folder later, and of the container when it runs.
    pub name: Located<String>,
    /// The reference of the image.
    pub image: Located<String>,
    /// What overrides the image.
    pub config: ContainerConfig,
}

/// An entry of `files`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path in the root file system.
    pub path: Located<String>,
    /// It is a folder.
    pub directory: bool,
    /// It is a symbolic link to this.
    pub symlink: Option<Located<String>>,
    /// It has this content.
    pub contents: Option<Located<String>>,
    /// It has the content of this file of the host.
    pub source: Option<Located<String>>,
    /// It has the specification as content, in this format.
    pub metadata: Option<Located<String>>,
    /// Nothing is wrong when `source` is not there.
    pub optional: bool,
    /// Permissions, octal.
    pub mode: Option<Located<String>>,
    /// The owner.
    pub uid: Option<Located<Id>>,
    /// The group.
    pub gid: Option<Located<Id>>,
}

/// An entry of `volumes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The name that containers bind.
    pub name: Located<String>,
    /// The reference of the image with the first content; an empty folder without it.
    pub image: Option<Located<String>>,
    /// Containers cannot write to it.
    pub readonly: bool,
    /// How the image becomes files.
    pub format: Option<VolumeFormat>,
    /// The platforms of the image that are kept (`oci` only); all if empty.
    pub platforms: Vec<Located<String>>,
}

/// How the image of a volume becomes files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VolumeFormat {
    /// The image's files.
    #[default]
    Filesystem,
    /// The image itself, as an OCI layout.
    Oci,
}
