//! Disks of Hyper-V and Azure, read by QEMU, which did not write them.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "../archives/judge.rs"]
mod judge;

mod disk;
mod vhd;
mod vhdx;
