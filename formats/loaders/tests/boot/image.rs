//! Media with a kernel, an initrd and a command line at places of no file system.

use crate::firmware::{self, Firmware};
use crate::kernel::{self, Kernel};
use crate::noise::noise;
use mkimage_loaders::bios::{EL_TORITO_SECTORS, Extent, Mbr, Medium, Params, Payload, Serial, mbr, stage2};
use mkimage_loaders::bzimage::Header;

/// What a medium holds, and what is wrong with it.
pub(crate) struct Image {
    pub(crate) medium: Medium,
    pub(crate) kernel_len: u32,
    pub(crate) initrd_len: usize,
    pub(crate) cmdline: String,
    pub(crate) initrd_addr_max: u32,
    pub(crate) serial: Option<Serial>,
    /// Between the disk and the machine's BIOS.
    pub(crate) firmware: Option<Firmware>,
    /// A bit of this is turned over.
    pub(crate) damaged: Option<Part>,
    /// The medium ends with the first half of the initrd, before 512-byte sector 4a4.
    pub(crate) cut: bool,
}

/// Something that a loader reads.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Part {
    Loader,
    Kernel,
    Cmdline,
    Initrd,
}

impl Default for Image {
    fn default() -> Self {
        Image {
            medium: Medium::Disk,
            // More than two reads each, and no whole number of sectors.
            kernel_len: 152_049,
            initrd_len: 777_777,
            cmdline: "console=ttyS0 quiet".to_owned(),
            initrd_addr_max: 0x7fff_ffff,
            serial: Some(Serial::COM1),
            firmware: None,
            damaged: None,
            cut: false,
        }
    }
}

/// The medium, and what the kernel must find.
pub(crate) struct Made {
    pub(crate) bytes: Vec<u8>,
    pub(crate) cmdline: String,
    pub(crate) initrd_len: usize,
    pub(crate) initrd_crc: u32,
    pub(crate) loaded_crc: u32,
}

const STAGE2_SECTOR: u8 = 24;
const STAGE2_AT: usize = STAGE2_SECTOR as usize * 2048;
const CMDLINE_AT: usize = 56 << 10;
const KERNEL_AT: usize = 64 << 10;

impl Image {
    pub(crate) fn make(&self) -> Result<Made, Box<dyn std::error::Error>> {
        let Kernel { bytes: kernel, loaded_crc } = kernel::kernel(self.kernel_len, self.initrd_addr_max)?;
        let initrd = noise(self.initrd_len);
        let initrd_at = KERNEL_AT + kernel.len().next_multiple_of(2048);
        let payload = |at: usize, bytes: &[u8]| Payload {
            extent: Extent { at: at as u64, len: bytes.len() as u64 },
            crc32c: crc32c::crc32c(bytes),
        };
        let params = Params {
            medium: self.medium,
            at: STAGE2_AT as u64,
            kernel: payload(KERNEL_AT, &kernel),
            header: Header::parse(&kernel, kernel.len() as u64)?,
            initrd: payload(initrd_at, &initrd),
            cmdline: payload(CMDLINE_AT, self.cmdline.as_bytes()),
            serial: self.serial,
        };
        // An SD card has a size of this kind.
        let mut bytes = vec![0; (initrd_at + initrd.len()).next_power_of_two()];
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        let mut record = mbr(&Mbr { stage2_at: STAGE2_AT as u64 })?.to_vec();
        record.resize(510, 0);
        record.extend([0x55, 0xaa]);
        match &self.firmware {
            None => put(0, &record),
            Some(between) => {
                put(0, &firmware::first_sector()?);
                put(512, &record);
                put(1024, &between.sectors()?);
            }
        }
        put(STAGE2_AT, &stage2(&params)?);
        put(CMDLINE_AT, self.cmdline.as_bytes());
        put(KERNEL_AT, &kernel);
        put(initrd_at, &initrd);
        if self.medium == Medium::Cd {
            el_torito(&mut put);
        }
        if let Some(part) = self.damaged {
            let at = match part {
                Part::Loader => STAGE2_AT + 2500,
                Part::Kernel => KERNEL_AT + kernel.len() - 1,
                Part::Cmdline => CMDLINE_AT,
                Part::Initrd => initrd_at + initrd.len() / 2,
            };
            bytes[at] ^= 0x10;
        }
        if self.cut {
            bytes.truncate((initrd_at + initrd.len() / 2).next_multiple_of(2048));
        }
        Ok(Made {
            bytes,
            cmdline: self.cmdline.clone(),
            initrd_len: initrd.len(),
            initrd_crc: crc32c::crc32c(&initrd),
            loaded_crc,
        })
    }
}

/// As much of a CD as a BIOS reads: volume descriptors and a boot catalog with one entry.
fn el_torito(put: &mut impl FnMut(usize, &[u8])) {
    const CATALOG: u8 = 19;
    let sector = |n: u8| usize::from(n) * 2048;
    put(sector(16), b"\x01CD001\x01");
    put(sector(17), b"\x00CD001\x01EL TORITO SPECIFICATION");
    put(sector(17) + 0x47, &[CATALOG, 0, 0, 0]);
    put(sector(18), b"\xffCD001\x01");
    put(sector(CATALOG), &[1]);
    put(sector(CATALOG) + 0x1c, &[0xaa, 0x55, 0x55, 0xaa]); // the words' sum is 0
    put(sector(CATALOG) + 0x20, &[0x88]);
    put(sector(CATALOG) + 0x26, &EL_TORITO_SECTORS.to_le_bytes());
    put(sector(CATALOG) + 0x28, &[STAGE2_SECTOR, 0, 0, 0]);
}
