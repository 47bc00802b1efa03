//! The boot code of mkimage, as bytes.
//!
//! [`bios`] assembles a loader for PC BIOS: no assembler program and no binary blob takes part.
//! [`bzimage`] reads what a boot loader must know of a Linux kernel.

pub mod bios;
pub mod bzimage;
pub mod uefi;
