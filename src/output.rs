//! The formats: what `-f` names, and the files that each one makes.
//!
//! Everything is planned before anything is written, and all files get their names together.

mod format;
mod system;

pub use format::{FORMATS, Format};
pub use system::{PayloadKind, System};

use crate::boot;
use crate::initrd;
use mkimage_formats::emit::{self, Partial, Sink, Stream};
use mkimage_formats::tree;
use mkimage_formats::{Layout, Tree, tar};
use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How outputs are made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What bootable media carry.
    pub payload: PayloadKind,
    /// How they boot.
    pub boot: boot::Options,
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
}

impl Body<'_> {
    /// # Errors
    /// Something cannot be read, or `out` not be written.
    fn write(&self, out: &mut dyn Sink) -> Result<(), Error> {
        match self {
            Body::Layout(layout) => Ok(out.layout(layout)?),
            Body::Tar(tree) => Ok(tar::write(tree, out)?),
        }
    }
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
    let mut products = Vec::new();
    for format in formats {
        products.extend(format.products(system, options)?);
    }
    let mut done = Vec::new();
    for product in &products {
        let path = dir.join(format!("{name}{}", product.suffix));
        if done.iter().any(|(other, _)| *other == path) {
            return Err(Error::SameFile { path });
        }
        let mut out = Partial::create(&path)?;
        product.body.write(&mut out)?;
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
    for product in format.products(system, options)? {
        product.body.write(&mut out)?;
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
    for product in format.products(system, options)? {
        product.body.write(&mut out)?;
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
    #[error("format `{format}` needs a kernel, and the specification has none")]
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
    /// Two formats make a file of one name.
    #[error("two of the formats would write `{path}`")]
    SameFile {
        /// The file.
        path: PathBuf,
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
