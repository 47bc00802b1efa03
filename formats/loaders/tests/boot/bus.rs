//! The ways to attach a medium.

/// Devices of QEMU, or Bochs' own.
#[derive(Clone, Copy)]
pub(crate) struct Bus {
    pub(crate) name: &'static str,
    pub(crate) cd: bool,
    /// `-device`, each; the drive is `m`. Bochs has none.
    pub(crate) devices: &'static [&'static str],
    /// The program that has it.
    pub(crate) program: &'static str,
}

pub(crate) const QEMU: &str = "qemu-system-i386";
pub(crate) const BOCHS: &str = "bochs";

const fn cd(name: &'static str, devices: &'static [&'static str]) -> Bus {
    Bus { name, cd: true, devices, program: QEMU }
}

const fn disk(name: &'static str, devices: &'static [&'static str]) -> Bus {
    Bus { name, cd: false, devices, program: QEMU }
}

pub(crate) const IDE_CD: Bus = cd("IDE", &["ide-cd,drive=m,bus=ide.0"]);
pub(crate) const IDE_DISK: Bus = disk("IDE", &["ide-hd,drive=m,bus=ide.0"]);
pub(crate) const BOCHS_CD: Bus = Bus { name: "Bochs", cd: true, devices: &[], program: BOCHS };
pub(crate) const BOCHS_DISK: Bus = Bus { name: "Bochs", cd: false, devices: &[], program: BOCHS };

/// On the board `q35` the built-in controller is AHCI, on `pc` it is IDE.
pub(crate) const CDS: [Bus; 4] = [
    IDE_CD,
    cd("AHCI", &["ahci,id=a", "ide-cd,drive=m,bus=a.0"]),
    cd("virtio-scsi", &["virtio-scsi-pci", "scsi-cd,drive=m"]),
    cd("USB", &["qemu-xhci", "usb-bot,id=u", "scsi-cd,drive=m,bus=u.0"]),
];

pub(crate) const DISKS: [Bus; 12] = [
    IDE_DISK,
    disk("AHCI", &["ahci,id=a", "ide-hd,drive=m,bus=a.0"]),
    disk("virtio-blk", &["virtio-blk-pci,drive=m"]),
    disk("virtio-scsi", &["virtio-scsi-pci", "scsi-hd,drive=m"]),
    disk("USB 3", &["qemu-xhci", "usb-storage,drive=m"]),
    disk("USB 2", &["usb-ehci", "usb-storage,drive=m"]),
    disk("NVMe", &["nvme,serial=1,drive=m"]),
    disk("LSI 53C895A", &["lsi53c895a", "scsi-hd,drive=m"]),
    disk("LSI SAS1068", &["mptsas1068", "scsi-hd,drive=m"]),
    disk("MegaRAID", &["megasas", "scsi-hd,drive=m"]),
    disk("PVSCSI", &["pvscsi", "scsi-hd,drive=m"]),
    disk("SD", &["sdhci-pci", "sd-card,drive=m"]),
];
