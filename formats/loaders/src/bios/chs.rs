//! Sectors by cylinder, head and sector, for a BIOS that knows no others. It reaches 8 GB.

use super::map::{BUFFER_SEGMENT, CHS, CHUNK_LEN, DRIVE, HEADS, LBA, SHIFT, TRACK_SECTORS};
use super::routines::Routines;
use iced_x86::IcedError;
use iced_x86::code_asm::{
    CodeAssembler, ah, al, ax, bx, byte_ptr, ch, cl, cx, dh, di, dl, ds, dword_ptr, eax, ebx, ecx, edx, es,
    word_ptr,
};

/// Ten bits hold the cylinder.
const LAST_CYLINDER: u32 = 1023;

/// The routines, each described where it begins.
pub(super) fn emit(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    geometry(a, r)?;
    chs(a, r)
}

/// `geometry`: asks for the drive's geometry and turns to this way of reading. CF = 1 if there is
/// none: it is a CD, or the BIOS says so. Destroys EAX, EBX, ECX, EDX and DI.
fn geometry(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let mut none = a.create_label();
    a.set_label(&mut r.geometry)?;
    a.cmp(byte_ptr(SHIFT), 1)?;
    a.cmc()?;
    a.jb(none)?;
    a.push(ds)?;
    a.push(es)?;
    a.mov(ah, 8)?;
    a.mov(dl, byte_ptr(DRIVE))?;
    a.xor(di, di)?; // with ES 0 "to guard against BIOS bugs", which write there
    a.int(0x13)?;
    a.sti()?;
    a.cld()?;
    a.pop(es)?;
    a.pop(ds)?;
    a.jb(none)?;
    a.and(cx, 0x3f)?;
    a.cmp(cx, 1)?; // no sector at all: CF
    a.jb(none)?;
    a.mov(word_ptr(TRACK_SECTORS), cx)?;
    a.movzx(ax, dh)?; // the last head
    a.inc(ax)?;
    a.mov(word_ptr(HEADS), ax)?;
    a.mov(byte_ptr(CHS), 1)?;
    a.clc()?;
    a.set_label(&mut none)?;
    a.ret()
}

/// `chs`: reads at `LBA` into the buffer, `CHUNK_LEN` bytes or up to the end of the track: then
/// `CHUNK_LEN` becomes that. CF and `STATUS` as `int13`. Destroys EAX, EBX, ECX and EDX.
fn chs(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut beyond, mut fits) = (a.create_label(), a.create_label());
    a.set_label(&mut r.chs)?;
    a.cmp(dword_ptr(LBA + 4), 0)?;
    a.jne(beyond)?;
    a.mov(eax, dword_ptr(LBA))?;
    a.xor(edx, edx)?;
    a.movzx(ebx, word_ptr(TRACK_SECTORS))?;
    a.div(ebx)?; // EAX = track, EDX = sector from 0
    a.mov(ecx, ebx)?;
    a.sub(ecx, edx)?;
    a.shl(ecx, 9)?;
    a.cmp(dword_ptr(CHUNK_LEN), ecx)?;
    a.jbe(fits)?;
    a.mov(dword_ptr(CHUNK_LEN), ecx)?;
    a.set_label(&mut fits)?;
    a.lea(ecx, edx + 1)?; // sectors count from 1
    a.xor(edx, edx)?;
    a.movzx(ebx, word_ptr(HEADS))?;
    a.div(ebx)?; // EAX = cylinder, EDX = head
    a.cmp(eax, LAST_CYLINDER)?;
    a.ja(beyond)?;
    a.mov(ch, al)?;
    a.shl(ah, 6)?;
    a.or(cl, ah)?;
    a.mov(dh, dl)?;
    a.mov(eax, dword_ptr(CHUNK_LEN))?;
    a.add(eax, 511)?;
    a.shr(eax, 9)?;
    a.mov(ah, 2)?;
    a.mov(bx, BUFFER_SEGMENT)?;
    a.mov(es, bx)?;
    a.xor(bx, bx)?;
    a.call(r.int13)?;
    a.mov(bx, 0)?; // not XOR: CF is the answer
    a.mov(es, bx)?;
    a.ret()?;
    a.set_label(&mut beyond)?;
    r.fail(a, "this BIOS, without EDD, does not reach this far into the disk")
}
