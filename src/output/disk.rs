//! Disks as virtual machines and clouds take them.

use super::machine::OvaMedium;
use super::{Body, Error, Options, Product};
use crate::boot::{self, Firmware, Payload};
use mkimage_formats::gpt::Guid;
use mkimage_formats::ova::{self, Medium, MediumKind};
use mkimage_formats::sector::SectorSize;
use mkimage_formats::spool::Spool;
use mkimage_formats::{Layout, gce, qcow2, vhd, vhdx, vmdk};

/// What a disk is wrapped into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    /// Nothing.
    Raw,
    Qcow2,
    Vmdk,
    Vhd,
    DynamicVhd,
    Vhdx,
    /// An archive for Google Compute Engine.
    Gcp,
    /// A whole machine for VMware.
    Ova,
}

/// How qcow2 clusters are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qcow2Compression {
    /// As QEMU has always read it.
    Zlib,
    /// QEMU 5.1 and later.
    Zstd,
}

/// Which of VMware's disks a VMDK is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VmdkKind {
    /// Compressed: what ESXi and Content Libraries import.
    #[default]
    StreamOptimized,
    /// One file with room for what is written later, for Workstation, Fusion and QEMU.
    MonolithicSparse,
    /// A descriptor, and the disk as it is in a second file.
    MonolithicFlat,
}

/// Disks in clouds are whole ones of these.
const GIB: u64 = 1 << 30;

/// A disk to be wrapped.
pub(super) struct Disk<'a> {
    pub(super) payload: &'a Payload,
    pub(super) firmware: Firmware,
    /// Its size is a whole number of GiB, unless one was asked for.
    pub(super) whole_gib: bool,
    /// The format's name.
    pub(super) format: &'static str,
    /// What the outputs are called.
    pub(super) name: &'a str,
    /// What the file's name ends with.
    pub(super) suffix: String,
    pub(super) options: &'a Options,
}

impl Disk<'_> {
    /// The files of `container`.
    pub(super) fn products(self, container: Container) -> Result<Vec<Product<'static>>, Error> {
        if container == Container::Ova && self.options.machine.medium == OvaMedium::Cdrom {
            return Ok(vec![Product { body: Body::Layout(self.ova_with_cdrom()?), suffix: self.suffix }]);
        }
        let counts_512 =
            matches!(container, Container::Vmdk | Container::Ova | Container::Vhd | Container::DynamicVhd);
        if counts_512 && self.options.boot.sector_size != SectorSize::B512 {
            return Err(Error::Sectors { format: self.format });
        }
        let disk = self.disk(container)?;
        let epoch = self.options.boot.epoch;
        let body = match container {
            Container::Raw => Body::Layout(disk),
            Container::Qcow2 => Body::Layout(self.qcow2(&disk)?),
            Container::Vmdk => return self.vmdk(disk),
            Container::Vhd => Body::Layout(vhd::fixed(disk, &vhd::Options { id: self.id("vhd")?, epoch })?),
            Container::DynamicVhd => {
                Body::Layout(vhd::dynamic(&disk, &vhd::Options { id: self.id("vhd")?, epoch })?)
            }
            Container::Vhdx => {
                let sector_size = self.options.boot.sector_size;
                Body::Layout(vhdx::layout(&disk, &vhdx::Options { id: self.id("vhdx")?, sector_size })?)
            }
            Container::Gcp => Body::Gzip(gce::archive(&disk, epoch)?),
            Container::Ova => Body::Layout(self.ova_with_disk(&disk)?),
        };
        Ok(vec![Product { suffix: self.suffix, body }])
    }

    fn disk(&self, container: Container) -> Result<Layout, Error> {
        let disk = boot::disk(self.payload, self.firmware, &self.options.boot)?;
        let size = match container {
            _ if self.options.boot.size.is_some() => return Ok(disk),
            _ if self.whole_gib => disk.len().next_multiple_of(GIB),
            Container::Vhd => disk.len().max(vhd::AZURE_MIN),
            _ => return Ok(disk),
        };
        let options = boot::Options { size: Some(size), ..self.options.boot.clone() };
        Ok(boot::disk(self.payload, self.firmware, &options)?)
    }

    fn id(&self, of: &str) -> Result<Guid, Error> {
        Ok(Guid::derived(&self.payload.seed()?, of))
    }

    pub(super) fn spool(&self) -> Result<Spool, Error> {
        self.options.spool(self.format)
    }

    fn qcow2(&self, disk: &Layout) -> Result<Layout, Error> {
        let options = qcow2::Options { cluster_size: self.options.qcow2_cluster_size };
        Ok(match self.options.qcow2 {
            None => qcow2::layout(disk, &options)?,
            Some(Qcow2Compression::Zlib) => {
                qcow2::compressed(disk, &options, qcow2::Compression::Zlib, &self.spool()?)?
            }
            Some(Qcow2Compression::Zstd) => {
                qcow2::compressed(disk, &options, qcow2::Compression::Zstd, &self.spool()?)?
            }
        })
    }

    fn vmdk_options(&self, name: String) -> Result<vmdk::Options, Error> {
        Ok(self.options.machine.vmdk(name, self.payload.signature()?))
    }

    /// A machine with the disk.
    fn ova_with_disk(&self, disk: &Layout) -> Result<Layout, Error> {
        let name = format!("{}-disk1.vmdk", ova::stem(self.name));
        let file = vmdk::stream_optimized(disk, &self.vmdk_options(name.clone())?, &self.spool()?)?;
        self.ova(Medium { name, file, kind: MediumKind::Disk { size: disk.len() } })
    }

    /// A machine with the ISO.
    fn ova_with_cdrom(&self) -> Result<Layout, Error> {
        let file = boot::iso(self.payload, None, None, Firmware::Both, &self.options.boot)?;
        self.ova(Medium { name: format!("{}.iso", ova::stem(self.name)), file, kind: MediumKind::Cdrom })
    }

    fn ova(&self, medium: Medium) -> Result<Layout, Error> {
        let options = self.options.machine.ova(self.name, self.firmware, self.options.boot.epoch);
        Ok(ova::layout(vec![medium], &options)?)
    }

    fn vmdk(self, disk: Layout) -> Result<Vec<Product<'static>>, Error> {
        let options = self.vmdk_options(format!("{}{}", self.name, self.suffix))?;
        let one = |suffix, layout| vec![Product { suffix, body: Body::Layout(layout) }];
        Ok(match self.options.vmdk {
            VmdkKind::StreamOptimized => {
                let layout = vmdk::stream_optimized(&disk, &options, &self.spool()?)?;
                one(self.suffix, layout)
            }
            VmdkKind::MonolithicSparse => one(self.suffix, vmdk::monolithic_sparse(&disk, &options)?),
            VmdkKind::MonolithicFlat => {
                let flat = vmdk::monolithic_flat(disk, &options)?;
                let extent = flat.extent_name.strip_prefix(self.name).unwrap_or("-flat.vmdk").to_owned();
                let mut files = one(self.suffix, flat.descriptor);
                files.extend(one(extent, flat.extent));
                files
            }
        })
    }
}
