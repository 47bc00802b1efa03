//! Starting the kernel, an EFI program itself.

use crate::firmware::{Failure, Firmware, check};
use crate::initrd::Offer;
use crate::pe::{self, u32_at};
use crate::source::Loaded;
use core::ffi::c_void;
use core::{mem, ptr, slice};
use r_efi::efi::{self, Handle, Status, SystemTable};
use r_efi::protocols::{loaded_image, memory_attribute};

/// Starts `kernel` with `cmdline`; `image` describes this program. Returns if it does not run.
pub(crate) fn start(
    firmware: &Firmware,
    image: *mut loaded_image::Protocol,
    kernel: &Loaded<'_>,
    cmdline: &[u8],
    initrd: &Offer<'_>,
) -> Result<(), Failure> {
    let refused = |status| Failure::new("the kernel", " does not start", status);
    let options = load_options(firmware, cmdline).map_err(refused)?;
    let boot = firmware.boot();
    let mut handle: Handle = ptr::null_mut();
    // SAFETY: `image` is the firmware's.
    let device = unsafe { (*image).device_handle };
    let mut path = MemoryPath::of(kernel.bytes);
    let source = kernel.bytes.as_ptr().cast_mut().cast::<c_void>();
    // SAFETY: the firmware's service; it copies the kernel and its path, and writes a local of ours.
    let loaded = unsafe {
        let path = ptr::from_mut(&mut path).cast();
        (boot.load_image)(false.into(), firmware.me, path, source, kernel.bytes.len(), &mut handle)
    };
    if matches!(loaded, Status::SECURITY_VIOLATION | Status::ACCESS_DENIED) && firmware.secure_boot() {
        // It is not signed, but whoever signed this program signed its bytes or their SHA-256.
        if !handle.is_null() {
            // SAFETY: the firmware gave this handle, and the program under it does not run.
            let _ = unsafe { (boot.unload_image)(handle) };
        }
        return start_here(firmware, image, kernel.bytes, options);
    }
    check(loaded).map_err(refused)?;
    initrd.is_for(handle);
    if kernel.owned {
        firmware.free(kernel.bytes.as_ptr().cast_mut(), kernel.bytes.len());
    }
    let theirs: *mut loaded_image::Protocol =
        firmware.protocol(handle, &loaded_image::PROTOCOL_GUID).map_err(refused)?;
    // SAFETY: the firmware's description of the program that it just loaded; these fields are for
    // its parent to set (\[UEFI\] §9.1).
    unsafe {
        (*theirs).device_handle = device;
        options.set(theirs);
    }
    // SAFETY: the program was loaded, and is started once.
    check(unsafe { (boot.start_image)(handle, ptr::null_mut(), ptr::null_mut()) }).map_err(refused)
}

/// Where a program in memory is said to come from: \[UEFI\] §10.3.2.3 "Memory Mapped", and the node
/// that ends it.
#[repr(C, packed)]
struct MemoryPath {
    node: [u8; 4],
    kind: u32,
    start: u64,
    end: u64,
    end_node: [u8; 4],
}

impl MemoryPath {
    fn of(program: &[u8]) -> Self {
        let range = program.as_ptr_range();
        MemoryPath {
            node: [1, 3, 24, 0],
            kind: efi::LOADER_DATA,
            start: range.start.expose_provenance() as u64,
            end: range.end.expose_provenance() as u64,
            end_node: [0x7f, 0xff, 4, 0],
        }
    }
}

/// A command line in UTF-16, with the NUL that ends it.
#[derive(Clone, Copy)]
struct LoadOptions {
    at: *mut u16,
    len: u32,
}

impl LoadOptions {
    /// # Safety
    /// `image` describes a program that does not run yet.
    unsafe fn set(self, image: *mut loaded_image::Protocol) {
        // SAFETY: as the caller promises.
        unsafe {
            (*image).load_options = self.at.cast();
            (*image).load_options_size = self.len;
        }
    }
}

