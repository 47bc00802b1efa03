//! Starting a kernel under this program's own handle, as systemd-stub does: the firmware's loader
//! takes none that is not signed.
//!
//! ```text
//! pages   ├─ up to an alignment ─┼─ headers ─┼─ sections ─┤
//!                                base    entry            base + size
//! ```
//!
//! The kernel may end in two ways, and what was changed for it is put back in both: it returns, or
//! it asks the firmware to end the program under the handle, which never comes back here. So that
//! request is looked at first, as shim does.

use crate::firmware::{Failure, Firmware, Pages, check};
use crate::initrd::Offer;
use crate::options::LoadOptions;
use crate::pe::{self, u16_at, u32_at};
use crate::source::Loaded;
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, Ordering};
use core::{mem, ptr};
use r_efi::efi::{self, BootExit, Handle, Status, SystemTable};
use r_efi::protocols::{loaded_image, memory_attribute};

/// \[PE\] "Machine Types": what this program runs on.
#[cfg(target_arch = "aarch64")]
const MACHINE: usize = 0xaa64;
/// As above.
#[cfg(not(target_arch = "aarch64"))]
const MACHINE: usize = 0x8664;
/// \[PE\] "Optional Header": 64 bits.
const PE32_PLUS: usize = 0x20b;

const NO_PROGRAM: Failure = Failure::new("the kernel", " is no EFI program", Status::LOAD_ERROR);
const FOREIGN: Failure = Failure::new("the kernel", " is for another processor", Status::UNSUPPORTED);

/// Starts `kernel`; `image` describes this program. Returns if the kernel does.
pub(crate) fn start(
    firmware: &Firmware,
    image: *mut loaded_image::Protocol,
    kernel: Loaded<'_>,
    options: &LoadOptions<'_>,
    initrd: &Offer<'_>,
) -> Result<(), Failure> {
    let placed = Placed::new(firmware, &kernel)?;
    drop(kernel);
    // SAFETY: `image` is the firmware's, and describes this program.
    let here = unsafe { Here::of(firmware, image, initrd) };
    // SAFETY: this program goes on as the kernel, which asks for its options and its place under
    // the same handle; all that is given to it, and `here`, stays until it has ended. `entry` is
    // inside of what was placed, and a function of this type by \[UEFI\] §4.1.
    let ended = unsafe {
        here.install();
        options.set(image);
        (*image).image_base = placed.base.cast();
        (*image).image_size = placed.size as u64;
        let entry: extern "efiapi" fn(Handle, *mut SystemTable) -> Status =
            mem::transmute(placed.base.add(placed.entry));
        entry(firmware.me, firmware.table())
    };
    here.undo();
    check(ended).map_err(|status| Failure::new("the kernel", " does not start", status))
}

/// A program in its place.
struct Placed<'a> {
    _pages: Pages<'a>,
    base: *mut u8,
    size: usize,
    /// Offset of the first instruction.
    entry: usize,
}

impl<'a> Placed<'a> {
    /// Copies the sections to their places. Linux needs no relocation: its stub runs wherever it is.
    fn new(firmware: &'a Firmware, kernel: &[u8]) -> Result<Self, Failure> {
        let header = pe::header(kernel).ok_or(NO_PROGRAM)?;
        if u16_at(kernel, header + 4) != Some(MACHINE) || u16_at(kernel, header + 24) != Some(PE32_PLUS) {
            return Err(FOREIGN);
        }
        // \[PE\] "Optional Header": AddressOfEntryPoint, SectionAlignment, SizeOfImage,
        // SizeOfHeaders.
        let field = |at| u32_at(kernel, header + 24 + at).ok_or(NO_PROGRAM);
        let (entry, align, size, headers) = (field(16)?, field(32)?.max(4096), field(56)?, field(60)?);
        if !align.is_power_of_two() || entry >= size || headers > size {
            return Err(NO_PROGRAM);
        }
        let no_room = |status| Failure::new("the kernel", " has no room in memory", status);
        let mut pages = firmware.pages(size + align, efi::LOADER_CODE).map_err(no_room)?;
        let start = pages.at().align_offset(align);
        let place = pages.get_mut(start..start + size).ok_or(NO_PROGRAM)?;
        place.fill(0);
        let mut copy = |to: usize, from: usize, len: usize| {
            let source = kernel.get(from..from.checked_add(len)?)?;
            place.get_mut(to..to.checked_add(len)?)?.copy_from_slice(source);
            Some(())
        };
        copy(0, 0, headers.min(kernel.len()))
            .and_then(|()| {
                pe::sections(kernel).try_for_each(|s| copy(s.at, s.file_at, s.file_len.min(s.len)))
            })
            .ok_or(NO_PROGRAM)?;
        let base = place.as_mut_ptr();
        executable(firmware, base, size);
        Ok(Placed { _pages: pages, base, size, entry })
    }
}

