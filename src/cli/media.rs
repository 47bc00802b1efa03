//! `mkimage media`: outputs from a kernel and an initrd that are there already.

use super::flags::Outputs;
use super::{CliError, Global};
use crate::boot::Measured;
use crate::output::{self, System};
use clap::Args;
use mkimage_formats::Layout;
use std::path::{Path, PathBuf};

/// Make outputs from a kernel and an initrd
#[derive(Debug, Args)]
pub(crate) struct Media {
    /// The kernel
    #[arg(long, value_name = "FILE")]
    kernel: PathBuf,
    /// An initrd; several are put one after the other
    #[arg(long, value_name = "FILE")]
    initrd: Vec<PathBuf>,
    /// The kernel's command line
    #[arg(long, value_name = "TEXT", default_value = "", allow_hyphen_values = true)]
    cmdline: String,
    /// What the outputs are called
    #[arg(long, default_value = "media")]
    name: String,
    #[command(flatten)]
    outputs: Outputs,
}

impl Media {
    pub(super) fn run(self, _global: &Global) -> Result<(), CliError> {
        let formats = self.outputs.formats("iso-bios")?;
        let system = System {
            tree: None,
            kernel: Some(open(&self.kernel)?),
            cmdline: self.cmdline,
            ucode: None,
            initrd: Some(Measured::new(initrds(&self.initrd)?)?),
        };
        let dir = self.outputs.dir();
        output::write(&system, &formats, &self.outputs.options(), dir, &self.name)?;
        Ok(())
    }
}

fn open(path: &Path) -> Result<Layout, CliError> {
    Layout::file(path).map_err(|source| CliError::Open { path: path.into(), source })
}

/// Archives one after the other, each from a multiple of 4 bytes on: the kernel looks for the
/// next one there.
fn initrds(paths: &[PathBuf]) -> Result<Layout, CliError> {
    let mut all = Layout::default();
    for path in paths {
        all.pad_to_multiple(4);
        all.append(open(path)?);
    }
    Ok(all)
}
