//! What memory there is, and where something fits.
//!
//! \[ACPI\] *Advanced Configuration and Power Interface Specification* 6.5, §15 "System Address Map
//! Interfaces".

use super::map::{E820, E820_END, E820_ENTRY, E820_LAST, FOUND, WANT_END, WANT_FROM, WANT_LEN};
use super::routines::Routines;
use iced_x86::IcedError;
use iced_x86::code_asm::{
    CodeAssembler, CodeLabel, ah, ax, bx, byte_ptr, cx, di, dword_ptr, dx, eax, ebp, ebx, ecx, edx, si,
    word_ptr,
};

/// "SMAP".
const SIGNATURE: u32 = 0x534d_4150;
/// \[ACPI\] table 15.2 "Address Range Types".
const ADDRESS_RANGE_MEMORY: u32 = 1;
/// \[ACPI\] table 15.4 "Extended Attributes": until ACPI 4, an entry without it is to be ignored.
const ENABLED: u32 = 1;
// Offsets in an entry.
const LENGTH: u32 = 8;
const TYPE: u32 = 16;
const ATTRIBUTES: u32 = 20;

const MIB: u32 = 1 << 20;
/// KiB between 1 MiB and 16 MiB, in answers to AX=E801h.
const BELOW_16_MIB: u32 = 15 << 10;

/// The routines, each described where it begins.
pub(super) fn emit(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    e820(a, r)?;
    find(a, r)
}

/// `memory`: asks the BIOS for its memory map. Destroys all but the stack.
fn e820(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut next, mut keep, mut skip) = (a.create_label(), a.create_label(), a.create_label());
    let (mut bad, mut done, mut store) = (a.create_label(), a.create_label(), a.create_label());
    a.set_label(&mut r.memory)?;
    a.xor(ebx, ebx)?;
    a.mov(di, E820)?;
    a.set_label(&mut next)?;
    a.mov(eax, 0xe820)?;
    a.mov(edx, SIGNATURE)?;
    a.mov(ecx, E820_ENTRY)?;
    a.push(di)?;
    a.int(0x15)?;
    a.sti()?;
    a.cld()?;
    a.pop(di)?;
    a.jb(done)?; // an error, or in old BIOSes the end
    a.cmp(eax, SIGNATURE)?;
    a.jne(bad)?;
    a.cmp(cx, E820_ENTRY)?;
    a.jae(keep)?;
    a.mov(dword_ptr(di + ATTRIBUTES), ENABLED)?; // before ACPI 3 there were none
    a.set_label(&mut keep)?;
    a.mov(eax, dword_ptr(di + LENGTH))?;
    a.or(eax, dword_ptr(di + (LENGTH + 4)))?;
    a.je(skip)?;
    a.add(di, E820_ENTRY)?;
    a.cmp(di, E820_END)?;
    a.jae(done)?;
    a.set_label(&mut skip)?;
    a.test(ebx, ebx)?;
    a.jne(next)?;
    a.jmp(done)?;
    a.set_label(&mut bad)?; // what has come so far is not to be believed either
    a.mov(di, E820)?;
    a.set_label(&mut done)?;
    a.cmp(di, E820)?;
    a.jne(store)?;
    older(a, r)?;
    a.set_label(&mut store)?;
    a.mov(word_ptr(E820_LAST), di)?;
    a.ret()
}

/// The ways before E820, which tell of one run of memory from 1 MiB on: made an entry at DI.
fn older(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut ah88, mut use_ab, mut entry, mut some) =
        (a.create_label(), a.create_label(), a.create_label(), a.create_label());
    a.xor(cx, cx)?;
    a.xor(dx, dx)?;
    a.mov(ax, 0xe801)?;
    a.int(0x15)?;
    a.sti()?;
    a.jb(ah88)?;
    // "Extended" in AX and BX, "configured" in CX and DX; there are BIOSes that fill in only one pair.
    a.jcxz(use_ab)?;
    a.mov(ax, cx)?;
    a.mov(bx, dx)?;
    a.set_label(&mut use_ab)?;
    a.movzx(eax, ax)?;
    a.cmp(ax, BELOW_16_MIB)?;
    a.ja(ah88)?; // there cannot be more
    a.jne(entry)?; // a hole below 16 MiB: what is above is not counted
    a.movzx(ebx, bx)?;
    a.shl(ebx, 6)?; // 64 KiB to KiB
    a.add(eax, ebx)?;
    a.jmp(entry)?;
    a.set_label(&mut ah88)?;
    a.mov(ah, 0x88)?;
    a.int(0x15)?;
    a.sti()?;
    a.movzx(eax, ax)?;
    a.set_label(&mut entry)?;
    a.test(eax, eax)?;
    a.jne(some)?;
    r.fail(a, "the BIOS does not tell how much memory there is")?;
    a.set_label(&mut some)?;
    a.mov(dword_ptr(di), MIB)?;
    a.mov(dword_ptr(di + 4), 0)?;
    a.mov(edx, eax)?;
    a.shr(edx, 22)?;
    a.shl(eax, 10)?;
    a.mov(dword_ptr(di + LENGTH), eax)?;
    a.mov(dword_ptr(di + (LENGTH + 4)), edx)?;
    a.mov(dword_ptr(di + TYPE), ADDRESS_RANGE_MEMORY)?;
    a.mov(dword_ptr(di + ATTRIBUTES), ENABLED)?;
    a.add(di, E820_ENTRY)
}

