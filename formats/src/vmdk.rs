//! VMDK, the disks of VMware. Integers are little-endian, places in sectors of 512 bytes.
//!
//! ```text
//!     streamOptimized  ├ Header ┼ descriptor ┼ directory ┼ tables ┼ grains ... ┼ end of stream ┤
//!       a grain there  ├ lba, length ┼ zlib ┼ zeros to a sector ┤
//!
//!    monolithicSparse  ├ Header ┼ descriptor ┼ directory ┼ tables ┼ directory ┼ tables ┼ grains ... ┤
//!
//!      monolithicFlat  ├ descriptor ┤   and   ├── disk ──┤
//! ```
//!
//! ESXi, ovftool and Content Library want streamOptimized, in version 3, with compressed grains that
//! say where they belong. \[VMDK\] allows such a stream to have its directory in place, or at the end
//! with a footer that tells of it. It is in place here: open-vmdk and govmomi, whose output vSphere
//! takes, write it so, while streams with a footer from qemu-img were refused by all three. Readers
//! that go by the markers alone need neither, and every grain is there once, in ascending order.
//!
//! ```
//! use mkimage_formats::spool::Spool;
//! use mkimage_formats::{Layout, emit, vmdk};
//! use std::num::NonZero;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let out = dir.path().join("disk");
//! let mut disk = Layout::from(vec![1; 512]);
//! disk.pad_to(64 << 20);
//! let options = vmdk::Options::new("disk.vmdk", 0x2bad_cafe);
//! let spool = Spool { path: dir.path().join("spool"), threads: NonZero::<usize>::MIN, memo: None, cache: None };
//! emit::emit(&vmdk::stream_optimized(&disk, &options, &spool)?, &out)?;
//! # assert!(std::fs::read(&out)?.starts_with(b"KDMV"));
//! std::fs::remove_file(&spool.path)?;
//! # Ok(())
//! # }
//! ```
//!
//! \[VMDK\] VMware, *Virtual Disk Format 5.0* (2011); version 3 is described in *open-vmdk*,
//! `vmdk/vmware_vmdk.h`.

use crate::layout::Layout;
use crate::runs::{self, Run};
use crate::spool::{self, Spool, Unit};

mod descriptor;
mod sparse;

use descriptor::{Descriptor, Type};
use sparse::{GRAIN, GRAIN_BYTES, Grains, Tables};

const SECTOR: u64 = 512;
/// Sector numbers have 32 bits. A grain that cannot be packed takes 129 sectors for 128, and the
/// tables less than a 16,384th.
const LIMIT: u64 = (2 << 40) / 64 * 63;

/// The tools version of guests whose distribution, not the host, updates them.
const OPEN_VM_TOOLS: u32 = 2_147_483_647;

/// What a virtual machine is told about the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The name of the output's file, without a folder: `linuxkit.vmdk`.
    pub name: String,
    /// What the disk is attached to.
    pub adapter: Adapter,
    /// Virtual hardware version. ESX 3 and older read it; others go by the machine's.
    pub hardware_version: u32,
    /// Version of the tools in the guest. vSphere customises no guest whose disk does not say one.
    pub tools_version: u32,
    /// Content id: derived from what is on the disk. Its highest bit is not used, for all ones mean
    /// that there is no disk.
    pub content_id: u32,
}

impl Options {
    /// A disk for SCSI, of version 6, which every host takes, with `open-vm-tools` in the guest.
    #[must_use]
    pub fn new(name: impl Into<String>, content_id: u32) -> Self {
        Options {
            name: name.into(),
            adapter: Adapter::LsiLogic,
            hardware_version: 6,
            tools_version: OPEN_VM_TOOLS,
            content_id,
        }
    }
}

/// The kind of controller. Paravirtual and SAS ones attach disks of [`Adapter::LsiLogic`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adapter {
    /// IDE, and SATA.
    Ide,
    /// SCSI of the 1990s.
    BusLogic,
    /// SCSI.
    LsiLogic,
}

