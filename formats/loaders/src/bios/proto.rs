#![allow(
    missing_docs,
    dead_code,
    clippy::all,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::wildcard_imports,
    clippy::unwrap_used
)]

use iced_x86::code_asm::*;
use iced_x86::{IcedError, Instruction};

pub(super) const ORG: u32 = 0x7C00;
pub(super) const MAGIC_HDD: u32 = 0x4448_4B4D; // "MKHD"
pub(super) const STAGE2_MAX: usize = 2048;
/// Offset of the parameter block inside stage2 (leaves room for a BPB-scribbling BIOS and
/// for an El Torito boot-info-table at 8..64).
pub(super) const PARAMS: u32 = 0x5C;
const P_SIG: u32 = ORG + PARAMS; // u32 "mkim"
const P_KLBA: u32 = P_SIG + 4; // u64, 512-byte units
const P_KSIZE: u32 = P_SIG + 12; // u32 bytes
const P_ILBA: u32 = P_SIG + 16; // u64
const P_ISIZE: u32 = P_SIG + 24; // u32
const P_CLBA: u32 = P_SIG + 28; // u64
const P_CSIZE: u32 = P_SIG + 36; // u32
const P_FLAGS: u32 = P_SIG + 40; // u8: bit0 = use COM1
const P_DIV: u32 = P_SIG + 41; // u8: baud divisor (0 = leave the UART alone)
const P_VID: u32 = P_SIG + 42; // u16 vid_mode
const GDTR: u32 = P_SIG + 44; // 6 bytes (+2 pad)
const GDT: u32 = P_SIG + 52; // 4 * 8 bytes
const HEAD_LEN: usize = (PARAMS + 52 + 32) as usize;

// variables
const V: u32 = 0x800;
const V_DAP: u32 = V; // 16 bytes
const V_LBA: u32 = V + 16; // u64
const V_REM: u32 = V + 24; // u32 bytes left
const V_DST: u32 = V + 28; // u32 linear
const V_DRV: u32 = V + 32; // u8
const V_SHIFT: u32 = V + 33; // u8: log2(sector) - 9
const V_TRY: u32 = V + 34; // u8
const V_CHUNK: u32 = V + 36; // u32 bytes per INT 13h call
const V_BEST: u32 = V + 40; // u32 initrd address
const V_FLOOR: u32 = V + 44; // u32 lowest address the initrd may have
const V_LIMIT: u32 = V + 48; // u32 highest end
const V_DOT: u32 = V + 52; // u32
const V_N: u32 = V + 56; // u32
const V_TOP: u32 = V + 60; // u32 scratch
const V_E820: u32 = V + 64; // 24 bytes
const V_END: u32 = V + 96;

const BUF: u32 = 0x2_0000;
const BUF_SEG: u32 = BUF >> 4;
const CHUNK: u32 = 60 * 1024;
const RM_SEG: u32 = 0x1000;
const RM: u32 = RM_SEG << 4;
const CMDLINE: u32 = RM + 0xE000;
const HEAP_END: u32 = 0xE000 - 0x200;

#[derive(Clone, Debug, Default)]
pub(super) struct Params {
    pub(super) kernel_lba: u64, // all in 512-byte units from the start of the medium
    pub(super) kernel_size: u32,
    pub(super) initrd_lba: u64,
    pub(super) initrd_size: u32,
    pub(super) cmdline_lba: u64,
    pub(super) cmdline_size: u32, // including the NUL
    pub(super) serial: bool,
    pub(super) divisor: u8,
}

impl Params {
    pub(super) fn patch(&self, s2: &mut [u8]) {
        let p = PARAMS as usize;
        s2[p..p + 4].copy_from_slice(b"mkim");
        s2[p + 4..p + 12].copy_from_slice(&self.kernel_lba.to_le_bytes());
        s2[p + 12..p + 16].copy_from_slice(&self.kernel_size.to_le_bytes());
        s2[p + 16..p + 24].copy_from_slice(&self.initrd_lba.to_le_bytes());
        s2[p + 24..p + 28].copy_from_slice(&self.initrd_size.to_le_bytes());
        s2[p + 28..p + 36].copy_from_slice(&self.cmdline_lba.to_le_bytes());
        s2[p + 36..p + 40].copy_from_slice(&self.cmdline_size.to_le_bytes());
        s2[p + 40] = self.serial as u8;
        s2[p + 41] = self.divisor;
        s2[p + 42..p + 44].copy_from_slice(&0xFFFFu16.to_le_bytes());
    }
}

