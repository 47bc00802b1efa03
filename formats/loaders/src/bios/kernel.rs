//! From the medium to the kernel's entry.
//!
//! \[BOOT\] *The Linux/x86 Boot Protocol*.

use super::head::{CMDLINE, INITRD, INITRD_END, INITRD_FROM, KERNEL, LEN, SETUP_LEN};
use super::map::{self, CHUNK, FOUND, HEAP_END, KERNEL_SEGMENT, LEFT, TARGET, WANT_END, WANT_FROM, WANT_LEN};
use super::routines::Routines;
use crate::bzimage::LOAD_ADDRESS;
use iced_x86::IcedError;
use iced_x86::code_asm::{
    CodeAssembler, ax, byte_ptr, ds, dword_ptr, eax, ebx, ecx, edi, es, esi, esp, fs, gs, si, ss, word_ptr,
};

// Fields of the setup header that a loader writes.
const VID_MODE: u32 = 0x1fa;
const TYPE_OF_LOADER: u32 = 0x210;
const LOADFLAGS: u32 = 0x211;
const RAMDISK_IMAGE: u32 = 0x218;
const RAMDISK_SIZE: u32 = 0x21c;
const HEAP_END_PTR: u32 = 0x224;
const CMD_LINE_PTR: u32 = 0x228;
// And what it writes.
const VID_MODE_NORMAL: u32 = 0xffff;
const UNREGISTERED_LOADER: u32 = 0xff;
const CAN_USE_HEAP: u32 = 0x80;
/// "heap_end_ptr: offset of the end of the setup stack/heap, minus 0x0200".
const HEAP_END_MARGIN: u32 = 0x200;
/// "jump to address 0x20 paragraphs behind the segment".
const ENTRY_PARAGRAPHS: u32 = 0x20;

/// Pages of 4 KiB.
const PAGE_MASK: u32 = 0xfff;

/// `kernel`: loads kernel, command line and initrd, and starts the kernel. Does not return.
pub(super) fn emit(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    a.set_label(&mut r.kernel)?;
    room(a, r)?;
    load(a, r)?;
    cmdline(a, r)?;
    initrd(a, r)?;
    start(a, r)
}

/// The protected-mode part has one place only. Is it all memory?
fn room(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let mut enough = a.create_label();
    a.mov(eax, dword_ptr(KERNEL + LEN))?;
    a.sub(eax, dword_ptr(SETUP_LEN))?;
    a.add(eax, PAGE_MASK)?;
    a.and(ax, !PAGE_MASK & 0xffff)?;
    a.mov(dword_ptr(WANT_LEN), eax)?;
    a.add(eax, LOAD_ADDRESS)?;
    a.mov(dword_ptr(WANT_END), eax)?;
    a.mov(dword_ptr(WANT_FROM), LOAD_ADDRESS)?;
    a.call(r.find)?;
    a.jae(enough)?;
    r.fail(a, "not enough memory for the kernel")?;
    a.set_label(&mut enough)?;
    a.zero_bytes()
}

/// The first 62 KiB go to the real-mode part's place, so that it is whole, however little a BIOS reads
/// at a time. What follows it there moves to 1 MiB, and the rest of the file goes behind that.
fn load(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut short, mut good) = (a.create_label(), a.create_label());
    a.mov(si, KERNEL)?;
    a.call(r.open)?;
    a.mov(dword_ptr(TARGET), map::KERNEL)?;
    a.mov(eax, dword_ptr(LEFT))?;
    a.mov(ecx, CHUNK)?;
    a.cmp(eax, ecx)?;
    a.jae(short)?;
    a.mov(ecx, eax)?;
    a.set_label(&mut short)?;
    a.mov(dword_ptr(LEFT), ecx)?;
    a.sub(eax, ecx)?;
    a.push(eax)?; // what is not in the first read
    a.push(ecx)?;
    a.call(r.stream)?;
    a.pop(ecx)?;
    a.mov(eax, dword_ptr(SETUP_LEN))?;
    a.sub(ecx, eax)?;
    a.lea(esi, eax + map::KERNEL)?;
    a.mov(dword_ptr(TARGET), LOAD_ADDRESS)?;
    a.call(r.copy)?;
    a.pop(dword_ptr(LEFT))?;
    a.call(r.stream)?;
    a.mov(si, KERNEL)?;
    a.call(r.close)?;
    a.je(good)?;
    r.fail(a, "the kernel on this medium is damaged (checksum)")?;
    a.set_label(&mut good)?;
    a.zero_bytes()
}

