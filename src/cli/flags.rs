//! Flags that `build` and `media` share.

use super::{CliError, Global, report};
use crate::boot::bios::{IsoOptions, Loader};
use crate::initrd::{self, Compression};
use crate::output::{self, Format, Options, PayloadKind, System};
use clap::Args;
use mkimage_loaders::bios::Serial;
use std::fs::OpenOptions;
use std::io::{self, BufWriter};
use std::num::NonZero;
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
    /// How the initrd is compressed: gzip, zstd, xz, lz4 or none
    #[arg(long, value_name = "NAME", default_value_t)]
    initrd_compression: Compression,
    /// How many threads work [default: one for each processor]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
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

    /// How many threads work.
    pub(crate) fn threads(&self) -> NonZero<usize> {
        let processors = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.jobs.unwrap_or_else(processors)
    }

    /// How the initrd is made, if one of the formats needs it.
    pub(crate) fn initrd(&self, formats: &[&Format], scratch: &Path) -> Option<initrd::Options> {
        let payload = self.payload();
        formats.iter().any(|f| f.needs_initrd(payload)).then(|| initrd::Options {
            compression: self.initrd_compression,
            threads: self.threads(),
            spool: scratch.into(),
            doubt: report::doubt,
        })
    }

    fn payload(&self) -> PayloadKind {
        match self.payload {
            PayloadFlag::Initrd => PayloadKind::Initrd,
            PayloadFlag::Rootfs => PayloadKind::Rootfs,
        }
    }

    fn dir(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new(""))
    }

    /// Writes the outputs: to `file` or standard output, if it is `-`; else to the folder, with
    /// names that start with `name`.
    pub(crate) fn write(
        &self,
        system: &System,
        formats: &[&Format],
        file: Option<&Path>,
        name: &str,
        global: &Global,
    ) -> Result<(), CliError> {
        let options = self.options();
        match (file, formats) {
            (Some(file), [format]) if file == Path::new("-") => {
                output::write_stream(system, format, &options, &mut BufWriter::new(io::stdout().lock()))?;
            }
            (Some(file), [format]) if is_special(file) => {
                let failed = |source| CliError::Open { path: file.into(), source };
                let device = OpenOptions::new().write(true).open(file).map_err(failed)?;
                output::write_stream(system, format, &options, &mut BufWriter::new(device))?;
            }
            (Some(file), [format]) => output::write_file(system, format, &options, file)?,
            _ => {
                let files = output::write(system, formats, &options, self.dir(), name)?;
                if !global.is_quiet() {
                    files.iter().for_each(|file| eprintln!("wrote {}", file.display()));
                }
            }
        }
        Ok(())
    }

    fn options(&self) -> Options {
        let loader = match &self.bios_loader {
            Some(folder) => Loader::Isolinux(folder.clone()),
            None => Loader::BuiltIn(self.boot_serial.then_some(Serial::COM1)),
        };
        let payload = self.payload();
        Options { payload, iso: IsoOptions { loader, doubt: report::doubt, ..IsoOptions::default() } }
    }
}

/// A pipe or a device, `/dev/null` among them: written to, where a file would be replaced.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}
