//! What a kernel is told: \[UEFI\] §9.1 "EFI Loaded Image Protocol", LoadOptions.

use crate::firmware::{Firmware, Pages};
use r_efi::efi::{self, Status};
use r_efi::protocols::loaded_image;

/// A command line in UTF-16, with the NUL that ends it.
pub(crate) struct LoadOptions<'a> {
    text: Pages<'a>,
    len: u32,
}

impl<'a> LoadOptions<'a> {
    pub(crate) fn new(firmware: &'a Firmware, cmdline: &[u8]) -> Result<Self, Status> {
        let text = core::str::from_utf8(cmdline).map_err(|_| Status::INVALID_PARAMETER)?;
        let text = text.trim_end_matches(['\0', '\n']);
        let bytes = (text.encode_utf16().count() + 1) * 2;
        let len = u32::try_from(bytes).map_err(|_| Status::INVALID_PARAMETER)?;
        let mut pages = firmware.pages(bytes, efi::LOADER_DATA)?;
        for (unit, value) in pages.chunks_exact_mut(2).zip(text.encode_utf16().chain([0])) {
            unit.copy_from_slice(&value.to_le_bytes());
        }
        Ok(LoadOptions { text: pages, len })
    }

    /// Hands it to a program.
    ///
    /// # Safety
    /// `image` describes a program that does not run yet, and has ended when this is dropped.
    pub(crate) unsafe fn set(&self, image: *mut loaded_image::Protocol) {
        // SAFETY: as the caller promises.
        unsafe {
            (*image).load_options = self.text.at().cast();
            (*image).load_options_size = self.len;
        }
    }
}
