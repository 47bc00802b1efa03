//! VHD \[VHD\] and VHDX \[MS-VHDX\].

use super::dump::{Dump, Field, show};
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::gpt::Guid;
use mkimage_formats::tree::Time;
use mkimage_formats::{Layout, SectorSize, vhd, vhdx};

const MIB: u64 = 1 << 20;

const FOOTER: &[Field] = &[
    ("cookie", 0x00, 8),
    ("features", 0x08, 4),
    ("version", 0x0c, 4),
    ("data-offset", 0x10, 8),
    ("timestamp", 0x18, 4),
    ("creator", 0x1c, 4),
    ("creator-version", 0x20, 4),
    ("creator-os", 0x24, 4),
    ("original-size", 0x28, 8),
    ("current-size", 0x30, 8),
    ("geometry", 0x38, 4),
    ("disk-type", 0x3c, 4),
    ("checksum", 0x40, 4),
    ("id", 0x44, 16),
];

const DYNAMIC_HEADER: &[Field] = &[
    ("cookie", 0x00, 8),
    ("data-offset", 0x08, 8),
    ("table", 0x10, 8),
    ("version", 0x18, 4),
    ("entries", 0x1c, 4),
    ("block", 0x20, 4),
    ("checksum", 0x24, 4),
];

/// Text at the start and near the end of 5 MiB, whose middle is empty.
fn disk() -> Layout {
    let mut disk = Layout::from(b"first".to_vec());
    disk.pad_to(5 * MIB - 512);
    disk.push(b"last".to_vec());
    disk.pad_to(5 * MIB);
    disk
}

fn bytes(layout: &Layout) -> Vec<u8> {
    let mut out = Stream::new(Vec::new());
    out.layout(layout).unwrap();
    out.into_inner()
}

fn options() -> vhd::Options {
    vhd::Options { id: Guid(*b"0123456789abcdef"), epoch: Time::from_unix(1_700_000_000) }
}

#[test]
fn every_byte_of_a_fixed_vhd_is_known() {
    let bytes = bytes(&vhd::fixed(disk(), &options()).unwrap());
    let mut dump = Dump::new(&bytes);
    dump.claim(0, 5, "first bytes of the disk");
    dump.claim((5 << 20) - 512, 4, "last bytes of the disk");
    dump.fields(5 << 20, 512, "footer", FOOTER);
    dump.compare("small.fixed.vhd.txt");
}

#[test]
fn every_byte_of_a_dynamic_vhd_is_known() {
    let bytes = bytes(&vhd::dynamic(&disk(), &options()).unwrap());
    let mut dump = Dump::new(&bytes);
    dump.fields(0, 512, "footer", FOOTER);
    dump.fields(512, 1024, "dynamic header", DYNAMIC_HEADER);
    for n in 0..3 {
        let at = 1536 + 4 * n;
        let entry = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        if entry == u32::MAX {
            dump.claim(at, 4, "table: unused");
            continue;
        }
        let block = 512 * usize::try_from(entry).unwrap();
        dump.claim(at, 4, &format!("table: block at {block:08x}"));
        assert!(bytes[block..block + 512].iter().all(|&b| b == 0xff));
        dump.claim(block, 512, "bitmap: all sectors");
        let text = if n == 0 { 0 } else { (1 << 20) - 512 };
        let text = block + 512 + text;
        dump.claim(text, 5, &format!("block {n}: {}", show(&bytes[text..text + 5])));
    }
    assert!(bytes[1536 + 12..2048].iter().all(|&b| b == 0xff));
    dump.claim(1536 + 12, 512 - 12, "table: unused");
    dump.fields(bytes.len() - 512, 512, "footer", FOOTER);
    dump.compare("small.dynamic.vhd.txt");
}

const HEADER: &[Field] = &[
    ("signature", 0x00, 4),
    ("checksum", 0x04, 4),
    ("sequence", 0x08, 8),
    ("file-write", 0x10, 16),
    ("data-write", 0x20, 16),
    ("log", 0x30, 16),
    ("log-version", 0x40, 2),
    ("version", 0x42, 2),
    ("log-len", 0x44, 4),
    ("log-at", 0x48, 8),
];

const REGION_TABLE: &[Field] = &[
    ("signature", 0x00, 4),
    ("checksum", 0x04, 4),
    ("count", 0x08, 4),
    ("kind-1", 0x10, 16),
    ("at-1", 0x20, 8),
    ("len-1", 0x28, 4),
    ("required-1", 0x2c, 4),
    ("kind-2", 0x30, 16),
    ("at-2", 0x40, 8),
    ("len-2", 0x48, 4),
    ("required-2", 0x4c, 4),
];

const METADATA_ENTRY: &[Field] = &[("item", 0x00, 16), ("at", 0x10, 4), ("len", 0x14, 4), ("flags", 0x18, 4)];

#[test]
fn every_byte_of_a_vhdx_is_known() {
    let options = vhdx::Options { id: Guid(*b"0123456789abcdef"), sector_size: SectorSize::B512 };
    let bytes = bytes(&vhdx::layout(&disk(), &options).unwrap());
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let mut dump = Dump::new(&bytes);
    dump.fields(0, 520, "file identifier", &[("signature", 0, 8), ("creator", 8, 14)]);
    for at in [64 << 10, 128 << 10] {
        dump.fields(at, 4096, "header", HEADER);
    }
    for at in [192 << 10, 256 << 10] {
        dump.fields(at, 64 << 10, "region table", REGION_TABLE);
    }
    let metadata = 2 << 20;
    dump.fields(metadata, 32, "metadata table", &[("signature", 0, 8), ("count", 10, 2)]);
    for n in 0..5 {
        let at = metadata + 32 + 32 * n;
        dump.fields(at, 32, "metadata entry", METADATA_ENTRY);
        let place = u64_at(at + 16);
        let (offset, len) =
            (usize::try_from(place & 0xffff_ffff).unwrap(), usize::try_from(place >> 32).unwrap());
        let item = metadata + offset;
        dump.claim(item, len, &format!("item {}", show(&bytes[item..item + len])));
    }
    for n in 0..5 {
        let at = (3 << 20) + 8 * n;
        let entry = u64_at(at);
        let block = usize::try_from(entry >> 20 << 20).unwrap();
        dump.claim(at, 8, &format!("table: block {n} at {block:08x}, state {}", entry & 7));
        if block != 0 {
            let text = block + if n == 0 { 0 } else { (1 << 20) - 512 };
            dump.claim(text, 5, &format!("block {n}: {}", show(&bytes[text..text + 5])));
        }
    }
    dump.compare("small.vhdx.txt");
}
