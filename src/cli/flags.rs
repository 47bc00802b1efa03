//! Flags that `build` and `media` share.

use super::{CliError, report};
use crate::boot::bios::{IsoOptions, Loader};
use crate::output::{Format, Options, PayloadKind};
use crate::rootfs::T0;
use clap::Args;
use mkimage_loaders::bios::Serial;
use std::path::{Path, PathBuf};

/// Which outputs, where, and how they boot.
#[derive(Debug, Args)]
pub(crate) struct Outputs {
    /// Formats; repeat it or separate them by commas
    #[arg(short, long, value_delimiter = ',')]
    pub(crate) format: Vec<String>,
    /// Where outputs go [default: the current folder]
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// What bootable media carry
    #[arg(long, value_enum, default_value_t)]
    pub(crate) payload: PayloadFlag,
    /// Boot with isolinux.bin and ldlinux.c32 (and, for disks, isohdpfx.bin) of this folder
    #[arg(long, value_name = "DIR")]
    bios_loader: Option<PathBuf>,
    /// The BIOS loader repeats its words on the serial port COM1
    #[arg(long, conflicts_with = "bios_loader")]
    boot_serial: bool,
}

/// [`PayloadKind`] as a flag.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub(crate) enum PayloadFlag {
    /// The root file system as an initrd, which any kernel boots
    #[default]
    Initrd,
    /// The root file system itself, as LinuxKit's iso-bios does
    Rootfs,
}

impl Outputs {
    /// The formats that were asked for; `default` if none was.
    pub(crate) fn formats(&self, default: &str) -> Result<Vec<&'static Format>, CliError> {
        let default = [default.to_owned()];
        let names = if self.format.is_empty() { &default[..] } else { &self.format };
        Ok(names.iter().map(|name| Format::named(name.trim())).collect::<Result<_, _>>()?)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new(""))
    }

    pub(crate) fn options(&self) -> Options {
        let loader = match &self.bios_loader {
            Some(folder) => Loader::Isolinux(folder.clone()),
            None => Loader::BuiltIn(self.boot_serial.then_some(Serial::COM1)),
        };
        let payload = match self.payload {
            PayloadFlag::Initrd => PayloadKind::Initrd,
            PayloadFlag::Rootfs => PayloadKind::Rootfs,
        };
        let doubt = |doubt: &dyn std::error::Error| eprint!("{}", report::warning(doubt));
        Options { payload, iso: IsoOptions { loader, volume: "LinuxKit".into(), epoch: T0, doubt } }
    }
}
