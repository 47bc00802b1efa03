//! `mkimage media`: outputs from a kernel and an initrd that are there already, or from the tar
//! archive of a root file system.

use super::cache::store_options;
use super::flags::Outputs;
use super::{CliError, Global};
use crate::initrd::Initrd;
use crate::oci::Store;
use crate::output::System;
use crate::rootfs;
use clap::Args;
use mkimage_formats::Layout;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Make outputs from a kernel and an initrd, or from a tar archive
#[derive(Debug, Args)]
pub(crate) struct Media {
    /// The kernel
    #[arg(long, value_name = "FILE", required_unless_present = "tar", conflicts_with = "tar")]
    kernel: Option<PathBuf>,
    /// The tar archive of a root file system with its kernel in boot, as `mkimage build -f tar` and
    /// `linuxkit build` write it; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cmdline", "initrd"])]
    tar: Option<PathBuf>,
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
    pub(super) fn run(self, global: &Global) -> Result<(), CliError> {
        let formats = self.outputs.formats("iso-bios")?;
        if self.tar.is_none() && !self.outputs.needs_scratch(&formats) {
            return self.outputs.write(&self.files()?, &formats, None, &self.name, None, global);
        }
        let store = Store::open(store_options(global)?)?;
        let scratch = store.scratch()?;
        let system = match &self.tar {
            None => self.files()?,
            Some(tar) => {
                let spooled = scratch.path().join("standard input");
                let path = if tar == Path::new("-") { spool_stdin(&spooled)? } else { tar };
                let tree = rootfs::import(path)
                    .map_err(|source| CliError::Import { path: tar.clone(), source: Box::new(source) })?;
                System::of_tree(tree, self.outputs.initrd(&formats, scratch.path()).as_ref())?
            }
        };
        self.outputs.write(&system, &formats, None, &self.name, Some(scratch.path()), global)
    }

    fn files(&self) -> Result<System, CliError> {
        Ok(System {
            tree: None,
            kernel: self.kernel.as_deref().map(open).transpose()?,
            cmdline: self.cmdline.clone(),
            microcode: None,
            initrd: Some(Initrd::of(initrds(&self.initrd)?)?),
            aarch64: None,
        })
    }
}

/// Standard input as a file: an archive is read from wherever its contents are.
fn spool_stdin(path: &Path) -> Result<&Path, CliError> {
    let mut file = File::create_new(path).map_err(CliError::Stdin)?;
    io::copy(&mut io::stdin().lock(), &mut file).map_err(CliError::Stdin)?;
    Ok(path)
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
