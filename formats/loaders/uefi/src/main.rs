//! The program between a UEFI and a Linux kernel.
//!
//! ```text
//! section .linux (.initrd)  the payload is part of this program: a unified kernel image
//!         .extents          runs of bytes of the medium that this program came from
//!         .paths            files on the volume that this program came from
//!         .cmdline          what the kernel is told, UTF-8
//! ```
//!
//! What is not part of this program is read and compared with a SHA-256 that is, so a signature on
//! this program covers all that it starts. Everything is measured into PCR 11 as systemd-stub does.
//!
//! \[UEFI\] *UEFI Specification* 2.11. \[PE\] *PE Format* (Microsoft).

#![no_std]
#![no_main]

mod firmware;
mod here;
mod initrd;
mod kernel;
mod measure;
mod medium;
mod options;
mod pe;
mod sha256;
mod source;

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};
use firmware::{Failure, Firmware};
use r_efi::efi::{Handle, Status, SystemTable};
use r_efi::protocols::loaded_image;
use source::Payload;

/// For the panic handler, which is given nothing.
static TABLE: AtomicPtr<SystemTable> = AtomicPtr::new(ptr::null_mut());

/// A fault of this program's own. The watchdog is off, so nothing else would end it.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: `efi_main` put the table there before anything can panic, and boot services run.
    let firmware = unsafe { Firmware::new(ptr::null_mut(), TABLE.load(Ordering::Relaxed)) };
    firmware.report(&Failure::new("this loader", " is at fault", Status::ABORTED));
    firmware.restart();
    loop {
        core::hint::spin_loop();
    }
}

/// Where the firmware enters.
#[unsafe(no_mangle)]
extern "efiapi" fn efi_main(me: Handle, table: *mut SystemTable) -> Status {
    TABLE.store(table, Ordering::Relaxed);
    // SAFETY: the firmware calls this with its system table, which stays where it is for as long
    // as boot services run, and this program ends before they do.
    let firmware = unsafe { Firmware::new(me, table) };
    run(&firmware).unwrap_or_else(|failure| {
        firmware.report(&failure);
        failure.status
    })
}

/// What the firmware is told; or a failure, of which the console has no words yet.
fn run(firmware: &Firmware) -> Result<Status, Failure> {
    firmware.stop_watchdog();
    let image: *mut loaded_image::Protocol =
        firmware.protocol(firmware.me, &loaded_image::PROTOCOL_GUID).map_err(Failure::firmware)?;
    // SAFETY: the firmware's own description of this program, which lives as long as it runs. What
    // it points to is read here and never written.
    let (program, device) = unsafe {
        let image = &*image;
        let len = usize::try_from(image.image_size).unwrap_or(0);
        (core::slice::from_raw_parts(image.image_base.cast::<u8>(), len), image.device_handle)
    };
    measure::sections(firmware, program);
    let payload = Payload::find(firmware, program, device)?;
    let cmdline = pe::section(program, b".cmdline").unwrap_or_default();
    let kernel = payload.kernel.load(firmware, "the kernel")?;
    let offer = initrd::Offer::new(firmware, payload.initrd);
    // SAFETY: `offer` stays in its place until this function ends, or the kernel exits from it; it
    // is withdrawn before either.
    unsafe { offer.install()? };
    firmware.say(&["mkimage: starting Linux"]);
    let ended = kernel::start(firmware, image, kernel, cmdline, &offer);
    offer.withdraw();
    // A kernel that was refused its initrd does not start, but for that reason.
    offer.refused().map_or(ended.map(|()| Status::SUCCESS), Ok)
}
