//! The master boot record: loads the first 2048 bytes of the second stage, and starts it.
//!
//! ```text
//! 00  jump   5a  moves itself from 7c00 to 600   90  the rest, at 690   1b8  disk signature
//! ```
//!
//! A BIOS that takes the disk for a big floppy may write drive parameters between: up to 5a.

use super::entry::FROM_MBR;
use super::head::{BLOCK, MAGIC};
use super::map::{MBR, ORIGIN, PACKET};
use super::{MBR_LEN, RESIDENT_LEN};
use iced_x86::IcedError;
use iced_x86::code_asm::{
    CodeAssembler, CodeLabel, ah, al, ax, bp, bx, byte_ptr, ch, cl, cx, dh, di, dl, ds, dword_ptr, eax, ebx,
    ecx, edx, es, esi, si, sp, ss, word_ptr,
};

const MOVER: u32 = 0x5a;
const MOVED: u32 = 0x90;
const TRIES: i32 = 5;
const SECTORS: u32 = RESIDENT_LEN / 512;
/// Where the drive's number is kept.
const DRIVE: u32 = PACKET - 2;

/// The code, with the second stage at `lba`.
pub(super) fn assemble(lba: u64) -> Result<[u8; MBR_LEN], IcedError> {
    let mut code = [0; MBR_LEN];
    let mover = mover()?;
    let moved = moved(lba)?;
    assert!(MOVER as usize + mover.len() <= MOVED as usize, "the first part fits");
    assert!(MOVED as usize + moved.len() <= MBR_LEN, "the second part fits");
    let jump = [0xeb, 0x58, 0x90]; // JMP SHORT to 5a, NOP: how a floppy's boot sector begins
    for (at, part) in [(0, &jump[..]), (MOVER as usize, &mover), (MOVED as usize, &moved)] {
        code[at..at + part.len()].copy_from_slice(part);
    }
    Ok(code)
}

/// To 0000:0690, wherever the BIOS has entered.
fn mover() -> Result<Vec<u8>, IcedError> {
    let mut a = CodeAssembler::new(16)?;
    a.cli()?;
    a.cld()?;
    a.xor(ax, ax)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(ss, ax)?;
    a.mov(sp, ORIGIN)?;
    a.sti()?;
    a.mov(si, ORIGIN)?;
    a.mov(di, MBR)?;
    a.mov(cx, 256)?;
    a.rep().movsw()?;
    a.push(0)?;
    a.push(i32::from(MOVED_AT))?;
    a.retf()?;
    a.assemble(u64::from(ORIGIN + MOVER))
}
const MOVED_AT: u16 = 0x690;
const _: () = assert!(MOVED_AT as u32 == MBR + MOVED);

/// DL = drive.
fn moved(lba: u64) -> Result<Vec<u8>, IcedError> {
    let mut a = CodeAssembler::new(16)?;
    let a = &mut a;
    let (mut fix, mut drive_ok, mut retry) = (a.create_label(), a.create_label(), a.create_label());
    let (mut start, mut bad, mut int13) = (a.create_label(), a.create_label(), a.create_label());
    // We are the first sector of a hard disk: a number outside 80 to 8f is a lie.
    a.test(dl, 0x80u32)?;
    a.je(fix)?;
    a.test(dl, 0x70)?;
    a.je(drive_ok)?;
    a.set_label(&mut fix)?;
    a.mov(dl, 0x80u32)?;
    a.set_label(&mut drive_ok)?;
    a.mov(byte_ptr(DRIVE), dl)?;
    a.mov(bp, TRIES)?;

    a.set_label(&mut retry)?;
    edd(a, int13, lba)?;
    a.jb(bad)?;
    compare(a, start)?;
    a.set_label(&mut bad)?;
    chs(a, int13, lba)?;
    compare(a, start)?;
    a.xor(ax, ax)?;
    a.call(int13)?;
    a.dec(bp)?;
    a.jne(retry)?;
    say_and_leave(a)?;
    call_bios(a, &mut int13)?;

    a.set_label(&mut start)?;
    a.mov(dl, byte_ptr(DRIVE))?;
    a.mov(esi, FROM_MBR)?;
    a.push(0)?;
    a.push(i32::from(ORIGIN_16))?;
    a.retf()?;
    a.assemble(u64::from(MBR + MOVED))
}
const ORIGIN_16: u16 = 0x7c00;
const _: () = assert!(ORIGIN_16 as u32 == ORIGIN);