/// `call print` followed by an inline NUL-terminated string.
fn say(a: &mut CodeAssembler, print: CodeLabel, s: &str) -> Result<(), IcedError> {
    a.call(print)?;
    for c in s.as_bytes().chunks(16) {
        a.db(c)?;
    }
    a.db(&[0])
}

/// Far transfer without needing label addresses: push selector, call a lone RETF.
fn far(a: &mut CodeAssembler, retf: CodeLabel, sel: i32) -> Result<(), IcedError> {
    a.push(sel)?;
    a.call(retf)
}

pub(super) fn stage2() -> Result<Vec<u8>, IcedError> {
    let mut a = CodeAssembler::new(16)?;
    let a = &mut a;
    let (mut print, mut putc, mut hex8, mut retf, mut die) =
        (a.create_label(), a.create_label(), a.create_label(), a.create_label(), a.create_label());
    let (mut read_chunk, mut copy, mut stream, mut a20ok) =
        (a.create_label(), a.create_label(), a.create_label(), a.create_label());

    // ---- entry -------------------------------------------------------------
    a.cli()?;
    a.xor(ax, ax)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(ss, ax)?;
    a.mov(esp, ORG)?;
    a.sti()?;
    a.cld()?;
    // clear variables
    a.mov(di, V as i32)?;
    a.mov(cx, (V_END - V) as i32)?;
    a.rep().stosb()?;
    a.mov(byte_ptr(V_DRV), dl)?;
    a.mov(dword_ptr(V_CHUNK), CHUNK)?;
    {
        let mut hdd = a.create_label();
        a.cmp(esi, MAGIC_HDD)?;
        a.je(hdd)?;
        a.mov(byte_ptr(V_SHIFT), 2)?;
        a.set_label(&mut hdd)?;
        a.nop()?;
    }
    // COM1: present? then program 8N1 at the asked speed
    {
        let mut noser = a.create_label();
        a.test(byte_ptr(P_FLAGS), 1)?;
        a.je(noser)?;
        a.mov(dx, 0x3FD)?;
        a.in_(al, dx)?;
        a.inc(al)?; // 0xFF: no UART there
        let mut there = a.create_label();
        a.jne(there)?;
        a.mov(byte_ptr(P_FLAGS), 0)?;
        a.jmp(noser)?;
        a.set_label(&mut there)?;
        a.mov(al, byte_ptr(P_DIV))?;
        a.mov(ah, al)?;
        a.test(al, al)?;
        a.je(noser)?;
        a.mov(dx, 0x3FB)?;
        a.mov(al, 0x83)?;
        a.out(dx, al)?;
        a.mov(dl, 0xF8)?;
        a.mov(al, ah)?;
        a.out(dx, al)?;
        a.inc(dx)?;
        a.mov(al, 0)?;
        a.out(dx, al)?;
        a.mov(dl, 0xFB)?;
        a.mov(al, 3)?;
        a.out(dx, al)?;
        a.mov(dl, 0xFC)?;
        a.out(dx, al)?; // DTR | RTS
        a.set_label(&mut noser)?;
        a.nop()?;
    }
    say(a, print, "mkboot ")?;
    a.mov(al, byte_ptr(V_DRV))?;
    a.call(hex8)?;

    // ---- A20 ---------------------------------------------------------------
    {
        let (mut test_a20, mut same, mut done) = (a.create_label(), a.create_label(), a.create_label());
        let mut go = a.create_label();
        a.jmp(go)?;
        // ZF=0 when A20 is on; tries for a while because KBC methods are slow
        a.set_label(&mut test_a20)?;
        a.push(es)?;
        a.mov(bx, 0xFFFF)?;
        a.mov(es, bx)?;
        a.mov(cx, 0x4000)?;
        a.set_label(&mut same)?;
        a.inc(word_ptr(V_TOP))?; // [0:V_TOP] vs [FFFF:V_TOP+10h]
        a.in_(al, 0x80)?; // ~1 us
        a.mov(ax, word_ptr(V_TOP))?;
        a.cmp(ax, word_ptr(V_TOP + 0x10).es())?;
        a.loope(same)?;
        a.pop(es)?;
        a.ret()?;
        a.set_label(&mut go)?;
        a.call(test_a20)?;
        a.jne(done)?;
        a.mov(ax, 0x2401)?;
        a.int(0x15)?;
        a.sti()?;
        a.call(test_a20)?;
        a.jne(done)?;
        // keyboard controller
        let (mut kbw, mut kbl) = (a.create_label(), a.create_label());
        let mut kgo = a.create_label();
        a.jmp(kgo)?;
        a.set_label(&mut kbw)?; // wait for input buffer empty, bounded
        a.xor(cx, cx)?;
        a.set_label(&mut kbl)?;
        a.in_(al, 0x80)?;
        a.in_(al, 0x64)?;
        a.test(al, 2)?;
        a.loopne(kbl)?;
        a.ret()?;
        a.set_label(&mut kgo)?;
        a.cli()?;
        a.call(kbw)?;
        a.mov(al, 0xD1)?;
        a.out(0x64, al)?;
        a.call(kbw)?;
        a.mov(al, 0xDF)?;
        a.out(0x60, al)?;
        a.call(kbw)?;
        a.mov(al, 0xFF)?;
        a.out(0x64, al)?;
        a.call(kbw)?;
        a.sti()?;
        a.call(test_a20)?;
        a.jne(done)?;
        // fast A20 last: port 92h hangs a few machines
        a.in_(al, 0x92)?;
        a.or(al, 2)?;
        a.and(al, 0xFEu32)?;
        a.out(0x92, al)?;
        a.call(test_a20)?;
        a.jne(done)?;
        say(a, print, "A20 stuck")?;
        a.jmp(die)?;
        a.set_label(&mut done)?;
        a.jmp(a20ok)?;
    }

    // ---- kernel ------------------------------------------------------------
    // The first 60 KiB go to RM, so that the real-mode part is in place whatever
    // chunk size the BIOS made us fall back to; what follows it moves to 1 MiB.
    a.set_label(&mut a20ok)?;
    a.mov(si, P_KLBA as i32)?;
    a.mov(di, V_LBA as i32)?;
    a.mov(cx, 6)?;
    a.rep().movsw()?; // LBA and size
    a.mov(dword_ptr(V_REM), CHUNK)?;
    a.mov(dword_ptr(V_DST), RM)?;
    a.call(stream)?;
    a.mov(ax, RM_SEG)?;
    a.mov(fs, ax)?;
    {
        let mut bad = a.create_label();
        let mut good = a.create_label();
        a.cmp(dword_ptr(0x202).fs(), 0x5372_6448)?; // "HdrS"
        a.jne(bad)?;
        a.cmp(word_ptr(0x206).fs(), 0x0203)?; // >= 2.03: initrd_addr_max, cmd_line_ptr
        a.jb(bad)?;
        a.test(byte_ptr(0x211).fs(), 1)?; // LOADED_HIGH
        a.jne(good)?;
        a.set_label(&mut bad)?;
        say(a, print, "not a bzImage")?;
        a.jmp(die)?;
        a.set_label(&mut good)?;
        a.movzx(eax, byte_ptr(0x1F1).fs())?;
    }
    {
        let mut nz = a.create_label();
        a.test(al, al)?;
        a.jne(nz)?;
        a.mov(al, 4)?;
        a.set_label(&mut nz)?;
        a.inc(ax)?;
        a.shl(eax, 9)?; // EAX = setup bytes (at most 32.5 KiB by the protocol)
    }
    a.mov(ecx, CHUNK)?;
    a.sub(ecx, eax)?;
    a.lea(esi, eax + RM)?;
    a.mov(dword_ptr(V_DST), 0x10_0000)?;
    a.call(copy)?;
    a.mov(eax, dword_ptr(P_KSIZE))?;
    a.sub(eax, CHUNK)?;
    a.mov(dword_ptr(V_REM), eax)?;
    a.call(stream)?;

    // ---- setup header --------------------------------------------------------
    a.mov(ax, RM_SEG)?;
    a.mov(fs, ax)?;
    a.mov(ax, word_ptr(P_VID))?;
    a.mov(word_ptr(0x1FA).fs(), ax)?;
    a.mov(byte_ptr(0x210).fs(), 0xFFu32)?;
    a.or(byte_ptr(0x211).fs(), 0x80u32)?;
    a.mov(word_ptr(0x224).fs(), HEAP_END)?;
    a.mov(dword_ptr(0x228).fs(), CMDLINE)?;

    // ---- command line -------------------------------------------------------
    a.mov(si, P_CLBA as i32)?;
    a.mov(di, V_LBA as i32)?;
    a.mov(cx, 6)?;
    a.rep().movsw()?;
    a.mov(dword_ptr(V_DST), CMDLINE)?;
    a.call(stream)?;

    // ---- initrd placement ----------------------------------------------------
    let mut boot = a.create_label();
    a.mov(eax, dword_ptr(P_ISIZE))?;
    a.test(eax, eax)?;
    a.je(boot)?;
    // floor = max(1 MiB + kernel size, pref_address + init_size) when 2.10
    a.mov(eax, dword_ptr(P_KSIZE))?;
    a.add(eax, 0x10_0000)?;
    {
        let (mut old, mut small) = (a.create_label(), a.create_label());
        a.cmp(word_ptr(0x206).fs(), 0x020A)?;
        a.jb(old)?;
        a.mov(ebx, dword_ptr(0x258).fs())?;
        a.add(ebx, dword_ptr(0x260).fs())?;
        a.cmp(ebx, eax)?;
        a.jb(small)?;
        a.mov(eax, ebx)?;
        a.set_label(&mut small)?;
        a.nop()?;
        a.set_label(&mut old)?;
        a.mov(dword_ptr(V_FLOOR), eax)?;
    }
    a.mov(eax, dword_ptr(0x22C).fs())?;
    a.inc(eax)?;
    a.mov(dword_ptr(V_LIMIT), eax)?;
    // try_region(EBX = base, EAX = end): candidate = (min(end,limit) - size) & ~4095
    let mut try_region = a.create_label();
    let mut after = a.create_label();
    a.jmp(after)?;
    a.set_label(&mut try_region)?;
    {
        let (mut no, mut l1) = (a.create_label(), a.create_label());
        a.cmp(eax, dword_ptr(V_LIMIT))?;
        a.jb(l1)?;
        a.mov(eax, dword_ptr(V_LIMIT))?;
        a.set_label(&mut l1)?;
        a.sub(eax, dword_ptr(P_ISIZE))?;
        a.jb(no)?;
        a.and(ax, 0xF000u32)?;
        a.cmp(eax, ebx)?;
        a.jb(no)?;
        a.cmp(eax, dword_ptr(V_FLOOR))?;
        a.jb(no)?;
        a.cmp(eax, dword_ptr(V_BEST))?;
        a.jb(no)?;
        a.mov(dword_ptr(V_BEST), eax)?;
        a.set_label(&mut no)?;
        a.ret()?;
    }
    a.set_label(&mut after)?;
    a.xor(ebx, ebx)?;
    {
        let (mut next, mut skip, mut done, mut lo) =
            (a.create_label(), a.create_label(), a.create_label(), a.create_label());
        a.set_label(&mut next)?;
        a.mov(eax, 0xE820)?;
        a.mov(edx, 0x534D_4150)?;
        a.mov(ecx, 24)?;
        a.mov(di, V_E820 as i32)?;
        a.mov(dword_ptr(V_E820 + 20), 1)?; // BIOSes that return 20 bytes
        a.int(0x15)?;
        a.sti()?;
        a.jb(done)?;
        a.cmp(eax, 0x534D_4150)?;
        a.jne(done)?;
        a.cmp(dword_ptr(V_E820 + 16), 1)?;
        a.jne(skip)?;
        a.test(byte_ptr(V_E820 + 20), 1)?; // ACPI 3: entry disabled
        a.je(skip)?;
        a.cmp(dword_ptr(V_E820 + 4), 0)?;
        a.jne(skip)?;
        a.push(ebx)?;
        a.mov(ebx, dword_ptr(V_E820))?;
        a.mov(eax, ebx)?;
        a.mov(edx, dword_ptr(V_E820 + 12))?;
        a.add(eax, dword_ptr(V_E820 + 8))?;
        a.adc(edx, 0)?;
        a.je(lo)?;
        a.or(eax, -1)?;
        a.set_label(&mut lo)?;
        a.call(try_region)?;
        a.pop(ebx)?;
        a.set_label(&mut skip)?;
        a.test(ebx, ebx)?;
        a.jne(next)?;
        a.set_label(&mut done)?;
        // nothing from E820: E801
        let mut have = a.create_label();
        a.cmp(dword_ptr(V_BEST), 0)?;
        a.jne(have)?;
        a.xor(cx, cx)?;
        a.xor(dx, dx)?;
        a.mov(ax, 0xE801)?;
        a.int(0x15)?;
        a.sti()?;
        let mut nomem = a.create_label();
        a.jb(nomem)?;
        let mut use_ab = a.create_label();
        a.jcxz(use_ab)?;
        a.mov(ax, cx)?;
        a.mov(bx, dx)?;
        a.set_label(&mut use_ab)?;
        a.movzx(eax, ax)?;
        a.shl(eax, 10)?;
        a.add(eax, 0x10_0000)?;
        let mut hole = a.create_label();
        a.cmp(eax, 0x100_0000)?;
        a.jne(hole)?;
        a.movzx(ebx, bx)?;
        a.shl(ebx, 16)?;
        a.add(eax, ebx)?;
        a.set_label(&mut hole)?;
        a.xor(ebx, ebx)?;
        a.call(try_region)?;
        a.cmp(dword_ptr(V_BEST), 0)?;
        a.jne(have)?;
        a.set_label(&mut nomem)?;
        say(a, print, "not enough memory")?;
        a.jmp(die)?;
        a.set_label(&mut have)?;
        a.nop()?;
    }
    a.mov(eax, dword_ptr(V_BEST))?;
    a.mov(dword_ptr(V_DST), eax)?;
    a.mov(dword_ptr(0x218).fs(), eax)?;
    a.mov(eax, dword_ptr(P_ISIZE))?;
    a.mov(dword_ptr(0x21C).fs(), eax)?;
    a.mov(si, P_ILBA as i32)?;
    a.mov(di, V_LBA as i32)?;
    a.mov(cx, 6)?;
    a.rep().movsw()?;
    a.call(stream)?;

    // ---- go -------------------------------------------------------------------
    a.set_label(&mut boot)?;
    say(a, print, " go\r\n")?;
    a.cli()?;
    a.mov(ax, RM_SEG)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(fs, ax)?;
    a.mov(gs, ax)?;
    a.mov(ss, ax)?;
    a.mov(esp, HEAP_END)?;
    a.push((RM_SEG + 0x20) as i32)?;
    a.push(0)?;
    a.set_label(&mut retf)?;
    a.retf()?;

    // ---- stream: read V_REM bytes at V_LBA to linear V_DST -------------------------
    a.set_label(&mut stream)?;
    {
        let mut done = a.create_label();
        a.cmp(dword_ptr(V_REM), 0)?;
        a.je(done)?;
        a.call(read_chunk)?;
        a.mov(esi, BUF)?;
        a.call(copy)?;
        a.jmp(stream)?;
        a.set_label(&mut done)?;
        a.ret()?;
    }

    // ---- read_chunk: up to V_CHUNK bytes into BUF; ECX = byte count ------------------
    a.set_label(&mut read_chunk)?;
    {
        let (mut again, mut c1, mut ok, mut nohalve, mut fail, mut nodot) = (
            a.create_label(),
            a.create_label(),
            a.create_label(),
            a.create_label(),
            a.create_label(),
            a.create_label(),
        );
        a.mov(byte_ptr(V_TRY), 6)?;
        a.set_label(&mut again)?;
        a.mov(eax, dword_ptr(V_REM))?;
        a.cmp(eax, dword_ptr(V_CHUNK))?;
        a.jb(c1)?;
        a.mov(eax, dword_ptr(V_CHUNK))?;
        a.set_label(&mut c1)?;
        a.mov(dword_ptr(V_N), eax)?;
        // DAP
        a.mov(cl, byte_ptr(V_SHIFT))?;
        a.mov(edx, 512)?;
        a.shl(edx, cl)?;
        a.lea(eax, eax + edx - 1)?;
        a.shr(eax, cl)?;
        a.shr(eax, 9)?;
        a.mov(dword_ptr(V_DAP), 0x10)?;
        a.mov(word_ptr(V_DAP + 2), ax)?;
        a.mov(dword_ptr(V_DAP + 4), BUF_SEG << 16)?;
        a.mov(eax, dword_ptr(V_LBA))?;
        a.mov(edx, dword_ptr(V_LBA + 4))?;
        a.shrd(eax, edx, cl)?;
        a.shr(edx, cl)?;
        a.mov(dword_ptr(V_DAP + 8), eax)?;
        a.mov(dword_ptr(V_DAP + 12), edx)?;
        a.mov(si, V_DAP as i32)?;
        a.mov(dl, byte_ptr(V_DRV))?;
        a.pushad()?;
        a.push(ds)?;
        a.push(es)?;
        a.push(fs)?;
        a.mov(ax, 0x4200)?;
        a.int(0x13)?;
        a.sti()?;
        a.cld()?;
        a.pop(fs)?;
        a.pop(es)?;
        a.pop(ds)?;
        a.mov(byte_ptr(V_TRY + 1), ah)?;
        a.popad()?;
        a.jae(ok)?;
        // reset, then retry; after two failures at a size, halve it (some BIOSes cap the count)
        a.dec(byte_ptr(V_TRY))?;
        a.je(fail)?;
        a.pushad()?;
        a.xor(ax, ax)?;
        a.mov(dl, byte_ptr(V_DRV))?;
        a.int(0x13)?;
        a.sti()?;
        a.popad()?;
        a.test(byte_ptr(V_TRY), 1)?;
        a.jne(again)?;
        a.cmp(dword_ptr(V_CHUNK), 4096)?;
        a.jb(nohalve)?;
        a.shr(dword_ptr(V_CHUNK), 1)?;
        a.and(word_ptr(V_CHUNK), 0xF800u32)?;
        a.mov(byte_ptr(V_TRY), 6)?;
        a.set_label(&mut nohalve)?;
        a.jmp(again)?;
        a.set_label(&mut fail)?;
        say(a, print, "read error ")?;
        a.mov(al, byte_ptr(V_TRY + 1))?;
        a.call(hex8)?;
        a.jmp(die)?;
        a.set_label(&mut ok)?;
        // advance
        a.mov(ecx, dword_ptr(V_N))?;
        a.sub(dword_ptr(V_REM), ecx)?;
        a.mov(eax, ecx)?;
        a.shr(eax, 9)?; // a short tail only ever ends the stream
        a.add(dword_ptr(V_LBA), eax)?;
        a.adc(dword_ptr(V_LBA + 4), 0)?;
        a.add(dword_ptr(V_DOT), ecx)?;
        a.cmp(dword_ptr(V_DOT), 4 << 20)?;
        a.jb(nodot)?;
        a.mov(dword_ptr(V_DOT), 0)?;
        a.mov(al, b'.' as u32)?;
        a.call(putc)?;
        a.set_label(&mut nodot)?;
        a.ret()?;
    }

    // ---- copy ECX bytes from linear ESI to linear V_DST, via protected mode -------------
    // A switch per chunk, not "unreal mode once": BIOS calls may reload segment limits.
    a.set_label(&mut copy)?;
    a.cli()?;
    a.mov(edi, dword_ptr(V_DST))?;
    a.add(dword_ptr(V_DST), ecx)?;
    a.lgdt(fword_ptr(GDTR))?;
    a.mov(eax, cr0)?;
    a.or(al, 1)?;
    a.mov(cr0, eax)?;
    far(a, retf, 0x08)?;
    a.mov(ax, 0x18)?;
    a.mov(ss, ax)?;
    a.mov(al, 0x10)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.add(ecx, 3)?;
    a.shr(ecx, 2)?;
    a.add_instruction(Instruction::with_rep_movsd(32)?)?;
    a.mov(al, 0x18)?; // 64 KiB limits again before leaving
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(eax, cr0)?;
    a.and(al, 0xFEu32)?;
    a.mov(cr0, eax)?;
    far(a, retf, 0)?;
    a.xor(ax, ax)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(ss, ax)?;
    a.sti()?;
    a.ret()?;

    // ---- console ------------------------------------------------------------------
    a.set_label(&mut die)?;
    say(a, print, "; press a key to retry\r\n")?;
    a.xor(ax, ax)?;
    a.int(0x16)?;
    a.int(0x18)?; // next boot device where the BIOS supports it
    a.int(0x19)?;

    a.set_label(&mut hex8)?;
    {
        let mut nib = a.create_label();
        let mut small = a.create_label();
        a.push(ax)?;
        a.shr(al, 4)?;
        a.call(nib)?;
        a.pop(ax)?;
        a.set_label(&mut nib)?;
        a.and(al, 15)?;
        a.add(al, b'0' as u32)?;
        a.cmp(al, (b'9' + 1) as u32)?;
        a.jb(small)?;
        a.add(al, 7)?;
        a.set_label(&mut small)?;
        a.jmp(putc)?;
    }
    a.set_label(&mut print)?;
    {
        let mut end = a.create_label();
        a.pop(si)?;
        a.lodsb()?;
        a.push(si)?;
        a.test(al, al)?;
        a.je(end)?;
        a.call(putc)?;
        a.jmp(print)?;
        a.set_label(&mut end)?;
        a.ret()?;
    }
    a.set_label(&mut putc)?;
    {
        let (mut out, mut w, mut no) = (a.create_label(), a.create_label(), a.create_label());
        a.pushad()?; // INT 10h may trash BP (and more) when it scrolls
        a.push(ax)?;
        a.mov(bx, 7)?;
        a.mov(ah, 0x0E)?;
        a.int(0x10)?;
        a.pop(ax)?;
        a.test(byte_ptr(P_FLAGS), 1)?;
        a.je(no)?;
        a.mov(ah, al)?;
        a.mov(dx, 0x3FD)?;
        a.xor(cx, cx)?;
        a.set_label(&mut w)?;
        a.in_(al, dx)?;
        a.test(al, 0x20)?;
        a.loope(w)?;
        a.je(no)?;
        a.set_label(&mut out)?;
        a.mov(dl, 0xF8)?;
        a.mov(al, ah)?;
        a.out(dx, al)?;
        a.set_label(&mut no)?;
        a.popad()?;
        a.ret()?;
    }

    let code = a.assemble((ORG as usize + HEAD_LEN) as u64)?;
    let mut img = vec![0u8; HEAD_LEN];
    // JMP FAR 0000:entry, over the parameter block.  Absolute, because some BIOSes (Bochs'
    // among them) enter at 07C0:0000 and everything below assumes CS = 0.
    img[0] = 0xEA;
    img[1..3].copy_from_slice(&((ORG as usize + HEAD_LEN) as u16).to_le_bytes());
    let g = (GDTR - ORG) as usize;
    img[g..g + 2].copy_from_slice(&31u16.to_le_bytes());
    img[g + 2..g + 6].copy_from_slice(&GDT.to_le_bytes());
    let g = (GDT - ORG) as usize;
    for (i, d) in
        [0u64, 0x0000_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x0000_9300_0000_FFFF].iter().enumerate()
    {
        img[g + i * 8..g + i * 8 + 8].copy_from_slice(&d.to_le_bytes());
    }
    img.extend_from_slice(&code);
    assert!(img.len() <= STAGE2_MAX, "stage2 is {} bytes", img.len());
    Ok(img)
}

