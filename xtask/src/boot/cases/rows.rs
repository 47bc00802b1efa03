//! The rows of the table.

use super::{Expect, ROW, Row};
use crate::boot::device::Bus::{Ahci, Ide, Lsi, Nvme, Usb, VirtioBlk, VirtioScsi};
use crate::boot::device::Device::{Cd, Disk, Disk4k, Program};
use crate::boot::firmware::Firmware::{Aavmf, Bochs, Ovmf, OvmfMicrosoft, OvmfSecure, OvmfTpm, UBoot};
use crate::boot::format::{
    AWS, DYNAMIC_VHD, GCP, ISO, ISO_EFI, ISO_EFI_GRUB, ISO_EFI_INITRD, ISO_EFI_SHIM, ISO_EFI_SYSTEMD_BOOT,
    ISO_TWO, OVA, QCOW2_BIOS, QCOW2_BIOS_ZLIB, QCOW2_BIOS_ZSTD, QCOW2_EFI, QCOW2_EFI_ZLIB, QCOW2_EFI_ZSTD,
    RAW, RAW_BIOS, RAW_EFI, RAW_EFI_4K, RAW_EFI_GRUB, RAW_EFI_SHIM, RAW_EFI_SIGNED, RAW_EFI_SYSTEMD_BOOT,
    UKI, UKI_ON_FAT, UKI_SYSTEMD, VHD, VHDX, VMDK, VMDK_FLAT, VMDK_SPARSE,
};
use crate::boot::guest::{self, Payload};
use crate::boot::recipe::Fault;
use crate::boot::tpm;

