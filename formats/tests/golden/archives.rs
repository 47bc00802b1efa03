//! Tar ([PAX]) and cpio ("newc") of the tree.

use super::dump::{Dump, Field, show};
use mkimage_formats::emit::Stream;
use mkimage_formats::{cpio, tar};

pub(crate) const TAR: &[Field] = &[
    ("name", 0, 100),
    ("mode", 100, 8),
    ("uid", 108, 8),
    ("gid", 116, 8),
    ("size", 124, 12),
    ("mtime", 136, 12),
    ("checksum", 148, 8),
    ("typeflag", 156, 1),
    ("linkname", 157, 100),
    ("magic", 257, 6),
    ("version", 263, 2),
    ("uname", 265, 32),
    ("gname", 297, 32),
    ("devmajor", 329, 8),
    ("devminor", 337, 8),
    ("prefix", 345, 155),
];

const CPIO: &[Field] = &[
    ("magic", 0, 6),
    ("ino", 6, 8),
    ("mode", 14, 8),
    ("uid", 22, 8),
    ("gid", 30, 8),
    ("nlink", 38, 8),
    ("mtime", 46, 8),
    ("filesize", 54, 8),
    ("devmajor", 62, 8),
    ("devminor", 70, 8),
    ("rdevmajor", 78, 8),
    ("rdevminor", 86, 8),
    ("namesize", 94, 8),
    ("check", 102, 8),
];

pub(crate) fn number(digits: &[u8], radix: u32) -> usize {
    let digits = std::str::from_utf8(digits).unwrap().trim_matches('\0');
    usize::from_str_radix(digits, radix).unwrap()
}

#[test]
fn every_byte_of_a_tar_archive_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let mut out = Stream::new(Vec::new());
    tar::write(&super::specimen(dir.path()), &mut out).unwrap();
    let bytes = out.into_inner();
    let mut dump = Dump::new(&bytes);
    let mut at = 0;
    while bytes[at] != 0 {
        dump.fields(at, 512, "header", TAR);
        let size = number(&bytes[at + 124..at + 136], 8);
        dump.claim(at + 512, size, &format!("content {}", show(&bytes[at + 512..at + 512 + size.min(40)])));
        at += 512 + size.next_multiple_of(512);
    }
    dump.compare("small.tar.txt");
}

#[test]
fn every_byte_of_a_cpio_archive_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let tree = super::specimen(dir.path());
    let mut out = Stream::new(Vec::new());
    cpio::write(&tree, tree.iter().map(|(path, _)| path), &mut out).unwrap();
    let bytes = out.into_inner();
    let mut dump = Dump::new(&bytes);
    let mut at = 0;
    while at < bytes.len() && bytes[at] != 0 {
        dump.fields(at, 110, "header", CPIO);
        let (size, name) = (number(&bytes[at + 54..at + 62], 16), number(&bytes[at + 94..at + 102], 16));
        dump.claim(at + 110, name, &format!("name {}", show(&bytes[at + 110..at + 110 + name])));
        at = (at + 110 + name).next_multiple_of(4);
        dump.claim(at, size, &format!("content {}", show(&bytes[at..at + size.min(40)])));
        at = (at + size).next_multiple_of(4);
    }
    dump.compare("small.cpio.txt");
}
