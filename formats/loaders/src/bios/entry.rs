//! Where the second stage begins, and the order of what it does.

use super::head::REST;
use super::map::{CHS, CHUNK, CHUNK_LIMIT, DRIVE, ORIGIN, SHIFT, STACK_END, VARIABLES, VARIABLES_END};
use super::routines::Routines;
use super::{RESIDENT_LEN, console};
use iced_x86::IcedError;
use iced_x86::code_asm::{CodeAssembler, ax, byte_ptr, cx, di, dl, ds, dword_ptr, edi, es, esi, esp, si, ss};

/// In ESI when the MBR is the caller: the medium is a disk. No BIOS leaves this number there.
pub(super) const FROM_MBR: u32 = u32::from_le_bytes(*b"MKHD");

/// log2 of 2048 / 512.
const CD_SHIFT: u32 = 2;

/// Entry: DL = drive, ESI = [`FROM_MBR`] or anything. Nothing else is taken for granted.
///
/// The drive number of a CD is trusted, whatever it is: there are BIOSes that count CDs from ef
/// downwards, from 80 or from 0.
pub(super) fn emit(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let mut disk = a.create_label();
    a.cli()?;
    a.cld()?;
    a.xor(ax, ax)?;
    a.mov(ds, ax)?;
    a.mov(byte_ptr(DRIVE), dl)?;
    a.mov(byte_ptr(SHIFT), 0)?;
    a.cmp(esi, FROM_MBR)?;
    a.je(disk)?;
    a.mov(byte_ptr(SHIFT), CD_SHIFT)?;
    a.set_label(&mut disk)?;
    a.zero_bytes()?;

    a.set_label(&mut r.restart)?;
    a.cli()?;
    a.xor(ax, ax)?;
    a.mov(es, ax)?;
    a.mov(ss, ax)?;
    a.mov(esp, STACK_END)?;
    a.sti()?;
    a.mov(di, VARIABLES)?;
    a.mov(cx, VARIABLES_END - VARIABLES)?;
    a.rep().stosb()?;
    a.mov(dword_ptr(CHUNK_LIMIT), CHUNK)?;
    console::emit_setup(a)?;
    r.say(a, "\r\nmkimage: loading")?;
    rest(a, r)?;
    a.call(r.a20)?;
    a.call(r.memory)?;
    a.jmp(r.kernel)
}

/// Loads what the BIOS may have left out of the second stage.
fn rest(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut again, mut bad, mut good) = (a.create_label(), a.create_label(), a.create_label());
    a.set_label(&mut again)?;
    a.mov(si, REST)?;
    a.mov(edi, ORIGIN + RESIDENT_LEN)?;
    a.call(r.load)?;
    a.je(good)?;
    // A BIOS that says it has read what it has not: another way may be left, once.
    a.cmp(byte_ptr(CHS), 0)?;
    a.jne(bad)?;
    a.call(r.geometry)?;
    a.jae(again)?;
    a.set_label(&mut bad)?;
    r.fail(a, "the loader on this medium is damaged")?;
    a.set_label(&mut good)?;
    a.zero_bytes()
}
