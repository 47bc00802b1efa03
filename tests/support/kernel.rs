//! What loaders take for kernels.
//!
//! ```text
//! 0 ── 40 PE header ── 1f1 setup header ── 268 real-mode code ── 300 version ── a00 ── noise ──
//! ```
//!
//! \[boot\] Linux, *Documentation/arch/x86/boot.rst* and *Documentation/arch/arm64/booting.rst*.

#![allow(dead_code, reason = "the benches have this file, too, and use a part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use super::noise::noise;

/// Bytes of the real-mode part: the boot sector and four more.
const SETUP: usize = 0xa00;
const SETUP_SECTORS: u8 = 4;
/// Where the PE header is.
const PE: usize = 0x40;
/// Where the real-mode code is that is entered at 0x200.
pub(crate) const ENTRY: usize = 0x268;

/// A kernel of 8 KiB for a PC.
pub(crate) fn bzimage() -> Vec<u8> {
    bzimage_of(8 << 10)
}

/// A kernel for a PC that does nothing. The fields of its setup header are what `mkimage_loaders::bzimage` and isolinux read.
pub(crate) fn bzimage_of(len: usize) -> Vec<u8> {
    let mut kernel = efi_program(len, *b"\x64\x86");
    let units = u32::try_from((len - SETUP) / 16).unwrap();
    let mut put = |at: usize, bytes: &[u8]| kernel[at..at + bytes.len()].copy_from_slice(bytes);
    put(0x1f1, &[SETUP_SECTORS]);
    put(0x1f4, &units.to_le_bytes()); // syssize
    put(0x1fe, &[0x55, 0xaa, 0xeb, 0x66]); // and the jump to the code
    put(0x202, b"HdrS");
    put(0x206, &0x20fu16.to_le_bytes()); // version
    put(0x20e, &0x100u16.to_le_bytes()); // kernel_version, from 0x200 on
    put(0x211, &[1]); // loadflags: LOADED_HIGH
    put(0x22c, &0x7fff_ffffu32.to_le_bytes()); // initrd_addr_max
    put(0x234, &[1]); // relocatable_kernel
    put(0x238, &2047u32.to_le_bytes()); // cmdline_size
    put(0x248, &[0; 4]); // payload_offset, and payload_length
    put(0x24c, &(units * 16).to_le_bytes());
    put(0x258, &0x100_0000u64.to_le_bytes()); // pref_address
    put(0x260, &0x200_0000u32.to_le_bytes()); // init_size
    put(ENTRY, &[0xf4, 0xeb, 0xfd]); // hlt, again and again
    put(0x300, b"6.12.0-demo (somebody) #1\0");
    kernel
}

/// A kernel of 8 KiB for AArch64.
pub(crate) fn arm64_image() -> Vec<u8> {
    let mut kernel = efi_program(8 << 10, *b"\x64\xaa");
    kernel[16..24].copy_from_slice(&0x1_0000u64.to_le_bytes()); // image_size
    kernel[0x38..0x3c].copy_from_slice(b"ARM\x64");
    kernel
}

/// Noise that begins as an EFI program for `machine` does.
fn efi_program(len: usize, machine: [u8; 2]) -> Vec<u8> {
    let mut program = noise(len);
    program[..SETUP].fill(0);
    program[..2].copy_from_slice(b"MZ");
    program[0x3c] = PE.to_le_bytes()[0];
    program[PE..PE + 4].copy_from_slice(b"PE\0\0");
    program[PE + 4..PE + 6].copy_from_slice(&machine);
    program
}
