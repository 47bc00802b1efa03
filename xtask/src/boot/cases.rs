//! The table of boots: which firmware starts what, from where.

use super::media::Payload;

/// One boot.
pub(crate) struct Case {
    /// Unique; what a filter is compared with.
    pub(crate) name: &'static str,
    pub(crate) firmware: Firmware,
    /// QEMU's machine type.
    pub(crate) machine: &'static str,
    pub(crate) memory_mib: u32,
    pub(crate) payload: Payload,
    pub(crate) fault: Fault,
    pub(crate) device: Device,
    pub(crate) expect: Expect,
    /// After these seconds the boot has failed. A multiple of what it takes on a busy machine.
    pub(crate) limit_seconds: u64,
}

/// What starts the loader.
#[derive(Clone, Copy)]
pub(crate) enum Firmware {
    /// QEMU's BIOS.
    SeaBios,
    /// Bochs and its own BIOS.
    Bochs,
}

impl Firmware {
    /// The emulator.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Firmware::SeaBios => "qemu-system-x86_64",
            Firmware::Bochs => "bochs",
        }
    }
}

/// Where the medium is.
#[derive(Clone, Copy)]
pub(crate) enum Device {
    CdIde,
    CdAhci,
    CdVirtioScsi,
    DiskUsb,
    DiskVirtio,
    DiskAhci,
}

impl Device {
    /// Sectors of 2048 bytes, El Torito.
    pub(crate) fn is_cd(self) -> bool {
        matches!(self, Device::CdIde | Device::CdAhci | Device::CdVirtioScsi)
    }
}

/// What is wrong with the medium.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// A sector of the kernel cannot be read.
    BadRead,
    /// The image ends inside the kernel.
    Truncated,
    /// A bit of the kernel is not what it was.
    Kernel,
    /// A bit of the initrd is not what it was.
    Initrd,
}

/// What must be on the serial port.
#[derive(Clone, Copy)]
pub(crate) enum Expect {
    /// The guest's report.
    Guest,
    /// Words of the loader.
    Words(&'static str),
}

const BASE: Case = Case {
    name: "",
    firmware: Firmware::SeaBios,
    machine: "q35",
    memory_mib: 512,
    payload: Payload::Small,
    fault: Fault::None,
    device: Device::CdAhci,
    expect: Expect::Guest,
    limit_seconds: 90,
};

/// All of them, the longest first: two run at a time, and none should be left alone at the end.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "iso-bios: Bochs, CD",
        firmware: Firmware::Bochs,
        memory_mib: 256,
        limit_seconds: 240,
        ..BASE
    },
    Case {
        name: "iso-bios: 600 MiB initrd, CD, AHCI",
        payload: Payload::Big,
        memory_mib: 4096,
        limit_seconds: 240,
        ..BASE
    },
    Case {
        name: "iso-bios: 600 MiB initrd, disk, USB xhci",
        payload: Payload::Big,
        memory_mib: 4096,
        device: Device::DiskUsb,
        limit_seconds: 240,
        ..BASE
    },
    Case { name: "iso-bios: CD, IDE", machine: "pc", device: Device::CdIde, ..BASE },
    Case { name: "iso-bios: CD, AHCI", ..BASE },
    Case { name: "iso-bios: CD, virtio-scsi", device: Device::CdVirtioScsi, ..BASE },
    Case { name: "iso-bios: disk, USB xhci", device: Device::DiskUsb, ..BASE },
    Case { name: "iso-bios: disk, virtio-blk", machine: "pc", device: Device::DiskVirtio, ..BASE },
    Case { name: "iso-bios: disk, AHCI", device: Device::DiskAhci, ..BASE },
    Case { name: "iso-bios: 96 MiB of memory", machine: "pc", device: Device::CdIde, memory_mib: 96, ..BASE },
    Case { name: "iso-bios: 4 GiB of memory", memory_mib: 4096, ..BASE },
    Case {
        name: "iso-bios: bad read, CD",
        fault: Fault::BadRead,
        expect: Expect::Words("cannot read the medium"),
        ..BASE
    },
    Case {
        name: "iso-bios: bad read, disk",
        fault: Fault::BadRead,
        device: Device::DiskAhci,
        expect: Expect::Words("cannot read the medium"),
        ..BASE
    },
    Case {
        name: "iso-bios: truncated, CD",
        machine: "pc",
        device: Device::CdIde,
        fault: Fault::Truncated,
        expect: Expect::Words("cannot read the medium"),
        ..BASE
    },
    Case {
        name: "iso-bios: truncated, disk",
        device: Device::DiskVirtio,
        fault: Fault::Truncated,
        expect: Expect::Words("cannot read the medium"),
        ..BASE
    },
    Case {
        name: "iso-bios: wrong CRC of the kernel, CD",
        fault: Fault::Kernel,
        expect: Expect::Words("the kernel on this medium is damaged (checksum)"),
        ..BASE
    },
    Case {
        name: "iso-bios: wrong CRC of the initrd, disk",
        device: Device::DiskUsb,
        fault: Fault::Initrd,
        expect: Expect::Words("the initrd on this medium is damaged (checksum)"),
        ..BASE
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_case_has_a_name_of_its_own() {
        assert_eq!(CASES.iter().map(|case| case.name).collect::<BTreeSet<_>>().len(), CASES.len());
    }
}