/// To `start` if a second stage is there now. A BIOS may say it has read what it has not.
fn compare(a: &mut CodeAssembler, start: CodeLabel) -> Result<(), IcedError> {
    a.cmp(dword_ptr(BLOCK), MAGIC)?;
    a.je(start)
}

/// All at once by AH=42h. CF = 1 if it fails.
fn edd(a: &mut CodeAssembler, int13: CodeLabel, lba: u64) -> Result<(), IcedError> {
    let [low, high] = halves(lba);
    a.mov(si, PACKET)?;
    a.mov(dword_ptr(si), SECTORS << 16 | 0x10)?;
    a.mov(dword_ptr(si + 4), ORIGIN)?;
    a.mov(dword_ptr(si + 8), low)?;
    a.mov(dword_ptr(si + 12), high)?;
    a.mov(ah, 0x42)?;
    a.call(int13)
}

/// One by one by cylinder, head and sector: the next may be on another track.
fn chs(a: &mut CodeAssembler, int13: CodeLabel, lba: u64) -> Result<(), IcedError> {
    let mut done = a.create_label();
    let mut next = a.create_label();
    let [low, high] = halves(lba);
    if high != 0 {
        return Ok(());
    }
    a.mov(ah, 8)?;
    a.xor(di, di)?; // with ES 0, since there are BIOSes that write there
    a.call(int13)?;
    a.jb(done)?;
    a.and(cx, 0x3f)?;
    a.je(done)?;
    a.movzx(ebx, dh)?;
    a.inc(bx)?; // heads
    a.mov(word_ptr(PACKET), cx)?;
    a.mov(word_ptr(PACKET + 2), bx)?;
    a.xor(esi, esi)?; // sector of the second stage
    a.set_label(&mut next)?;
    a.lea(eax, esi + low)?;
    a.xor(edx, edx)?;
    a.movzx(ecx, word_ptr(PACKET))?;
    a.div(ecx)?;
    a.lea(ecx, edx + 1)?;
    a.xor(edx, edx)?;
    a.movzx(ebx, word_ptr(PACKET + 2))?;
    a.div(ebx)?;
    a.mov(ch, al)?;
    a.shl(ah, 6)?;
    a.or(cl, ah)?;
    a.mov(dh, dl)?;
    a.mov(bx, si)?;
    a.shl(bx, 9)?;
    a.add(bx, ORIGIN)?;
    a.mov(ax, 0x0201)?;
    a.push(si)?;
    a.call(int13)?;
    a.pop(si)?;
    a.jb(done)?;
    a.inc(si)?;
    a.cmp(si, SECTORS)?;
    a.jb(next)?;
    a.set_label(&mut done)?;
    a.zero_bytes()
}

/// INT 13h for our drive, and what a BIOS may forget to restore. The answer, in registers and CF, stays.
fn call_bios(a: &mut CodeAssembler, int13: &mut CodeLabel) -> Result<(), IcedError> {
    a.set_label(int13)?;
    a.push(bp)?;
    a.mov(dl, byte_ptr(DRIVE))?;
    a.int(0x13)?;
    a.sti()?;
    a.cld()?;
    a.pop(bp)?;
    a.push(0)?;
    a.pop(ds)?;
    a.push(0)?;
    a.pop(es)?;
    a.ret()
}

/// INT 18h: a BIOS then goes on to its next boot device, or stops.
fn say_and_leave(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let (mut say, mut next, mut stop) = (a.create_label(), a.create_label(), a.create_label());
    a.call(say)?;
    a.db(b"mkimage: cannot ")?;
    a.db(b"read the loader\0")?;
    a.set_label(&mut say)?;
    a.pop(si)?;
    a.set_label(&mut next)?;
    a.lodsb()?;
    a.test(al, al)?;
    a.je(stop)?;
    a.mov(ah, 0x0e)?;
    a.mov(bx, 7)?;
    a.push(si)?;
    a.int(0x10)?;
    a.pop(si)?;
    a.jmp(next)?;
    a.set_label(&mut stop)?;
    a.int(0x18)?;
    a.hlt()?;
    a.jmp(stop)
}

fn halves(lba: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = lba.to_le_bytes();
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}