/// Makes `size` bytes at `base` executable: for firmware that gives memory without that, and for
/// processors whose instruction cache does not see what was written.
fn executable(firmware: &Firmware, base: *mut u8, size: usize) {
    if let Some(memory) = firmware.locate::<memory_attribute::Protocol>(&memory_attribute::PROTOCOL_GUID) {
        let len = size.next_multiple_of(4096) as u64;
        // SAFETY: the interface is the firmware's. Where it refuses, the jump shows it.
        let _ = unsafe {
            ((*memory).clear_memory_attributes)(
                memory,
                base.expose_provenance() as u64,
                len,
                efi::MEMORY_XP | efi::MEMORY_RO,
            )
        };
    }
    #[cfg(target_arch = "aarch64")]
    {
        // \[Arm ARM\] B2.4.4: clean the data cache to the point of unification, wait, and only then
        // invalidate the instruction cache. 64 bytes is what lines have where they are shortest but
        // for a few cores, and steps that are too short do no harm; 16 is the least there is.
        const LINE: usize = 16;
        let (start, end) = (base.addr() & !(LINE - 1), base.addr() + size);
        // SAFETY: cache maintenance of memory that is mapped; it changes no content.
        unsafe {
            for line in (start..end).step_by(LINE) {
                core::arch::asm!("dc cvau, {0}", in(reg) line);
            }
            core::arch::asm!("dsb ish");
            for line in (start..end).step_by(LINE) {
                core::arch::asm!("ic ivau, {0}", in(reg) line);
            }
            core::arch::asm!("dsb ish", "isb");
        }
    }
}

/// What is changed while the kernel runs under this program's handle.
struct Here<'a> {
    firmware: &'a Firmware,
    image: *mut loaded_image::Protocol,
    initrd: &'a Offer<'a>,
    base: *mut c_void,
    size: u64,
    options: *mut c_void,
    options_len: u32,
    exit: BootExit,
}

/// What [`exit`] is to undo; null when no kernel runs.
static HERE: AtomicPtr<Here<'static>> = AtomicPtr::new(ptr::null_mut());

impl<'a> Here<'a> {
    /// # Safety
    /// `image` describes this program.
    unsafe fn of(firmware: &'a Firmware, image: *mut loaded_image::Protocol, initrd: &'a Offer<'a>) -> Self {
        // SAFETY: as the caller promises; the description is there as long as the program runs.
        let mine = unsafe { &*image };
        Here {
            firmware,
            image,
            initrd,
            base: mine.image_base,
            size: mine.image_size,
            options: mine.load_options,
            options_len: mine.load_options_size,
            exit: firmware.boot().exit,
        }
    }

    /// Looks at exits from now on.
    ///
    /// # Safety
    /// The value stays where it is until it is undone.
    unsafe fn install(&self) {
        HERE.store(ptr::from_ref(self).cast_mut().cast(), Ordering::Relaxed);
        // SAFETY: `exit` is as this service has to be.
        unsafe { self.firmware.set_exit(exit) };
    }

    /// Puts back what was changed for the kernel. Its memory stays: it may be what asks for this.
    fn undo(&self) {
        HERE.store(ptr::null_mut(), Ordering::Relaxed);
        self.initrd.withdraw();
        // SAFETY: the service is the firmware's own again; `image` describes this program, and gets
        // back what it had.
        unsafe {
            self.firmware.set_exit(self.exit);
            (*self.image).image_base = self.base;
            (*self.image).image_size = self.size;
            (*self.image).load_options = self.options;
            (*self.image).load_options_size = self.options_len;
        }
    }
}

/// \[UEFI\] §7.4.6: Exit, while a kernel runs under this program's handle.
extern "efiapi" fn exit(program: Handle, status: Status, len: usize, words: *mut u16) -> Status {
    // SAFETY: `install` was promised that the value stays, and `undo` takes it away before that ends.
    let Some(here) = (unsafe { HERE.load(Ordering::Relaxed).as_ref() }) else {
        return Status::INVALID_PARAMETER;
    };
    if program == here.firmware.me {
        here.undo();
    }
    // SAFETY: the firmware's service, with what its caller gave.
    unsafe { (here.exit)(program, status, len, words) }
}
