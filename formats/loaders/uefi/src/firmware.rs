//! What the firmware is asked for.

use core::ffi::c_void;
use core::ops::{Deref, DerefMut};
use core::{ptr, slice};
use r_efi::efi::{self, BootExit, BootServices, Guid, Handle, Status, SystemTable};

/// Why the kernel cannot be started: `what` and `words` are one sentence.
pub(crate) struct Failure {
    pub(crate) what: &'static str,
    pub(crate) words: &'static str,
    pub(crate) status: Status,
}

impl Failure {
    pub(crate) const fn new(what: &'static str, words: &'static str, status: Status) -> Self {
        Failure { what, words, status }
    }

    /// The firmware lacks what every firmware has.
    pub(crate) const fn firmware(status: Status) -> Self {
        Failure::new("the firmware", " lacks a protocol that a loader needs", status)
    }
}

/// A status as a result.
pub(crate) fn check(status: Status) -> Result<(), Status> {
    if status.is_error() { Err(status) } else { Ok(()) }
}

/// The firmware, and this program as it knows it.
pub(crate) struct Firmware {
    pub(crate) me: Handle,
    table: *mut SystemTable,
}

impl Firmware {
    /// # Safety
    /// `table` is the system table, and boot services run for as long as this value is used.
    pub(crate) unsafe fn new(me: Handle, table: *mut SystemTable) -> Self {
        Firmware { me, table }
    }

    pub(crate) fn table(&self) -> *mut SystemTable {
        self.table
    }

    pub(crate) fn boot(&self) -> &BootServices {
        // SAFETY: `new` was promised a system table, whose boot services are there while they run.
        unsafe { &*(*self.table).boot_services }
    }

    /// The interface that `handle` has for the protocol `guid`.
    pub(crate) fn protocol<T>(&self, handle: Handle, guid: &Guid) -> Result<*mut T, Status> {
        let mut interface = ptr::null_mut::<c_void>();
        let guid = ptr::from_ref(guid).cast_mut(); // \[UEFI\] §7.3.6: IN, it is not written
        // SAFETY: the firmware's service; what it writes is a local of ours.
        check(unsafe { (self.boot().handle_protocol)(handle, guid, &mut interface) })?;
        Ok(interface.cast())
    }

    /// The one interface for the protocol `guid`.
    pub(crate) fn locate<T>(&self, guid: &Guid) -> Option<*mut T> {
        let mut interface = ptr::null_mut::<c_void>();
        let guid = ptr::from_ref(guid).cast_mut(); // \[UEFI\] §7.3.16: IN, it is not written
        // SAFETY: as in `protocol`.
        check(unsafe { (self.boot().locate_protocol)(guid, ptr::null_mut(), &mut interface) }).ok()?;
        Some(interface.cast())
    }

