//! The master boot record: boot code and up to four partitions.
//!
//! ```text
//! 000               1b8        1bc   1be                                 1fe 200
//! ├──── boot code ────┼ signature ┼ 0 ─┼ Partition × 4, 16 bytes each ──────┼ 55 AA ┤
//! ```
//!
//! There is no standard; \[UEFI\] is *UEFI Specification* 2.11, §5.2.1 "Legacy Master Boot Record
//! (MBR)". Sectors are of 512 bytes.
//!
//! ```
//! use mkimage_formats::mbr::{self, Geometry, Partition, PartitionType};
//!
//! # fn main() -> Result<(), mbr::Error> {
//! let partition = Partition { active: true, kind: PartitionType::FAT32_LBA, first: 2048, sectors: 131_072 };
//! let sector = mbr::sector(&[], 0x1234_5678, &[partition], Geometry::LARGE)?;
//! assert_eq!(sector[510..], [0x55, 0xaa]);
//! # Ok(())
//! # }
//! ```

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Bytes of boot code that fit.
pub const CODE: usize = 440;
const PARTITIONS: usize = 4;

/// \[UEFI\] Table 5.1 "Legacy MBR".
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct MasterBootRecord {
    code: [u8; CODE],                // 000
    signature: U32,                  // 1b8 of the disk
    unknown: U16,                    // 1bc
    partitions: [Entry; PARTITIONS], // 1be
    magic: [u8; 2],                  // 1fe
}
const _: () = assert!(size_of::<MasterBootRecord>() == 512);

/// \[UEFI\] Table 5.2 "Legacy MBR Partition Record".
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Entry {
    boot: u8,       // 00 80 when active
    first_chs: Chs, // 01
    kind: u8,       // 04
    last_chs: Chs,  // 05
    first: U32,     // 08 sectors
    sectors: U32,   // 0c
}
const _: () = assert!(size_of::<Entry>() == 16);

/// Cylinder, head and sector as INT 13h takes them in CH, DH and CL.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Chs {
    head: u8,
    sector: u8, // bits 6 and 7 are bits 8 and 9 of the cylinder
    cylinder: u8,
}

/// What a partition holds. The values are a convention, kept by nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionType(pub u8);

impl PartitionType {
    /// None: an entry that is not in use, whatever else it says.
    pub const EMPTY: Self = PartitionType(0);
    /// Hidden NTFS. What isohybrid gives to the partition over an ISO 9660 image: Windows neither
    /// opens it nor offers to format it, and Linux looks at the content alone.
    pub const HIDDEN_NTFS: Self = PartitionType(0x17);
    /// FAT32 with LBA.
    pub const FAT32_LBA: Self = PartitionType(0x0c);
    /// A Linux file system.
    pub const LINUX: Self = PartitionType(0x83);
    /// \[UEFI\] An EFI system partition.
    pub const EFI_SYSTEM: Self = PartitionType(0xef);
}

/// A part of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The BIOS (or the usual boot code) boots this one.
    pub active: bool,
    /// What it holds.
    pub kind: PartitionType,
    /// First sector.
    pub first: u32,
    /// How many sectors, at least one.
    pub sectors: u32,
}

/// How a disk's sectors are counted in three numbers. Some BIOSes take it from the end of the
/// first partition, so all partitions of a disk are counted in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Heads in a cylinder, 1 to 255.
    pub heads: u8,
    /// Sectors in a track, 1 to 63.
    pub sectors: u8,
}

impl Geometry {
    /// Cylinders of 1 MiB, as isohybrid counts.
    pub const MIB: Self = Geometry { heads: 64, sectors: 32 };
    /// The largest: what BIOSes give to disks of more than 4 GiB.
    pub const LARGE: Self = Geometry { heads: 255, sectors: 63 };

    /// The last sector that can be counted stands for all after it.
    fn chs(self, sector: u64) -> Chs {
        let (per_track, heads) = (u64::from(self.sectors), u64::from(self.heads));
        let track = sector / per_track;
        let (cylinder, head, sector) = match track / heads {
            cylinder @ 0..=1023 => (cylinder, track % heads, sector % per_track),
            _ => (1023, heads - 1, per_track - 1),
        };
        let byte = |n: u64| u8::try_from(n & 0xff).expect("masked to a byte");
        Chs { head: byte(head), sector: byte((cylinder >> 8) << 6 | (sector + 1)), cylinder: byte(cylinder) }
    }
}

