//! The table of boots: which firmware starts what, from where.

use super::device::Bus::{Ahci, Ide, Lsi, Nvme, Usb, VirtioBlk, VirtioScsi};
use super::device::Device::{self, Cd, Disk, Disk4k, Program};
use super::firmware::Firmware::{self, Aavmf, Bochs, Ovmf, SeaBios};
use super::recipe::Format::{
    self, Iso, IsoBios, IsoEfi, IsoEfiInitrd, Raw, RawBios, RawEfi, RawEfi4k, Uki, UkiOnFat,
};
use super::recipe::{Fault, Payload, Recipe};
use std::cmp::Reverse;

/// One boot.
pub(crate) struct Case {
    /// Unique; what a filter is compared with.
    pub(crate) name: String,
    pub(crate) firmware: Firmware,
    pub(crate) memory_mib: u32,
    pub(crate) recipe: Recipe,
    pub(crate) device: Device,
    pub(crate) expect: Expect,
    /// After these seconds the boot has failed.
    pub(crate) limit_seconds: u64,
    /// It takes longer than all that it shows beyond the others is worth every time.
    pub(crate) slow: bool,
}

/// What must be on the serial port.
#[derive(Clone, Copy)]
pub(crate) enum Expect {
    /// The guest's report.
    Guest,
    /// Words of the loader.
    Words(&'static str),
}

/// Boots that differ in where the medium is.
struct Row {
    format: Format,
    firmware: Firmware,
    devices: &'static [Device],
    /// What is peculiar.
    about: &'static str,
    /// 0 for what is usual.
    memory_mib: u32,
    payload: Payload,
    fault: Fault,
    expect: Expect,
    slow: bool,
}

const ROW: Row = Row {
    format: IsoBios,
    firmware: SeaBios,
    devices: &[],
    about: "",
    memory_mib: 0,
    payload: Payload::Small,
    fault: Fault::None,
    expect: Expect::Guest,
    slow: false,
};

const ROWS: &[Row] = &[
    // A BIOS: every format on every bus that its loader may meet.
    Row {
        devices: &[Cd(Ide), Cd(Ahci), Cd(VirtioScsi), Cd(Usb), Disk(Usb), Disk(VirtioBlk), Disk(Ahci)],
        ..ROW
    },
    Row {
        format: Iso,
        devices: &[Cd(Ide), Cd(Ahci), Cd(Usb), Disk(Usb), Disk(VirtioBlk), Disk(Ahci)],
        ..ROW
    },
    Row {
        format: RawBios,
        devices: &[
            Disk(Ide),
            Disk(Ahci),
            Disk(VirtioBlk),
            Disk(VirtioScsi),
            Disk(Usb),
            Disk(Nvme),
            Disk(Lsi),
        ],
        ..ROW
    },
    Row { format: Raw, devices: &[Disk(Ide), Disk(Ahci), Disk(VirtioBlk), Disk(Usb), Disk(Nvme)], ..ROW },
    Row { firmware: Bochs, devices: &[Cd(Ide)], slow: true, ..ROW },
    Row { firmware: Bochs, format: Iso, devices: &[Cd(Ide)], ..ROW },
    Row { firmware: Bochs, format: Iso, devices: &[Disk(Ide)], slow: true, ..ROW },
    Row { firmware: Bochs, format: RawBios, devices: &[Disk(Ide)], ..ROW },
    Row { firmware: Bochs, format: Raw, devices: &[Disk(Ide)], slow: true, ..ROW },
    // UEFI on PCs.
    Row { firmware: Ovmf, format: IsoEfi, devices: &[Cd(Ide), Cd(Ahci), Cd(VirtioScsi), Cd(Usb)], ..ROW },
    Row { firmware: Ovmf, format: IsoEfiInitrd, devices: &[Cd(Ahci), Cd(VirtioScsi)], ..ROW },
    Row {
        firmware: Ovmf,
        format: Iso,
        devices: &[Cd(Ide), Cd(Ahci), Cd(Usb), Disk(Usb), Disk(VirtioBlk)],
        ..ROW
    },
    Row {
        firmware: Ovmf,
        format: RawEfi,
        devices: &[Disk(Ahci), Disk(VirtioBlk), Disk(VirtioScsi), Disk(Usb), Disk(Nvme)],
        ..ROW
    },
    Row {
        firmware: Ovmf,
        format: RawEfi4k,
        devices: &[Disk4k(VirtioBlk), Disk4k(VirtioScsi), Disk4k(Nvme)],
        ..ROW
    },
    Row {
        firmware: Ovmf,
        format: Raw,
        devices: &[Disk(Ahci), Disk(VirtioBlk), Disk(Usb), Disk(Nvme)],
        ..ROW
    },
    Row { firmware: Ovmf, format: Uki, devices: &[Program], ..ROW },
    Row { firmware: Ovmf, format: UkiOnFat, devices: &[Disk(Ahci), Disk(Usb)], ..ROW },
    // UEFI on AArch64.
    Row { firmware: Aavmf, format: IsoEfi, devices: &[Cd(VirtioScsi), Cd(Usb)], ..ROW },
    Row { firmware: Aavmf, format: IsoEfiInitrd, devices: &[Cd(VirtioScsi), Cd(Usb)], ..ROW },
    Row { firmware: Aavmf, format: Iso, devices: &[Cd(VirtioScsi), Disk(Usb)], ..ROW },
    Row { firmware: Aavmf, format: Raw, devices: &[Disk(VirtioBlk), Disk(Nvme)], ..ROW },
    Row { firmware: Aavmf, format: RawEfi, devices: &[Disk(VirtioBlk), Disk(Usb), Disk(Nvme)], ..ROW },
    Row { firmware: Aavmf, format: RawEfi4k, devices: &[Disk4k(VirtioBlk)], ..ROW },
    Row { firmware: Aavmf, format: Uki, devices: &[Program], ..ROW },
    Row { firmware: Aavmf, format: UkiOnFat, devices: &[Disk(VirtioBlk), Disk(Usb)], ..ROW },
    // Memory and length.
    Row { devices: &[Cd(Ide)], about: "96 MiB of memory", memory_mib: 96, ..ROW },
    Row { devices: &[Cd(Ahci)], about: "4 GiB of memory", memory_mib: 4096, ..ROW },
    Row { devices: &[Cd(Ahci)], ..BIG },
    Row { devices: &[Disk(Usb)], slow: true, ..BIG },
    Row { firmware: Ovmf, format: Iso, devices: &[Cd(Ahci)], ..BIG },
    Row { firmware: Ovmf, format: Raw, devices: &[Disk(VirtioBlk)], slow: true, ..BIG },
    // Media with faults.
    Row { devices: &[Cd(Ahci), Disk(Ahci)], ..BAD_READ },
    Row { devices: &[Cd(Ide), Disk(VirtioBlk)], ..TRUNCATED },
    Row {
        devices: &[Cd(Ahci)],
        about: "kernel damaged",
        fault: Fault::Kernel,
        expect: Expect::Words("the kernel on this medium is damaged (checksum)"),
        ..ROW
    },
    Row {
        devices: &[Disk(Usb)],
        about: "initrd damaged",
        fault: Fault::Initrd,
        expect: Expect::Words("the initrd on this medium is damaged (checksum)"),
        ..ROW
    },
    Row { firmware: Ovmf, format: Iso, devices: &[Disk(Usb)], ..BAD_READ },
    // OVMF takes what a CD drive could not read for read, so it is the digest that tells.
    Row { firmware: Ovmf, format: Iso, devices: &[Cd(Ahci)], expect: KERNEL_DAMAGED.expect, ..BAD_READ },
    Row { firmware: Ovmf, format: IsoEfi, devices: &[Cd(Ahci)], ..TRUNCATED },
    Row { firmware: Ovmf, format: Iso, devices: &[Cd(Ahci)], ..KERNEL_DAMAGED },
    Row { firmware: Ovmf, format: Iso, devices: &[Disk(Usb)], ..INITRD_DAMAGED },
    Row { firmware: Ovmf, format: RawEfi, devices: &[Disk(VirtioBlk)], ..KERNEL_DAMAGED },
    Row { firmware: Ovmf, format: RawEfi, devices: &[Disk(Nvme)], ..INITRD_DAMAGED },
    Row { firmware: Aavmf, format: IsoEfi, devices: &[Cd(VirtioScsi)], ..KERNEL_DAMAGED },
    Row { firmware: Aavmf, format: RawEfi, devices: &[Disk(VirtioBlk)], ..INITRD_DAMAGED },
    Row {
        firmware: Ovmf,
        format: RawEfi,
        devices: &[Disk(VirtioBlk)],
        about: "no kernel",
        fault: Fault::NoKernel,
        expect: Expect::Words("the kernel is missing on the boot volume"),
        ..ROW
    },
    Row {
        firmware: Ovmf,
        format: RawEfi,
        devices: &[Disk(VirtioBlk)],
        about: "no initrd",
        fault: Fault::NoInitrd,
        expect: Expect::Words("the initrd is missing on the boot volume"),
        ..ROW
    },
];

const BAD_READ: Row =
    Row { about: "bad read", fault: Fault::BadRead, expect: Expect::Words("cannot read the medium"), ..ROW };

const TRUNCATED: Row = Row {
    about: "truncated",
    fault: Fault::Truncated,
    expect: Expect::Words("cannot read the medium"),
    ..ROW
};

/// The words are the stub's, as those below.
const KERNEL_DAMAGED: Row = Row {
    about: "kernel damaged",
    fault: Fault::Kernel,
    expect: Expect::Words("the kernel on this medium is damaged (SHA-256)"),
    ..ROW
};

const INITRD_DAMAGED: Row = Row {
    about: "initrd damaged",
    fault: Fault::Initrd,
    expect: Expect::Words("the initrd on this medium is damaged (SHA-256)"),
    ..ROW
};

/// An initrd of 600 MiB.
const BIG: Row = Row { about: "600 MiB initrd", payload: Payload::Big, memory_mib: 4096, ..ROW };

/// All of them, the longest first: two run at a time, and none should be left alone at the end.
pub(crate) fn all() -> Vec<Case> {
    let mut all: Vec<Case> =
        ROWS.iter().flat_map(|row| row.devices.iter().map(|device| row.case(*device))).collect();
    all.sort_by_key(|case| Reverse(case.limit_seconds));
    all
}

impl Row {
    fn case(&self, device: Device) -> Case {
        let &Row { format, firmware, about, payload, fault, expect, slow, .. } = self;
        let mut name = format!("{}: {}, {}", format.label(), firmware.name(), device.name());
        if !about.is_empty() {
            name += ", ";
            name += about;
        }
        let usual_mib = if firmware.is_uefi() { 1024 } else { 512 };
        Case {
            name,
            firmware,
            memory_mib: if self.memory_mib == 0 { usual_mib } else { self.memory_mib },
            recipe: Recipe { arch: firmware.arch(), format, payload, fault },
            device,
            expect,
            limit_seconds: firmware.patience() * payload.patience(),
            slow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_case_has_a_name_of_its_own() {
        let all = all();
        assert_eq!(all.iter().map(|case| &case.name).collect::<BTreeSet<_>>().len(), all.len());
    }
}
