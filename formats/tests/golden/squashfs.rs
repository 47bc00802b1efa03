//! SquashFS \[SQUASHFS\].

use super::dump::{Dump, Field, show};
use super::squashfs_tables::{Table, number, unpack};
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::spool::Spool;
use mkimage_formats::squashfs::{self, Compression, Options};
use mkimage_formats::tree::{OriginId, Time, Xattrs};
use mkimage_formats::{Kind, Layout, Meta, Node, Tree};
use std::num::NonZero;
use std::sync::Arc;

const SUPERBLOCK: &[Field] = &[
    ("magic", 0x00, 4),
    ("inodes", 0x04, 4),
    ("mkfs-time", 0x08, 4),
    ("block-size", 0x0c, 4),
    ("fragments", 0x10, 4),
    ("compression", 0x14, 2),
    ("block-log", 0x16, 2),
    ("flags", 0x18, 2),
    ("ids", 0x1a, 2),
    ("major", 0x1c, 2),
    ("minor", 0x1e, 2),
    ("root", 0x20, 8),
    ("bytes-used", 0x28, 8),
    ("id-table", 0x30, 8),
    ("xattr-table", 0x38, 8),
    ("inode-table", 0x40, 8),
    ("directory-table", 0x48, 8),
    ("fragment-table", 0x50, 8),
    ("export-table", 0x58, 8),
];

/// What every inode begins with.
const BASE: [Field; 6] =
    [("type", 0, 2), ("mode", 2, 2), ("uid", 4, 2), ("gid", 6, 2), ("mtime", 8, 4), ("number", 12, 4)];

/// The name of an inode's type, its further fields and their length.
fn fields(kind: usize) -> (&'static str, &'static [Field], usize) {
    match kind {
        1 => (
            "folder",
            &[("block", 16, 4), ("nlink", 20, 4), ("size", 24, 2), ("offset", 26, 2), ("parent", 28, 4)],
            32,
        ),
        2 => ("file", &[("start", 16, 4), ("fragment", 20, 4), ("offset", 24, 4), ("size", 28, 4)], 32),
        3 => ("link", &[("nlink", 16, 4), ("size", 20, 4)], 24),
        4 | 5 => ("device", &[("nlink", 16, 4), ("rdev", 20, 4)], 24),
        6 => ("pipe", &[("nlink", 16, 4)], 20),
        8 => (
            "extended folder",
            &[
                ("nlink", 16, 4),
                ("size", 20, 4),
                ("block", 24, 4),
                ("parent", 28, 4),
                ("count", 32, 2),
                ("offset", 34, 2),
                ("xattr", 36, 4),
            ],
            40,
        ),
        9 => (
            "extended file",
            &[
                ("start", 16, 8),
                ("size", 24, 8),
                ("sparse", 32, 8),
                ("nlink", 40, 4),
                ("fragment", 44, 4),
                ("offset", 48, 4),
                ("xattr", 52, 4),
            ],
            56,
        ),
        13 => ("extended pipe", &[("nlink", 16, 4), ("xattr", 20, 4)], 24),
        other => panic!("type {other}"),
    }
}

/// The small tree, a file with a hole and attributes, another with the same, one that cannot be
/// compressed, and a folder whose listing has two metadata blocks.
fn specimen(dir: &std::path::Path) -> Tree {
    let mut tree = super::specimen(dir);
    let mut add = |name: &str, meta: Meta, kind| {
        tree.insert(super::path(name), Node { meta, kind, origin: OriginId::default() }).unwrap();
    };
    let xattrs = Xattrs::from([
        (b"security.capability".to_vec(), vec![1, 2]),
        (b"user.note".to_vec(), b"hello".to_vec()),
    ]);
    let plain = Meta::new(0o600, Time { seconds: 1_500_000_000, nanos: 7 });
    let meta = Meta { xattrs: Some(Arc::new(xattrs)), ..plain.clone() };
    let mut holed = Layout::from(vec![b'a'; 4096]);
    holed.pad_to(8192);
    holed.push(b"after".to_vec());
    add("with-hole", meta.clone(), Kind::File(holed.clone()));
    add("pipe", meta, Kind::Fifo);
    add("with-hole-again", plain.clone(), Kind::File(holed));
    let noise = (0..4096_u32).map(|n| ((n * n / 3) ^ (n / 7)).to_le_bytes()[0]).collect::<Vec<_>>();
    add("noise", plain.clone(), Kind::File(noise.into()));
    add("full", plain.clone(), Kind::Dir);
    for n in 10..43 {
        add(&format!("full/{}{n}", "n".repeat(253)), plain.clone(), Kind::Fifo);
    }
    tree
}

