//! Disks with a GUID partition table, one for each sector size.

use super::dump::{Dump, Field};
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::gpt::{self, Active, Guid, LEGACY_BIOS_BOOTABLE, Options, Partition, Type};
use mkimage_formats::{Layout, SectorSize};

pub(super) const MBR: &[Field] = &[
    ("code", 0, 2),
    ("signature", 440, 4),
    ("partition-1", 446, 16),
    ("partition-2", 462, 16),
    ("partition-3", 478, 16),
    ("partition-4", 494, 16),
    ("magic", 510, 2),
];

/// \[UEFI\] Table 5.5.
pub(super) const HEADER: &[Field] = &[
    ("signature", 0, 8),
    ("revision", 8, 4),
    ("size", 12, 4),
    ("crc", 16, 4),
    ("my-lba", 24, 8),
    ("alternate-lba", 32, 8),
    ("first-usable", 40, 8),
    ("last-usable", 48, 8),
    ("disk", 56, 16),
    ("entries-lba", 72, 8),
    ("entries", 80, 4),
    ("entry-size", 84, 4),
    ("entries-crc", 88, 4),
];

/// \[UEFI\] Table 5.6.
pub(super) const ENTRY: &[Field] = &[
    ("type", 0, 16),
    ("guid", 16, 16),
    ("first", 32, 8),
    ("last", 40, 8),
    ("attributes", 48, 8),
    ("name", 56, 16),
];

fn disk(sector_size: SectorSize) -> Vec<u8> {
    const MIB: u64 = 1 << 20;
    let options = Options {
        sector_size,
        disk: Guid::derived(b"golden", "disk"),
        boot_code: vec![0xeb, 0xfe],
        signature: 0x1234_5678,
        active: Active::Entry,
    };
    let part = |name: &str, kind, first, attributes| {
        let guid = Guid::derived(b"golden", name);
        Partition { kind, guid, name: name.to_owned(), first, len: MIB, attributes }
    };
    let table = [
        (part("boot", Type::BIOS_BOOT, MIB, LEGACY_BIOS_BOOTABLE), Layout::from(vec![0xf4; 600])),
        (part("f\u{e9}", Type::EFI_SYSTEM, 2 * MIB, 0), Layout::from(b"esp".to_vec())),
    ];
    let mut out = Stream::new(Vec::new());
    out.layout(&gpt::layout(4 * MIB, &options, &table).unwrap()).unwrap();
    out.into_inner()
}

#[test]
fn every_byte_of_a_partitioned_disk_is_known() {
    for (sector_size, sector, name) in
        [(SectorSize::B512, 512, "disk.gpt.txt"), (SectorSize::B4096, 4096, "disk-4k.gpt.txt")]
    {
        let bytes = disk(sector_size);
        let mut dump = Dump::new(&bytes);
        dump.fields(0, 512, "protective master boot record", MBR);
        let last = bytes.len() - sector;
        for (header, entries) in [(sector, 2 * sector), (last, last - 128 * 128)] {
            dump.fields(header, sector, "header", HEADER);
            for n in 0..2 {
                dump.fields(entries + n * 128, 128, &format!("entry {}", n + 1), ENTRY);
            }
        }
        dump.claim(1 << 20, 600, "content of partition 1");
        dump.claim(2 << 20, 3, "content of partition 2");
        dump.compare(name);
    }
}