/// Behind the kernel's heap, with the zero that ends it.
fn cmdline(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let mut good = a.create_label();
    a.mov(si, CMDLINE)?;
    a.mov(edi, map::CMDLINE)?;
    a.call(r.load)?;
    a.je(good)?;
    r.fail(a, "the command line on this medium is damaged (checksum)")?;
    a.set_label(&mut good)?;
    a.mov(ax, map::CMDLINE >> 4)?;
    a.mov(es, ax)?;
    a.mov(ebx, dword_ptr(CMDLINE + LEN))?;
    a.mov(byte_ptr(ebx).es(), 0)?;
    a.push(ds)?;
    a.pop(es)
}

/// As high as the kernel reads. Without an initrd a page must be free there all the same: it shows that
/// the kernel has room to unpack itself.
fn initrd(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    let (mut some, mut enough, mut good, mut none) =
        (a.create_label(), a.create_label(), a.create_label(), a.create_label());
    a.mov(eax, dword_ptr(INITRD + LEN))?;
    a.test(eax, eax)?;
    a.jne(some)?;
    a.inc(eax)?;
    a.set_label(&mut some)?;
    a.mov(dword_ptr(WANT_LEN), eax)?;
    a.mov(eax, dword_ptr(INITRD_FROM))?;
    a.mov(dword_ptr(WANT_FROM), eax)?;
    a.mov(eax, dword_ptr(INITRD_END))?;
    a.mov(dword_ptr(WANT_END), eax)?;
    a.call(r.find)?;
    a.jae(enough)?;
    r.fail(a, "not enough memory for this kernel and its initrd")?;
    a.set_label(&mut enough)?;
    a.cmp(dword_ptr(INITRD + LEN), 0)?;
    a.je(none)?;
    a.mov(edi, eax)?;
    a.mov(si, INITRD)?;
    a.call(r.load)?;
    a.je(good)?;
    r.fail(a, "the initrd on this medium is damaged (checksum)")?;
    a.set_label(&mut good)?;
    a.mov(ax, KERNEL_SEGMENT)?;
    a.mov(fs, ax)?;
    a.mov(eax, dword_ptr(FOUND))?;
    a.mov(dword_ptr(RAMDISK_IMAGE).fs(), eax)?;
    a.mov(eax, dword_ptr(INITRD + LEN))?;
    a.mov(dword_ptr(RAMDISK_SIZE).fs(), eax)?;
    a.set_label(&mut none)?;
    a.zero_bytes()
}

/// \[BOOT\] "Running the Kernel": all segments at its own, a stack, interrupts off.
fn start(a: &mut CodeAssembler, r: &mut Routines) -> Result<(), IcedError> {
    r.say(a, " starting\r\n")?;
    a.cli()?;
    a.mov(ax, KERNEL_SEGMENT)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(fs, ax)?;
    a.mov(gs, ax)?;
    a.mov(ss, ax)?;
    a.mov(esp, HEAP_END)?;
    a.mov(word_ptr(VID_MODE), VID_MODE_NORMAL)?;
    a.mov(byte_ptr(TYPE_OF_LOADER), UNREGISTERED_LOADER)?;
    a.or(byte_ptr(LOADFLAGS), CAN_USE_HEAP)?;
    a.mov(word_ptr(HEAP_END_PTR), HEAP_END - HEAP_END_MARGIN)?;
    a.mov(dword_ptr(CMD_LINE_PTR), map::CMDLINE)?;
    a.push((KERNEL_SEGMENT + ENTRY_PARAGRAPHS) as i32)?;
    a.push(0)?;
    a.retf()
}
