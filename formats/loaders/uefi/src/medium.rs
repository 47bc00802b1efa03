//! The whole disk or disc that this program came from.

use crate::firmware::{Failure, Firmware, check};
use core::ptr;
use r_efi::efi::{self, Handle, Status};
use r_efi::protocols::{block_io, device_path, disk_io};

/// A disk or disc.
#[derive(Clone, Copy)]
pub(crate) struct Medium {
    blocks: *mut block_io::Protocol,
    /// Reads from any byte on, where the firmware has it.
    bytes: Option<*mut disk_io::Protocol>,
}

/// Bytes of a device path that are looked at. Real ones have some 100.
const PATH: usize = 1024;
/// \[UEFI\] §10.3: types of a node, and the sub-types of a media node that are parts of a medium.
const END: u8 = 0x7f;
const MEDIA: u8 = 4;
const HARD_DRIVE: u8 = 1;
const CD_ROM: u8 = 2;
/// \[UEFI\] §10.3.1: the node that ends a path.
const END_NODE: [u8; 4] = [END, 0xff, 4, 0];

impl Medium {
    /// That of which `device` is a part.
    pub(crate) fn of(firmware: &Firmware, device: Handle) -> Result<Self, Failure> {
        Medium::find(firmware, device)
            .map_err(|status| Failure::new("the firmware", " does not say which medium this is", status))
    }

    fn find(firmware: &Firmware, device: Handle) -> Result<Self, Status> {
        let path: *mut u8 = firmware.protocol(device, &device_path::PROTOCOL_GUID)?;
        let mut cut = [0u8; PATH];
        let mut len = 0;
        let mut medium = None;
        loop {
            // SAFETY: \[UEFI\] §10.3.1: nodes follow each other until the one that ends the path,
            // and each begins with these four bytes.
            let node = unsafe { path.add(len).cast::<[u8; 4]>().read_unaligned() };
            let [kind, part, low, high] = node;
            if kind == END {
                break;
            }
            let node_len = usize::from(u16::from_le_bytes([low, high]));
            if node_len < 4 || len + node_len > PATH - END_NODE.len() {
                return Err(Status::UNSUPPORTED);
            }
            // The first: where firmware takes the FAT's boot sector for a boot record, a partition
            // nests in the El Torito image.
            if medium.is_none() && kind == MEDIA && (part == HARD_DRIVE || part == CD_ROM) {
                medium = Some(len);
            }
            // SAFETY: the node has `node_len` bytes, and `cut` has room for them.
            unsafe { ptr::copy_nonoverlapping(path.add(len), cut.as_mut_ptr().add(len), node_len) };
            len += node_len;
        }
        let end = medium.unwrap_or(len);
        cut[end..end + END_NODE.len()].copy_from_slice(&END_NODE);
        let mut rest = cut.as_mut_ptr().cast::<device_path::Protocol>();
        let mut handle = ptr::null_mut();
        let mut guid = block_io::PROTOCOL_GUID;
        // SAFETY: the path ends with its end node, and stays here while it is looked at.
        check(unsafe { (firmware.boot().locate_device_path)(&mut guid, &mut rest, &mut handle) })?;
        let blocks = firmware.protocol(handle, &block_io::PROTOCOL_GUID)?;
        Ok(Medium { blocks, bytes: firmware.protocol(handle, &disk_io::PROTOCOL_GUID).ok() })
    }

    /// Fills `into` from byte `at` on.
    pub(crate) fn read(&self, firmware: &Firmware, at: u64, into: &mut [u8]) -> Result<(), Status> {
        // SAFETY: \[UEFI\] §13.9: the interface has a description of the medium.
        let (medium, block) =
            unsafe { ((*(*self.blocks).media).media_id, (*(*self.blocks).media).block_size) };
        if let Some(disk) = self.bytes {
            // SAFETY: the interface is the firmware's, and writes `into.len()` bytes.
            return check(unsafe {
                ((*disk).read_disk)(disk, medium, at, into.len(), into.as_mut_ptr().cast())
            });
        }
        self.read_blocks(firmware, medium, u64::from(block), at, into)
    }

    /// The same where only whole blocks can be read: through a buffer.
    fn read_blocks(
        &self,
        firmware: &Firmware,
        medium: u32,
        block: u64,
        mut at: u64,
        mut into: &mut [u8],
    ) -> Result<(), Status> {
        const BUFFER: usize = 64 << 10;
        if block == 0 || !(BUFFER as u64).is_multiple_of(block) {
            return Err(Status::UNSUPPORTED);
        }
        let mut buffer = firmware.pages(BUFFER, efi::LOADER_DATA)?;
        while !into.is_empty() {
            let skip = (at % block) as usize;
            let len = into.len().min(BUFFER - skip);
            let whole = (skip + len).next_multiple_of(block as usize);
            // SAFETY: `whole` is at most the buffer's length, which is a multiple of a block.
            check(unsafe {
                let buffer = buffer.as_mut_ptr().cast();
                ((*self.blocks).read_blocks)(self.blocks, medium, at / block, whole, buffer)
            })?;
            let (now, later) = into.split_at_mut(len);
            now.copy_from_slice(&buffer[skip..skip + len]);
            into = later;
            at += len as u64;
        }
        Ok(())
    }
}