/// `find`: the highest page at which `WANT_LEN` bytes lie in memory and in nothing else that the map
/// tells of, not below `WANT_FROM` and not beyond `WANT_END`. The address in EAX and `FOUND`, or
/// CF = 1. Destroys all but the stack.
///
/// Entries may overlap, as in maps that BIOSes give. So for each entry of memory, from its end
/// downwards, a place is held against each other entry; one that overlaps becomes the new end. The end
/// only falls, so this ends.
fn find(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut each, mut next, mut lower, mut floor) =
        (a.create_label(), a.create_label(), a.create_label(), a.create_label());
    let (mut other, mut clear, mut span) = (a.create_label(), a.create_label(), a.create_label());
    a.set_label(&mut r.find)?;
    a.mov(dword_ptr(FOUND), 0)?;
    a.mov(si, E820)?;
    a.set_label(&mut each)?;
    a.mov(di, si)?;
    a.call(span)?;
    a.jae(next)?;
    a.cmp(ebx, dword_ptr(WANT_FROM))?;
    a.jae(floor)?;
    a.mov(ebx, dword_ptr(WANT_FROM))?;
    a.set_label(&mut floor)?;
    a.mov(ebp, ebx)?; // EBP = lowest
    a.mov(ecx, dword_ptr(WANT_END))?;
    a.cmp(edx, ecx)?;
    a.jae(lower)?;
    a.mov(ecx, edx)?; // ECX = end
    a.set_label(&mut lower)?;
    a.mov(eax, ecx)?;
    a.sub(eax, dword_ptr(WANT_LEN))?;
    a.jb(next)?;
    a.and(ax, 0xf000u32)?;
    a.cmp(eax, ebp)?;
    a.jb(next)?;
    a.cmp(eax, dword_ptr(FOUND))?;
    a.jbe(next)?;
    a.mov(di, E820)?;
    a.set_label(&mut other)?;
    a.call(span)?;
    a.jb(clear)?; // memory
    a.je(clear)?; // not below 4 GiB
    a.cmp(edx, eax)?;
    a.jbe(clear)?;
    a.mov(edx, eax)?;
    a.add(edx, dword_ptr(WANT_LEN))?;
    a.cmp(ebx, edx)?;
    a.jae(clear)?;
    a.mov(ecx, ebx)?;
    a.jmp(lower)?;
    a.set_label(&mut clear)?;
    a.add(di, E820_ENTRY)?;
    a.cmp(di, word_ptr(E820_LAST))?;
    a.jb(other)?;
    a.mov(dword_ptr(FOUND), eax)?;
    a.set_label(&mut next)?;
    a.add(si, E820_ENTRY)?;
    a.cmp(si, word_ptr(E820_LAST))?;
    a.jb(each)?;
    a.mov(eax, dword_ptr(FOUND))?;
    a.cmp(eax, 1)?; // CF if nothing
    a.ret()?;
    classify(a, &mut span)
}

/// The entry at DI: EBX = first address, EDX = end, cut at 4 GiB less a page. CF = 1: it is memory.
/// ZF = 1: it begins at 4 GiB or above.
fn classify(a: &mut CodeAssembler, span: &mut CodeLabel) -> Result<(), IcedError> {
    let (mut low, mut cut) = (a.create_label(), a.create_label());
    let (mut end, mut no) = (a.create_label(), a.create_label());
    a.set_label(span)?;
    a.cmp(dword_ptr(di + 4), 0)?;
    a.je(low)?;
    a.cmp(ax, ax)?; // ZF = 1, CF = 0
    a.ret()?;
    a.set_label(&mut low)?;
    a.mov(ebx, dword_ptr(di))?;
    a.mov(edx, ebx)?;
    a.add(edx, dword_ptr(di + LENGTH))?;
    a.jb(cut)?;
    a.cmp(dword_ptr(di + (LENGTH + 4)), 0)?;
    a.je(end)?;
    a.set_label(&mut cut)?;
    a.mov(edx, 0xffff_f000u32)?;
    a.set_label(&mut end)?;
    a.cmp(dword_ptr(di + TYPE), ADDRESS_RANGE_MEMORY)?;
    a.jne(no)?;
    a.test(byte_ptr(di + ATTRIBUTES), ENABLED)?;
    a.je(no)?;
    a.test(di, di)?; // ZF = 0: an entry is never at address 0
    a.stc()?;
    a.ret()?;
    a.set_label(&mut no)?;
    a.test(di, di)?; // CF = 0
    a.ret()
}
