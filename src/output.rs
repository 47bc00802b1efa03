//! The formats: what `-f` names, and the files that each one makes.
//!
//! Everything is planned before anything is written, and all files get their names together.
//!
//! ```
//! use mkimage::initrd::Initrd;
//! use mkimage::output::{self, Format, Kernel, Options, System};
//! use mkimage_formats::Layout;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (vmlinuz, initrd, out) = (dir.path().join("vmlinuz"), dir.path().join("initrd.img"), dir.path());
//! # let mut kernel = vec![0; 512];
//! # kernel[..2].copy_from_slice(b"MZ");
//! # kernel[0x3c] = 0x40;
//! # kernel[0x40..0x46].copy_from_slice(b"PE\0\0\x64\x86");
//! # std::fs::write(&vmlinuz, &kernel)?;
//! # std::fs::write(&initrd, [1; 5000])?;
//! let system = System {
//!     kernel: Some(Kernel::new(Layout::file(&vmlinuz)?)),
//!     initrd: Some(Initrd::of(Layout::file(&initrd)?)),
//!     cmdline: "console=ttyS0".into(),
//!     ..System::default()
//! };
//! let formats = [Format::named("uki")?, Format::named("iso-efi")?];
//! let files = output::write(&system, &formats, &Options::default(), out, "demo")?;
//! assert_eq!(files, [out.join("demo.efi"), out.join("demo-efi.iso")]);
//! # Ok(())
//! # }
//! ```

mod cut;
mod disk;
mod format;
mod machine;
mod system;

pub use disk::{Qcow2Compression, VmdkKind};
pub(crate) use format::Topic;
pub use format::{FORMATS, Format};
pub use machine::{Machine, OvaMedium};
pub use system::{Kernel, PayloadKind, System};

use crate::boot::{self, Firmware};
use crate::{initrd, kernel};
use mkimage_formats::emit::{self, Partial, Sink, Stream};
use mkimage_formats::spool::{Cache, Memo, Spool};
use mkimage_formats::tree;
use mkimage_formats::{Layout, Tree, erofs, gce, gzip, iso, ova, qcow2, squashfs, tar, vhd, vhdx, vmdk};
use std::borrow::Cow;
use std::io::{self, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};

/// How outputs are made.
#[derive(Clone, Debug)]
pub struct Options {
    /// What ISOs carry; disks carry the initrd.
    pub payload: PayloadKind,
    /// How they boot.
    pub boot: boot::Options,
    /// What disks boot from, where the format's name leaves it open.
    pub firmware: Option<Firmware>,
    /// How qcow2 clusters are compressed, if they are.
    pub qcow2: Option<Qcow2Compression>,
    /// Bytes of a qcow2's cluster: a power of two from 512 to 2 MiB.
    pub qcow2_cluster_size: u32,
    /// Which VMDK it is.
    pub vmdk: VmdkKind,
    /// How a SquashFS is compressed.
    pub squashfs: squashfs::Compression,
    /// Bytes of a block of a SquashFS: a power of two from 4 KiB to 1 MiB.
    pub squashfs_block_size: u32,
    /// What a VMDK and an OVA say about the machine.
    pub machine: Machine,
    /// A folder for what is compressed before its place is known, where a format
    /// [needs](Format::needs_scratch) one. Its files must stay until the outputs are written.
    pub scratch: Option<PathBuf>,
    /// What is compressed already, for formats that are made one after the other with one
    /// [`Options::scratch`]. Those of one [`write()`] always share it.
    pub memo: Option<Memo>,
    /// What was compressed for other outputs at any time.
    pub blocks: Option<Cache>,
    /// How many threads compress. No output depends on it.
    pub threads: NonZero<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            payload: PayloadKind::default(),
            boot: boot::Options::default(),
            firmware: None,
            qcow2: None,
            qcow2_cluster_size: qcow2::Options::default().cluster_size,
            vmdk: VmdkKind::default(),
            squashfs: squashfs::Compression::default(),
            squashfs_block_size: squashfs::Options::default().block_size,
            machine: Machine::default(),
            scratch: None,
            memo: None,
            blocks: None,
            threads: NonZero::<usize>::MIN,
        }
    }
}

