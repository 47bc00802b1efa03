//! Address line 20, which a PC may begin with switched off: then each odd MiB is the even one below.

use super::map::A20_PROBE;
use super::routines::Routines;
use iced_x86::IcedError;
use iced_x86::code_asm::{CodeAssembler, CodeLabel, al, ax, bx, cx, es, word_ptr};

/// INT 15h, "Enable A20 Gate".
const ENABLE_A20: u32 = 0x2401;
/// Reading a port that nothing answers takes about 1 µs.
const DELAY_PORT: u32 = 0x80;

// The keyboard controller (8042): ports, its status bit, its commands.
const KBC_DATA: u32 = 0x60;
const KBC_COMMAND: u32 = 0x64;
const INPUT_FULL: u32 = 2;
const WRITE_OUTPUT_PORT: u32 = 0xd1;
const A20_AND_NO_RESET: u32 = 0xdf;
const NO_COMMAND: u32 = 0xff;

const SYSTEM_CONTROL_PORT_A: u32 = 0x92;
const A20_BIT: u32 = 2;
const RESET_BIT: u32 = 1;

/// `a20`: switches the line on, and returns only when memory shows it. Destroys AX, BX and CX.
///
/// The ways go from harmless to rough: the BIOS, the keyboard controller, and last port 92h, which
/// stops some machines.
pub(super) fn emit(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut probe, mut idle, mut on) = (a.create_label(), a.create_label(), a.create_label());
    a.set_label(&mut r.a20)?;
    a.call(probe)?;
    a.jne(on)?;

    a.mov(ax, ENABLE_A20)?;
    a.int(0x15)?;
    a.sti()?;
    a.call(probe)?;
    a.jne(on)?;

    a.cli()?;
    for (port, value) in
        [(KBC_COMMAND, WRITE_OUTPUT_PORT), (KBC_DATA, A20_AND_NO_RESET), (KBC_COMMAND, NO_COMMAND)]
    {
        a.call(idle)?;
        a.mov(al, value)?;
        a.out(port, al)?;
    }
    a.call(idle)?;
    a.sti()?;
    a.call(probe)?;
    a.jne(on)?;

    a.in_(al, SYSTEM_CONTROL_PORT_A)?;
    a.or(al, A20_BIT)?;
    a.and(al, !RESET_BIT & 0xff)?;
    a.out(SYSTEM_CONTROL_PORT_A, al)?;
    a.call(probe)?;
    a.jne(on)?;
    r.fail(a, "address line A20 stays off")?;

    wait_idle(a, &mut idle)?;
    test(a, &mut probe, &mut on)
}

/// Until the controller takes a command, or 65 536 times.
fn wait_idle(a: &mut CodeAssembler, idle: &mut CodeLabel) -> Result<(), IcedError> {
    let mut wait = a.create_label();
    a.set_label(idle)?;
    a.xor(cx, cx)?;
    a.set_label(&mut wait)?;
    a.in_(al, DELAY_PORT)?;
    a.in_(al, KBC_COMMAND)?;
    a.test(al, INPUT_FULL)?;
    a.loopne(wait)?;
    a.ret()
}

/// ZF = 0 if the line is on: a counter is not seen to change 1 MiB higher. It is looked at for a
/// while, since the line may take its time.
fn test(a: &mut CodeAssembler, probe: &mut CodeLabel, on: &mut CodeLabel) -> Result<(), IcedError> {
    let mut same = a.create_label();
    a.set_label(probe)?;
    a.mov(bx, 0xffff)?;
    a.mov(es, bx)?;
    a.mov(cx, 0x4000)?;
    a.set_label(&mut same)?;
    a.inc(word_ptr(A20_PROBE))?;
    a.in_(al, DELAY_PORT)?;
    a.mov(ax, word_ptr(A20_PROBE))?;
    a.cmp(ax, word_ptr(A20_PROBE + 0x10).es())?; // ffff:10 is 1 MiB
    a.loope(same)?;
    a.mov(bx, 0)?;
    a.mov(es, bx)?;
    a.set_label(on)?;
    a.ret()
}