fn load_options(firmware: &Firmware, cmdline: &[u8]) -> Result<LoadOptions, Status> {
    let text = core::str::from_utf8(cmdline).map_err(|_| Status::INVALID_PARAMETER)?;
    let text = text.trim_end_matches(['\0', '\n']);
    let units = text.encode_utf16().count() + 1;
    let at = firmware.pages(units * 2, efi::LOADER_DATA)?.cast::<u16>();
    // SAFETY: memory that the firmware just gave, that long and aligned to a page.
    let into = unsafe { slice::from_raw_parts_mut(at, units) };
    for (unit, value) in into.iter_mut().zip(text.encode_utf16().chain([0])) {
        *unit = value;
    }
    Ok(LoadOptions { at, len: u32::try_from(units * 2).map_err(|_| Status::INVALID_PARAMETER)? })
}

/// Enters the kernel under this program's own handle, as systemd-stub does: the firmware's loader
/// takes signed programs only.
fn start_here(
    firmware: &Firmware,
    image: *mut loaded_image::Protocol,
    kernel: &[u8],
    options: LoadOptions,
) -> Result<(), Failure> {
    const NO_PROGRAM: Failure = Failure::new("the kernel", " is no EFI program", Status::LOAD_ERROR);
    let (base, size, entry) = place(firmware, kernel)
        .map_err(|status| Failure::new("the kernel", " has no room in memory", status))?
        .ok_or(NO_PROGRAM)?;
    // SAFETY: `image` describes this program, which goes on as the kernel: it asks for its options
    // and its place under the same handle. `entry` is inside the pages that the kernel was copied
    // to, and is a function of this type by \[UEFI\] §4.1.
    let ended = unsafe {
        options.set(image);
        (*image).image_base = base.cast();
        (*image).image_size = size as u64;
        let entry: extern "efiapi" fn(Handle, *mut SystemTable) -> Status = mem::transmute(base.add(entry));
        entry(firmware.me, firmware.table())
    };
    check(ended).map_err(|status| Failure::new("the kernel", " does not start", status))
}

/// Copies the sections to their places: the start, the length and the entry's offset. None if it
/// is no program. Linux needs no relocation: its stub runs wherever it is.
fn place(firmware: &Firmware, kernel: &[u8]) -> Result<Option<(*mut u8, usize, usize)>, Status> {
    let fields = || {
        let header = pe::header(kernel)?;
        // \[PE\] "Optional Header": AddressOfEntryPoint, SectionAlignment, SizeOfImage,
        // SizeOfHeaders.
        let field = |at| u32_at(kernel, header + 24 + at);
        Some((field(16)?, field(32)?, field(56)?, field(60)?))
    };
    let Some((entry, align, size, headers)) = fields() else { return Ok(None) };
    let align = align.max(4096);
    if !align.is_power_of_two() || entry >= size || headers > size {
        return Ok(None);
    }
    let room = firmware.pages(size + align, efi::LOADER_CODE)?;
    // SAFETY: the pages have `size` bytes after any multiple of `align` below `align`, and are
    // nobody else's.
    let (base, bytes) = unsafe {
        let base = room.add(room.align_offset(align));
        ptr::write_bytes(base, 0, size);
        (base, slice::from_raw_parts_mut(base, size))
    };
    let mut copy = |to: usize, from: usize, len: usize| {
        let source = kernel.get(from..from.checked_add(len)?)?;
        bytes.get_mut(to..to.checked_add(len)?)?.copy_from_slice(source);
        Some(())
    };
    let whole = copy(0, 0, headers.min(kernel.len()))
        .and_then(|()| pe::sections(kernel).try_for_each(|s| copy(s.at, s.file_at, s.file_len.min(s.len))));
    if whole.is_none() {
        firmware.free(room, size + align);
        return Ok(None);
    }
    executable(firmware, base, size);
    Ok(Some((base, size, entry)))
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
