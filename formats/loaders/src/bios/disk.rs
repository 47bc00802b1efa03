//! Reading the medium.
//!
//! Reads go to the bounce buffer, in pieces of at most [`CHUNK`], and from there to their place. After
//! a failure the drive is reset; after two failures at a size the size is halved, since some BIOSes
//! read fewer sectors at a time than they should.
//!
//! \[EDD\] Phoenix, *BIOS Enhanced Disk Drive Specification* 3.0 (1998).

use super::head::LEN;
use super::map::{
    BUFFER_SEGMENT, CHS, CHUNK, CHUNK_LEN, CHUNK_LIMIT, DRIVE, EDD_SEEN, LBA, LEFT, PACKET, SHIFT, SINCE_DOT,
    STATUS, TARGET, TRIES,
};
use super::routines::Routines;
use iced_x86::IcedError;
use iced_x86::code_asm::{
    CodeAssembler, ah, al, ax, byte_ptr, cl, cx, di, dl, ds, dword_ptr, eax, edi, edx, es, si, word_ptr,
};

/// At one size.
const TRIES_AT_LAST: u32 = 6;
/// Sizes below this are not halved.
const SMALLEST_HALVED: u32 = 4096;
/// A dot for each.
const DOT: u32 = 4 << 20;

/// The routines, each described where it begins.
pub(super) fn emit(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    load(a, r)?;
    let mut chunk = a.create_label();
    stream(a, r, chunk)?;
    a.set_label(&mut chunk)?;
    read_chunk(a, r)?;
    int13(a, r)
}

/// `load`: SI = a `Place` in the parameters, EDI = linear address. Loads it whole and compares its
/// checksum; ZF = 1 if it is right.
///
/// `open`: SI = a `Place`; `stream` will begin there, and the checksum with it. Preserves SI. When it is
/// read whole, `close` compares.
fn load(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    a.set_label(&mut r.load)?;
    a.push(si)?;
    a.mov(dword_ptr(TARGET), edi)?;
    a.call(r.open)?;
    a.call(r.stream)?;
    a.pop(si)?;
    a.jmp(r.close)?;

    a.set_label(&mut r.open)?;
    a.call(r.fresh)?;
    a.push(si)?;
    a.mov(di, LBA)?;
    a.mov(cx, 6)?;
    a.rep().movsw()?; // to LEFT too
    a.pop(si)?;
    a.ret()
}
const _: () = assert!(LEFT == LBA + LEN);

/// `stream`: reads `LEFT` bytes at `LBA` to `TARGET`; all three move on. Does not return from
/// an error. Destroys all but the stack.
fn stream(
    a: &mut CodeAssembler,
    r: &mut Routines,
    chunk: iced_x86::code_asm::CodeLabel,
) -> Result<(), IcedError> {
    let mut done = a.create_label();
    a.set_label(&mut r.stream)?;
    a.cmp(dword_ptr(LEFT), 0)?;
    a.je(done)?;
    a.call(chunk)?;
    a.call(r.take)?;
    a.jmp(r.stream)?;
    a.set_label(&mut done)?;
    a.ret()
}

/// Reads the next `CHUNK_LEN` bytes, as many as go, into the buffer.
fn read_chunk(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut again, mut all) = (a.create_label(), a.create_label());
    let (mut by_chs, mut judge, mut ok) = (a.create_label(), a.create_label(), a.create_label());
    a.mov(byte_ptr(TRIES), TRIES_AT_LAST)?;
    a.set_label(&mut again)?;
    a.mov(eax, dword_ptr(LEFT))?;
    a.cmp(eax, dword_ptr(CHUNK_LIMIT))?;
    a.jbe(all)?;
    a.mov(eax, dword_ptr(CHUNK_LIMIT))?;
    a.set_label(&mut all)?;
    a.mov(dword_ptr(CHUNK_LEN), eax)?;
    a.cmp(byte_ptr(CHS), 0)?;
    a.jne(by_chs)?;
    packet(a)?;
    // AH=41h, which would tell whether AH=42h exists, is not asked: there are BIOSes that deny it
    // and have it.
    a.mov(ax, 0x4200)?;
    a.call(r.int13)?;
    a.jmp(judge)?;
    a.set_label(&mut by_chs)?;
    a.call(r.chs)?;
    a.set_label(&mut judge)?;
    a.jae(ok)?;
    failed(a, r, again)?;

    a.set_label(&mut ok)?;
    let (mut no_edd, mut no_dot) = (a.create_label(), a.create_label());
    a.cmp(byte_ptr(CHS), 0)?;
    a.jne(no_edd)?;
    a.mov(byte_ptr(EDD_SEEN), 1)?;
    a.set_label(&mut no_edd)?;
    a.mov(eax, dword_ptr(CHUNK_LEN))?;
    a.sub(dword_ptr(LEFT), eax)?;
    a.add(dword_ptr(SINCE_DOT), eax)?;
    a.shr(eax, 9)?; // what this drops is the end of what is to be read
    a.add(dword_ptr(LBA), eax)?;
    a.adc(dword_ptr(LBA + 4), 0)?;
    a.cmp(dword_ptr(SINCE_DOT), DOT)?;
    a.jb(no_dot)?;
    a.mov(dword_ptr(SINCE_DOT), 0)?;
    a.mov(al, u32::from(b'.'))?;
    a.call(r.put)?;
    a.set_label(&mut no_dot)?;
    a.ret()
}

