//! A kernel that says what it was given, and no more: on COM1, as `word=value` and a final `END`.
//!
//! ```text
//! 0 ── header ── 268 ── real-mode code ── 700 GDT ── 800 ── protected-mode code ── noise ── len
//! ```

use crate::noise::noise;
use iced_x86::code_asm::{
    CodeAssembler, CodeLabel, ah, al, ax, bx, byte_ptr, cr0, cs, ds, dword_ptr, dx, eax, ecx, edx, es, esi,
    esp, fs, fword_ptr, gs, sp, ss,
};
use iced_x86::{Code, IcedError, Instruction};

/// Bytes of the real-mode part.
const SETUP_LEN: u32 = 0x800;
const GDT: u16 = 0x700;
/// In the header, a byte of the old boot sector: 1 if the entry was as the protocol wants it.
const ENTRY_STATE: u32 = 0x1f0;
/// Where a loader puts the real-mode part (any place would do; this one is known to be ours).
const REAL_MODE: u32 = 0x1_0000;
const LOADED: u32 = 0x10_0000;
/// Bytes of both parts that a loader reads at a time.
pub(crate) const CHUNK: u32 = 62 << 10;

/// First address for an initrd.
pub(crate) const RUN_END: u32 = 0x20_0000;

pub(crate) struct Kernel {
    pub(crate) bytes: Vec<u8>,
    /// CRC-32C of the protected-mode part.
    pub(crate) loaded_crc: u32,
}

/// A kernel of `len` bytes.
pub(crate) fn kernel(len: u32, initrd_addr_max: u32) -> Result<Kernel, IcedError> {
    let mut k = vec![0; SETUP_LEN as usize];
    let loaded_len = len - SETUP_LEN;
    let mut put = |at: usize, bytes: &[u8]| k[at..at + bytes.len()].copy_from_slice(bytes);
    put(0x1f1, &[3]); // setup_sects
    put(0x1f4, &(loaded_len / 16).to_le_bytes());
    put(0x1fe, &[0x55, 0xaa, 0xeb, 0x66]);
    put(0x202, b"HdrS\x0f\x02");
    put(0x211, &[1]); // LOADED_HIGH
    put(0x22c, &initrd_addr_max.to_le_bytes());
    put(0x238, &2047u32.to_le_bytes());
    put(0x258, &u64::from(LOADED).to_le_bytes()); // pref_address
    put(0x260, &(RUN_END - LOADED).to_le_bytes()); // init_size
    put(0x268, &real_mode()?);
    let base = (REAL_MODE + u32::from(GDT)).to_le_bytes();
    put(GDT.into(), &[0x17, 0, base[0], base[1], base[2], base[3]]);
    put(usize::from(GDT) + 8, &0x00cf_9b00_0000_ffffu64.to_le_bytes());
    put(usize::from(GDT) + 16, &0x00cf_9300_0000_ffffu64.to_le_bytes());
    let mut loaded = protected_mode(loaded_len)?;
    loaded.extend(noise(loaded_len as usize - loaded.len()));
    let loaded_crc = crc32c::crc32c(&loaded);
    k.extend(loaded);
    Ok(Kernel { bytes: k, loaded_crc })
}

/// Entered at CS:IP = 1020:0000, jumped from there.
fn real_mode() -> Result<Vec<u8>, IcedError> {
    let mut a = CodeAssembler::new(16)?;
    let mut bad = a.create_label();
    a.mov(ax, cs)?;
    a.sub(ax, 0x20)?;
    for segment in [ds, es, fs, gs, ss] {
        a.mov(bx, segment)?;
        a.cmp(ax, bx)?;
        a.jne(bad)?;
    }
    a.pushf()?;
    a.pop(ax)?;
    a.test(ax, 0x200)?; // IF
    a.jne(bad)?;
    a.cmp(sp, 0x9000u32)?;
    a.jb(bad)?;
    a.mov(byte_ptr(ENTRY_STATE), 1)?;
    a.set_label(&mut bad)?;
    a.cli()?;
    a.lgdt(fword_ptr(u32::from(GDT)))?;
    a.mov(eax, cr0)?;
    a.or(al, 1)?;
    a.mov(cr0, eax)?;
    a.add_instruction(Instruction::with_far_branch(Code::Jmp_ptr1632, 8, LOADED)?)?;
    a.assemble(0x68)
}

