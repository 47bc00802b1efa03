//! The structures of \[MS-VHDX\].

use super::Options;
use crate::gpt::Guid;
use std::mem::offset_of;
use std::ops::Range;
use uuid::Uuid;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{Immutable, IntoBytes};

/// §2.5.1.1 "Payload BAT Entry States", PAYLOAD_BLOCK_ZERO: the one state whose content is said to
/// be zeros. That of a block that is "not present" may be anything.
pub(super) const ZERO: u64 = 2;
/// §2.5.1.1, PAYLOAD_BLOCK_FULLY_PRESENT: it is at the entry's place.
pub(super) const FULLY_PRESENT: u64 = 6;
/// §2.5 "BAT": the sectors that one sector bitmap is for.
pub(super) const SECTORS_PER_CHUNK: u64 = 1 << 23;

/// §2.2.3 "Region Table", known regions.
const REGION_TABLE: Uuid = Uuid::from_u128(0x2dc27766_f623_4200_9d64_115e9bfd4a08);
const REGION_METADATA: Uuid = Uuid::from_u128(0x8b7ca206_4790_4b9a_b8fe_575f050f886e);
/// §2.6.2 "Known Metadata Items".
const FILE_PARAMETERS: Uuid = Uuid::from_u128(0xcaa16737_fa36_4d43_b3b6_33f0aa44e76b);
const VIRTUAL_DISK_SIZE: Uuid = Uuid::from_u128(0x2fa54224_cd1b_4876_b211_5dbed83bf4b8);
const PAGE_83_DATA: Uuid = Uuid::from_u128(0xbeca12ab_b2e6_4523_93ef_c309e000c746);
const LOGICAL_SECTOR_SIZE: Uuid = Uuid::from_u128(0x8141bf1d_a96f_4709_ba47_f233a8faab5f);
const PHYSICAL_SECTOR_SIZE: Uuid = Uuid::from_u128(0xcda348c7_445d_4471_9cc9_e9885251c556);

/// A length of this format's own: of a region, a block or a sector, all below 4 GiB.
fn u32_of(len: u64) -> U32 {
    U32::new(u32::try_from(len).expect("regions, blocks and sectors are short"))
}

/// §2.2.1 "File Type Identifier".
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct FileIdentifier {
    signature: [u8; 8],  // 00 "vhdxfile"
    creator: [U16; 256], // 08 UTF-16, for people
}
const _: () = assert!(size_of::<FileIdentifier>() == 520);

impl FileIdentifier {
    pub(super) fn new() -> Self {
        let mut creator = [U16::ZERO; 256];
        for (to, unit) in creator.iter_mut().zip("mkimage".encode_utf16()) {
            to.set(unit);
        }
        FileIdentifier { signature: *b"vhdxfile", creator }
    }
}

/// §2.2.2 "Headers". Of two that are valid, the one of the higher sequence number is current.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Header {
    signature: [u8; 4],   // 00 "head"
    checksum: U32,        // 04 CRC-32C of all, itself taken as zero
    sequence: U64,        // 08
    file_write: [u8; 16], // 10 changes with the file
    data_write: [u8; 16], // 20 changes with the disk
    log: [u8; 16],        // 30 of log entries to replay; zero is none
    log_version: U16,     // 40
    version: U16,         // 42
    log_len: U32,         // 44 bytes
    log_at: U64,          // 48 bytes
    reserved: [u8; 4016], // 50
}
const _: () = assert!(size_of::<Header>() == 4096);

impl Header {
    pub(super) fn new(sequence: u64, id: Guid, log: Range<u64>) -> Self {
        let id = Uuid::from_bytes(id.0).to_bytes_le();
        let mut header = Header {
            signature: *b"head",
            checksum: U32::ZERO,
            sequence: U64::new(sequence),
            file_write: id,
            data_write: id,
            log: [0; 16],
            log_version: U16::ZERO,
            version: U16::new(1),
            log_len: u32_of(log.end - log.start),
            log_at: U64::new(log.start),
            reserved: [0; 4016],
        };
        header.checksum.set(crc32c::crc32c(header.as_bytes()));
        header
    }
}

/// §2.2.3.2 "Region Table Entry".
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Region {
    kind: [u8; 16], // 00
    at: U64,        // 10 bytes
    len: U32,       // 18 bytes
    required: U32,  // 1c a reader that does not know it must not go on
}
const _: () = assert!(size_of::<Region>() == 32);

