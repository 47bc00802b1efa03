//! Images: from their names to tar archives on this host's disk.
//!
//! ```text
//! Reference ──▶ index.json ──▶ index ──▶ manifest ──▶ config
//!               of the cache    │ Platform      └───▶ layers ──▶ tar archives
//!                   ▲           └──────▶ attestations             in the spool
//!                   │ what is missing
//!               registry, or a mirror of it
//! ```
//!
//! This is the only part of the program that touches a network, and [`Pull::Never`] makes sure
//! that it does not.
//!
//! ```
//! use mkimage::oci::{Error, Platform, Pull, Reference, Store, StoreOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let cache = dir.path().join("cache");
//! let store = Store::open(StoreOptions { pull: Pull::Never, ..StoreOptions::new(cache) })?;
//! let alpine: Reference = "alpine:3.20".parse()?;
//! assert_eq!(alpine.to_string(), "docker.io/library/alpine:3.20");
//! let missing = store.resolve(&[alpine], &Platform::host()).unwrap_err();
//! assert!(matches!(missing, Error::Offline(_)));
//! # Ok(())
//! # }
//! ```
//!
//! \[OCI-IMAGE\] *OCI Image Format Specification* 1.1; \[DISTRIBUTION\] *OCI Distribution
//! Specification* 1.1.

mod cache;
mod credentials;
mod digest;
mod error;
mod export;
mod fetch;
mod file;
mod import;
mod manifest;
mod parallel;
mod platform;
mod progress;
mod pull;
mod push;
mod reference;
mod registry;
mod scratch;
mod select;
mod shrink;
mod spool;
mod store;
mod tidy;

pub use credentials::CredentialError;
pub use digest::{Digest, NotADigest};
pub use error::{Error, ImageError, Missing};
pub use export::ExportError;
pub use import::ImportError;
pub use manifest::{Descriptor, DocumentError, Execution, ImageConfig};
pub use platform::{NotAPlatform, Platform};
pub use progress::Progress;
pub use reference::{Reference, ReferenceError};
pub use registry::{Mirror, NotAMirror, RegistryError};
pub use scratch::Scratch;
pub use spool::LayerError;
pub use store::{Attestation, Blob, Image, Layer, OciImage, Pull, Store, StoreOptions, default_cache};
pub use tidy::Listed;

pub(crate) use file::{open_to_all, rename};
pub(crate) use progress::Task;
