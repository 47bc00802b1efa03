//! Starting the kernel, an EFI program itself.

use crate::firmware::{Failure, Firmware, check};
use crate::here;
use crate::initrd::Offer;
use crate::options::LoadOptions;
use crate::source::Loaded;
use core::ffi::c_void;
use core::ptr;
use r_efi::efi::{self, Handle, Status};
use r_efi::protocols::loaded_image;

/// Starts `kernel` with `cmdline`; `image` describes this program. Returns if it does not run.
pub(crate) fn start(
    firmware: &Firmware,
    image: *mut loaded_image::Protocol,
    kernel: Loaded<'_>,
    cmdline: &[u8],
    initrd: &Offer<'_>,
) -> Result<(), Failure> {
    let refused = |status| Failure::new("the kernel", " does not start", status);
    let options = LoadOptions::new(firmware, cmdline).map_err(refused)?;
    let boot = firmware.boot();
    let mut handle: Handle = ptr::null_mut();
    // SAFETY: `image` is the firmware's.
    let device = unsafe { (*image).device_handle };
    let mut path = MemoryPath::of(&kernel);
    let source = kernel.as_ptr().cast_mut().cast::<c_void>();
    // SAFETY: the firmware's service; it copies the kernel and its path, and writes a local of ours.
    let loaded = unsafe {
        let path = ptr::from_mut(&mut path).cast();
        (boot.load_image)(false.into(), firmware.me, path, source, kernel.len(), &mut handle)
    };
    if matches!(loaded, Status::SECURITY_VIOLATION | Status::ACCESS_DENIED) && firmware.secure_boot() {
        // It is not signed, but whoever signed this program signed its bytes or their SHA-256.
        if !handle.is_null() {
            // SAFETY: the firmware gave this handle, and the program under it does not run.
            let _ = unsafe { (boot.unload_image)(handle) };
        }
        return here::start(firmware, image, kernel, &options, initrd);
    }
    check(loaded).map_err(refused)?;
    drop(kernel);
    initrd.is_for(handle);
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
