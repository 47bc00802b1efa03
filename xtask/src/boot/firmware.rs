//! What starts the loader: the firmware of an emulator.

use super::bochs;
use super::device::Device;
use super::media::Medium;
use super::tpm;
use crate::debian::Arch;
use crate::machine::{self, Machine, qemu};
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// Firmware and its emulator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Firmware {
    /// QEMU's BIOS.
    SeaBios,
    /// Bochs and its own BIOS.
    Bochs,
    /// EDK II for QEMU's PCs.
    Ovmf,
    /// The same in a machine with a TPM.
    OvmfTpm,
    /// The same where nothing starts that Debian's key for tests did not sign.
    OvmfSecure,
    /// The same with the keys that PCs are sold with.
    OvmfMicrosoft,
    /// EDK II for QEMU's AArch64 machine `virt`.
    Aavmf,
    /// Das U-Boot for the same machine, which has UEFI's services.
    UBoot,
}

impl Firmware {
    /// What it is called in the name of a case.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Firmware::SeaBios => "SeaBIOS",
            Firmware::Bochs => "Bochs",
            Firmware::Ovmf => "OVMF",
            Firmware::OvmfTpm => "OVMF with a TPM",
            Firmware::OvmfSecure => "OVMF with Secure Boot",
            Firmware::OvmfMicrosoft => "OVMF with Microsoft's keys",
            Firmware::Aavmf => "AAVMF",
            Firmware::UBoot => "U-Boot",
        }
    }

    /// What it boots.
    pub(crate) fn arch(self) -> Arch {
        match self {
            Firmware::Aavmf | Firmware::UBoot => Arch::Arm64,
            _ => Arch::Amd64,
        }
    }

    /// It is a UEFI.
    pub(crate) fn is_uefi(self) -> bool {
        !matches!(self, Firmware::SeaBios | Firmware::Bochs)
    }

    /// Seconds after which a boot has failed: a multiple of what one takes on a busy machine.
    pub(crate) fn patience(self) -> u64 {
        match self {
            Firmware::SeaBios => 90,
            Firmware::Ovmf | Firmware::OvmfTpm | Firmware::OvmfSecure | Firmware::OvmfMicrosoft => 180,
            Firmware::Bochs | Firmware::Aavmf | Firmware::UBoot => 240,
        }
    }

    /// What is not installed, and how to get it.
    pub(crate) fn missing(self) -> Option<String> {
        let emulator = match self {
            Firmware::Bochs => "bochs",
            _ => machine::program(self.arch()),
        };
        let tpm = (self == Firmware::OvmfTpm).then_some(tpm::PROGRAM);
        if let Some(program) = [emulator].into_iter().chain(tpm).find(|program| !machine::installed(program))
        {
            return Some(machine::missing(program));
        }
        let (package, files) = self.files();
        let file = files.iter().find(|file| !Path::new(file).exists())?;
        Some(format!("there is no `{file}`: apt-get install {package}"))
    }

    /// Its files, and the packages that have them. A UEFI in flash memory is the program, and the
    /// variables as they are when a machine is new.
    fn files(self) -> (&'static str, &'static [&'static str]) {
        match self {
            // QEMU's own.
            Firmware::SeaBios => ("", &[]),
            Firmware::Bochs => ("bochsbios vgabios", &[bochs::BIOS, bochs::VGA_BIOS]),
            Firmware::Ovmf | Firmware::OvmfTpm => {
                ("ovmf", &["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"])
            }
            Firmware::OvmfSecure => (
                "ovmf",
                &["/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd"],
            ),
            Firmware::OvmfMicrosoft => {
                ("ovmf", &["/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"])
            }
            Firmware::Aavmf => {
                ("qemu-efi-aarch64", &["/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"])
            }
            Firmware::UBoot => ("u-boot-qemu", &["/usr/lib/u-boot/qemu_arm64/u-boot.bin"]),
        }
    }

    /// Starts a machine with the medium as `device`.
    pub(crate) fn start(self, device: Device, medium: &Medium, memory_mib: u32) -> Result<Machine> {
        if self == Firmware::Bochs {
            return bochs::start(&medium.path, device, memory_mib);
        }
        let mut command = qemu(self.arch(), device.machine(self.arch()), memory_mib);
        command.args(["-nic", "none"]);
        match *self.files().1 {
            [code, variables] => flash(&mut command, code, variables),
            [only] => command.args(["-bios", only]),
            // SeaBIOS then writes on the serial port what it shows on the screen.
            _ => command.args(["-machine", "graphics=off"]),
        };
        device.attach(&mut command, medium);
        match self {
            Firmware::OvmfTpm => {
                let tpm = tpm::attach(&mut command)?;
                Ok(Machine::start(&mut command)?.attended_by(tpm))
            }
            Firmware::OvmfSecure | Firmware::OvmfMicrosoft => {
                // Its variables are for code in system management mode alone.
                command.args(["-machine", "smm=on"]);
                command.args(["-global", "driver=cfi.pflash01,property=secure,value=on"]);
                Machine::start(&mut command)
            }
            _ => Machine::start(&mut command),
        }
    }
}

/// Puts a UEFI into the machine's flash memory. What it writes there is forgotten with the machine.
fn flash<'a>(command: &'a mut Command, code: &str, variables: &str) -> &'a mut Command {
    command.arg("-drive").arg(format!("if=pflash,unit=0,format=raw,readonly=on,file={code}"));
    command.arg("-drive").arg(format!("if=pflash,unit=1,format=raw,snapshot=on,file={variables}"))
}
