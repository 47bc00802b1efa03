//! Which options count in which format.

use super::{Boots, Carries, Format, Recipe, RootImage};
use crate::boot::Firmware;
use crate::output::disk::Container;
use crate::output::{Options, OvaMedium};

/// What an option is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// What ISOs carry.
    Payload,
    /// How the initrd is made.
    Initrd,
    /// What a BIOS starts.
    Bios,
    /// What a UEFI starts, and the table that it reads.
    Efi,
    /// How an ISO is a disk.
    Hybrid,
    /// A disk's size and sectors.
    Disk,
    /// What a disk boots from.
    Firmware,
    /// The name of a volume.
    Volume,
    Squashfs,
    Uki,
    Rpi,
    Qcow2,
    Vmdk,
    /// What VMware is told.
    Machine,
    Ova,
}

impl Format {
    /// What options about `topic` say counts in it.
    pub(crate) fn uses(&self, topic: Topic, options: &Options) -> bool {
        let (iso, disk, container) = match self.recipe {
            Recipe::Iso(firmware) => (Some(firmware), None, None),
            Recipe::Disk { container: Container::Ova, .. } if options.machine.medium == OvaMedium::Cdrom => {
                (Some(Firmware::Both), None, Some(Container::Ova))
            }
            Recipe::Disk { boots, container, .. } => (None, Some(boots.firmware(options)), Some(container)),
            _ => (None, None, None),
        };
        let is = |recipe| self.recipe == recipe;
        let firmware = iso.or(disk);
        match topic {
            Topic::Payload => self.carries == Carries::Payload,
            Topic::Initrd => self.needs_initrd(options.payload),
            Topic::Bios => firmware.is_some_and(|firmware| firmware != Firmware::Efi),
            Topic::Efi => firmware.is_some_and(|firmware| firmware != Firmware::Bios),
            Topic::Hybrid => iso.is_some_and(|firmware| firmware != Firmware::Bios),
            Topic::Disk => disk.is_some() || is(Recipe::RpiCard),
            Topic::Firmware => matches!(self.recipe, Recipe::Disk { boots: Boots::Usually(_), .. }),
            Topic::Volume => {
                let root = is(Recipe::Root(RootImage::Erofs)) || is(Recipe::Root(RootImage::Iso));
                firmware.is_some() || is(Recipe::RpiCard) || root
            }
            Topic::Squashfs => is(Recipe::Root(RootImage::Squashfs)),
            Topic::Uki => is(Recipe::Uki),
            Topic::Rpi => is(Recipe::RpiCard) || is(Recipe::RpiFiles),
            Topic::Qcow2 => container == Some(Container::Qcow2),
            Topic::Vmdk => container == Some(Container::Vmdk),
            Topic::Machine => matches!(container, Some(Container::Vmdk | Container::Ova)),
            Topic::Ova => container == Some(Container::Ova),
        }
    }
}