/// 440-byte MBR: loads 4 sectors of stage2 from `lba` of its own disk.
pub(super) fn mbr(lba: u64) -> Result<Vec<u8>, IcedError> {
    const CODE: usize = 0x5A; // leave a BPB-sized hole: "USB-FDD/ZIP" BIOSes write there
    const CONT: usize = 0x90;
    const DAP: u32 = 0x800; // just above our own copy
    let mut a = CodeAssembler::new(16)?;
    a.cli()?;
    a.xor(ax, ax)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(ss, ax)?;
    a.mov(sp, ORG as i32)?;
    a.sti()?;
    a.cld()?;
    a.mov(si, ORG as i32)?;
    a.mov(di, 0x600)?;
    a.mov(cx, 256)?;
    a.rep().movsw()?;
    a.push(0)?;
    a.push(0x600 + CONT as i32)?;
    a.retf()?;
    let part_a = a.assemble(ORG as u64 + CODE as u64)?;

    let mut a = CodeAssembler::new(16)?;
    let (mut retry, mut ok, mut bad, mut dlok, mut pr, mut prc, mut hang) = (
        a.create_label(),
        a.create_label(),
        a.create_label(),
        a.create_label(),
        a.create_label(),
        a.create_label(),
        a.create_label(),
    );
    // A BIOS that passes DL outside 80h..8Fh is lying: we are an MBR.
    a.test(dl, 0x80u32)?;
    let mut fix = a.create_label();
    a.je(fix)?;
    a.test(dl, 0x70)?;
    a.je(dlok)?;
    a.set_label(&mut fix)?;
    a.mov(dl, 0x80u32)?;
    a.set_label(&mut dlok)?;
    a.mov(bp, 5)?;
    a.set_label(&mut retry)?;
    a.mov(si, DAP as i32)?;
    a.mov(dword_ptr(DAP), 0x0004_0010)?;
    a.mov(dword_ptr(DAP + 4), ORG)?;
    a.mov(dword_ptr(DAP + 8), lba as u32)?;
    a.mov(dword_ptr(DAP + 12), (lba >> 32) as u32)?;
    a.pushad()?;
    a.mov(ah, 0x42)?;
    a.int(0x13)?;
    a.sti()?;
    a.cld()?;
    a.popad()?;
    a.jb(bad)?;
    a.cmp(dword_ptr(P_SIG), u32::from_le_bytes(*b"mkim"))?;
    a.je(ok)?;
    a.set_label(&mut bad)?;
    a.pushad()?;
    a.xor(ah, ah)?;
    a.int(0x13)?;
    a.popad()?;
    a.dec(bp)?;
    a.jne(retry)?;
    a.call(pr)?;
    a.db(b"mkboot: no EDD")?;
    a.db(b"\0")?;
    a.set_label(&mut pr)?;
    a.pop(si)?;
    a.set_label(&mut prc)?;
    a.lodsb()?;
    a.test(al, al)?;
    a.je(hang)?;
    a.mov(ah, 0x0E)?;
    a.mov(bx, 7)?;
    a.push(si)?;
    a.int(0x10)?;
    a.pop(si)?;
    a.jmp(prc)?;
    a.set_label(&mut hang)?;
    a.int(0x18)?;
    a.set_label(&mut ok)?;
    a.mov(esi, MAGIC_HDD)?;
    a.push(0)?;
    a.push(ORG as i32)?;
    a.retf()?;
    let part_b = a.assemble(0x600 + CONT as u64)?;

    let mut m = vec![0u8; 440];
    m[0] = 0xEB;
    m[1] = (CODE - 2) as u8;
    m[2] = 0x90;
    assert!(CODE + part_a.len() <= CONT && CONT + part_b.len() <= 440);
    m[CODE..CODE + part_a.len()].copy_from_slice(&part_a);
    m[CONT..CONT + part_b.len()].copy_from_slice(&part_b);
    eprintln!("mbr code ends at {} of 440", CONT + part_b.len());
    Ok(m)
}