#[test]
fn every_byte_of_a_squashfs_image_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let tree = specimen(dir.path());
    let options =
        Options { compression: Compression::Gzip, block_size: 4096, epoch: Time::from_unix(1_600_000_000) };
    let spool =
        Spool { path: dir.path().join("spool"), threads: NonZero::<usize>::MIN, memo: None, cache: None };
    let mut out = Stream::new(Vec::new());
    out.layout(&squashfs::layout(&tree, &options, &spool).unwrap()).unwrap();
    let bytes = out.into_inner();
    let at = |field| number(&bytes, field, 8);

    let mut dump = Dump::new(&bytes);
    dump.fields(0, 96, "superblock", SUPERBLOCK);
    let (fragments, fragment_start) = Table::lookup(&bytes, at(0x50), 0, 16 * number(&bytes, 0x10, 4));
    let inodes = Table::new(&bytes, at(0x40), at(0x48));
    let mut text = Dump::new(&inodes.bytes);
    self::inodes(&mut text, &mut dump);
    table(&mut dump, &inodes, "inodes", &text);

    let listings = Table::new(&bytes, at(0x48), fragment_start);
    let mut text = Dump::new(&listings.bytes);
    self::listings(&mut text);
    table(&mut dump, &listings, "names", &text);

    let mut text = Dump::new(&fragments.bytes);
    for n in 0..fragments.bytes.len() / 16 {
        text.fields(16 * n, 16, &format!("fragment {n}"), &[("start", 0, 8), ("size", 8, 4)]);
        block(&mut dump, number(text.bytes, 16 * n, 8), number(text.bytes, 16 * n + 8, 4));
    }
    table(&mut dump, &fragments, "fragments", &text);
    index(&mut dump, at(0x50), &fragments);

    for (name, field, entry, count) in [("export", 0x58, 8, 4), ("ids", 0x30, 4, 0x1a)] {
        let count = number(&bytes, count, if count == 4 { 4 } else { 2 });
        let (entries, _) = Table::lookup(&bytes, at(field), 0, entry * count);
        let mut text = Dump::new(&entries.bytes);
        text.claim(0, entry * count, &format!("{count} of {entry} bytes"));
        table(&mut dump, &entries, name, &text);
        index(&mut dump, at(field), &entries);
    }

    let header = at(0x38);
    dump.fields(header, 16, "sets of attributes", &[("attributes", 0, 8), ("count", 8, 4)]);
    let (sets, sets_start) = Table::lookup(&bytes, header, 16, 16 * number(&bytes, header + 8, 4));
    let mut text = Dump::new(&sets.bytes);
    text.fields(0, 16, "set 0", &[("attributes", 0, 8), ("count", 8, 4), ("size", 12, 4)]);
    table(&mut dump, &sets, "sets", &text);
    index(&mut dump, header + 16, &sets);
    let all = Table::new(&bytes, number(&bytes, header, 8), sets_start);
    let mut text = Dump::new(&all.bytes);
    text.claim(0, all.bytes.len(), &show(&all.bytes));
    table(&mut dump, &all, "attributes", &text);
    dump.compare("small.squashfs.txt");
}

