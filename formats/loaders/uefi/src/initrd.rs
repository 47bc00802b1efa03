//! The initrd as Linux asks for it: a LoadFile2 protocol under a vendor media path
//! (Documentation/admin-guide/efi-stub.rst, LINUX_EFI_INITRD_MEDIA_GUID).

use crate::firmware::{Failure, Firmware, check};
use crate::source::Source;
use core::cell::Cell;
use core::ffi::c_void;
use core::{ptr, slice};
use r_efi::efi::{self, Guid, Handle, Status};
use r_efi::protocols::{device_path, load_file, load_file2};

/// 5568e427-68fc-4f3d-ac74-ca555231cc68, as it is stored.
const LINUX_INITRD: [u8; 16] =
    [0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f, 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68];

/// \[UEFI\] §10.3.5.3 "Vendor-Defined Media Device Path", and the node that ends it.
#[repr(C)]
struct Path {
    node: [u8; 4],
    vendor: [u8; 16],
    end: [u8; 4],
}

static PATH: Path = Path { node: [4, 3, 20, 0], vendor: LINUX_INITRD, end: [0x7f, 0xff, 4, 0] };

/// The initrd, if there is one, for who asks.
#[repr(C)]
pub(crate) struct Offer<'a> {
    /// First: the firmware's callers know this value by its address.
    protocol: load_file::Protocol,
    firmware: &'a Firmware,
    initrd: Option<Source<'a>>,
    /// The program that is started, and asks.
    kernel: Cell<Handle>,
    /// What the firmware knows this by; null when it does not.
    handle: Cell<Handle>,
    /// Why the kernel was not given it, when that has been said.
    refused: Cell<Option<Status>>,
}

impl<'a> Offer<'a> {
    pub(crate) fn new(firmware: &'a Firmware, initrd: Option<Source<'a>>) -> Self {
        Offer {
            protocol: load_file::Protocol { load_file },
            firmware,
            initrd,
            kernel: Cell::new(firmware.me),
            handle: Cell::new(ptr::null_mut()),
            refused: Cell::new(None),
        }
    }

    /// Why the kernel was not given the initrd, if so. The console has the words already.
    pub(crate) fn refused(&self) -> Option<Status> {
        self.refused.get()
    }

    /// Says which program it is that is started, if not this one.
    pub(crate) fn is_for(&self, kernel: Handle) {
        self.kernel.set(kernel);
    }

    fn interfaces(&self) -> [(Guid, *mut c_void); 2] {
        // Nothing writes through either: the path is only read, and the protocol only called.
        [
            (device_path::PROTOCOL_GUID, ptr::from_ref(&PATH).cast_mut().cast()),
            (load_file2::PROTOCOL_GUID, ptr::from_ref(self).cast_mut().cast()),
        ]
    }

    /// Offers the initrd.
    ///
    /// # Safety
    /// `self` stays where it is until it is withdrawn.
    pub(crate) unsafe fn install(&self) -> Result<(), Failure> {
        if self.initrd.is_some() {
            for (mut guid, interface) in self.interfaces() {
                let install = self.firmware.boot().install_protocol_interface;
                // SAFETY: the interfaces stay where they are, as the caller promises.
                check(unsafe { install(self.handle.as_ptr(), &mut guid, efi::NATIVE_INTERFACE, interface) })
                    .map_err(|status| {
                        self.withdraw();
                        Failure::new("the firmware", " takes no initrd", status)
                    })?;
            }
        }
        Ok(())
    }

    /// Takes the offer back, once: a kernel that returned did not start.
    pub(crate) fn withdraw(&self) {
        let handle = self.handle.replace(ptr::null_mut());
        if handle.is_null() {
            return;
        }
        for (mut guid, interface) in self.interfaces() {
            let uninstall = self.firmware.boot().uninstall_protocol_interface;
            // SAFETY: what `install` installed; one that it did not, the firmware does not find.
            let _ = unsafe { uninstall(handle, &mut guid, interface) };
        }
    }
}

/// \[UEFI\] §13.2: LoadFile.
extern "efiapi" fn load_file(
    this: *mut load_file::Protocol,
    _path: *mut device_path::Protocol,
    boot_policy: efi::Boolean,
    size: *mut usize,
    buffer: *mut c_void,
) -> Status {
    // SAFETY: `this` is the address that was installed, and the offer is there until it is
    // withdrawn. `size` and `buffer` are the caller's, by the protocol's contract.
    unsafe {
        let offer = &*this.cast::<Offer<'_>>();
        let Some(initrd) = &offer.initrd else { return Status::NOT_FOUND };
        if bool::from(boot_policy) {
            return Status::UNSUPPORTED;
        }
        if size.is_null() {
            return Status::INVALID_PARAMETER;
        }
        let room = size.replace(initrd.len());
        if buffer.is_null() || room < initrd.len() {
            return Status::BUFFER_TOO_SMALL;
        }
        let into = slice::from_raw_parts_mut(buffer.cast::<u8>(), initrd.len());
        match initrd.read(offer.firmware, into, "the initrd") {
            Ok(()) => Status::SUCCESS,
            Err(failure) => {
                // Some kernels would go on without one, and end in a panic that does not say why.
                offer.firmware.report(&failure);
                offer.refused.set(Some(failure.status));
                let exit = offer.firmware.boot().exit;
                let _ = exit(offer.kernel.get(), failure.status, 0, ptr::null_mut());
                failure.status
            }
        }
    }
}
