//! CRC-32C of what is read, taken while it moves to its place.
//!
//! ```text
//! WINDOW                    BUFFER
//! ├ zeros ┼ last 209 dwords ┼ a read, folded ──▶ │ as read ┤
//! ```
//!
//! A CRC is what is left of a message, a polynomial, when another is divided out of it. That other also
//! divides a sum of six powers of x^32, the highest of which is the 209th. So a dword of the message may
//! leave it, if it is added by XOR to the five that come [`DISTANCES`] later. When all have left but the
//! last 209, these are divided bit by bit.
//!
//! It is one way for every processor, without tables, and no step waits for the one before. The
//! instruction of SSE4.2 is not used: QEMU's takes a step for each bit, which was more than half of the
//! time that a boot from CD took there. And what is read is summed in the pass that moves it, so it is
//! what the BIOS gave that is checked.

use super::head::{CRC32C, LEN};
use super::map::{BUFFER, CHUNK, CHUNK_LEN, TARGET, WINDOW, WINDOW_SEGMENT};
use super::routines::Routines;
use iced_x86::IcedError;
use iced_x86::code_asm::{
    CodeAssembler, al, ax, byte_ptr, cx, di, dl, ds, dword_ptr, dx, eax, ecx, edi, edx, es, esi, si, word_ptr,
};

/// CRC-32C, its bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;
/// In dwords. Four terms would have two XORs less, but only from 5275 dwords on: CRC-32C was chosen so.
const DISTANCES: [u32; 5] = [65, 155, 170, 195, FARTHEST];
const FARTHEST: u32 = 209;
const _: () = assert!(is_multiple(), "the sum is a multiple of the polynomial");
/// Bytes that fold as one. What is left of fewer, at the end, is not folded.
const BLOCK: u32 = 16;
const _: () = assert!(BLOCK / 4 <= DISTANCES[0] && BLOCK.is_power_of_two() && CHUNK.is_multiple_of(BLOCK));

/// Dwords before the buffer: those to be added, and for `close` so many zeros.
const WINDOW_DWORDS: u32 = (BUFFER - WINDOW) / 4;
const _: () = assert!(WINDOW_DWORDS >= 2 * FARTHEST);
/// Address of the last 209, once a read is folded.
const LAST: u32 = BUFFER - 4 * FARTHEST;

/// Is x^(32 · 209) the sum of the powers that its dword is added to?
const fn is_multiple() -> bool {
    let mut sum = power(FARTHEST);
    let mut i = 0;
    while i < DISTANCES.len() {
        sum ^= power(FARTHEST - DISTANCES[i]);
        i += 1;
    }
    sum == 0
}

/// What division leaves of x^32 to the power of `dwords`.
const fn power(dwords: u32) -> u32 {
    let mut rest = 1 << 31;
    let mut bits = 32 * dwords;
    while bits > 0 {
        rest = (rest >> 1) ^ if rest & 1 == 1 { POLYNOMIAL } else { 0 };
        bits -= 1;
    }
    rest
}

/// A dword before the message that makes a CRC which began with zeros the one that begins with ones.
const fn seed() -> u32 {
    let mut state = u32::MAX;
    let mut bits = 32;
    while bits > 0 {
        state = if state >> 31 == 1 { ((state ^ POLYNOMIAL) << 1) | 1 } else { state << 1 };
        bits -= 1;
    }
    state
}

/// The routines, each described where it begins.
pub(super) fn emit(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    fresh(a, r)?;
    close(a, r)
}

/// `fresh`: nothing is read so far. Destroys EAX, CX and DI.
fn fresh(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    a.set_label(&mut r.fresh)?;
    a.push(es)?;
    a.mov(ax, WINDOW_SEGMENT)?;
    a.mov(es, ax)?;
    a.xor(di, di)?;
    a.mov(cx, WINDOW_DWORDS - 1)?;
    a.xor(eax, eax)?;
    a.rep().stosd()?;
    a.mov(eax, seed())?;
    a.stosd()?;
    a.pop(es)?;
    a.ret()
}

/// Protected mode: the last `CHUNK_LEN` bytes read go to `TARGET`, which moves on, and are folded. But for
/// the last of a `Place`, their number is a multiple of [`BLOCK`]. Destroys EAX, ECX, EDX, ESI and EDI.
pub(super) fn take(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let (mut block, mut few) = (a.create_label(), a.create_label());
    a.mov(esi, BUFFER)?;
    a.mov(edi, dword_ptr(TARGET))?;
    a.mov(ecx, dword_ptr(CHUNK_LEN))?;
    a.add(dword_ptr(TARGET), ecx)?;
    a.mov(edx, ecx)?;
    a.shr(ecx, BLOCK.ilog2())?;
    a.je(few)?;
    a.set_label(&mut block)?;
    for at in (0..BLOCK).step_by(4) {
        a.mov(eax, dword_ptr(esi + at))?;
        a.mov(dword_ptr(edi + at), eax)?;
        for distance in DISTANCES {
            a.xor(eax, dword_ptr(esi + at - 4 * distance))?;
        }
        a.mov(dword_ptr(esi + at), eax)?;
    }
    a.add(esi, BLOCK)?;
    a.add(edi, BLOCK)?;
    a.dec(ecx)?;
    a.jne(block)?;
    a.set_label(&mut few)?;
    a.mov(ecx, edx)?;
    a.mov(edx, esi)?;
    a.and(ecx, BLOCK - 1)?;
    a.rep().movsb()?;
    // The last dwords and what was not folded, to where the next read will be behind them.
    a.lea(esi, edx - 4 * FARTHEST)?;
    a.mov(edi, LAST)?;
    a.mov(ecx, FARTHEST + BLOCK / 4)?;
    a.rep().movsd()
}

/// `close`: SI = a `Place` that was read whole since `fresh`. ZF = 1 if its checksum is right. Destroys
/// EAX, CX, DX and DI.
fn close(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut each, mut byte, mut bit, mut even) =
        (a.create_label(), a.create_label(), a.create_label(), a.create_label());
    a.set_label(&mut r.close)?;
    a.mov(cx, word_ptr(si + LEN))?;
    a.and(cx, BLOCK - 1)?; // bytes that were not folded
    a.push(ds)?;
    a.mov(ax, WINDOW_SEGMENT)?;
    a.mov(ds, ax)?;
    // The last have not left the message: what was added to others of them is taken back.
    a.mov(di, 4 * (WINDOW_DWORDS - 1))?;
    a.mov(dx, FARTHEST)?;
    a.set_label(&mut each)?;
    a.mov(eax, dword_ptr(di))?;
    for distance in DISTANCES.into_iter().filter(|distance| *distance < FARTHEST) {
        a.xor(eax, dword_ptr(di - 4 * distance))?;
    }
    a.mov(dword_ptr(di), eax)?;
    a.sub(di, 4)?;
    a.dec(dx)?;
    a.jne(each)?;

    a.add(di, 4)?;
    a.add(cx, 4 * FARTHEST)?;
    a.xor(eax, eax)?;
    a.set_label(&mut byte)?;
    a.xor(al, byte_ptr(di))?;
    a.inc(di)?;
    a.mov(dl, 8)?;
    a.set_label(&mut bit)?;
    a.shr(eax, 1)?;
    a.jae(even)?;
    a.xor(eax, POLYNOMIAL)?;
    a.set_label(&mut even)?;
    a.dec(dl)?;
    a.jne(bit)?;
    a.loop_(byte)?;
    a.pop(ds)?;
    a.not(eax)?;
    a.cmp(eax, dword_ptr(si + CRC32C))?;
    a.ret()
}