impl Options {
    /// Where `format` has what is compressed before its place is known.
    fn spool(&self, format: &'static str) -> Result<Spool, Error> {
        let scratch = self.scratch.as_ref().ok_or(Error::NoScratch { format })?;
        Ok(Spool {
            path: scratch.join(format!("{format}.spool")),
            threads: self.threads,
            memo: self.memo.clone(),
            cache: self.blocks.clone(),
        })
    }
}

/// A file that a format makes.
pub struct Product<'a> {
    /// Follows the outputs' common name: `-initrd.img`.
    pub suffix: String,
    /// Its content.
    pub body: Body<'a>,
}

/// The content of a file.
pub enum Body<'a> {
    /// Known in place and length.
    Layout(Layout),
    /// A tar archive.
    Tar(Cow<'a, Tree>),
    /// Compressed while it is written.
    Gzip(Layout),
}

impl Body<'_> {
    /// # Errors
    /// Something cannot be read, or `out` not be written.
    fn write(&self, out: &mut dyn Sink, options: &Options) -> Result<(), Error> {
        match self {
            Body::Gzip(layout) => Ok(gzip::layout(layout, options.threads, out)?),
            Body::Layout(layout) => Ok(out.layout(layout)?),
            Body::Tar(tree) => Ok(tar::write(tree, out)?),
        }
    }
}

/// Checks that `formats` have files of their own: before anything is made, and again by [`write()`].
///
/// # Errors
/// Two of them would write the same file.
pub fn check(formats: &[&Format], options: &Options, dir: &Path, name: &str) -> Result<(), Error> {
    for (n, format) in formats.iter().enumerate() {
        let suffix = format.suffix(options);
        if let Some(other) = formats[..n].iter().find(|other| other.suffix(options) == suffix) {
            let path = dir.join(format!("{name}{suffix}"));
            return Err(Error::SameFile { one: other.name, other: format.name, path });
        }
    }
    Ok(())
}

/// Checks that there is a folder for the file at `path`: before anything is made.
///
/// # Errors
/// There is none.
pub fn check_folder(path: &Path) -> Result<(), Error> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let source = match folder.metadata() {
        Ok(meta) if meta.is_dir() => return Ok(()),
        Ok(_) => io::ErrorKind::NotADirectory.into(),
        Err(source) => source,
    };
    Err(Error::Folder { path: folder.to_owned(), source })
}

/// Makes all of `formats` of `system`: files in `dir` whose names start with `name`. Returns
/// their paths.
///
/// # Errors
/// A format cannot be made, or a file not be written; no file has its name then.
pub fn write(
    system: &System,
    formats: &[&Format],
    options: &Options,
    dir: &Path,
    name: &str,
) -> Result<Vec<PathBuf>, Error> {
    check(formats, options, dir, name)?;
    let mut options = options.clone();
    if formats.iter().filter(|format| format.needs_scratch(&options)).count() > 1 {
        options.memo.get_or_insert_default();
    }
    let mut products = Vec::new();
    for format in formats {
        products.extend(format.products(system, &options, name)?);
    }
    let mut done = Vec::new();
    for (n, product) in products.iter().enumerate() {
        // Several formats have the kernel and the command line beside them.
        if products[..n].iter().any(|other| other.suffix == product.suffix) {
            continue;
        }
        let path = dir.join(format!("{name}{}", product.suffix));
        let mut out = Partial::create(&path)?;
        product.body.write(&mut out, &options)?;
        done.push((path, out));
    }
    let (paths, outputs): (_, Vec<_>) = done.into_iter().unzip();
    emit::commit_all(outputs)?;
    Ok(paths)
}

