//! Booting from a disk or a stick that the image is copied to: the system area and the last sectors.
//!
//! ```text
//! 0              1      2         34    64                                        n - 33       n
//! ├ boot record ─┼ Header ┼ Entry × 128 ┼ 0 ┼ data ┼─ ESP ─┼ data, 300 KiB+ of zeros ┼ copy of both ┤
//!   code, table    GPT                      └ PVD    └ the file that El Torito names   of the GPT
//! ```
//!
//! In sectors of 512 bytes, in which a disk is read and the table counts; on a CD, whose sectors
//! have 2,048, nobody finds a table (\[UEFI\] §5.3.2 wants it in the second sector), and firmware
//! boots by El Torito. Partitions of the GPT start and end at blocks of 2,048 bytes, so both views
//! can agree on them.
//!
//! # What the partitions are for
//!
//! Firmware looks for the ESP. What is called data keeps partitioning programs from taking the rest
//! of the image for free. Its type is "Linux file system data": to a partition of a type that it
//! does not know Windows gives no letter, while "basic data", which xorriso writes, it offers to
//! format.
//!
//! The data is not to be mounted by its partition. The volume is the whole disk, as it is the whole
//! CD: that is where loaders, Linux and programs that look for labels find it. A second set of
//! descriptors and folders that counts from the partition (xorriso's `-partition_offset 16`) would
//! make the partition a volume too, but every node would be described twice, and programs that
//! change images do not keep both equal. It is not made.

use super::structs::BLOCK;
use super::{Error, Iso};
use crate::gpt::{self, Active, Guid};
use crate::mbr::{self, Geometry, PartitionType};
use crate::sector::SectorSize;
use crate::skeleton::Place;
use crate::tree::TreePath;

/// \[ECMA-119\] §6.2.1 "System Area": bytes before the first volume descriptor.
const SYSTEM_AREA: u64 = 16 * BLOCK;
/// Bytes of a disk's sectors.
const SECTOR: u64 = 512;
const ZEROS: [u8; 512] = [0; 512];
/// Bytes that a copy of the GPT may take at the end, in any image.
pub(super) const TAIL: u64 = gpt::backup_len(SectorSize::B512);

/// Which partition tables there are. Each has firmware that wants it and firmware that refuses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// A GPT, a protective MBR, and in this an active entry of type 0, for no partition: there are
    /// BIOSes that boot no disk without one. What Ubuntu and Fedora publish.
    #[default]
    Default,
    /// A GPT and a protective MBR in which nothing is active, to the letter of \[UEFI\] §5.2.3.
    Strict,
    /// An MBR alone: hidden partitions over the data, the first of them active, and one of type EF
    /// that is the ESP. For BIOSes that refuse disks with a GPT.
    MbrEf,
    /// Debian's: an active entry of type 0 over everything and one of type EF within it, and a GPT
    /// that holds for those who don't ask for the protective MBR. UEFI firmware takes the MBR, in
    /// which partitions of type 0 may overlap others. Without an ESP, an MBR as [`Profile::MbrEf`].
    Isohybrid,
}

/// What makes the image a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hybrid {
    /// The tables.
    pub profile: Profile,
    /// What a BIOS runs: up to 440 bytes.
    pub code: Vec<u8>,
    /// The signature in the master boot record; zero means none.
    pub signature: u32,
    /// The identifier in the GPT. Those of the partitions are derived from it.
    pub disk: Guid,
    /// The file that is the EFI system partition: the one that El Torito's entry for EFI names.
    pub esp: Option<TreePath>,
}

/// A part of the disk, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    esp: bool,
    first: u64,
    end: u64,
}