/// The metadata blocks of a table, and what is in it.
fn table(dump: &mut Dump, table: &Table, name: &str, unpacked: &Dump) {
    for (n, &(at, len, from)) in table.blocks.iter().enumerate() {
        let to = table.blocks.get(n + 1).map_or(table.bytes.len(), |block| block.2);
        let raw = if dump.bytes[at + 1] & 0x80 != 0 { "as they were" } else { "unpacked" };
        let mut text = format!("{name}, {from:x} to {to:x} {raw}");
        if n + 1 == table.blocks.len() {
            text += ":";
            for line in unpacked.text().lines() {
                text += "\n    ";
                text += line;
            }
        }
        dump.claim(at, len, &text);
    }
}

/// Where the blocks of a table are.
fn index(dump: &mut Dump, at: usize, table: &Table) {
    for n in 0..table.blocks.len() {
        dump.claim(at + 8 * n, 8, &format!("its block {n} is at {:x}", number(dump.bytes, at + 8 * n, 8)));
    }
}

/// A data block, and how it begins.
fn block(dump: &mut Dump, at: usize, size: usize) {
    let (stored, raw) = (size & 0xff_ffff, size >> 24 == 1);
    let bytes = &dump.bytes[at..at + stored];
    let (bytes, how) =
        if raw { (bytes.to_vec(), "as they were") } else { (unpack(1, bytes, 4096), "unpacked") };
    let text = show(&bytes[..bytes.len().min(24)]);
    dump.claim(at, stored, &format!("block of {} bytes {how}: {text}", bytes.len()));
}

/// All inodes in the order of the table.
fn inodes(text: &mut Dump, dump: &mut Dump) {
    let (mut at, bytes) = (0, text.bytes);
    while at < bytes.len() {
        let (name, own, len) = fields(number(bytes, at, 2));
        text.fields(at, len, name, &[&BASE[..], own].concat());
        let (start, size) = match number(bytes, at, 2) {
            2 => (number(bytes, at + 16, 4), number(bytes, at + 28, 4)),
            9 => (number(bytes, at + 16, 8), number(bytes, at + 24, 8)),
            3 => (0, number(bytes, at + 20, 4)),
            _ => (0, 0),
        };
        let kind = number(bytes, at, 2);
        at += len;
        match kind {
            3 => {
                text.claim(at, size, &format!("target {}", show(&bytes[at..at + size])));
                at += size;
            }
            2 | 9 => {
                let mut start = start;
                for _ in 0..size / 4096 {
                    let size = number(bytes, at, 4);
                    text.claim(at, 4, &format!("block of {size:x}"));
                    if size > 0 {
                        block(dump, start, size);
                    }
                    start += size & 0xff_ffff;
                    at += 4;
                }
            }
            8 => {
                for _ in 0..number(bytes, at - len + 32, 2) {
                    let end = at + 12 + number(bytes, at + 8, 4) + 1;
                    text.fields(at, 12, "index", &[("index", 0, 4), ("block", 4, 4), ("size", 8, 4)]);
                    text.claim(at + 12, end - at - 12, &shown(&bytes[at + 12..end]));
                    at = end;
                }
            }
            _ => {}
        }
    }
}

/// All listings in the order of the table.
fn listings(text: &mut Dump) {
    let (mut at, bytes) = (0, text.bytes);
    while at < bytes.len() {
        let count = number(bytes, at, 4) + 1;
        text.fields(at, 12, "run", &[("count", 0, 4), ("block", 4, 4), ("number", 8, 4)]);
        at += 12;
        for _ in 0..count {
            let fields = &[("offset", 0, 2), ("number", 2, 2), ("type", 4, 2), ("size", 6, 2)];
            text.fields(at, 8, "entry", fields);
            let end = at + 8 + number(bytes, at + 6, 2) + 1;
            text.claim(at + 8, end - at - 8, &shown(&bytes[at + 8..end]));
            at = end;
        }
    }
}

/// A name, of a long one its end.
fn shown(name: &[u8]) -> String {
    format!("name of {} bytes {}", name.len(), show(&name[name.len().saturating_sub(12)..]))
}
