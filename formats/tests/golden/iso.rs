//! ISO 9660 with Rock Ridge, Joliet, El Torito and a master boot record.

use super::dump::{Dump, Field, show};
use mkimage_formats::emit;
use mkimage_formats::gpt::Guid;
use mkimage_formats::iso::{BootEntry, Hybrid, Iso, Options, Profile};
use mkimage_formats::tree::Time;

const BLOCK: usize = 2048;

/// \[ECMA-119\] 8.4 and 8.5.
const VOLUME: &[Field] = &[
    ("type", 0, 1),
    ("id", 1, 5),
    ("version", 6, 1),
    ("flags", 7, 1),
    ("system", 8, 32),
    ("volume", 40, 32),
    ("space", 80, 8),
    ("escapes", 88, 32),
    ("set-size", 120, 4),
    ("sequence", 124, 4),
    ("block", 128, 4),
    ("path-table-size", 132, 8),
    ("path-table-l", 140, 4),
    ("path-table-l2", 144, 4),
    ("path-table-m", 148, 4),
    ("path-table-m2", 152, 4),
    ("root", 156, 34),
    ("volume-set", 190, 128),
    ("publisher", 318, 128),
    ("preparer", 446, 128),
    ("application", 574, 128),
    ("copyright", 702, 37),
    ("abstract", 739, 37),
    ("bibliography", 776, 37),
    ("created", 813, 17),
    ("modified", 830, 17),
    ("expires", 847, 17),
    ("effective", 864, 17),
    ("structure", 881, 1),
    ("application-use", 883, 512),
];

const BOOT: &[Field] =
    &[("type", 0, 1), ("id", 1, 5), ("version", 6, 1), ("system", 7, 32), ("catalog", 71, 4)];

const MBR: &[Field] = &[
    ("code", 0, 440),
    ("signature", 440, 4),
    ("partition-1", 446, 16),
    ("partition-2", 462, 16),
    ("partition-3", 478, 16),
    ("partition-4", 494, 16),
    ("magic", 510, 2),
];

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()).try_into().unwrap()
}

#[test]
fn every_byte_of_an_iso_image_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let tree = super::specimen(dir.path());
    let options = Options {
        epoch: Time::from_unix(1_700_000_000),
        boot: vec![BootEntry::bios(super::path("boot/loader"))],
        ..Options::default()
    };
    let mut iso = Iso::new(&tree, &options).unwrap();
    let hybrid = Hybrid {
        profile: Profile::MbrEf,
        code: vec![0xeb, 0xfe],
        signature: 0x1234_5678,
        disk: Guid([0x11; 16]),
        esp: None,
    };
    iso.set_hybrid(&hybrid).unwrap();
    let file = dir.path().join("x.iso");
    emit::emit(&iso.layout(&tree).unwrap(), &file).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let mut dump = Dump::new(&bytes);
    dump.fields(0, 512, "master boot record", MBR);
    for n in 16.. {
        let at = n * BLOCK;
        match bytes[at] {
            0 => {
                dump.fields(at, BLOCK, "boot record", BOOT);
                catalog(&mut dump, u32_at(&bytes, at + 71) * BLOCK);
            }
            255 => {
                dump.fields(at, BLOCK, "set terminator", &BOOT[..3]);
                break;
            }
            _ => volume(&mut dump, at),
        }
    }
    dump.compare("small.iso.txt");
}

fn catalog(dump: &mut Dump, at: usize) {
    for entry in (at..at + BLOCK).step_by(32).take_while(|&n| dump.bytes[n..n + 32] != [0; 32]) {
        dump.claim(entry, 32, &format!("boot catalog: {}", show(&dump.bytes[entry..entry + 32])));
    }
}

fn volume(dump: &mut Dump, at: usize) {
    dump.fields(at, BLOCK, "volume descriptor", VOLUME);
    let size = u32_at(dump.bytes, at + 132);
    let order = &dump.bytes[at + 148..at + 152];
    let m = u32::from_be_bytes(order.try_into().unwrap());
    for (table, little) in [(u32_at(dump.bytes, at + 140), true), (usize::try_from(m).unwrap(), false)] {
        let (mut entry, end) = (table * BLOCK, table * BLOCK + size);
        while entry < end {
            let name = usize::from(dump.bytes[entry]);
            let len = (8 + name).next_multiple_of(2);
            let (fixed, text) = dump.bytes[entry..entry + 8 + name].split_at(8);
            let which = if little { "L" } else { "M" };
            dump.claim(entry, len, &format!("path table {which}: {} {}", show(fixed), show(text)));
            entry += len;
        }
    }
    let mut folders = vec![(u32_at(dump.bytes, at + 158) * BLOCK, u32_at(dump.bytes, at + 166))];
    while let Some((folder, len)) = folders.pop() {
        let mut record = folder;
        while record < folder + len {
            let size = usize::from(dump.bytes[record]);
            if size == 0 {
                record = (record + 1).next_multiple_of(BLOCK);
                continue;
            }
            folders.extend(directory_record(dump, record, size));
            record += size;
        }
    }
}

/// \[ECMA-119\] 9.1. Gives the folder that it is for, unless that is "." or "..".
fn directory_record(dump: &mut Dump, at: usize, len: usize) -> Option<(usize, usize)> {
    let record = &dump.bytes[at..at + len];
    let name = &record[33..33 + usize::from(record[32])];
    let (extent, size) = (u32_at(record, 2) * BLOCK, u32_at(record, 10));
    let mut text = format!("record {}: fixed={}", show(name), show(&record[..33]));
    // The name is padded so that what follows starts at an even offset.
    let (mut entry, mut end) = (at + (33 + name.len()).next_multiple_of(2), at + len);
    let mut area = None;
    while end - entry.min(end) >= 4 && dump.bytes[entry] != 0 {
        let next = entry + usize::from(dump.bytes[entry + 2]);
        let (signature, value) = dump.bytes[entry..next].split_at(2);
        text += &format!(" {}={}", String::from_utf8_lossy(signature), show(&value[2..]));
        if signature == b"CE" {
            let field = |n: usize| u32_at(value, 2 + n);
            area = Some((field(0) * BLOCK + field(8), field(16)));
        }
        entry = next;
        if end - entry < 4
            && let Some((start, len)) = area.take()
        {
            dump.claim(start, len, &format!("continuation of {at:08x}"));
            (entry, end) = (start, start + len);
        }
    }
    dump.claim(at, len, &text);
    let folder = record[25] & 2 != 0;
    // A folder that Rock Ridge moved up leaves a file in its place, whose extent is the folder's.
    if !folder && !text.contains(" CL=") {
        dump.claim(extent, size, &format!("content of {}", show(name)));
    }
    (folder && !matches!(name, [0 | 1])).then_some((extent, size))
}
