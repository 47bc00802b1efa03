//! Where the medium is in the machine.

use super::fault::Drive;
use super::media::Medium;
use crate::debian::Arch;
use std::process::Command;

/// How the machine has the medium.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Device {
    /// A CD: sectors of 2048 bytes, El Torito.
    Cd(Bus),
    /// A disk, of sectors of 512 bytes.
    Disk(Bus),
    /// A disk of sectors of 4096 bytes.
    Disk4k(Bus),
    /// No medium: the firmware is handed the file as a program, as by a network.
    Program,
}

/// What a drive is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bus {
    Ide,
    Ahci,
    VirtioScsi,
    VirtioBlk,
    Usb,
    Nvme,
    /// LSI 53C895A, parallel SCSI.
    Lsi,
}

impl Bus {
    fn name(self) -> &'static str {
        match self {
            Bus::Ide => "IDE",
            Bus::Ahci => "AHCI",
            Bus::VirtioScsi => "virtio-scsi",
            Bus::VirtioBlk => "virtio-blk",
            Bus::Usb => "USB",
            Bus::Nvme => "NVMe",
            Bus::Lsi => "SCSI",
        }
    }

    /// QEMU's devices up to the bus, then those for a CD and a disk on it.
    fn devices(self) -> (&'static [&'static str], &'static str, &'static str) {
        match self {
            Bus::Ide => (&[], "ide-cd,bus=ide.0", "ide-hd,bus=ide.0"),
            Bus::Ahci => (&["ahci,id=ahci"], "ide-cd,bus=ahci.0", "ide-hd,bus=ahci.0"),
            Bus::VirtioScsi => (&["virtio-scsi-pci"], "scsi-cd", "scsi-hd"),
            Bus::VirtioBlk => (&[], "virtio-blk-pci", "virtio-blk-pci"),
            Bus::Usb => (&["qemu-xhci", "usb-bot,id=bot"], "scsi-cd,bus=bot.0", "scsi-hd,bus=bot.0"),
            Bus::Nvme => (&[], "nvme,serial=1", "nvme,serial=1"),
            Bus::Lsi => (&["lsi53c895a"], "scsi-cd", "scsi-hd"),
        }
    }
}

impl Device {
    /// What it is called in the name of a case.
    pub(crate) fn name(self) -> String {
        match self {
            Device::Cd(bus) => format!("CD on {}", bus.name()),
            Device::Disk(bus) => format!("disk on {}", bus.name()),
            Device::Disk4k(bus) => format!("4Kn disk on {}", bus.name()),
            Device::Program => "handed over".to_owned(),
        }
    }

    /// QEMU's machine type for it. Of the two PCs only the older one has IDE.
    pub(crate) fn machine(self, arch: Arch) -> &'static str {
        match (arch, self) {
            (Arch::Arm64, _) => "virt",
            (Arch::Amd64, Device::Cd(Bus::Ide) | Device::Disk(Bus::Ide | Bus::VirtioBlk)) => "pc",
            (Arch::Amd64, _) => "q35",
        }
    }

    /// Gives QEMU the medium.
    pub(crate) fn attach(self, command: &mut Command, medium: &Medium) {
        let (bus, kind, sectors) = match self {
            Device::Cd(bus) => (bus, ",media=cdrom,readonly=on", ""),
            Device::Disk(bus) => (bus, ",snapshot=on", ""),
            Device::Disk4k(bus) => (bus, ",snapshot=on", ",logical_block_size=4096,physical_block_size=4096"),
            Device::Program => {
                command.arg("-kernel").arg(&medium.path);
                return;
            }
        };
        let file = medium.path.display().to_string().replace(',', ",,");
        let file = match medium.drive {
            Drive::Good => format!(",file={file}"),
            Drive::Slow => format!(",file={file},throttling.bps-read=65000"),
            Drive::Unreadable(at) => format!(
                ",file.driver=blkdebug,file.image.driver=file,file.image.filename={file}\
                 ,file.inject-error.0.event=none,file.inject-error.0.iotype=read,file.inject-error.0.errno=5\
                 ,file.inject-error.0.once=off,file.inject-error.0.sector={},rerror=report",
                at / 512
            ),
        };
        command.arg("-drive").arg(format!("if=none,id=medium,format={}{kind}{file}", medium.driver));
        let (controllers, cd, disk) = bus.devices();
        for controller in controllers {
            command.args(["-device", controller]);
        }
        let device = if matches!(self, Device::Cd(_)) { cd } else { disk };
        command.arg("-device").arg(format!("{device},drive=medium,bootindex=0{sectors}"));
    }
}
