//! Bootable media, disk images and archives as values.
//!
//! A writer here does not write: it computes a [`Layout`], the ordered, gap-free list of what an
//! output consists of, and [`emit`] puts that on a disk in one pass. An output is therefore an
//! expression (`iso(kernel, initrd)`, `vmdk(disk)`), sizes and places are known before the first
//! byte is written, and no payload is ever held in memory.
//!
//! ```
//! use mkimage_formats::{Layout, emit, qcow2};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (input, out) = (dir.path().join("disk.raw"), dir.path().join("disk.qcow2"));
//! # std::fs::write(&input, [1; 5000])?;
//! let mut disk = Layout::file(&input)?;
//! disk.pad_to(64 << 20); // a hole, which takes no room
//! let image = qcow2::layout(&disk, &qcow2::Options::default())?;
//! assert!(image.len() < 1 << 20);
//! emit::emit(&image, &out)?;
//! # assert_eq!(std::fs::metadata(&out)?.len(), image.len());
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here looks at a clock, a network, an environment variable or a random number: the same
//! arguments give the same bytes everywhere.

pub mod blocks;
pub mod cpio;
mod deflate;
pub mod emit;
pub mod erofs;
pub mod fat;
pub mod gce;
pub mod gpt;
pub mod gzip;
pub mod iso;
pub mod layout;
pub mod mbr;
pub mod ova;
pub mod pe;
mod pool;
pub mod qcow2;
mod record;
mod runs;
pub mod sector;
mod skeleton;
pub mod spool;
pub mod squashfs;
mod sum;
pub mod tar;
pub mod tree;
pub mod uboot;
pub mod vhd;
pub mod vhdx;
pub mod vmdk;

pub use layout::{Content, Late, Layout, Slice, Source};
pub use sector::SectorSize;
pub use tree::{Kind, Meta, Node, OriginId, Tree, TreePath};
