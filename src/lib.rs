//! Bootable media from LinuxKit YAML files.
//!
//! ```text
//! YAML ──▶ Spec ──▶ Plan ──▶ Tree ──▶ payload ──▶ Layout ──▶ file
//! ```
//!
//! [`spec`] says what was asked, [`oci`] brings the images, [`rootfs`] composes them into one
//! tree, [`initrd`] packs it, [`boot`] puts a loader before it, and [`output`] knows the formats.
//! [`build`] is all of that up to the outputs:
//!
//! ```
//! use mkimage::build::{self, Sbom};
//! use mkimage::oci::{Platform, Pull, Store, StoreOptions};
//! use mkimage::output::{self, Format};
//! use mkimage::spec::Spec;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (cache, out) = (dir.path().join("cache"), dir.path());
//! let spec = Spec::parse("hello.yml", "files: [{path: etc/motd, contents: hello}]")?;
//! let store = Store::open(StoreOptions { pull: Pull::Never, ..StoreOptions::new(cache) })?;
//! let scratch = store.scratch()?;
//! let options = build::Options {
//!     platform: Platform::host(),
//!     decompress_kernel: false,
//!     sbom: Some(Sbom::linuxkit()),
//!     initrd: None, // a tar archive needs none
//! };
//! let system = build::system(&spec, &store, &options, scratch.path())?;
//! let files = output::write(&system, &[Format::named("tar")?], &Default::default(), out, "hello")?;
//! assert_eq!(files, [out.join("hello.tar")]);
//! # Ok(())
//! # }
//! ```

pub mod boot;
pub mod build;
pub mod cli;
pub mod container;
pub mod initrd;
pub mod kernel;
pub mod oci;
pub mod output;
pub mod rootfs;
pub mod sbom;
pub mod spec;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
