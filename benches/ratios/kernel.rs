//! A kernel that ends the machine when it is entered.

use crate::noise;

#[path = "../../tests/support/kernel.rs"]
mod fake;

const LEN: usize = 8 << 20;
/// The exit status of a QEMU whose `isa-debug-exit` at port 0xf4 is told 0x31.
pub(crate) const EXIT: u8 = 0x63;
/// mov dx, 0xf4; mov al, 0x31; out dx, al; hlt; jmp to the hlt
const CODE: [u8; 9] = [0xba, 0xf4, 0, 0xb0, 0x31, 0xee, 0xf4, 0xeb, 0xfd];

/// A kernel of 8 MiB.
pub(crate) fn kernel() -> Vec<u8> {
    let mut kernel = fake::bzimage_of(LEN);
    kernel[fake::ENTRY..][..CODE.len()].copy_from_slice(&CODE);
    kernel
}
