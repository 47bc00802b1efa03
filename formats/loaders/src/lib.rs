//! The boot code of mkimage, as bytes.
//!
//! [`bios`] assembles a loader for PC BIOS: no assembler program and no binary blob takes part.
//! [`bzimage`] reads what a boot loader must know of a Linux kernel. [`uefi`] has a stub for UEFI, and
//! the sections that make a loader of it.

pub mod bios;
pub mod bzimage;
pub mod uefi;
