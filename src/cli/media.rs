//! `mkimage media`: outputs from a kernel and an initrd that are there already, or from the tar
//! archive of a root file system.

use super::cache::store_options;
use super::flags::Outputs;
use super::{CliError, Global, report};
use crate::boot::DeviceTree;
use crate::initrd::{Folder, Initrd};
use crate::oci::{Scratch, Store};
use crate::output::{Kernel, System};
use crate::rootfs;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};
use mkimage_formats::{Layout, emit};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Make outputs from a kernel and an initrd, or from a tar archive
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("system").args(["kernel", "tar"]).required(true)))]
pub(crate) struct Media {
    /// The kernel
    #[arg(long, value_name = "FILE")]
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
    /// A device tree for the kernel, for `rpi3` and `rpi3-disk`; repeat it for several boards
    #[arg(long, value_name = "FILE", conflicts_with = "tar")]
    dtb: Vec<PathBuf>,
    /// A kernel for AArch64, beside one for x86-64: `iso` and `iso-efi` hold both
    #[arg(long, value_name = "FILE", requires = "kernel")]
    arm64_kernel: Option<PathBuf>,
    /// An initrd for AArch64; several are put one after the other
    #[arg(long, value_name = "FILE", requires = "arm64_kernel")]
    arm64_initrd: Vec<PathBuf>,
    /// The command line of the kernel for AArch64 [default: that of the other]
    #[arg(long, value_name = "TEXT", requires = "arm64_kernel", allow_hyphen_values = true)]
    arm64_cmdline: Option<String>,
    /// What the outputs are called
    #[arg(long, default_value = "media", value_parser = NonEmptyStringValueParser::new())]
    name: String,
    #[command(flatten)]
    outputs: Outputs,
}

impl Media {
    pub(super) fn run(self, global: &Global) -> Result<(), CliError> {
        let formats = self.outputs.formats("iso-bios")?;
        self.outputs.check(&formats, &self.name, global)?;
        self.outputs.check_folder(None, &self.name)?;
        if self.tar.is_none() && global.has("initrd_compression") && !global.is_quiet() {
            report::note("--initrd-compression changes nothing: initrds are taken as they are");
        }
        let write = |system: &System, scratch: Option<&Scratch>| {
            self.outputs.write(system, &formats, None, &self.name, scratch, global)
        };
        let scratch = || -> Result<Scratch, CliError> { Ok(Store::open(store_options(global)?)?.scratch()?) };
        let Some(tar) = &self.tar else {
            let system = self.files()?;
            return match self.outputs.needs_scratch(&formats) || is_packed(&system)? {
                true => write(&system, Some(&scratch()?)),
                false => write(&system, None),
            };
        };
        let scratch = scratch()?;
        let spooled = scratch.path().join("standard input");
        let (path, name) = match tar == Path::new("-") {
            true => (spool_stdin(&spooled)?, "standard input".to_owned()),
            false => (tar.as_path(), format!("`{}`", tar.display())),
        };
        let tree = rootfs::import_as(path, &name)
            .map_err(|source| CliError::Import { name, source: Box::new(source) })?;
        let folder = Folder::Scratch(scratch.path().into());
        let system = System::of_tree(tree, self.outputs.initrd(&formats, folder).as_ref())?;
        write(&system, Some(&scratch))
    }

    fn files(&self) -> Result<System, CliError> {
        let aarch64 = match &self.arm64_kernel {
            Some(kernel) => {
                let cmdline = self.arm64_cmdline.as_ref().unwrap_or(&self.cmdline);
                Some(Box::new(system(Some(kernel), &self.arm64_initrd, cmdline)?))
            }
            None => None,
        };
        let device_trees = self.dtb.iter().map(|path| device_tree(path)).collect::<Result<_, _>>()?;
        Ok(System { aarch64, device_trees, ..system(self.kernel.as_deref(), &self.initrd, &self.cmdline)? })
    }
}

/// A kernel with its initrds.
fn system(kernel: Option<&Path>, initrd: &[PathBuf], cmdline: &str) -> Result<System, CliError> {
    Ok(System {
        kernel: kernel.map(open).transpose()?.map(Kernel::new),
        cmdline: cmdline.to_owned(),
        initrd: if initrd.is_empty() { None } else { Some(Initrd::of(initrds(initrd)?)) },
        ..System::default()
    })
}

/// A device tree where kernels for the Raspberry Pi have theirs.
fn device_tree(path: &Path) -> Result<DeviceTree, CliError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok((format!("broadcom/{name}"), open(path)?))
}

/// One of the kernels has to be unpacked before it boots.
fn is_packed(system: &System) -> Result<bool, CliError> {
    let systems = [Some(system), system.aarch64.as_deref()];
    let mut kernels = systems.into_iter().flatten().filter_map(|system| system.kernel.as_ref());
    Ok(kernels.try_fold(false, |packed, kernel| Ok::<_, emit::Error>(packed | kernel.is_packed()?))?)
}

/// Bytes of standard input that are read at once.
const BLOCK: usize = 256 << 10;

/// Standard input as a file: an archive is read from wherever its contents are.
fn spool_stdin(path: &Path) -> Result<&Path, CliError> {
    let failed = |source| emit::Error::Write { path: path.into(), source };
    let mut file = File::create_new(path).map_err(failed)?;
    let mut stdin = BufReader::with_capacity(BLOCK, io::stdin().lock());
    // Read and written apart, so that it is known which of the two fails.
    loop {
        match stdin.fill_buf() {
            Ok([]) => return Ok(path),
            Ok(block) => {
                file.write_all(block).map_err(failed)?;
                let len = block.len();
                stdin.consume(len);
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(CliError::Stdin(e)),
        }
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
