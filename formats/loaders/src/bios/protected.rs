//! Memory above 1 MiB: copies and checksums, in protected mode.
//!
//! Each use enters protected mode and leaves it. To stay in "unreal mode", with segment limits of
//! 4 GiB, is not safe across calls of a BIOS, which may switch modes itself and restore its own limits.

use super::head::{CODE16, CODE32, DATA16, DATA32, GDT};
use super::map::{CRC, TABLES, TABLES_END, TARGET};
use super::routines::Routines;
use iced_x86::code_asm::{
    CodeAssembler, ah, al, ax, bl, byte_ptr, cr0, ds, dword_ptr, eax, ebx, ecx, edi, edx, es, esi, fword_ptr,
    ss,
};
use iced_x86::{BlockEncoderOptions, Code, IcedError, Instruction};

/// CRC-32C, its bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;
/// 256 entries of 4 bytes.
const TABLE_LEN: u32 = 1 << 10;
const _: () = assert!(TABLES + 4 * TABLE_LEN <= TABLES_END);

/// Both pieces that are not part of the 16-bit code, and where their entries are.
pub(super) struct Protected {
    pub(super) code: Vec<u8>,
    copy: u32,
    checksum: u32,
}

/// Assembles them for address `at`.
pub(super) fn assemble(at: u32) -> Result<Protected, IcedError> {
    let mut code = leave(at)?;
    let at32 = u64::from(at) + code.len() as u64;
    let mut a = CodeAssembler::new(32)?;
    let (mut copy, mut checksum) = (a.create_label(), a.create_label());
    a.set_label(&mut copy)?;
    copy32(&mut a, at)?;
    a.set_label(&mut checksum)?;
    checksum32(&mut a, at)?;
    let done = a.assemble_options(at32, BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS)?;
    // The second stage lies below 64 KiB.
    let low = |ip: u64| u32::try_from(ip).unwrap_or(u32::MAX);
    let (copy, checksum) = (low(done.label_ip(&copy)?), low(done.label_ip(&checksum)?));
    code.extend(done.inner.code_buffer);
    Ok(Protected { code, copy, checksum })
}

/// The way back, entered with the 16-bit selectors: real mode, segments 0, interrupts on, and
/// return to who called `copy` or `checksum`.
fn leave(at: u32) -> Result<Vec<u8>, IcedError> {
    let mut a = CodeAssembler::new(16)?;
    let mut far = a.create_label();
    a.mov(eax, cr0)?;
    a.and(al, 0xfeu32)?;
    a.mov(cr0, eax)?;
    // A far transfer to segment 0 without knowing one's own address.
    a.push(0)?;
    a.call(far)?;
    a.xor(ax, ax)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(ss, ax)?;
    a.sti()?;
    a.ret()?;
    a.set_label(&mut far)?;
    a.retf()?;
    a.assemble(at.into())
}

/// Copies ECX bytes, rounded up to 4, from ESI to `TARGET`, which moves on by ECX.
fn copy32(a: &mut CodeAssembler, leave: u32) -> Result<(), IcedError> {
    flat(a)?;
    a.mov(edi, dword_ptr(TARGET))?;
    a.add(dword_ptr(TARGET), ecx)?;
    a.add(ecx, 3)?;
    a.shr(ecx, 2)?;
    a.rep().movsd()?;
    back(a, leave)
}

