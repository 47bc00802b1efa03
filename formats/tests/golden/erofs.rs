//! EROFS \[EROFS\].

use super::dump::{Dump, Field, show};
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::erofs::{self, Options};
use mkimage_formats::gpt::Guid;
use mkimage_formats::tree::{OriginId, Time, Xattrs};
use mkimage_formats::{Kind, Layout, Meta, Node};
use std::sync::Arc;

const BLOCK: usize = 4096;

const SUPERBLOCK: &[Field] = &[
    ("magic", 0x00, 4),
    ("checksum", 0x04, 4),
    ("feature-compat", 0x08, 4),
    ("block-bits", 0x0c, 1),
    ("root", 0x0e, 2),
    ("inodes", 0x10, 8),
    ("build-time", 0x18, 8),
    ("blocks", 0x24, 4),
    ("meta-block", 0x28, 4),
    ("uuid", 0x30, 16),
    ("volume", 0x40, 16),
    ("feature-incompat", 0x50, 4),
];

const COMPACT: &[Field] = &[
    ("format", 0x00, 2),
    ("attributes", 0x02, 2),
    ("mode", 0x04, 2),
    ("nlink", 0x06, 2),
    ("size", 0x08, 4),
    ("body", 0x10, 4),
    ("ino", 0x14, 4),
    ("uid", 0x18, 2),
    ("gid", 0x1a, 2),
];

const EXTENDED: &[Field] = &[
    ("format", 0x00, 2),
    ("attributes", 0x02, 2),
    ("mode", 0x04, 2),
    ("size", 0x08, 8),
    ("body", 0x10, 4),
    ("ino", 0x14, 4),
    ("uid", 0x18, 4),
    ("gid", 0x1c, 4),
    ("mtime", 0x20, 8),
    ("nanos", 0x28, 4),
    ("nlink", 0x2c, 4),
];

fn number(bytes: &[u8], at: usize, len: usize) -> usize {
    bytes[at..at + len].iter().rev().fold(0, |n, &b| n << 8 | usize::from(b))
}

#[test]
fn every_byte_of_an_erofs_image_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let mut tree = super::specimen(dir.path());
    let mut holed = Layout::from(b"before".to_vec());
    holed.pad_to(8192);
    holed.push(b"after".to_vec());
    let xattrs = Xattrs::from([(b"user.note".to_vec(), b"hello".to_vec())]);
    let meta = Meta { xattrs: Some(Arc::new(xattrs)), ..Meta::new(0o600, Time { seconds: -5, nanos: 7 }) };
    let node = Node { meta, kind: Kind::File(holed), origin: OriginId::default() };
    tree.insert(super::path("with-hole"), node).unwrap();
    let options = Options {
        label: "small".into(),
        uuid: Guid(*b"0123456789abcdef"),
        epoch: Time::from_unix(1_600_000_000), // that of most nodes
    };
    let mut out = Stream::new(Vec::new());
    out.layout(&erofs::layout(&tree, &options).unwrap()).unwrap();
    let bytes = out.into_inner();
    let mut dump = Dump::new(&bytes);
    dump.fields(1024, 128, "superblock", SUPERBLOCK);
    inode(&mut dump, number(&bytes, 1024 + 0x0e, 2), "/");
    dump.compare("small.erofs.txt");
}

/// An inode and all that it leads to; a name that was seen before leads nowhere.
fn inode(dump: &mut Dump, nid: usize, name: &str) {
    let (bytes, at) = (dump.bytes, nid * 32);
    let extended = bytes[at] & 1 == 1;
    let (len, kind, fields) = if extended { (64, "extended", EXTENDED) } else { (32, "compact", COMPACT) };
    dump.fields(at, len, &format!("{kind} inode of {name}"), fields);
    let mut end = at + len;
    let attributes = number(bytes, at + 2, 2);
    if attributes > 0 {
        let len = 12 + 4 * (attributes - 1);
        dump.claim(end, len, &format!("attributes {}", show(&bytes[end..end + len])));
        end += len;
    }
    let (size, body) = (number(bytes, at + 8, 4), number(bytes, at + 0x10, 4));
    let content = match bytes[at] >> 1 {
        _ if matches!(bytes[at + 5] >> 4, 1 | 2 | 6) => return,
        0 => body * BLOCK,
        2 => {
            assert!(size < BLOCK, "in this tree");
            end
        }
        _ => {
            for n in 0..size.div_ceil(BLOCK << body) {
                let block = number(bytes, end + 4 * n, 4);
                dump.claim(end + 4 * n, 4, &format!("chunk {n}: block {block:x}"));
                if block != 0xffff_ffff {
                    let len = if n == 0 { 6 } else { 5 };
                    let text = show(&bytes[block * BLOCK..block * BLOCK + len]);
                    dump.claim(block * BLOCK, len, &format!("chunk {n}: {text}"));
                }
            }
            return;
        }
    };
    if bytes[at + 5] >> 4 == 4 {
        folder(dump, content, size);
    } else if size > 0 {
        dump.claim(content, size, &format!("content {}", show(&bytes[content..content + size.min(40)])));
    }
}

/// One block of entries.
fn folder(dump: &mut Dump, at: usize, size: usize) {
    let bytes = dump.bytes;
    let count = number(bytes, at + 8, 2) / 12;
    let mut names = Vec::new();
    for n in 0..count {
        let entry = at + 12 * n;
        let start = number(bytes, entry + 8, 2);
        let end = if n + 1 == count { size } else { number(bytes, entry + 20, 2) };
        let name = String::from_utf8_lossy(&bytes[at + start..at + end]).into_owned();
        let nid = number(bytes, entry, 8);
        dump.claim(entry, 12, &format!("entry {name:?} at {start}: inode {nid}, type {}", bytes[entry + 10]));
        names.push((name, nid));
    }
    let start = number(bytes, at + 8, 2);
    dump.claim(at + start, size - start, &format!("names {}", show(&bytes[at + start..at + size])));
    // Both names of one inode are told where the first is.
    names.sort_by_key(|&(_, nid)| nid);
    names.dedup_by_key(|&mut (_, nid)| nid);
    for (name, nid) in names.iter().filter(|(name, _)| name != "." && name != "..") {
        inode(dump, *nid, name);
    }
}