/// Why a boot record cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The code runs into the disk's signature.
    #[error("boot code of {len} bytes; a master boot record holds {CODE}")]
    Code {
        /// Bytes.
        len: usize,
    },
    /// Extended partitions are not made.
    #[error("{count} partitions; a master boot record holds {PARTITIONS}")]
    Partitions {
        /// How many.
        count: usize,
    },
    /// Too big for the fields.
    #[error(
        "a partition of {sectors} sectors at sector {first}; the last sector of a disk with a master boot record is 4294967295"
    )]
    Size {
        /// First sector.
        first: u32,
        /// How many.
        sectors: u32,
    },
}

/// The first sector of a disk. `signature` is what Windows and Linux (`PARTUUID`) tell disks
/// apart by; zero means none.
///
/// # Errors
/// The code or the partitions do not fit.
pub fn sector(
    code: &[u8],
    signature: u32,
    partitions: &[Partition],
    geometry: Geometry,
) -> Result<[u8; 512], Error> {
    let mut record = MasterBootRecord {
        code: [0; CODE],
        signature: signature.into(),
        unknown: 0.into(),
        partitions: <[Entry; PARTITIONS]>::new_zeroed(),
        magic: [0x55, 0xaa],
    };
    record.code.get_mut(..code.len()).ok_or(Error::Code { len: code.len() })?.copy_from_slice(code);
    if partitions.len() > PARTITIONS {
        return Err(Error::Partitions { count: partitions.len() });
    }
    for (entry, p) in record.partitions.iter_mut().zip(partitions) {
        let last = p.sectors.checked_sub(1).and_then(|n| p.first.checked_add(n));
        let last = last.ok_or(Error::Size { first: p.first, sectors: p.sectors })?;
        *entry = Entry {
            boot: if p.active { 0x80 } else { 0 },
            first_chs: geometry.chs(p.first.into()),
            kind: p.kind.0,
            last_chs: geometry.chs(last.into()),
            first: p.first.into(),
            sectors: p.sectors.into(),
        };
    }
    Ok(zerocopy::transmute!(record))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_that_sfdisk_writes() {
        // head, sector with the cylinder's high bits, cylinder
        let table = [
            (Geometry::LARGE, 0, [0, 1, 0]),
            (Geometry::LARGE, 2048, [32, 33, 0]),
            (Geometry::LARGE, 16_450_559, [254, 0xff, 0xff]),
            (Geometry::LARGE, 16_450_560, [254, 0xff, 0xff]),
            (Geometry::MIB, 2047, [63, 32, 0]),
            (Geometry::MIB, 300 * 2048 + 33, [1, 0x42, 44]),
            (Geometry::MIB, 1024 * 2048, [63, 0xe0, 0xff]),
        ];
        for (geometry, sector, want) in table {
            assert_eq!(geometry.chs(sector).as_bytes(), want, "sector {sector}");
        }
    }

    #[test]
    fn every_field_is_in_its_place() {
        let partition =
            Partition { active: true, kind: PartitionType::HIDDEN_NTFS, first: 0, sectors: 3 * 2048 };
        let out = sector(&[0x90; 440], 0x1122_3344, &[partition], Geometry::MIB).unwrap();
        assert_eq!(out[439..446], [0x90, 0x44, 0x33, 0x22, 0x11, 0, 0]);
        assert_eq!(out[446..462], [0x80, 0, 1, 0, 0x17, 63, 32, 2, 0, 0, 0, 0, 0, 0x18, 0, 0]);
        assert_eq!(out[462..], [&[0; 48][..], &[0x55, 0xaa]].concat());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let p = Partition { active: false, kind: PartitionType::LINUX, first: 1, sectors: u32::MAX };
        let make = |code: &[u8], p: &[Partition]| sector(code, 0, p, Geometry::LARGE);
        assert_eq!(make(&[0; 441], &[]), Err(Error::Code { len: 441 }));
        assert_eq!(make(&[], &[p; 5]), Err(Error::Partitions { count: 5 }));
        assert!(make(&[], &[p]).is_ok());
        assert_eq!(
            make(&[], &[Partition { first: 2, ..p }]),
            Err(Error::Size { first: 2, sectors: u32::MAX })
        );
        assert_eq!(make(&[], &[Partition { sectors: 0, ..p }]), Err(Error::Size { first: 1, sectors: 0 }));
    }
}