/// Why a disk cannot be a VMDK.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Too large for the tables, or not in sectors.
    #[error("a disk of {size} bytes; VMDK holds whole sectors of 512 bytes, from 1 to {LIMIT} bytes of them")]
    Size {
        /// Bytes of the disk.
        size: u64,
    },
    /// The descriptor cannot name the file.
    #[error(
        "the name `{name}`; a descriptor has room for {room} bytes, and for no `\"`, `/`, `\\` or control character"
    )]
    Name {
        /// The name.
        name: String,
        /// Bytes that fit.
        room: usize,
    },
    /// The disk could not be compressed.
    #[error(transparent)]
    Spool(#[from] spool::Error),
}

/// A streamOptimized disk: what is sent and kept, and read only. Reads all of `disk`, whose size is
/// rounded up to 64 KiB.
///
/// # Errors
/// The size of the disk, or the name; the disk cannot be read, or the spool cannot be written.
pub fn stream_optimized(disk: &Layout, options: &Options, spool: &Spool) -> Result<Layout, Error> {
    let sectors = sectors(disk)?.next_multiple_of(GRAIN);
    let descriptor = Descriptor { options, kind: Type::StreamOptimized, sectors }.text()?;
    let (units, grains) = spool.pack(disk, GRAIN_BYTES, &Grains)?;
    let places: Vec<_> = units.into_iter().map(|Unit { number, at, .. }| (number, at / SECTOR)).collect();
    let mut out = Tables::stream(sectors).layout(&descriptor, &places);
    out.append(grains);
    out.push(sparse::end_of_stream());
    Ok(out)
}

/// A monolithicSparse disk: grains that are holes are left out, the others as they are. Nothing is
/// read. The disk's size is rounded up to 64 KiB.
///
/// # Errors
/// The size of the disk, or the name.
pub fn monolithic_sparse(disk: &Layout, options: &Options) -> Result<Layout, Error> {
    let sectors = sectors(disk)?.next_multiple_of(GRAIN);
    let descriptor = Descriptor { options, kind: Type::MonolithicSparse, sectors }.text()?;
    let mut grains = Layout::default();
    let mut places = Vec::new();
    for Run { first, content } in runs::runs(disk, GRAIN * SECTOR) {
        let from = grains.len();
        grains.append(content);
        let sectors = (from..grains.len()).step_by(GRAIN_BYTES).map(|at| at / SECTOR);
        places.extend((first..).zip(sectors));
    }
    let mut out = Tables::twice(sectors).layout(&descriptor, &places);
    out.append(grains);
    Ok(out)
}

/// A disk in two files, which belong in one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flat {
    /// The file that is opened, named as in [`Options::name`].
    pub descriptor: Layout,
    /// The disk.
    pub extent: Layout,
    /// What the disk's file is named: `linuxkit-flat.vmdk`.
    pub extent_name: String,
}

/// A monolithicFlat disk: the disk as it is, and a file that describes it.
///
/// # Errors
/// The size of the disk, or the name.
pub fn monolithic_flat(disk: Layout, options: &Options) -> Result<Flat, Error> {
    let descriptor = Descriptor { options, kind: Type::MonolithicFlat, sectors: sectors(&disk)? };
    let (text, extent_name) = (descriptor.text()?, descriptor.extent_name());
    Ok(Flat { descriptor: text.into(), extent: disk, extent_name })
}

/// The capacity of a sparse disk of `size` bytes: in whole grains.
pub(crate) fn capacity(size: u64) -> u64 {
    size.next_multiple_of(GRAIN * SECTOR)
}

fn sectors(disk: &Layout) -> Result<u64, Error> {
    let size = disk.len();
    if size == 0 || size > LIMIT || !size.is_multiple_of(SECTOR) {
        return Err(Error::Size { size });
    }
    Ok(size / SECTOR)
}
