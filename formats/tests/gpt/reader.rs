//! A reader that shares nothing with the writer, for both sector sizes; and what it reads.

use mkimage_formats::gpt::{Guid, Partition, Type};

/// \[UEFI\] §5.3.2: CRC-32 with the polynomial of Ethernet.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The first three groups are little-endian on disks.
fn guid_at(bytes: &[u8], at: usize) -> Guid {
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    Guid(order.map(|n| bytes[at + n]))
}

/// What a table says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) disk: Guid,
    /// First and last sector for partitions.
    pub(crate) usable: (u64, u64),
    pub(crate) partitions: Vec<Partition>,
}

/// Reads both tables, which must agree, from a disk with sectors of `sector` bytes.
pub(crate) fn table(disk: &[u8], sector: usize) -> Table {
    let last = disk.len() / sector - 1;
    let (primary, backup) = (one(disk, sector, 1, last), one(disk, sector, last, 1));
    assert_eq!(primary, backup);
    primary
}

fn one(disk: &[u8], sector: usize, at: usize, other: usize) -> Table {
    let number = |n: u64| usize::try_from(n).unwrap();
    let header = &disk[at * sector..(at + 1) * sector];
    assert_eq!((&header[..8], u32_at(header, 8), u32_at(header, 12)), (&b"EFI PART"[..], 0x10000, 92));
    let mut unsummed = header[..92].to_vec();
    unsummed[16..20].fill(0);
    assert_eq!(u32_at(header, 16), crc(&unsummed));
    assert_eq!((number(u64_at(header, 24)), number(u64_at(header, 32))), (at, other));
    assert!(header[92..].iter().all(|&byte| byte == 0));
    let (count, size) = (u32_at(header, 80), u32_at(header, 84));
    assert_eq!((count, size), (128, 128));
    let start = number(u64_at(header, 72));
    let usable = (u64_at(header, 40), u64_at(header, 48));
    // After the first header, or between the partitions and the second.
    assert_eq!(start, if at == 1 { 2 } else { number(usable.1) + 1 });
    let entries = &disk[start * sector..][..128 * 128];
    assert_eq!(u32_at(header, 88), crc(entries));
    let bytes = |sectors: u64| sectors * u64::try_from(sector).unwrap();
    let partitions = entries.chunks(128).filter(|entry| entry[..16] != [0; 16]).map(|entry| {
        let units: Vec<u16> = entry[56..].chunks(2).map(|u| u16::from_le_bytes([u[0], u[1]])).collect();
        let name = units.split(|&unit| unit == 0).next().unwrap();
        let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
        Partition {
            kind: Type(guid_at(entry, 0)),
            guid: guid_at(entry, 16),
            name: String::from_utf16(name).unwrap(),
            first: bytes(first),
            len: bytes(last + 1 - first),
            attributes: u64_at(entry, 48),
        }
    });
    Table { disk: guid_at(header, 56), usable, partitions: partitions.collect() }
}
