//! BIOSes that there are, and that no emulator is: the first sector of the disk puts itself between
//! the machine's BIOS and everything that comes after it.
//!
//! ```text
//! sector 0  loads 2 to 9 at 9000:0000   1  the disk's MBR   2  data, then the code from 200 on
//! ```

use iced_x86::code_asm::{
    CodeAssembler, CodeLabel, ah, al, ax, bx, byte_ptr, cs, cx, dl, ds, dword_ptr, dx, eax, ebp, ebx, ecx,
    edi, es, esi, fs, si, sp, ss, word_ptr,
};
use iced_x86::{Code, IcedError, Instruction, MemoryOperand, Register};

/// How the BIOS answers AH=42h and AH=41h.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Edd {
    #[default]
    Works,
    Missing,
    /// Success, and nothing read.
    Lies,
}

/// How the BIOS tells of memory.
#[derive(Clone, Copy, Default)]
pub(crate) enum Memory {
    #[default]
    Works,
    /// E820 entries: address, length, type, extended attributes.
    Map(&'static [(u64, u64, u32, u32)]),
    /// AX=E801h only: AX, BX, CX, DX.
    E801([u16; 4]),
    /// AH=88h only: KiB.
    Ah88(u16),
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Firmware {
    pub(crate) edd: Edd,
    /// AH=42h reads so many sectors and no more.
    pub(crate) most_sectors: Option<u8>,
    /// Each fourth read fails.
    pub(crate) flaky: bool,
    /// INT 13h returns with DS, ES, FS, IF and DF changed, INT 10h with EBP, ESI and EDI.
    pub(crate) careless: bool,
    /// DL at the MBR's entry.
    pub(crate) drive: Option<u8>,
    /// The MBR is entered at 07c0:0000.
    pub(crate) other_segment: bool,
    pub(crate) memory: Memory,
    /// Line A20 is off, and the BIOS does not switch it on.
    pub(crate) a20_off: bool,
}

const SEGMENT: u16 = 0x9000;
const SECTORS: usize = 8;
// In the segment.
const OLD_10: u32 = 0x10;
const OLD_13: u32 = 0x14;
const OLD_15: u32 = 0x18;
const COUNT: u32 = 0x1c;
const MAP: u32 = 0x40;
const CODE: u16 = 0x200;

/// Sector 0.
pub(crate) fn first_sector() -> Result<Vec<u8>, IcedError> {
    let mut a = CodeAssembler::new(16)?;
    const PACKET: u32 = 0x500;
    a.cli()?;
    a.xor(ax, ax)?;
    a.mov(ds, ax)?;
    a.mov(ss, ax)?;
    a.mov(sp, 0x7c00)?;
    a.sti()?;
    a.mov(si, PACKET)?;
    a.mov(dword_ptr(si), 0x0008_0010)?;
    a.mov(dword_ptr(si + 4), u32::from(SEGMENT) << 16)?;
    a.mov(dword_ptr(si + 8), 2)?;
    a.mov(dword_ptr(si + 12), 0)?;
    a.mov(ah, 0x42)?;
    a.int(0x13)?;
    a.push(i32::from(SEGMENT.cast_signed()))?;
    a.push(i32::from(CODE))?;
    a.retf()?;
    let mut sector = a.assemble(0x7c00)?;
    sector.resize(510, 0);
    sector.extend([0x55, 0xaa]);
    Ok(sector)
}

impl Firmware {
    /// Sectors 2 to 9.
    pub(crate) fn sectors(&self) -> Result<Vec<u8>, IcedError> {
        let mut bytes = vec![0; MAP as usize];
        if let Memory::Map(entries) = self.memory {
            for (address, len, kind, attributes) in entries {
                bytes.extend(address.to_le_bytes());
                bytes.extend(len.to_le_bytes());
                bytes.extend(kind.to_le_bytes());
                bytes.extend(attributes.to_le_bytes());
            }
        }
        bytes.resize(CODE.into(), 0);
        bytes.extend(self.code()?);
        assert!(bytes.len() <= SECTORS * 512);
        bytes.resize(SECTORS * 512, 0);
        Ok(bytes)
    }

    fn code(&self) -> Result<Vec<u8>, IcedError> {
        let mut a = CodeAssembler::new(16)?;
        let a = &mut a;
        let (mut int10, mut int13, mut int15) = (a.create_label(), a.create_label(), a.create_label());
        // The disk's MBR, by the machine's BIOS.
        a.mov(si, 0x500)?;
        a.mov(dword_ptr(si), 0x0001_0010)?;
        a.mov(dword_ptr(si + 4), 0x7c00)?;
        a.mov(dword_ptr(si + 8), 1)?;
        a.mov(ah, 0x42)?;
        a.int(0x13)?;
        a.cli()?;
        for (number, old, new) in [(0x10, OLD_10, int10), (0x13, OLD_13, int13), (0x15, OLD_15, int15)] {
            a.mov(eax, dword_ptr(4 * number))?;
            a.mov(dword_ptr(old).cs(), eax)?;
            a.call(new)?; // which answers with its address
            a.mov(word_ptr(4 * number), ax)?;
            a.mov(word_ptr(4 * number + 2), cs)?;
        }
        if self.a20_off {
            a20_off(a)?;
        }
        a.sti()?;
        if let Some(drive) = self.drive {
            a.mov(dl, u32::from(drive))?;
        }
        let (segment, offset) = if self.other_segment { (0x7c0, 0) } else { (0, 0x7c00) };
        a.push(segment)?;
        a.push(offset)?;
        a.retf()?;

        handler(a, &mut int10)?;
        self.int10(a)?;
        handler(a, &mut int13)?;
        self.int13(a)?;
        handler(a, &mut int15)?;
        self.int15(a)?;
        a.assemble(CODE.into())
    }

    fn int10(&self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        if self.careless {
            for register in [ebp, esi, edi] {
                a.mov(register, 0xdead_beefu32)?;
            }
        }
        far(a, Code::Jmp_m1616, OLD_10)
    }

    fn int13(&self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let (mut old, mut edd) = (a.create_label(), a.create_label());
        let mut fail = a.create_label();
        a.cmp(ah, 0x41)?;
        a.je(edd)?;
        a.cmp(ah, 0x42)?;
        a.jne(old)?;
        a.set_label(&mut edd)?;
        match self.edd {
            Edd::Works => a.zero_bytes()?,
            Edd::Missing => a.jmp(fail)?,
            Edd::Lies => {
                a.clc()?;
                a.retf_1(2)?;
            }
        }
        if let Some(most) = self.most_sectors {
            a.cmp(word_ptr(si + 2), i32::from(most))?;
            a.ja(fail)?;
        }
        if self.flaky {
            a.inc(byte_ptr(COUNT).cs())?;
            a.test(byte_ptr(COUNT).cs(), 3)?;
            a.je(fail)?;
        }
        a.set_label(&mut old)?;
        if self.careless {
            a.pushf()?;
            far(a, Code::Call_m1616, OLD_13)?;
            a.push(0x4321)?;
            a.pop(ds)?;
            a.push(0x4321)?;
            a.pop(es)?;
            a.push(0x4321)?;
            a.pop(fs)?;
            a.std()?;
            a.cli()?;
            a.retf_1(2)?;
        } else {
            far(a, Code::Jmp_m1616, OLD_13)?;
        }
        a.set_label(&mut fail)?;
        a.mov(ah, 1)?;
        a.stc()?;
        a.retf_1(2)
    }

    fn int15(&self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut fail = a.create_label();
        if self.a20_off {
            a.cmp(ax, 0x2401)?;
            a.je(fail)?;
        }
        match self.memory {
            Memory::Works => (),
            Memory::Map(entries) => {
                let mut not = a.create_label();
                a.cmp(ax, 0xe820u32)?;
                a.jne(not)?;
                let mut more = a.create_label();
                a.pusha()?;
                a.push(ds)?;
                a.push(cs)?;
                a.pop(ds)?;
                a.lea(si, bx + MAP)?;
                a.mov(cx, 24)?;
                a.cld()?;
                a.rep().movsb()?;
                a.pop(ds)?;
                a.popa()?;
                a.add(ebx, 24)?;
                a.cmp(ebx, u32::try_from(24 * entries.len()).unwrap_or(0))?;
                a.jb(more)?;
                a.xor(ebx, ebx)?;
                a.set_label(&mut more)?;
                a.mov(eax, 0x534d_4150)?;
                a.mov(ecx, 24)?;
                a.clc()?;
                a.retf_1(2)?;
                a.set_label(&mut not)?;
                a.zero_bytes()?;
            }
            Memory::E801(answer) => {
                let mut not = a.create_label();
                a.cmp(ax, 0xe820u32)?;
                a.je(fail)?;
                a.cmp(ax, 0xe801u32)?;
                a.jne(not)?;
                for (register, value) in [ax, bx, cx, dx].into_iter().zip(answer) {
                    a.mov(register, u32::from(value))?;
                }
                a.clc()?;
                a.retf_1(2)?;
                a.set_label(&mut not)?;
                a.zero_bytes()?;
            }
            Memory::Ah88(kib) => {
                let mut not = a.create_label();
                a.cmp(ah, 0xe8u32)?;
                a.je(fail)?;
                a.cmp(ah, 0x88u32)?;
                a.jne(not)?;
                a.mov(ax, u32::from(kib))?;
                a.clc()?;
                a.retf_1(2)?;
                a.set_label(&mut not)?;
                a.zero_bytes()?;
            }
        }
        far(a, Code::Jmp_m1616, OLD_15)?;
        a.set_label(&mut fail)?;
        a.mov(ah, 0x86u32)?;
        a.stc()?;
        a.retf_1(2)
    }
}

/// What follows is a handler; a call of `label` returns its address in AX.
fn handler(a: &mut CodeAssembler, label: &mut CodeLabel) -> Result<(), IcedError> {
    let mut back = a.create_label();
    a.set_label(label)?;
    a.call(back)?;
    // The return address of that call is the handler's.
    let mut over = a.create_label();
    a.jmp(over)?;
    a.set_label(&mut back)?;
    a.pop(ax)?;
    a.ret()?;
    a.set_label(&mut over)?;
    a.zero_bytes()
}

/// Through the pointer at `at` in our segment.
fn far(a: &mut CodeAssembler, code: Code, at: u32) -> Result<(), IcedError> {
    let pointer = MemoryOperand::new(Register::None, Register::None, 1, at.into(), 2, false, Register::CS);
    a.add_instruction(Instruction::with1(code, pointer)?)
}

/// By port 92h, and says on COM1 whether memory shows it.
fn a20_off(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut on = a.create_label();
    a.in_(al, 0x92)?;
    a.and(al, 0xfdu32)?;
    a.out(0x92, al)?;
    a.mov(ax, 0xffffu32)?;
    a.mov(es, ax)?;
    a.mov(dword_ptr(0x600), 0x1234_5678)?;
    a.cmp(dword_ptr(0x610).es(), 0x1234_5678)?;
    a.jne(on)?;
    a.mov(dword_ptr(0x600), 0)?;
    a.cmp(dword_ptr(0x610).es(), 0)?;
    a.jne(on)?;
    a.mov(cx, dx)?;
    a.mov(dx, 0x3f8)?;
    for letter in b"A20-OFF " {
        a.mov(al, u32::from(*letter))?;
        a.out(dx, al)?;
    }
    a.mov(dx, cx)?;
    a.set_label(&mut on)?;
    a.zero_bytes()
}