impl Iso {
    /// Makes firmware boot the image from a disk or a stick that it is copied to. Replaces what an
    /// earlier call did.
    ///
    /// # Errors
    /// The code does not fit, the ESP is no file with content, or the image has more than 2³²
    /// sectors, which an MBR cannot count.
    pub fn set_hybrid(&mut self, hybrid: &Hybrid) -> Result<(), Error> {
        let esp = match &hybrid.esp {
            Some(path) => Some(self.place(path).ok_or_else(|| Error::Esp { path: path.clone() })?),
            None => None,
        };
        self.clear_tables();
        match hybrid.profile {
            Profile::Default => self.put_gpt(hybrid, Active::Entry, esp),
            Profile::Strict => self.put_gpt(hybrid, Active::None, esp),
            Profile::Isohybrid if esp.is_some() => {
                self.put_gpt(hybrid, Active::None, esp)?;
                self.put_mbr(hybrid, PartitionType::EMPTY, &nested(esp, self.len()))
            }
            Profile::MbrEf | Profile::Isohybrid => {
                self.put_mbr(hybrid, PartitionType::HIDDEN_NTFS, &apart(esp, 0, self.len()))
            }
        }
    }

    fn clear_tables(&mut self) {
        let len = self.len();
        for area in [0..SYSTEM_AREA, len - TAIL..len] {
            for sector in area.step_by(ZEROS.len()) {
                self.skeleton.record.put(sector, &ZEROS);
            }
        }
    }

    fn put_gpt(&mut self, hybrid: &Hybrid, active: Active, esp: Option<Place>) -> Result<(), Error> {
        let options = gpt::Options {
            sector_size: SectorSize::B512,
            disk: hybrid.disk,
            boot_code: hybrid.code.clone(),
            signature: hybrid.signature,
            active,
        };
        let end = (self.len() - TAIL) / BLOCK * BLOCK;
        let parts = apart(esp, SYSTEM_AREA, end);
        let partitions: Vec<_> = parts.iter().zip(1..).map(|(part, n)| part.in_gpt(hybrid, n)).collect();
        Ok(gpt::put(&mut self.skeleton.record, &options, &partitions, BLOCK)?)
    }

    /// The first partition is active, and those over data are of the type `data`.
    fn put_mbr(&mut self, hybrid: &Hybrid, data: PartitionType, parts: &[Part]) -> Result<(), Error> {
        let sector = |at: u64| {
            let sectors = at / SECTOR;
            u32::try_from(sectors).map_err(|source| Error::Sectors { sectors, source })
        };
        let partition = |(n, part): (usize, &Part)| {
            Ok(mbr::Partition {
                active: n == 0,
                kind: if part.esp { PartitionType::EFI_SYSTEM } else { data },
                first: sector(part.first)?,
                sectors: sector(part.end - part.first)?,
            })
        };
        let partitions = parts.iter().enumerate().map(partition).collect::<Result<Vec<_>, Error>>()?;
        let record = mbr::sector(&hybrid.code, hybrid.signature, &partitions, Geometry::MIB)?;
        self.skeleton.record.put(0, &record);
        Ok(())
    }
}

impl Part {
    fn esp(place: Place) -> Self {
        // The rest of its last block is nobody's.
        Part { esp: true, first: place.at, end: place.at + place.len.next_multiple_of(BLOCK) }
    }

    fn in_gpt(self, hybrid: &Hybrid, n: u8) -> gpt::Partition {
        let (kind, name) = match self.esp {
            true => (gpt::Type::EFI_SYSTEM, "ESP"),
            false => (gpt::Type::LINUX, "ISO9660"),
        };
        gpt::Partition {
            kind,
            guid: Guid::derived(&hybrid.disk.0, &format!("partition {n}")),
            name: name.into(),
            first: self.first,
            len: self.end - self.first,
            attributes: 0,
        }
    }
}

/// The bytes from `from` to `to`: the ESP, the data before it and the data after it, none of which
/// is empty, because descriptors come before the files and zeros after them.
fn apart(esp: Option<Place>, from: u64, to: u64) -> Vec<Part> {
    let data = |first, end| Part { esp: false, first, end };
    match esp.map(Part::esp) {
        Some(esp) => vec![data(from, esp.first), esp, data(esp.end, to)],
        None => vec![data(from, to)],
    }
}

/// Everything, and the ESP within.
fn nested(esp: Option<Place>, len: u64) -> Vec<Part> {
    let all = Part { esp: false, first: 0, end: len };
    std::iter::once(all).chain(esp.map(Part::esp)).collect()
}
