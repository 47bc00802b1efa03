//! What was asked: a LinuxKit YAML file, or several appended to each other.
//!
//! ```text
//! text ──▶ nodes with their places ──▶ Spec ──▶ append ──▶ check
//!  YAML, aliases,       keys, types,    │        the next
//!  duplicate keys       values          └▶ dump  file
//! ```
//! Everything that can be known without an image, a file or a network is checked here, and all
//! that is wrong in a file is told at once, with its place. Values that something may be wrong with later (a reference that
//! nobody has, a user that no container has) keep their place as [`Located`].
//!
//! Image references stay as they were written.

mod config;
mod error;
mod place;

pub use config::{
    BindNs, BlockIo, ContainerConfig, Cpu, Device, DeviceRule, HugepageLimit, Id, IdMapping, Interface,
    InterfacePriority, Memory, Mount, Network, Pids, Resources, Runtime, Strings, ThrottleDevice,
    WeightDevice,
};
pub use error::{Error, Errors, Problem};
pub use place::{Located, Place, Source};

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
    /// Where the entry begins.
    pub place: Place,
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
