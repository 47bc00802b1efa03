//! Bootable media from LinuxKit YAML files.
//!
//! ```text
//! YAML ──▶ Spec ──▶ Plan ──▶ Tree ──▶ payload ──▶ Layout ──▶ file
//! ```

pub mod boot;
pub mod build;
pub mod cli;
pub mod container;
pub mod initrd;
pub mod oci;
pub mod output;
pub mod rootfs;
pub mod sbom;
pub mod spec;