/// Makes the one file of `format` in `path`.
///
/// # Errors
/// As [`write()`].
pub fn write_file(system: &System, format: &Format, options: &Options, path: &Path) -> Result<(), Error> {
    let mut out = Partial::create(path)?;
    for product in format.products(system, options, "")? {
        product.body.write(&mut out, options)?;
    }
    Ok(out.commit()?)
}

/// Writes the one file of `format` to `out`.
///
/// # Errors
/// As [`write()`].
pub fn write_stream(
    system: &System,
    format: &Format,
    options: &Options,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut out = Stream::new(out);
    for product in format.products(system, options, "")? {
        product.body.write(&mut out, options)?;
    }
    out.get_mut().flush().map_err(emit::Error::Stream)?;
    Ok(())
}

/// Why outputs cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a format.
    #[error("there is no format `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// Kernel and initrd are no root file system.
    #[error("format `{format}` needs the root file system, and there are only a kernel and an initrd")]
    NoTree {
        /// The format.
        format: &'static str,
    },
    /// Nothing to boot.
    #[error("format `{format}` needs a kernel, and there is none")]
    NoKernel {
        /// The format.
        format: &'static str,
    },
    /// Two root file systems.
    #[error("format `{format}` holds one architecture; `iso` and `iso-efi` hold two, with initrds")]
    OneArchitecture {
        /// The format.
        format: &'static str,
    },
    /// Machines have such disks with sectors of one size.
    #[error("format `{format}` is a disk of 512-byte sectors; leave out --sector-size")]
    Sectors {
        /// The format.
        format: &'static str,
    },
    /// Nowhere to compress.
    #[error("format `{format}` needs a folder for temporary files")]
    NoScratch {
        /// The format.
        format: &'static str,
    },
    /// The kernel cannot be unpacked.
    #[error(transparent)]
    Kernel(#[from] kernel::Error),
    /// A qcow2.
    #[error(transparent)]
    Qcow2(#[from] qcow2::Error),
    /// A VMDK.
    #[error(transparent)]
    Vmdk(#[from] vmdk::Error),
    /// A VHD.
    #[error(transparent)]
    Vhd(#[from] vhd::Error),
    /// A VHDX.
    #[error(transparent)]
    Vhdx(#[from] vhdx::Error),
    /// An archive for Google Compute Engine.
    #[error(transparent)]
    Gce(#[from] gce::Error),
    /// A virtual machine.
    #[error(transparent)]
    Ova(#[from] ova::Error),
    /// An EROFS.
    #[error(transparent)]
    Erofs(#[from] erofs::Error),
    /// A SquashFS.
    #[error(transparent)]
    Squashfs(#[from] squashfs::Error),
    /// An ISO 9660.
    #[error(transparent)]
    Iso(#[from] iso::Error),
    /// Two formats make a file of one name.
    #[error("formats `{one}` and `{other}` would both write `{path}`")]
    SameFile {
        /// The first of them.
        one: &'static str,
        /// The second.
        other: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Nowhere to write.
    #[error("there is no folder `{path}` for the outputs")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A bootable medium.
    #[error(transparent)]
    Boot(#[from] boot::Error),
    /// A tar archive.
    #[error(transparent)]
    Tar(#[from] tar::Error),
    /// A tree of few files.
    #[error(transparent)]
    Tree(#[from] tree::Error),
    /// The command line.
    #[error("`boot/cmdline` has {len} bytes; no kernel takes more than 4096")]
    CmdlineLen {
        /// Its length, bytes.
        len: u64,
    },
    /// The command line.
    #[error("`boot/cmdline` is not UTF-8")]
    Cmdline(#[source] std::str::Utf8Error),
    /// The initrd.
    #[error(transparent)]
    Initrd(#[from] initrd::Error),
    /// Reading or writing.
    #[error(transparent)]
    Emit(#[from] emit::Error),
}