impl Region {
    fn new(kind: Uuid, place: Range<u64>) -> Self {
        Region {
            kind: kind.to_bytes_le(),
            at: U64::new(place.start),
            len: u32_of(place.end - place.start),
            required: U32::new(1),
        }
    }
}

/// §2.2.3.1 "Region Table Header", and the entries.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct RegionTable {
    signature: [u8; 4],   // 00 "regi"
    checksum: U32,        // 04 CRC-32C of all 64 KiB, itself taken as zero
    count: U32,           // 08
    reserved: U32,        // 0c
    regions: [Region; 2], // 10
    unused: [u8; (64 << 10) - 0x50],
}
const _: () = assert!(size_of::<RegionTable>() == 64 << 10);

impl RegionTable {
    pub(super) fn new(metadata: Range<u64>, table: Range<u64>) -> Self {
        let regions = [Region::new(REGION_TABLE, table), Region::new(REGION_METADATA, metadata)];
        let mut out = RegionTable {
            signature: *b"regi",
            checksum: U32::ZERO,
            count: U32::new(2),
            reserved: U32::ZERO,
            regions,
            unused: [0; (64 << 10) - 0x50],
        };
        out.checksum.set(crc32c::crc32c(out.as_bytes()));
        out
    }
}

/// §2.6.1.2 "Metadata Table Entry".
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Entry {
    item: [u8; 16], // 00
    at: U32,        // 10 bytes from the start of the region
    len: U32,       // 14 bytes
    flags: U32,     // 18 VIRTUAL_DISK, REQUIRED
    reserved: U32,  // 1c
}
const _: () = assert!(size_of::<Entry>() == 32);

/// [`Entry::flags`]: it describes the disk, not the file.
const VIRTUAL_DISK: u32 = 2;
/// [`Entry::flags`]: a reader that does not know it must not go on.
const REQUIRED: u32 = 4;

/// The items, one after the other.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Items {
    block: U32,    // 00 §2.6.2.1 "File Parameters": bytes of a block
    flags: U32,    // 04 the same: neither a fixed nor a differencing disk
    size: U64,     // 08 §2.6.2.2 "Virtual Disk Size", bytes
    id: [u8; 16],  // 10 §2.6.2.3 "Page 83 Data"
    logical: U32,  // 20 §2.6.2.4 "Logical Sector Size", bytes
    physical: U32, // 24 §2.6.2.5 "Physical Sector Size", bytes
}
const _: () = assert!(size_of::<Items>() == 40);

/// §2.6.1.1 "Metadata Table Header", the entries, and the items at 64 KiB.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Metadata {
    signature: [u8; 8],  // 00 "metadata"
    reserved: U16,       // 08
    count: U16,          // 0a
    reserved2: [u8; 20], // 0c
    entries: [Entry; 5], // 20
    unused: [u8; (64 << 10) - 0xc0],
    items: Items, // 10000
}
const _: () = assert!(offset_of!(Metadata, items) == 64 << 10);

impl Metadata {
    /// Of a disk of `size` bytes in blocks of `block` bytes.
    pub(super) fn new(size: u64, block: u64, options: &Options) -> Self {
        let entry = |item: Uuid, offset: usize, len: u32, flags: u32| Entry {
            item: item.to_bytes_le(),
            at: u32_of((offset_of!(Metadata, items) + offset) as u64),
            len: U32::new(len),
            flags: U32::new(flags | REQUIRED),
            reserved: U32::ZERO,
        };
        Metadata {
            signature: *b"metadata",
            reserved: U16::ZERO,
            count: U16::new(5),
            reserved2: [0; 20],
            entries: [
                entry(FILE_PARAMETERS, offset_of!(Items, block), 8, 0),
                entry(VIRTUAL_DISK_SIZE, offset_of!(Items, size), 8, VIRTUAL_DISK),
                entry(PAGE_83_DATA, offset_of!(Items, id), 16, VIRTUAL_DISK),
                entry(LOGICAL_SECTOR_SIZE, offset_of!(Items, logical), 4, VIRTUAL_DISK),
                entry(PHYSICAL_SECTOR_SIZE, offset_of!(Items, physical), 4, VIRTUAL_DISK),
            ],
            unused: [0; (64 << 10) - 0xc0],
            items: Items {
                block: u32_of(block),
                flags: U32::ZERO,
                size: U64::new(size),
                id: Uuid::from_bytes(options.id.0).to_bytes_le(),
                logical: u32_of(options.sector_size.bytes()),
                physical: U32::new(4096),
            },
        }
    }
}
