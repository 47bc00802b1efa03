//! Memory above 1 MiB, which only protected mode reaches.
//!
//! Each use enters protected mode and leaves it. To stay in "unreal mode", with segment limits of
//! 4 GiB, is not safe across calls of a BIOS, which may switch modes itself and restore its own limits.

use super::checksum;
use super::head::{CODE16, CODE32, DATA16, DATA32, GDT};
use super::map::TARGET;
use super::routines::Routines;
use iced_x86::code_asm::{CodeAssembler, al, ax, cr0, ds, dword_ptr, eax, ecx, edi, es, fword_ptr, ss};
use iced_x86::{BlockEncoderOptions, Code, IcedError, Instruction};

/// Both pieces that are not part of the 16-bit code, and where their entries are.
pub(super) struct Protected {
    pub(super) code: Vec<u8>,
    copy: u32,
    take: u32,
}

/// Assembles them for address `at`.
pub(super) fn assemble(at: u32) -> Result<Protected, IcedError> {
    let mut code = leave(at)?;
    let at32 = u64::from(at) + code.len() as u64;
    let mut a = CodeAssembler::new(32)?;
    let (mut copy, mut take) = (a.create_label(), a.create_label());
    a.set_label(&mut copy)?;
    flat(&mut a)?;
    copy32(&mut a)?;
    back(&mut a, at)?;
    a.set_label(&mut take)?;
    flat(&mut a)?;
    checksum::take(&mut a)?;
    back(&mut a, at)?;
    let done = a.assemble_options(at32, BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS)?;
    // The second stage lies below 64 KiB.
    let low = |ip: u64| u32::try_from(ip).unwrap_or(u32::MAX);
    let (copy, take) = (low(done.label_ip(&copy)?), low(done.label_ip(&take)?));
    code.extend(done.inner.code_buffer);
    Ok(Protected { code, copy, take })
}

/// The way back, entered with the 16-bit selectors: real mode, segments 0, interrupts on, and
/// return to who called `copy` or `take`.
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
fn copy32(a: &mut CodeAssembler) -> Result<(), IcedError> {
    a.mov(edi, dword_ptr(TARGET))?;
    a.add(dword_ptr(TARGET), ecx)?;
    a.add(ecx, 3)?;
    a.shr(ecx, 2)?;
    a.rep().movsd()
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
/// - `take`: the last read, `CHUNK_LEN` bytes, goes to `TARGET`, which moves on, and to the checksum.
///
/// Both destroy EAX, ECX, EDX, ESI and EDI.
pub(super) fn emit(a: &mut CodeAssembler, r: &mut Routines, protected: &Protected) -> Result<(), IcedError> {
    a.set_label(&mut r.copy)?;
    enter(a, protected.copy)?;
    a.set_label(&mut r.take)?;
    enter(a, protected.take)
}

fn enter(a: &mut CodeAssembler, at: u32) -> Result<(), IcedError> {
    a.cli()?;
    a.lgdt(fword_ptr(GDT))?;
    a.mov(eax, cr0)?;
    a.or(al, 1)?;
    a.mov(cr0, eax)?;
    a.add_instruction(Instruction::with_far_branch(Code::Jmp_ptr1632, CODE32, at)?)
}
