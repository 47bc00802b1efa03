//! The GUID partition table.
//!
//! ```text
//! 0     1      2       34 or 6                                        n - 33 or 5      n - 1   n
//! ├ PMBR ┼ Header ┼ Entry × 128 ┼ ─ partitions, each at a whole MiB ─ ┼ Entry × 128 ┼ Header ┤
//! ```
//!
//! Offsets in sectors of 512 or 4,096 bytes. The boot code of the protective master boot record
//! (PMBR) is what a BIOS runs.
//!
//! \[UEFI\] *UEFI Specification* 2.11, chapter 5 "GUID Partition Table (GPT) Disk Layout".
//! \[RFC 9562\] *Universally Unique IDentifiers* (2024).
//!
//! The crate of the same name writes the structures. It takes what it is told: that partitions are
//! inside the disk and apart from each other is checked here.
//!
//! # A disk with one partition
//!
//! ```
//! use mkimage_formats::gpt::{self, Active, Guid, Options, Partition, Type};
//! use mkimage_formats::{Layout, SectorSize};
//!
//! # fn main() -> Result<(), gpt::Error> {
//! let seed = b"what the disk is made of";
//! let esp = Layout::hole(64 << 20);
//! let partition = Partition {
//!     kind: Type::EFI_SYSTEM,
//!     guid: Guid::derived(seed, "esp"),
//!     name: "EFI system".into(),
//!     first: gpt::ALIGNMENT,
//!     len: esp.len(),
//!     attributes: 0,
//! };
//! let options = Options {
//!     sector_size: SectorSize::B512,
//!     disk: Guid::derived(seed, "disk"),
//!     boot_code: Vec::new(),
//!     signature: 0,
//!     active: Active::None,
//! };
//! // A MiB before the partition, and one behind it for the copy of the table.
//! let disk = gpt::layout(66 << 20, &options, &[(partition, esp)])?;
//! assert_eq!(disk.len(), 66 << 20);
//! # Ok(())
//! # }
//! ```

mod error;
mod guid;

pub use error::Error;
pub use guid::{Guid, NotAGuid, Type};

use crate::layout::Layout;
use crate::mbr;
use crate::record::{Record, Seeking};
use crate::sector::SectorSize;
use ::gpt::disk::LogicalBlockSize;
use ::gpt::mbr::{PartRecord, ProtectiveMBR};
use ::gpt::{GptConfig, partition, partition_types};
use hadris_storage::BlockSize;
use uuid::Uuid;

/// Where partitions of a disk start: at multiples of so many bytes. Flash memory is erased in
/// units that this is a multiple of, and there is firmware that other starts confuse.
pub const ALIGNMENT: u64 = 1 << 20;
/// \[UEFI\] §5.3.3: the least that a table has room for; this one has just that.
const ENTRIES: usize = 128;
/// Bytes of the entries.
const ARRAY: u64 = 128 * 128;
/// UTF-16 units that the name of a partition has room for.
const NAME: usize = 36;

/// \[UEFI\] Table 5.8, bit 0: the machine needs this partition.
pub const REQUIRED: u64 = 1;
/// \[UEFI\] Table 5.8, bit 2: what an active partition is in a master boot record. Boot code may
/// look for it.
pub const LEGACY_BIOS_BOOTABLE: u64 = 1 << 2;

/// A part of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// What it holds.
    pub kind: Type,
    /// Its own identifier: `PARTUUID` of Linux.
    pub guid: Guid,
    /// Up to 36 UTF-16 units, for people.
    pub name: String,
    /// First byte, from the start of the disk.
    pub first: u64,
    /// Bytes.
    pub len: u64,
    /// \[UEFI\] Table 5.8.
    pub attributes: u64,
}

/// Which entry of the protective master boot record is active. There are BIOSes that boot no disk
/// without an active partition, and UEFI firmware that takes no protective entry that is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Active {
    /// None: what \[UEFI\] §5.2.3 says.
    #[default]
    None,
    /// A second entry, for no partition: type 0, one sector at sector 0. xorriso's
    /// `-mbr-force-bootable`.
    Entry,
    /// The protective entry itself.
    Protective,
}

/// What is not about one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Of the disk that the image is for. An ISO image, copied to a disk, is read in 512-byte ones.
    pub sector_size: SectorSize,
    /// The disk's identifier.
    pub disk: Guid,
    /// What a BIOS runs: up to 440 bytes.
    pub boot_code: Vec<u8>,
    /// The signature in the master boot record; zero means none.
    pub signature: u32,
    /// The active entry of the master boot record.
    pub active: Active,
}

/// Bytes of the copy of the table that ends a disk.
#[must_use]
pub const fn backup_len(sector_size: SectorSize) -> u64 {
    ARRAY + sector_size.bytes()
}

/// Bytes before which no partition starts: the master boot record and the table.
#[must_use]
pub const fn table_len(sector_size: SectorSize) -> u64 {
    ARRAY + 2 * sector_size.bytes()
}