    /// `len` bytes of memory, from a page's start on.
    pub(crate) fn pages(&self, len: usize, kind: efi::MemoryType) -> Result<Pages<'_>, Status> {
        let mut at = 0;
        let count = len.div_ceil(PAGE);
        // SAFETY: as in `protocol`.
        check(unsafe { (self.boot().allocate_pages)(efi::ALLOCATE_ANY_PAGES, kind, count, &mut at) })?;
        let at = usize::try_from(at).map_err(|_| Status::OUT_OF_RESOURCES)?;
        Ok(Pages { firmware: self, at: ptr::with_exposed_provenance_mut(at), len })
    }

    /// Stops the clock that resets the machine when a program has not started a system after five
    /// minutes: a slow medium may take longer. Who sets it is the boot manager, and it stops the
    /// clock itself when a program returns (\[UEFI\] §3.1.2), so there is nothing to restore.
    pub(crate) fn stop_watchdog(&self) {
        // SAFETY: the firmware's service. One that has no such clock says so, and none is stopped.
        let _ = unsafe { (self.boot().set_watchdog_timer)(0, 0, 0, ptr::null_mut()) };
    }

    /// Has programs that exit call `exit`.
    ///
    /// # Safety
    /// It ends programs: by the firmware's own service, sooner or later.
    pub(crate) unsafe fn set_exit(&self, exit: BootExit) {
        // SAFETY: boot services are there while this program runs, nobody else uses them meanwhile,
        // and shim writes to the same place. \[UEFI\] §4.2: the sum is over the table with the sum
        // itself as zero.
        unsafe {
            let boot = (*self.table).boot_services;
            (*boot).exit = exit;
            let len = (*boot).hdr.header_size as usize;
            let mut sum = 0;
            (*boot).hdr.crc32 = 0;
            let _ = ((*boot).calculate_crc32)(boot.cast(), len, &mut sum);
            (*boot).hdr.crc32 = sum;
        }
    }

    /// Says on the console what is wrong, and waits so that it can be read before the firmware
    /// goes on.
    pub(crate) fn report(&self, failure: &Failure) {
        self.say(&["mkimage: ", failure.what, failure.words]);
        // SAFETY: the firmware's service. 5 s, in µs.
        let _ = unsafe { (self.boot().stall)(5_000_000) };
    }

    /// A line on the console.
    pub(crate) fn say(&self, words: &[&str]) {
        // SAFETY: as in `boot`; \[UEFI\] §4.3: a console that is not there is null.
        let Some(out) = (unsafe { (*self.table).con_out.as_mut() }) else { return };
        for byte in words.iter().flat_map(|word| word.bytes()).chain(*b"\r\n") {
            let mut text = [u16::from(byte), 0];
            // A console that cannot print is not worth stopping for.
            // SAFETY: the console is the firmware's, and the text ends with NUL.
            let _ = unsafe { (out.output_string)(out, text.as_mut_ptr()) };
        }
    }

    /// Has the machine start over.
    pub(crate) fn restart(&self) {
        // SAFETY: as in `boot`; runtime services are there always.
        unsafe {
            let reset = (*(*self.table).runtime_services).reset_system;
            reset(efi::RESET_COLD, Status::ABORTED, 0, ptr::null_mut());
        }
    }

    /// \[UEFI\] §3.3: the variable `SecureBoot` is 1 where only signed programs are started.
    pub(crate) fn secure_boot(&self) -> bool {
        const NAME: [u16; 11] = {
            let (mut name, mut n) = ([0; 11], 0);
            while n < 10 {
                name[n] = b"SecureBoot"[n] as u16;
                n += 1;
            }
            name
        };
        let (mut value, mut len, mut name) = (0u8, 1, NAME);
        let mut guid = efi::GLOBAL_VARIABLE;
        // SAFETY: as in `boot`; runtime services are there always.
        let get = unsafe { (*(*self.table).runtime_services).get_variable };
        let into = ptr::from_mut(&mut value).cast();
        // SAFETY: the firmware's service; what it writes is locals of ours, `len` bytes at most.
        let status = unsafe { get(name.as_mut_ptr(), &mut guid, ptr::null_mut(), &mut len, into) };
        !status.is_error() && value == 1
    }
}

/// Bytes of what the firmware gives memory in.
const PAGE: usize = 4096;

/// Memory of our own, given back at the end.
pub(crate) struct Pages<'a> {
    firmware: &'a Firmware,
    at: *mut u8,
    len: usize,
}

impl Pages<'_> {
    /// Its start.
    pub(crate) fn at(&self) -> *mut u8 {
        self.at
    }
}

impl Deref for Pages<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the firmware gave at least `len` bytes, to nobody else. What is in them does not
        // matter: bytes are valid whatever they are.
        unsafe { slice::from_raw_parts(self.at, self.len) }
    }
}

impl DerefMut for Pages<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`.
        unsafe { slice::from_raw_parts_mut(self.at, self.len) }
    }
}

impl Drop for Pages<'_> {
    fn drop(&mut self) {
        // SAFETY: what `pages` gave, and nobody uses it again.
        let _ = unsafe {
            (self.firmware.boot().free_pages)(self.at.expose_provenance() as u64, self.len.div_ceil(PAGE))
        };
    }
}
