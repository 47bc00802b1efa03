//! Words on the screen and, if asked for, on a serial line.

use super::head::{SERIAL_DIVISOR, SERIAL_PORT};
use super::map::UART;
use super::routines::Routines;
use iced_x86::IcedError;
use iced_x86::code_asm::{CodeAssembler, ah, al, ax, bx, cl, cx, dx, eax, si, word_ptr};

// Registers of a 16550, from its first port on, and their bits.
const LINE_CONTROL: i32 = 3;
const LINE_STATUS: i32 = 5;
const DIVISOR_LATCH_8N1: u32 = 0x83;
const EIGHT_BITS_NO_PARITY: u32 = 0x03;
const DTR_RTS: u32 = 0x03;
const TRANSMITTER_EMPTY: i32 = 0x20;
const RECEIVED: i32 = 0x01;

/// `KEY_DOWN` of INT 16h.
const KEYSTROKE_STATUS: u32 = 1;

/// Programs the UART; falls through. Destroys AX, CX and DX.
///
/// A port at which nothing answers reads as ff: then there is no serial line.
pub(super) fn emit_setup(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut none = a.create_label();
    a.mov(dx, word_ptr(SERIAL_PORT))?;
    a.test(dx, dx)?;
    a.je(none)?;
    a.add(dx, LINE_STATUS)?;
    a.in_(al, dx)?;
    a.inc(al)?;
    a.je(none)?;
    a.sub(dx, LINE_STATUS - LINE_CONTROL)?;
    a.mov(al, DIVISOR_LATCH_8N1)?;
    a.out(dx, al)?;
    a.sub(dx, LINE_CONTROL)?;
    a.mov(word_ptr(UART), dx)?;
    a.mov(ax, word_ptr(SERIAL_DIVISOR))?;
    a.out(dx, al)?;
    a.inc(dx)?;
    a.mov(al, ah)?;
    a.out(dx, al)?;
    a.inc(dx)?;
    a.inc(dx)?;
    a.mov(al, EIGHT_BITS_NO_PARITY)?;
    a.out(dx, al)?;
    a.inc(dx)?;
    a.mov(al, DTR_RTS)?;
    a.out(dx, al)?;
    a.set_label(&mut none)?;
    a.zero_bytes()
}

/// The routines, each described where it begins.
pub(super) fn emit(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    die(a, r)?;
    hex(a, r)?;
    print(a, r)?;
    put(a, r)
}

/// `die`: waits for a key, of the keyboard or on the serial line, and begins anew.
fn die(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut wait, mut serial, mut again) = (a.create_label(), a.create_label(), a.create_label());
    a.set_label(&mut r.die)?;
    r.alert(a, "press a key to try again\r\n")?;
    a.set_label(&mut wait)?;
    a.sti()?;
    a.hlt()?;
    a.mov(ah, KEYSTROKE_STATUS)?;
    a.int(0x16)?;
    a.je(serial)?;
    a.xor(ax, ax)?; // takes it away
    a.int(0x16)?;
    a.jmp(again)?;
    a.set_label(&mut serial)?;
    a.mov(dx, word_ptr(UART))?;
    a.test(dx, dx)?;
    a.je(wait)?;
    a.add(dx, LINE_STATUS)?;
    a.in_(al, dx)?;
    a.test(al, RECEIVED)?;
    a.je(wait)?;
    a.sub(dx, LINE_STATUS)?;
    a.in_(al, dx)?;
    a.set_label(&mut again)?;
    a.jmp(r.restart)
}

/// `hex`: prints EAX's lowest CX digits, the highest first. Destroys EAX and CX.
fn hex(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut next, mut digit) = (a.create_label(), a.create_label());
    a.set_label(&mut r.hex)?;
    // The first digit to print goes to the top.
    a.push(cx)?;
    a.shl(cl, 2)?;
    a.ror(eax, cl)?;
    a.pop(cx)?;
    a.set_label(&mut next)?;
    a.rol(eax, 4)?;
    a.push(ax)?;
    a.and(al, 15)?;
    a.add(al, u32::from(b'0'))?;
    a.cmp(al, u32::from(b'9') + 1)?;
    a.jb(digit)?;
    a.add(al, i32::from(b'a' - b'9' - 1))?;
    a.set_label(&mut digit)?;
    a.call(r.put)?;
    a.pop(ax)?;
    a.loop_(next)?;
    a.ret()
}

/// `print`: prints the text behind the call, up to its zero, and returns behind it. `alert`: the
/// same, on a new line that begins with our name. Both destroy AL and SI.
fn print(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let mut end = a.create_label();
    a.set_label(&mut r.alert)?;
    r.say(a, "\r\nmkimage: ")?;
    a.set_label(&mut r.print)?;
    a.pop(si)?;
    a.lodsb()?;
    a.push(si)?;
    a.test(al, al)?;
    a.je(end)?;
    a.call(r.put)?;
    a.jmp(r.print)?;
    a.set_label(&mut end)?;
    a.ret()
}

/// `put`: prints AL. Preserves all registers: some BIOSes destroy BP when the screen scrolls.
fn put(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut wait, mut done) = (a.create_label(), a.create_label());
    a.set_label(&mut r.put)?;
    a.pushad()?;
    a.push(ax)?;
    a.mov(bx, 7)?; // page 0; light grey where the mode is a graphic one
    a.mov(ah, 0x0e)?;
    a.int(0x10)?;
    a.pop(ax)?;
    a.mov(dx, word_ptr(UART))?;
    a.test(dx, dx)?;
    a.je(done)?;
    a.mov(ah, al)?;
    a.add(dx, LINE_STATUS)?;
    a.xor(cx, cx)?; // 65 536 times: longer than a character takes at 1200 bits per second
    a.set_label(&mut wait)?;
    a.in_(al, dx)?;
    a.test(al, TRANSMITTER_EMPTY)?;
    a.loope(wait)?;
    a.je(done)?;
    a.sub(dx, LINE_STATUS)?;
    a.mov(al, ah)?;
    a.out(dx, al)?;
    a.set_label(&mut done)?;
    a.popad()?;
    a.ret()
}
