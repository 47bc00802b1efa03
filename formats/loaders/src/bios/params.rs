//! What the caller asks for, held against what the loader can do.

use super::head::{Block, MAGIC, Place};
use super::{Error, MAX_CMDLINE_LEN, Medium, Params, Payload, RESIDENT_LEN, STAGE2_LEN, Serial};
use crate::bzimage::LOAD_ADDRESS;

/// The loader keeps below this, so that the end of nothing overflows 32 bits.
const ADDRESS_END: u32 = 0xffff_f000;
const PAGE: u64 = 4096;
/// Bytes that the second stage loads of itself.
const REST_LEN: u32 = 2048;
const _: () = assert!(RESIDENT_LEN as usize + REST_LEN as usize == STAGE2_LEN);
/// The clock of a UART, divided by 16.
const UART_BAUD: u32 = 115_200;

impl Params {
    /// The parameter block, but for the checksum of the rest of the second stage.
    pub(super) fn block(&self) -> Result<Block, Error> {
        aligned("second stage", self.at, self.medium)?;
        let (initrd_from, initrd_end) = self.initrd_room()?;
        let (serial_port, serial_divisor) = serial(self.serial)?;
        Ok(Block {
            magic: MAGIC.into(),
            serial_port: serial_port.into(),
            serial_divisor: serial_divisor.into(),
            rest: Place {
                lba: (self.at / 512 + u64::from(RESIDENT_LEN / 512)).into(),
                len: REST_LEN.into(),
                crc32c: 0.into(),
            },
            kernel: self.place("kernel", self.kernel, self.kernel_len()?)?,
            initrd: self.place("initrd", self.initrd, initrd_len(self.initrd, initrd_from, initrd_end)?)?,
            cmdline: self.place("command line", self.cmdline, self.cmdline_len()?)?,
            setup_len: self.header.setup_len.into(),
            initrd_from: initrd_from.into(),
            initrd_end: initrd_end.into(),
        })
    }

    /// `len` is the extent's, checked.
    fn place(&self, what: &'static str, payload: Payload, len: u32) -> Result<Place, Error> {
        if len == 0 {
            return Ok(Place { lba: 0.into(), len: 0.into(), crc32c: 0.into() });
        }
        aligned(what, payload.extent.at, self.medium)?;
        let lba = payload.extent.at / 512;
        Ok(Place { lba: lba.into(), len: len.into(), crc32c: payload.crc32c.into() })
    }

    fn kernel_len(&self) -> Result<u32, Error> {
        let len = self.kernel.extent.len;
        let min = u64::from(self.header.setup_len) + 1;
        // The real-mode part is elsewhere.
        let max = u64::from(ADDRESS_END - LOAD_ADDRESS) + u64::from(self.header.setup_len);
        match u32::try_from(len) {
            Ok(short) if (min..=max).contains(&len) => Ok(short),
            _ => Err(Error::KernelLength { len, min, max }),
        }
    }

    /// First address for the initrd, and the end of what the kernel reads.
    fn initrd_room(&self) -> Result<(u32, u32), Error> {
        let run_end = self.header.run_end;
        let end = self.header.initrd_addr_max.saturating_add(1).min(ADDRESS_END);
        match run_end.checked_next_multiple_of(PAGE).map(u32::try_from) {
            Some(Ok(from)) if from < end => Ok((from, end)),
            _ => Err(Error::KernelMemory { run_end, end }),
        }
    }

    fn cmdline_len(&self) -> Result<u32, Error> {
        let len = self.cmdline.extent.len;
        let limit = self.header.cmdline_size.min(MAX_CMDLINE_LEN);
        match u32::try_from(len) {
            Ok(short) if short <= limit => Ok(short),
            _ => Err(Error::CmdlineLength { len, limit }),
        }
    }
}

fn initrd_len(initrd: Payload, from: u32, end: u32) -> Result<u32, Error> {
    let len = initrd.extent.len;
    // Placed at a page.
    let limit = (end & !0xfff) - from;
    match u32::try_from(len) {
        Ok(short) if short <= limit => Ok(short),
        _ => Err(Error::InitrdLength { len, limit: limit.into() }),
    }
}

/// First port and divisor; 0 and 0 for none.
fn serial(serial: Option<Serial>) -> Result<(u16, u16), Error> {
    let Some(Serial { port, baud }) = serial else { return Ok((0, 0)) };
    if baud == 0 || !UART_BAUD.is_multiple_of(baud) {
        return Err(Error::Baud { baud });
    }
    match u16::try_from(UART_BAUD / baud) {
        Ok(divisor) => Ok((port, divisor)),
        Err(_) => Err(Error::Baud { baud }),
    }
}

/// A BIOS reads whole sectors.
pub(super) fn aligned(what: &'static str, at: u64, medium: Medium) -> Result<(), Error> {
    let sector = medium.sector();
    if at.is_multiple_of(sector) { Ok(()) } else { Err(Error::Unaligned { what, at, sector }) }
}