/// Adds ECX bytes from ESI to `CRC`, four at a time: a byte's entry is what becomes of the checksum
/// when that byte and 0 to 3 more zeros pass through it.
///
/// SSE4.2's instruction is not used: emulators compute it bit by bit, and no medium is as fast as this.
fn checksum32(a: &mut CodeAssembler, leave: u32) -> Result<(), IcedError> {
    flat(a)?;
    tables(a)?;
    let (mut words, mut tail, mut bytes, mut done) =
        (a.create_label(), a.create_label(), a.create_label(), a.create_label());
    a.mov(eax, dword_ptr(CRC))?;
    a.push(ecx)?;
    a.shr(ecx, 2)?;
    a.je(tail)?;
    a.set_label(&mut words)?;
    a.xor(eax, dword_ptr(esi))?;
    a.movzx(ebx, al)?;
    a.mov(edx, dword_ptr(ebx * 4 + table(3)))?;
    a.movzx(ebx, ah)?;
    a.xor(edx, dword_ptr(ebx * 4 + table(2)))?;
    a.shr(eax, 16)?;
    a.movzx(ebx, al)?;
    a.xor(edx, dword_ptr(ebx * 4 + table(1)))?;
    a.movzx(ebx, ah)?;
    a.mov(eax, dword_ptr(ebx * 4 + table(0)))?;
    a.xor(eax, edx)?;
    a.add(esi, 4)?;
    a.dec(ecx)?;
    a.jne(words)?;

    a.set_label(&mut tail)?;
    a.pop(ecx)?;
    a.and(ecx, 3)?;
    a.je(done)?;
    a.set_label(&mut bytes)?;
    a.movzx(ebx, byte_ptr(esi))?;
    a.xor(bl, al)?;
    a.shr(eax, 8)?;
    a.xor(eax, dword_ptr(ebx * 4 + table(0)))?;
    a.inc(esi)?;
    a.dec(ecx)?;
    a.jne(bytes)?;
    a.set_label(&mut done)?;
    a.mov(dword_ptr(CRC), eax)?;
    back(a, leave)
}

/// Of a byte that `zeros` more follow.
fn table(zeros: u32) -> u32 {
    TABLES + zeros * TABLE_LEN
}

/// Computes the tables. Destroys EAX, EBX and EDX.
fn tables(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let (mut entry, mut bit, mut even) = (a.create_label(), a.create_label(), a.create_label());
    a.xor(ebx, ebx)?;
    a.set_label(&mut entry)?;
    a.mov(eax, ebx)?;
    a.mov(edx, 8)?;
    a.set_label(&mut bit)?;
    a.shr(eax, 1)?;
    a.jae(even)?;
    a.xor(eax, POLYNOMIAL)?;
    a.set_label(&mut even)?;
    a.dec(edx)?;
    a.jne(bit)?;
    a.mov(dword_ptr(ebx * 4 + table(0)), eax)?;
    a.inc(bl)?;
    a.jne(entry)?;

    // Each of the others is the one before it with a zero more.
    let mut zero = a.create_label();
    a.set_label(&mut zero)?;
    a.mov(eax, dword_ptr(ebx * 4 + table(0)))?;
    a.movzx(edx, al)?;
    a.shr(eax, 8)?;
    a.xor(eax, dword_ptr(edx * 4 + table(0)))?;
    a.mov(dword_ptr(ebx * 4 + table(1)), eax)?;
    a.inc(ebx)?;
    a.cmp(ebx, 3 * 256)?;
    a.jb(zero)
}

/// Data segments of 4 GiB. The stack stays where it is: its segment begins at 0 in both modes.
fn flat(a: &mut CodeAssembler) -> Result<(), IcedError> {
    select(a, DATA32)
}

/// Limits of 64 KiB, as a BIOS finds them after reset, then the way back.
fn back(a: &mut CodeAssembler, leave: u32) -> Result<(), IcedError> {
    select(a, DATA16)?;
    a.add_instruction(Instruction::with_far_branch(Code::Jmp_ptr1632, CODE16, leave)?)
}

fn select(a: &mut CodeAssembler, selector: u16) -> Result<(), IcedError> {
    a.mov(eax, u32::from(selector))?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(ss, ax)
}

/// The 16-bit entries.
///
/// - `copy`: ESI = linear source, ECX = bytes; goes to `TARGET`, which moves on.
/// - `checksum`: ESI = linear address, ECX = bytes; added to `CRC`.
///
/// Both destroy EAX, EBX, ECX, EDX, ESI and EDI.
pub(super) fn emit(a: &mut CodeAssembler, r: &mut Routines, protected: &Protected) -> Result<(), IcedError> {
    a.set_label(&mut r.copy)?;
    enter(a, protected.copy)?;
    a.set_label(&mut r.checksum)?;
    enter(a, protected.checksum)
}

fn enter(a: &mut CodeAssembler, at: u32) -> Result<(), IcedError> {
    a.cli()?;
    a.lgdt(fword_ptr(GDT))?;
    a.mov(eax, cr0)?;
    a.or(al, 1)?;
    a.mov(cr0, eax)?;
    a.add_instruction(Instruction::with_far_branch(Code::Jmp_ptr1632, CODE32, at)?)
}
