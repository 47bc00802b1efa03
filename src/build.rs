//! From a specification to a system: images, root file system, bill of materials, initrd.
//!
//! ```
//! use mkimage::build::{self, Options};
//! use mkimage::initrd::{self, Compression, Folder};
//! use mkimage::oci::{Platform, Store, StoreOptions};
//! use mkimage::spec::Spec;
//! use std::num::NonZero;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let cache = dir.path().join("cache");
//! let spec = Spec::parse("hello.yml", "files: [{path: etc/motd, contents: hello}]")?;
//! let store = Store::open(StoreOptions::new(cache))?;
//! let scratch = store.scratch()?;
//! let initrd = initrd::Options {
//!     compression: Compression::Zstd,
//!     threads: NonZero::<usize>::MIN,
//!     folder: Folder::Scratch(scratch.path().into()),
//!     doubt: |doubt| eprintln!("warning: {doubt}"),
//! };
//! let platform = Platform::linux("amd64");
//! let options = Options { platform, decompress_kernel: false, sbom: None, initrd: Some(initrd) };
//! let system = build::system(&spec, &store, &options, scratch.path())?;
//! assert!(system.initrd.is_some() && system.kernel.is_none());
//! # Ok(())
//! # }
//! ```

use crate::initrd;
use crate::oci::{Platform, Store};
use crate::output::{self, System};
use crate::rootfs::{self, Images};
use crate::sbom;
use crate::spec::{self, Spec};
use std::path::Path;

/// How a system is built.
#[derive(Clone, Debug)]
pub struct Options {
    /// What it runs on.
    pub platform: Platform,
    /// Unpack the kernel that is inside the kernel's file.
    pub decompress_kernel: bool,
    /// The bill of materials, if one is wanted.
    pub sbom: Option<Sbom>,
    /// How the initrd is made; none if no output needs one.
    pub initrd: Option<initrd::Options>,
}

/// A bill of materials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sbom {
    /// Its path in the root file system.
    pub path: String,
    /// When it is said to be made, `YYYY-MM-DDThh:mm:ssZ`.
    pub created: String,
}

impl Sbom {
    /// Where and when LinuxKit's is.
    #[must_use]
    pub fn linuxkit() -> Self {
        Sbom { path: "sbom.spdx.json".into(), created: "2017-04-18T16:30:00Z".into() }
    }
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
    let mut root = rootfs::compose(spec, &images, &options_rootfs)?;
    if let Some(Sbom { path, created }) = &options.sbom {
        let document = sbom::document(&root, &images, created)?;
        root.put_file("sbom", path, document)?;
    }
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
    /// The bill of materials.
    #[error(transparent)]
    Sbom(#[from] sbom::Error),
    /// The initrd.
    #[error(transparent)]
    Output(#[from] output::Error),
}
