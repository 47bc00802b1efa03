//! What VMware is told about a virtual machine.

use crate::boot::Firmware;
use mkimage_formats::ova::{self, Digest};
use mkimage_formats::tree::Time;
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

impl Machine {
    /// What a VMDK called `name` says, whose disk is known by `id`.
    pub(super) fn vmdk(&self, name: String, id: u32) -> vmdk::Options {
        let default = vmdk::Options::new(name, id);
        vmdk::Options {
            adapter: self.adapter,
            hardware_version: self.hardware_version.unwrap_or(default.hardware_version),
            tools_version: self.tools_version.unwrap_or(default.tools_version),
            ..default
        }
    }

    /// What an OVA called `name` says, whose files are of `epoch`.
    pub(super) fn ova(&self, name: &str, firmware: Firmware, epoch: Time) -> ova::Options {
        let firmware = match firmware {
            Firmware::Bios => ova::Firmware::Bios,
            Firmware::Efi | Firmware::Both => ova::Firmware::Efi,
        };
        let default = ova::Options::new(name, firmware);
        ova::Options {
            adapter: self.adapter,
            hardware_version: self.hardware_version.unwrap_or(default.hardware_version),
            guest: self.guest.clone(),
            cpus: self.cpus,
            memory: self.memory,
            digest: self.digest,
            modified: u64::try_from(epoch.seconds).unwrap_or(0),
            ..default
        }
    }
}