fn protected_mode(loaded_len: u32) -> Result<Vec<u8>, IcedError> {
    let mut a = CodeAssembler::new(32)?;
    let (mut put, mut hex, mut text, mut crc) =
        (a.create_label(), a.create_label(), a.create_label(), a.create_label());
    a.mov(eax, 0x10)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(ss, ax)?;
    a.mov(esp, 0x8_0000)?;
    say(&mut a, text, "\r\nKERNEL entry=")?;
    a.movzx(eax, byte_ptr(REAL_MODE + ENTRY_STATE))?;
    a.call(hex)?;
    say(&mut a, text, " cmdline=[")?;
    a.mov(esi, dword_ptr(REAL_MODE + 0x228))?;
    a.call(text)?;
    say(&mut a, text, "] initrd=")?;
    a.mov(eax, dword_ptr(REAL_MODE + 0x218))?;
    a.call(hex)?;
    say(&mut a, text, " len=")?;
    a.mov(eax, dword_ptr(REAL_MODE + 0x21c))?;
    a.call(hex)?;
    say(&mut a, text, " crc=")?;
    a.mov(esi, dword_ptr(REAL_MODE + 0x218))?;
    a.mov(ecx, dword_ptr(REAL_MODE + 0x21c))?;
    a.call(crc)?;
    say(&mut a, text, " self=")?;
    a.mov(esi, LOADED)?;
    a.mov(ecx, loaded_len)?;
    a.call(crc)?;
    say(&mut a, text, " END\r\n")?;
    let mut stop = a.create_label();
    a.set_label(&mut stop)?;
    a.hlt()?;
    a.jmp(stop)?;

    // Prints the text at ESI, and leaves ESI behind its zero.
    let mut end = a.create_label();
    a.set_label(&mut text)?;
    a.lodsb()?;
    a.test(al, al)?;
    a.je(end)?;
    a.call(put)?;
    a.jmp(text)?;
    a.set_label(&mut end)?;
    a.ret()?;

    // Prints EAX.
    let (mut digit, mut decimal) = (a.create_label(), a.create_label());
    a.set_label(&mut hex)?;
    a.mov(ecx, 8)?;
    a.set_label(&mut digit)?;
    a.rol(eax, 4)?;
    a.push(eax)?;
    a.and(al, 15)?;
    a.add(al, 0x30)?;
    a.cmp(al, 0x3a)?;
    a.jb(decimal)?;
    a.add(al, 0x27)?;
    a.set_label(&mut decimal)?;
    a.call(put)?;
    a.pop(eax)?;
    a.loop_(digit)?;
    a.ret()?;

    // Prints AL.
    let mut busy = a.create_label();
    a.set_label(&mut put)?;
    a.mov(ah, al)?;
    a.mov(edx, 0x3fd)?;
    a.set_label(&mut busy)?;
    a.in_(al, dx)?;
    a.test(al, 0x20)?;
    a.je(busy)?;
    a.mov(edx, 0x3f8)?;
    a.mov(al, ah)?;
    a.out(dx, al)?;
    a.ret()?;

    // Prints the CRC-32C of ECX bytes at ESI, one bit at a time: not as the loader computes it.
    let (mut byte, mut bit, mut even, mut done) =
        (a.create_label(), a.create_label(), a.create_label(), a.create_label());
    a.set_label(&mut crc)?;
    a.or(eax, -1)?;
    a.jecxz(done)?;
    a.set_label(&mut byte)?;
    a.movzx(edx, byte_ptr(esi))?;
    a.xor(eax, edx)?;
    a.mov(edx, 8)?;
    a.set_label(&mut bit)?;
    a.shr(eax, 1)?;
    a.jae(even)?;
    a.xor(eax, 0x82f6_3b78u32)?;
    a.set_label(&mut even)?;
    a.dec(edx)?;
    a.jne(bit)?;
    a.inc(esi)?;
    a.dec(ecx)?;
    a.jne(byte)?;
    a.set_label(&mut done)?;
    a.not(eax)?;
    a.jmp(hex)?;
    a.assemble(u64::from(LOADED))
}

/// Prints a text that lies in the code.
fn say(a: &mut CodeAssembler, text: CodeLabel, words: &str) -> Result<(), IcedError> {
    let mut over = a.create_label();
    let mut here = a.create_label();
    a.call(over)?;
    a.set_label(&mut here)?;
    for bytes in words.as_bytes().chunks(16) {
        a.db(bytes)?;
    }
    a.db(&[0])?;
    a.set_label(&mut over)?;
    a.pop(esi)?;
    a.call(text)
}
