//! Bootable media from LinuxKit YAML files.
//!
//! ```text
//! YAML ──▶ Spec ──▶ Plan ──▶ Tree ──▶ payload ──▶ Layout ──▶ file
//! ```

pub mod oci;
pub mod spec;
