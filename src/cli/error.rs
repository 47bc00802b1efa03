//! What can go wrong in a command, and what to do then.

use super::flags::format_names;
use crate::{build, oci, output, rootfs, spec};
use mkimage_formats::{emit, squashfs, tar};
use std::io;
use std::path::{Path, PathBuf};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// A file that was named.
    #[error("cannot open `{path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Flags that do not go together.
    #[error("{0}")]
    Flags(String),
    /// Standard input.
    #[error("cannot read standard input")]
    Stdin(#[source] io::Error),
    /// A specification.
    #[error(transparent)]
    Spec(#[from] spec::Errors),
    /// A system.
    #[error(transparent)]
    Build(#[from] build::Error),
    /// A tar archive of a root file system.
    #[error("`{path}` is no root file system")]
    Import {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<rootfs::LayersError>,
    },
    /// An output.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// An image.
    #[error(transparent)]
    Image(#[from] oci::Error),
    /// An image's files.
    #[error("the layers of image `{image}` are no file system")]
    Layers {
        /// The image.
        image: oci::Reference,
        /// What is wrong with them.
        source: Box<rootfs::LayersError>,
    },
    /// A value of --mirror.
    #[error(transparent)]
    Mirror(#[from] oci::NotAMirror),
    /// Nowhere to keep images.
    #[error("there is no folder for the image cache: neither --cache nor a variable names one")]
    NoCache,
    /// One name for several images.
    #[error("{flag} is a name for one image, not for {images}")]
    OneName {
        /// What has the name.
        flag: &'static str,
        /// How many were given.
        images: usize,
    },
    /// An archive.
    #[error(transparent)]
    Tar(#[from] tar::Error),
    /// Reading or writing.
    #[error(transparent)]
    Emit(#[from] emit::Error),
}

impl CliError {
    /// The one thing to do, where there is one.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            CliError::Output(output::Error::Unknown { .. }) => {
                Some(format!("the formats are {}", format_names()))
            }
            CliError::Output(output::Error::NoTree { .. }) => {
                Some("`mkimage media --tar FILE` has the archive of one, `mkimage build` makes one".into())
            }
            CliError::Output(output::Error::Emit(emit::Error::Write { path, source }))
                if source.kind() == io::ErrorKind::NotFound =>
            {
                let there = |folder: &Path| folder.as_os_str().is_empty() || folder.exists();
                let folder = path.parent().filter(|folder| !there(folder))?;
                Some(format!("there is no folder `{}`; make it first", folder.display()))
            }
            CliError::Output(output::Error::Squashfs(squashfs::Error::AttributeKind { name, .. }))
                if name.starts_with("system.posix_acl_") =>
            {
                Some("kernel+erofs keeps POSIX ACLs".into())
            }
            _ => None,
        }
    }
}
