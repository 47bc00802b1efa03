//! From a specification to a system: images, root file system, bill of materials, initrd.

use crate::initrd;
use crate::oci::{Platform, Store};
use crate::output::{self, System};
use crate::rootfs::{self, Images};
use crate::spec::{self, Spec};
use std::path::Path;

/// How a system is built.
#[derive(Clone, Debug)]
pub struct Options {
    /// What it runs on.
    pub platform: Platform,
    /// Unpack the kernel that is inside the kernel's file.
    pub decompress_kernel: bool,
    /// How the initrd is made; none if no output needs one.
    pub initrd: Option<initrd::Options>,
}

/// The system that `spec` describes. `scratch` is a folder for files that it refers to; they must
/// be there until the outputs are written.
///
/// # Errors
/// The specification contradicts itself, an image is not to be had or broken, or there is no room.
pub fn system(spec: &Spec, store: &Store, options: &Options, scratch: &Path) -> Result<System, Error> {
    spec.check()?;
    let images = Images::get(spec, store, &options.platform)?;
    let options_rootfs =
        rootfs::Options { decompress_kernel: options.decompress_kernel, spool: scratch.into() };
    let root = rootfs::compose(spec, &images, &options_rootfs)?;
    Ok(System::of_tree(root.tree, options.initrd.as_ref())?)
}

/// Why there is no system.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The specification.
    #[error(transparent)]
    Spec(#[from] spec::Errors),
    /// The root file system.
    #[error(transparent)]
    RootFs(#[from] rootfs::Error),
    /// The initrd.
    #[error(transparent)]
    Output(#[from] output::Error),
}