pub(super) const ROWS: &[Row] = &[
    // A BIOS: every format on every bus that its loader may meet.
    Row {
        devices: &[Cd(Ide), Cd(Ahci), Cd(VirtioScsi), Cd(Usb), Disk(Usb), Disk(VirtioBlk), Disk(Ahci)],
        ..ROW
    },
    Row {
        format: ISO,
        devices: &[Cd(Ide), Cd(Ahci), Cd(Usb), Disk(Usb), Disk(VirtioBlk), Disk(Ahci)],
        ..ROW
    },
    Row {
        format: RAW_BIOS,
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
    Row { format: RAW, devices: &[Disk(Ide), Disk(Ahci), Disk(VirtioBlk), Disk(Usb), Disk(Nvme)], ..ROW },
    Row { firmware: Bochs, devices: &[Cd(Ide)], slow: true, ..ROW },
    Row { firmware: Bochs, format: ISO, devices: &[Cd(Ide)], ..ROW },
    Row { firmware: Bochs, format: ISO, devices: &[Disk(Ide)], slow: true, ..ROW },
    Row { firmware: Bochs, format: RAW_BIOS, devices: &[Disk(Ide)], ..ROW },
    Row { firmware: Bochs, format: RAW, devices: &[Disk(Ide)], slow: true, ..ROW },
    // UEFI on PCs.
    Row { firmware: Ovmf, format: ISO_EFI, devices: &[Cd(Ide), Cd(Ahci), Cd(VirtioScsi), Cd(Usb)], ..ROW },
    Row { firmware: Ovmf, format: ISO_EFI_INITRD, devices: &[Cd(Ahci), Cd(VirtioScsi)], ..ROW },
    Row {
        firmware: Ovmf,
        format: ISO,
        devices: &[Cd(Ide), Cd(Ahci), Cd(Usb), Disk(Usb), Disk(VirtioBlk)],
        ..ROW
    },
    Row {
        firmware: Ovmf,
        format: RAW_EFI,
        devices: &[Disk(Ahci), Disk(VirtioBlk), Disk(VirtioScsi), Disk(Usb), Disk(Nvme)],
        ..ROW
    },
    Row {
        firmware: Ovmf,
        format: RAW_EFI_4K,
        devices: &[Disk4k(VirtioBlk), Disk4k(VirtioScsi), Disk4k(Nvme)],
        ..ROW
    },
    Row {
        firmware: Ovmf,
        format: RAW,
        devices: &[Disk(Ahci), Disk(VirtioBlk), Disk(Usb), Disk(Nvme)],
        ..ROW
    },
    Row { firmware: Ovmf, format: UKI, devices: &[Program], ..ROW },
    Row { firmware: Ovmf, format: UKI_ON_FAT, devices: &[Disk(Ahci), Disk(Usb)], ..ROW },
    // UEFI on AArch64.
    Row { firmware: Aavmf, format: ISO_EFI, devices: &[Cd(VirtioScsi), Cd(Usb)], ..ROW },
    Row { firmware: Aavmf, format: ISO_EFI_INITRD, devices: &[Cd(VirtioScsi), Cd(Usb)], ..ROW },
    Row { firmware: Aavmf, format: ISO, devices: &[Cd(VirtioScsi), Disk(Usb)], ..ROW },
    Row { firmware: Aavmf, format: RAW, devices: &[Disk(VirtioBlk), Disk(Nvme)], ..ROW },
    Row { firmware: Aavmf, format: RAW_EFI, devices: &[Disk(VirtioBlk), Disk(Usb), Disk(Nvme)], ..ROW },
    Row { firmware: Aavmf, format: RAW_EFI_4K, devices: &[Disk4k(VirtioBlk)], ..ROW },
    Row { firmware: Aavmf, format: UKI, devices: &[Program], ..ROW },
    Row { firmware: Aavmf, format: UKI_ON_FAT, devices: &[Disk(VirtioBlk), Disk(Usb)], ..ROW },
    // A UEFI that reads whole blocks only, so that the stub has to.
    Row { firmware: UBoot, format: ISO_EFI, devices: &[Disk(VirtioBlk), Disk(Nvme)], ..ROW },
    Row { firmware: UBoot, format: ISO, devices: &[Disk(Ahci)], slow: true, ..ROW },
    Row { firmware: UBoot, format: RAW_EFI, devices: &[Disk(VirtioBlk), Disk(Ahci)], ..ROW },
    Row { firmware: UBoot, format: RAW, devices: &[Disk(Nvme)], slow: true, ..ROW },
    Row { firmware: UBoot, format: UKI_ON_FAT, devices: &[Disk(VirtioBlk)], slow: true, ..ROW },
    // It keeps to the five minutes that UEFI gives a program, by a clock that keeps time.
    Row {
        firmware: UBoot,
        format: ISO_EFI,
        devices: &[Disk(VirtioBlk)],
        about: "slow",
        fault: Fault::Slow,
        slow: true,
        ..ROW
    },
    // A TPM. That systemd's own stub comes to what is predicted shows that the prediction is right.
    Row { format: UKI, expect: Expect::Measured(tpm::BY_MKIMAGE), ..TPM },
    Row { format: RAW_EFI, devices: &[Disk(Ahci)], expect: Expect::Measured(tpm::BY_MKIMAGE), ..TPM },
    Row { format: UKI_SYSTEMD, expect: Expect::Measured(tpm::BY_SYSTEMD_252), ..TPM },
    // Secure Boot. Who signed the loader did not sign the kernel.
    Row { firmware: OvmfSecure, format: RAW_EFI_SIGNED, devices: &[Disk(Ahci)], ..ROW },
    Row { firmware: OvmfSecure, format: RAW_EFI_SIGNED, devices: &[Disk(Ahci)], ..INITRD_DAMAGED },
    Row {
        firmware: OvmfSecure,
        format: RAW_EFI,
        devices: &[Disk(Ahci)],
        about: "not signed",
        expect: Expect::Words("Access Denied"),
        ..ROW
    },
    // One image for both architectures.
    Row { format: ISO_TWO, devices: &[Cd(Ide), Disk(Usb)], slow: true, ..ROW },
    Row { firmware: Ovmf, format: ISO_TWO, devices: &[Cd(Ahci)], ..ROW },
    Row { firmware: Ovmf, format: ISO_TWO, devices: &[Disk(Usb)], slow: true, ..ROW },
    Row { firmware: Aavmf, format: ISO_TWO, devices: &[Cd(VirtioScsi)], ..ROW },
    Row { firmware: Aavmf, format: ISO_TWO, devices: &[Disk(Usb)], slow: true, ..ROW },
    // Other people's loaders.
    Row { format: RAW_EFI_SYSTEMD_BOOT, devices: &[Disk(Ahci)], ..SYSTEMD_BOOT },
    Row { format: ISO_EFI_SYSTEMD_BOOT, devices: &[Cd(Ahci)], slow: true, ..SYSTEMD_BOOT },
    Row { format: RAW_EFI_GRUB, devices: &[Disk(VirtioBlk)], slow: true, ..GRUB },
    Row { format: ISO_EFI_GRUB, devices: &[Cd(VirtioScsi), Disk(Usb)], slow: true, ..GRUB },
    Row { format: RAW_EFI_SHIM, devices: &[Disk(Ahci)], slow: true, ..GRUB },
    Row { format: ISO_EFI_SHIM, devices: &[Cd(Ahci)], slow: true, ..GRUB },
    // The whole chain is signed: shim, GRUB and the distribution's kernel.
    Row { firmware: OvmfMicrosoft, format: ISO_EFI_SHIM, devices: &[Cd(Ahci)], ..GRUB },
    Row { firmware: OvmfMicrosoft, format: RAW_EFI_SHIM, devices: &[Disk(Ahci)], slow: true, ..GRUB },
    Row {
        firmware: OvmfMicrosoft,
        format: RAW_EFI,
        devices: &[Disk(Ahci)],
        about: "not signed",
        expect: Expect::Words("Access Denied"),
        slow: true,
        ..ROW
    },
    // Disks of virtual machines and clouds, from the files themselves. The buses are those of the
    // machines that they are for, as far as QEMU and the firmware have them.
    Row { format: VMDK, devices: &[Disk(Lsi)], ..ROW },
    Row { format: VMDK_SPARSE, devices: &[Disk(Ide)], ..ROW },
    Row { format: VMDK_FLAT, devices: &[Disk(Ahci)], ..ROW },
    Row { format: OVA, devices: &[Disk(Lsi)], slow: true, ..ROW },
    Row { format: VHD, devices: &[Disk(Ide)], ..ROW },
    Row { format: DYNAMIC_VHD, devices: &[Disk(Ide)], ..ROW },
    Row { format: VHDX, devices: &[Disk(VirtioScsi)], slow: true, ..ROW },
    Row { format: QCOW2_BIOS, devices: &[Disk(VirtioBlk)], slow: true, ..ROW },
    Row { format: QCOW2_BIOS_ZLIB, devices: &[Disk(VirtioScsi)], slow: true, ..ROW },
    Row { format: QCOW2_BIOS_ZSTD, devices: &[Disk(Ahci)], ..ROW },
    Row { format: AWS, devices: &[Disk(Nvme)], slow: true, ..ROW },
    Row { format: GCP, devices: &[Disk(VirtioScsi)], slow: true, ..ROW },
    Row { firmware: Ovmf, format: VMDK, devices: &[Disk(Ahci)], slow: true, ..ROW },
    Row { firmware: Ovmf, format: VMDK_SPARSE, devices: &[Disk(Ahci)], slow: true, ..ROW },
    Row { firmware: Ovmf, format: VMDK_FLAT, devices: &[Disk(Nvme)], slow: true, ..ROW },
    Row { firmware: Ovmf, format: OVA, devices: &[Disk(Ahci)], slow: true, ..ROW },
    Row { firmware: Ovmf, format: VHD, devices: &[Disk(Ahci)], slow: true, ..ROW },
    Row { firmware: Ovmf, format: DYNAMIC_VHD, devices: &[Disk(Ahci)], slow: true, ..ROW },
    Row { firmware: Ovmf, format: VHDX, devices: &[Disk(VirtioScsi)], ..ROW },
    Row { firmware: Ovmf, format: QCOW2_EFI, devices: &[Disk(VirtioBlk)], slow: true, ..ROW },
    Row { firmware: Ovmf, format: QCOW2_EFI_ZLIB, devices: &[Disk(VirtioScsi)], ..ROW },
    Row { firmware: Ovmf, format: QCOW2_EFI_ZSTD, devices: &[Disk(VirtioBlk)], slow: true, ..ROW },
    Row { firmware: Ovmf, format: AWS, devices: &[Disk(Nvme)], slow: true, ..ROW },
    Row { firmware: Ovmf, format: GCP, devices: &[Disk(VirtioScsi)], slow: true, ..ROW },
    // Memory and length.
    Row { devices: &[Cd(Ide)], about: "96 MiB of memory", memory_mib: 96, ..ROW },
    Row { devices: &[Cd(Ahci)], about: "4 GiB of memory", memory_mib: 4096, ..ROW },
    Row { devices: &[Cd(Ahci)], ..BIG },
    Row { devices: &[Disk(Usb)], slow: true, ..BIG },
    Row { firmware: Ovmf, format: ISO, devices: &[Cd(Ahci)], ..BIG },
    Row { firmware: Ovmf, format: RAW, devices: &[Disk(VirtioBlk)], slow: true, ..BIG },
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
    Row { firmware: Ovmf, format: ISO, devices: &[Disk(Usb)], ..BAD_READ },
    // OVMF takes what a CD drive could not read for read, so it is the digest that tells.
    Row { firmware: Ovmf, format: ISO, devices: &[Cd(Ahci)], expect: KERNEL_DAMAGED.expect, ..BAD_READ },
    Row { firmware: Ovmf, format: ISO_EFI, devices: &[Cd(Ahci)], ..TRUNCATED },
    Row { firmware: Ovmf, format: ISO, devices: &[Cd(Ahci)], ..KERNEL_DAMAGED },
    Row { firmware: Ovmf, format: ISO, devices: &[Disk(Usb)], ..INITRD_DAMAGED },
    Row { firmware: Ovmf, format: RAW_EFI, devices: &[Disk(VirtioBlk)], ..KERNEL_DAMAGED },
    Row { firmware: Ovmf, format: RAW_EFI, devices: &[Disk(Nvme)], ..INITRD_DAMAGED },
    Row { firmware: Aavmf, format: ISO_EFI, devices: &[Cd(VirtioScsi)], ..KERNEL_DAMAGED },
    Row { firmware: UBoot, format: ISO_EFI, devices: &[Disk(VirtioBlk)], ..INITRD_DAMAGED },
    Row { firmware: Aavmf, format: RAW_EFI, devices: &[Disk(VirtioBlk)], ..INITRD_DAMAGED },
    Row {
        firmware: Ovmf,
        format: RAW_EFI,
        devices: &[Disk(VirtioBlk)],
        about: "no kernel",
        fault: Fault::NoKernel,
        expect: Expect::Words("the kernel is missing on the boot volume"),
        ..ROW
    },
    Row {
        firmware: Ovmf,
        format: RAW_EFI,
        devices: &[Disk(VirtioBlk)],
        about: "no initrd",
        fault: Fault::NoInitrd,
        expect: Expect::Words("the initrd is missing on the boot volume"),
        ..ROW
    },
];

const TPM: Row = Row { firmware: OvmfTpm, devices: &[Program], ..ROW };

const GRUB: Row = Row { firmware: Ovmf, expect: Expect::GuestBy(guest::by_grub), ..ROW };

const SYSTEMD_BOOT: Row = Row { firmware: Ovmf, expect: Expect::GuestBy(guest::by_systemd_boot), ..ROW };

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
