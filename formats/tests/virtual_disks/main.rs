//! Disks in the containers of virtual machines, read by programs that did not write them.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "../archives/judge.rs"]
mod judge;
#[path = "../../../testdata/noise.rs"]
mod noise;

mod once;
mod ova;
mod qcow2;
mod qemu;
mod specimens;
mod vmdk;
mod vmdk_reader;
