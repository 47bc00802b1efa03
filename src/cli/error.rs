//! What can go wrong in a command, and what to do then.

use super::flags::format_names;
use crate::output::FORMATS;
use crate::{build, oci, output, rootfs, spec};
use mkimage_formats::{emit, squashfs, tar};
use std::io;
use std::path::PathBuf;

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
    #[error("{name} is no root file system")]
    Import {
        /// The file.
        name: String,
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
            CliError::Output(output::Error::Unknown { name }) => {
                Some(format!("{}the formats are {}", meant(name), format_names()))
            }
            CliError::Output(output::Error::NoKernel { .. }) => {
                Some("`kernel:` in the YAML names its image; in an archive it is `boot/kernel`".into())
            }
            CliError::Build(build::Error::RootFs(rootfs::Error::Source { path, source, .. }))
                if source.kind() == io::ErrorKind::NotFound && path.is_relative() =>
            {
                Some("`source` is looked for from the current folder, wherever the YAML is".into())
            }
            CliError::Build(build::Error::RootFs(rootfs::Error::Images(oci::Error::Image {
                source,
                ..
            })))
            | CliError::Image(oci::Error::Image { source, .. }) => architectures(source),
            CliError::Output(output::Error::NoTree { .. }) => {
                Some("`mkimage media --tar FILE` has the archive of one, `mkimage build` makes one".into())
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

/// What was probably meant by something that is no format.
fn meant(name: &str) -> String {
    let formats: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    let near: Vec<String> = match spec::nearest(name, &formats) {
        Some(format) => vec![format!("`{format}`")],
        // `qcow2`, of which there are two.
        None => {
            let parts = formats.iter().filter(|format| name.len() > 2 && format.contains(name));
            parts.map(|format| format!("`{format}`")).collect()
        }
    };
    if !near.is_empty() {
        return format!("did you mean {}? ", near.join(" or "));
    }
    match spec::nearest(&format!("f{name}"), &["format", "firmware"]) {
        Some(flag) => format!("`-f{name}` is `-f {name}`; did you mean `--{flag}`? "),
        None => String::new(),
    }
}

/// The names of architectures, if the one that an image is not for is none of them.
fn architectures(error: &oci::ImageError) -> Option<String> {
    const KNOWN: [&str; 7] = ["amd64", "arm64", "riscv64", "arm", "386", "ppc64le", "s390x"];
    let (oci::ImageError::WrongPlatform { wanted, .. } | oci::ImageError::NoPlatform { wanted, .. }) = error
    else {
        return None;
    };
    (!KNOWN.contains(&&*wanted.arch))
        .then(|| "architectures have names such as `amd64`, `arm64` and `riscv64`".into())
}
