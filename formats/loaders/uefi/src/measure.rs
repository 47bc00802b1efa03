//! What a TPM is told: \[TCG\] *EFI Protocol Specification* 1.00.

use crate::firmware::Firmware;
use crate::pe;
use r_efi::efi::{Guid, Status};

/// \[TCG\] §6.2: EFI_TCG2_PROTOCOL.
const TCG2: Guid =
    Guid::from_fields(0x607f_766c, 0x7455, 0x42be, 0x93, 0x0b, &[0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f]);

/// \[TCG\] §6.2, as far as it is used.
#[repr(C)]
struct Tcg2 {
    get_capability: usize,
    get_event_log: usize,
    hash_log_extend_event: extern "efiapi" fn(*mut Tcg2, u64, u64, u64, *const u8) -> Status,
}

/// Where systemd-stub measures a unified kernel image.
const PCR: u32 = 11;
/// \[TCG PC Client Platform Firmware Profile\] §10.4.1: EV_IPL.
const EVENT: u32 = 0x0d;
/// In systemd-stub's order (`unified_sections` in its `uki.c`, 256), and then those that it does
/// not know. Also what this program has no use for: who predicts the register predicts all.
const SECTIONS: [&[u8]; 12] = [
    b".linux",
    b".osrel",
    b".cmdline",
    b".initrd",
    b".ucode",
    b".splash",
    b".dtb",
    b".uname",
    b".sbat",
    b".pcrpkey",
    b".extents",
    b".paths",
];

/// Measures each section: its name with the NUL that ends it, and its content.
pub(crate) fn sections(firmware: &Firmware, program: &[u8]) {
    let Some(tpm) = firmware.locate::<Tcg2>(&TCG2) else { return };
    for name in SECTIONS {
        let Some(content) = pe::section(program, name) else { continue };
        let mut padded = [0; 9];
        padded[..name.len()].copy_from_slice(name);
        let name = &padded[..=name.len()];
        extend(tpm, name, name);
        extend(tpm, name, content);
    }
}

/// \[TCG\] §6.6: EFI_TCG2_EVENT is packed: Size; HeaderSize 14, HeaderVersion 1, PCRIndex,
/// EventType; Event.
fn extend(tpm: *mut Tcg2, name: &[u8], content: &[u8]) {
    const HEADER: usize = 18;
    let mut event = [0u8; HEADER + 9];
    let len = HEADER + name.len();
    event[0..4].copy_from_slice(&(len as u32).to_le_bytes());
    event[4..8].copy_from_slice(&14u32.to_le_bytes());
    event[8..10].copy_from_slice(&1u16.to_le_bytes());
    event[10..14].copy_from_slice(&PCR.to_le_bytes());
    event[14..18].copy_from_slice(&EVENT.to_le_bytes());
    event[HEADER..len].copy_from_slice(name);
    // SAFETY: the firmware gave the interface for this protocol. A TPM that does not answer is no
    // reason not to start: who asks for its values sees that they are missing.
    let hash_log_extend_event = unsafe { (*tpm).hash_log_extend_event };
    let at = content.as_ptr().expose_provenance() as u64;
    let _ = hash_log_extend_event(tpm, 0, at, content.len() as u64, event.as_ptr());
}