/// A disk of `len` bytes with a content in each partition, from its first byte on.
///
/// # Errors
/// The partitions or their contents do not fit.
pub fn layout(len: u64, options: &Options, partitions: &[(Partition, Layout)]) -> Result<Layout, Error> {
    for (p, content) in partitions {
        if content.len() > p.len {
            return Err(Error::Content { name: p.name.clone(), content: content.len(), len: p.len });
        }
        // Boot code jumps there.
        if p.kind == Type::BIOS_BOOT && content.is_hole() {
            return Err(Error::Empty { name: p.name.clone() });
        }
    }
    let mut record = Record::new(len, BlockSize::new(512).expect("a power of two"));
    let table: Vec<Partition> = partitions.iter().map(|(p, _)| p.clone()).collect();
    put(&mut record, options, &table, ALIGNMENT)?;
    let mut contents: Vec<(u64, &Layout)> = partitions.iter().map(|(p, l)| (p.first, l)).collect();
    contents.sort_by_key(|(first, _)| *first);
    Ok(record.fill(&contents))
}

/// The table of the disk that is on `record`, whose partitions start at multiples of `alignment`
/// bytes: [`ALIGNMENT`], or in an ISO image 2,048, a sector of a CD.
///
/// # Errors
/// The partitions do not fit.
pub(crate) fn put(
    record: &mut Record,
    options: &Options,
    partitions: &[Partition],
    alignment: u64,
) -> Result<(), Error> {
    check(record.len(), options.sector_size, partitions, alignment)?;
    let mut disk = Seeking::new(record);
    protective(options, disk.len())?.overwrite_lba0(&mut disk).map_err(written)?;

    let id = |guid: Guid| Uuid::from_bytes(guid.0);
    let sector = options.sector_size.bytes();
    let entry = |p: &Partition| partition::Partition {
        part_type_guid: partition_types::Type {
            guid: id(p.kind.0),
            os: partition_types::OperatingSystem::None,
        },
        part_guid: id(p.guid),
        first_lba: p.first / sector,
        last_lba: (p.first + p.len) / sector - 1,
        flags: p.attributes,
        name: p.name.clone(),
    };
    let size = match options.sector_size {
        SectorSize::B512 => LogicalBlockSize::Lb512,
        SectorSize::B4096 => LogicalBlockSize::Lb4096,
    };
    let mut table = GptConfig::new()
        .writable(true)
        .logical_block_size(size)
        .create_from_device(disk, Some(id(options.disk)))
        .map_err(written)?;
    // `add_partition_at` would draw a random identifier.
    table.update_partitions((1..).zip(partitions.iter().map(entry)).collect()).map_err(written)?;
    table.write().map_err(written)?;
    Ok(())
}

/// \[UEFI\] §5.2.3 "Protective MBR".
fn protective(options: &Options, len: u64) -> Result<ProtectiveMBR, Error> {
    let mut code = [0; mbr::CODE];
    let len_of_code = options.boot_code.len();
    code.get_mut(..len_of_code).ok_or(Error::Code { len: len_of_code })?.copy_from_slice(&options.boot_code);
    // As many as it can say, for a disk of more.
    let last = u32::try_from(len / options.sector_size.bytes() - 1).unwrap_or(u32::MAX);
    let mut mbr = ProtectiveMBR::with_lb_size(last);
    mbr.set_bootcode(code);
    mbr.set_disk_signature(options.signature.to_le_bytes());
    match options.active {
        Active::None => {}
        Active::Entry => {
            mbr.set_partition(1, PartRecord { boot_indicator: 0x80, lb_size: 1, ..PartRecord::zero() });
        }
        Active::Protective => {
            let whole = PartRecord { boot_indicator: 0x80, ..PartRecord::new_protective(Some(last)) };
            mbr.set_partition(0, whole);
        }
    }
    Ok(mbr)
}

fn check(len: u64, sector_size: SectorSize, partitions: &[Partition], alignment: u64) -> Result<(), Error> {
    let sector = sector_size.bytes();
    if !len.is_multiple_of(sector) {
        return Err(Error::Len { len, sector });
    }
    let (from, tables) = (table_len(sector_size), table_len(sector_size) + backup_len(sector_size));
    if len <= tables {
        return Err(Error::Small { len, tables });
    }
    let to = len - backup_len(sector_size);
    if partitions.len() > ENTRIES {
        return Err(Error::Count { count: partitions.len() });
    }
    for p in partitions {
        let name = || p.name.clone();
        let units = p.name.encode_utf16().count();
        if units > NAME {
            return Err(Error::Name { name: name(), units });
        }
        if p.name.contains('\0') {
            return Err(Error::Nul { name: name() });
        }
        if p.kind == Type::UNUSED {
            return Err(Error::Unused { name: name() });
        }
        if !p.first.is_multiple_of(alignment) {
            return Err(Error::Alignment { name: name(), first: p.first, alignment });
        }
        if p.len == 0 || !p.len.is_multiple_of(sector) {
            return Err(Error::Partial { name: name(), len: p.len, sector });
        }
        let end = p.first.checked_add(p.len);
        if p.first < from || end.is_none_or(|end| end > to) {
            return Err(Error::Bounds { name: name(), first: p.first, len: p.len, from, to });
        }
    }
    let mut order: Vec<&Partition> = partitions.iter().collect();
    order.sort_by_key(|p| p.first);
    for pair in order.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        let end = before.first + before.len;
        if end > after.first {
            let (name, before) = (after.name.clone(), before.name.clone());
            return Err(Error::Overlap { name, first: after.first, before, end });
        }
    }
    order.sort_by_key(|p| p.guid);
    match order.windows(2).find(|pair| pair[0].guid == pair[1].guid) {
        Some(pair) => {
            Err(Error::Guid { guid: pair[0].guid, names: [pair[0].name.clone(), pair[1].name.clone()] })
        }
        None => Ok(()),
    }
}

fn written(e: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Structures(Box::new(e))
}

#[cfg(test)]
mod tests;