/// Makes a disk address packet of `LBA` and `CHUNK_LEN`, and SI its address. It is made for each try:
/// a BIOS may write to it.
fn packet(a: &mut CodeAssembler) -> Result<(), IcedError> {
    a.mov(si, PACKET)?;
    a.mov(dword_ptr(si), 0x10)?; // its length
    a.mov(dword_ptr(si + 4), BUFFER_SEGMENT << 16)?;
    // Sectors, rounded up.
    a.mov(cl, byte_ptr(SHIFT))?;
    a.mov(edx, 512)?;
    a.shl(edx, cl)?;
    a.lea(eax, eax + edx - 1)?;
    a.shr(eax, cl)?;
    a.shr(eax, 9)?;
    a.mov(word_ptr(si + 2), ax)?;
    a.mov(eax, dword_ptr(LBA))?;
    a.mov(edx, dword_ptr(LBA + 4))?;
    a.shrd(eax, edx, cl)?;
    a.shr(edx, cl)?;
    a.mov(dword_ptr(si + 8), eax)?;
    a.mov(dword_ptr(si + 12), edx)
}

/// After a failed read: goes to `again`, or says what happened.
///
/// A BIOS that has never read by AH=42h may not have it: then the old way is tried. One that has
/// read so does not lose it, and a failure is one of the medium.
fn failed(
    a: &mut CodeAssembler,
    r: &mut Routines,
    again: iced_x86::code_asm::CodeLabel,
) -> Result<(), IcedError> {
    let (mut give_up, mut say) = (a.create_label(), a.create_label());
    a.dec(byte_ptr(TRIES))?;
    a.je(give_up)?;
    a.push(word_ptr(STATUS))?;
    a.xor(ax, ax)?;
    a.call(r.int13)?;
    a.pop(word_ptr(STATUS))?;
    a.test(byte_ptr(TRIES), 1)?;
    a.jne(again)?;
    a.cmp(dword_ptr(CHUNK_LIMIT), SMALLEST_HALVED)?;
    a.jb(again)?;
    a.shr(dword_ptr(CHUNK_LIMIT), 1)?;
    a.and(word_ptr(CHUNK_LIMIT), 0xf800u32)?; // whole sectors of a CD
    a.mov(byte_ptr(TRIES), TRIES_AT_LAST)?;
    a.jmp(again)?;

    a.set_label(&mut give_up)?;
    a.cmp(word_ptr(CHS), 0)?; // and EDD_SEEN
    a.jne(say)?;
    a.call(r.geometry)?;
    a.mov(byte_ptr(TRIES), TRIES_AT_LAST)?;
    a.mov(dword_ptr(CHUNK_LIMIT), CHUNK)?;
    a.jae(again)?;
    a.set_label(&mut say)?;
    r.alert(a, "cannot read the medium: error ")?;
    a.movzx(eax, byte_ptr(STATUS))?;
    a.mov(cx, 2)?;
    a.call(r.hex)?;
    r.say(a, ", drive ")?;
    a.mov(al, byte_ptr(DRIVE))?;
    a.mov(cx, 2)?;
    a.call(r.hex)?;
    r.say(a, ", sector ")?;
    a.mov(eax, dword_ptr(LBA))?;
    a.mov(cx, 8)?;
    a.call(r.hex)?;
    a.jmp(r.die)
}

/// `int13`: INT 13h for our drive. AX, BX, CX, DH, SI and ES are its arguments. CF and `STATUS` tell
/// how it went. Preserves all registers, and segments and flags that a BIOS forgets to restore.
fn int13(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    a.set_label(&mut r.int13)?;
    a.pushad()?;
    a.push(ds)?;
    a.push(es)?;
    a.mov(dl, byte_ptr(DRIVE))?;
    a.int(0x13)?;
    a.sti()?;
    a.cld()?;
    a.pop(es)?;
    a.pop(ds)?;
    a.mov(byte_ptr(STATUS), ah)?;
    a.popad()?;
    a.ret()
}
