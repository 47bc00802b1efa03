//! What VMware is told about a virtual machine, and the archives that hold one.

use super::Error;
use super::disk::Disk;
use crate::boot::{self, Firmware};
use mkimage_formats::Layout;
use mkimage_formats::ova::{self, Digest, Medium, MediumKind};
use mkimage_formats::vmdk::{self, Adapter};

/// A virtual machine of VMware's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// What an OVA has.
    pub medium: OvaMedium,
    /// What the disk is attached to.
    pub adapter: Adapter,
    /// The virtual hardware's version; none for what most hosts take, which differs for disks and
    /// machines.
    pub hardware_version: Option<u32>,
    /// The version of VMware's tools in the guest; none for those that the distribution updates.
    pub tools_version: Option<u32>,
    /// The guest, in VMware's terms.
    pub guest: String,
    /// Virtual CPUs.
    pub cpus: u32,
    /// MiB.
    pub memory: u32,
    /// How the files in an OVA are summed.
    pub digest: Digest,
}

impl Default for Machine {
    fn default() -> Self {
        let ova::Options { cpus, memory, adapter, guest, digest, .. } =
            ova::Options::new("", ova::Firmware::Efi);
        let medium = OvaMedium::default();
        Machine { medium, adapter, hardware_version: None, tools_version: None, guest, cpus, memory, digest }
    }
}

/// What an OVA's machine boots from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OvaMedium {
    /// A disk.
    #[default]
    Disk,
    /// The ISO, as a CD.
    Cdrom,
}

impl Disk<'_> {
    /// What a VMDK called `name` says.
    pub(super) fn vmdk_options(&self, name: String) -> Result<vmdk::Options, Error> {
        let Machine { adapter, hardware_version, tools_version, .. } = self.options.machine;
        let default = vmdk::Options::new(name, self.payload.signature()?);
        Ok(vmdk::Options {
            adapter,
            hardware_version: hardware_version.unwrap_or(default.hardware_version),
            tools_version: tools_version.unwrap_or(default.tools_version),
            ..default
        })
    }

    /// A machine with the disk.
    pub(super) fn ova_with_disk(&self, disk: &Layout) -> Result<Layout, Error> {
        let name = format!("{}-disk1.vmdk", ova::stem(self.name));
        let file = vmdk::stream_optimized(disk, &self.vmdk_options(name.clone())?, &self.spool()?)?;
        self.ova(Medium { name, file, kind: MediumKind::Disk { size: disk.len() } })
    }

    /// A machine with the ISO.
    pub(super) fn ova_with_cdrom(&self) -> Result<Layout, Error> {
        let file = boot::iso(self.payload, None, None, Firmware::Both, &self.options.boot)?;
        self.ova(Medium { name: format!("{}.iso", ova::stem(self.name)), file, kind: MediumKind::Cdrom })
    }

    fn ova(&self, medium: Medium) -> Result<Layout, Error> {
        let Machine { adapter, hardware_version, guest, cpus, memory, digest, .. } = &self.options.machine;
        let firmware = match self.firmware {
            Firmware::Bios => ova::Firmware::Bios,
            Firmware::Efi | Firmware::Both => ova::Firmware::Efi,
        };
        let default = ova::Options::new(self.name, firmware);
        let options = ova::Options {
            adapter: *adapter,
            hardware_version: hardware_version.unwrap_or(default.hardware_version),
            guest: guest.clone(),
            cpus: *cpus,
            memory: *memory,
            digest: *digest,
            modified: u64::try_from(self.options.boot.epoch.seconds).unwrap_or(0),
            ..default
        };
        Ok(ova::layout(vec![medium], &options)?)
    }
}
