//! What loaders take for a kernel, and what ends the machine when it is entered.
//!
//! ```text
//! 0 ── setup header ── 268 ── real-mode code ── 400 PE header ── 800 ── noise ── 8 MiB
//! ```
//!
//! \[boot\] Linux, *Documentation/arch/x86/boot.rst*.

use crate::noise::Noise;

const LEN: usize = 8 << 20;
/// Bytes of the real-mode part: the boot sector and three more.
const SETUP: usize = 0x800;
/// Where the PE header is.
const PE: u8 = 0x40;
/// The exit status of a QEMU whose `isa-debug-exit` at port 0xf4 is told 0x31.
pub(crate) const EXIT: u8 = 0x63;

/// A kernel of 8 MiB.
pub(crate) fn kernel() -> Vec<u8> {
    let mut kernel = vec![0; LEN];
    Noise::new(2).fill(&mut kernel[SETUP..]);
    let mut put = |at: usize, bytes: &[u8]| kernel[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(0x3c, &[PE, 0, 0, 0]);
    put(PE.into(), b"PE\0\0");
    put(usize::from(PE) + 4, &[0x64, 0x86]); // x86-64
    put(0x1f1, &[3]); // setup_sects
    put(0x1f4, &0x7_ff80_u32.to_le_bytes()); // syssize: the rest in units of 16 bytes
    put(0x1fe, &[0x55, 0xaa, 0xeb, 0x66]);
    put(0x202, b"HdrS\x0f\x02");
    put(0x211, &[1]); // loadflags: LOADED_HIGH
    put(0x22c, &0x7fff_ffff_u32.to_le_bytes()); // initrd_addr_max
    put(0x234, &[1]); // relocatable_kernel
    put(0x238, &2047_u32.to_le_bytes()); // cmdline_size
    put(0x258, &0x10_0000_u64.to_le_bytes()); // pref_address
    put(0x260, &0x90_0000_u32.to_le_bytes()); // init_size
    // mov dx, 0xf4; mov al, 0x31; out dx, al; hlt; jmp to the hlt
    put(0x268, &[0xba, 0xf4, 0, 0xb0, 0x31, 0xee, 0xf4, 0xeb, 0xfd]);
    kernel
}
