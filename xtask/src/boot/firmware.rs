//! What starts the loader: the firmware of an emulator.

use super::bochs;
use super::device::Device;
use super::media::Medium;
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
    /// EDK II for QEMU's AArch64 machine `virt`.
    Aavmf,
}

impl Firmware {
    /// What it is called in the name of a case.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Firmware::SeaBios => "SeaBIOS",
            Firmware::Bochs => "Bochs",
            Firmware::Ovmf => "OVMF",
            Firmware::Aavmf => "AAVMF",
        }
    }

    /// What it boots.
    pub(crate) fn arch(self) -> Arch {
        match self {
            Firmware::Aavmf => Arch::Arm64,
            _ => Arch::Amd64,
        }
    }

    /// It is a UEFI.
    pub(crate) fn is_uefi(self) -> bool {
        matches!(self, Firmware::Ovmf | Firmware::Aavmf)
    }

    /// Seconds after which a boot has failed: a multiple of what one takes on a busy machine.
    pub(crate) fn patience(self) -> u64 {
        match self {
            Firmware::SeaBios => 90,
            Firmware::Ovmf => 180,
            Firmware::Bochs | Firmware::Aavmf => 240,
        }
    }

    /// What is not installed, and how to get it.
    pub(crate) fn missing(self) -> Option<String> {
        let program = match self {
            Firmware::Bochs => "bochs",
            _ => machine::program(self.arch()),
        };
        if !machine::installed(program) {
            return Some(machine::missing(program));
        }
        let (package, files) = match self {
            Firmware::SeaBios => return None,
            Firmware::Bochs => ("bochsbios vgabios", [bochs::BIOS, bochs::VGA_BIOS]),
            Firmware::Ovmf => ("ovmf", OVMF),
            Firmware::Aavmf => ("qemu-efi-aarch64", AAVMF),
        };
        let file = files.into_iter().find(|file| !Path::new(file).exists())?;
        Some(format!("there is no `{file}`: apt-get install {package}"))
    }

    /// Starts a machine with the medium as `device`.
    pub(crate) fn start(self, device: Device, medium: &Medium, memory_mib: u32) -> Result<Machine> {
        let files = match self {
            Firmware::Bochs => return bochs::start(&medium.path, device, memory_mib),
            Firmware::SeaBios => None,
            Firmware::Ovmf => Some(OVMF),
            Firmware::Aavmf => Some(AAVMF),
        };
        let mut command = qemu(self.arch(), device.machine(self.arch()), memory_mib);
        command.args(["-nic", "none"]);
        match files {
            // SeaBIOS then writes on the serial port what it shows on the screen.
            None => command.args(["-machine", "graphics=off"]),
            Some(files) => flash(&mut command, files),
        };
        device.attach(&mut command, medium);
        Machine::start(&mut command)
    }
}

/// The program, and the variables as they are when a machine is new.
const OVMF: [&str; 2] = ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"];
const AAVMF: [&str; 2] = ["/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"];

/// Puts a UEFI into the machine's flash memory. What it writes there is forgotten with the machine.
fn flash<'a>(command: &'a mut Command, [code, variables]: [&str; 2]) -> &'a mut Command {
    command.arg("-drive").arg(format!("if=pflash,unit=0,format=raw,readonly=on,file={code}"));
    command.arg("-drive").arg(format!("if=pflash,unit=1,format=raw,snapshot=on,file={variables}"))
}
