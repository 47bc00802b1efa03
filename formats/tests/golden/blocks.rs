//! Files of compressed blocks that a cache keeps (`src/spool/file.rs`).
//!
//! ```text
//! entry: key     SHA-256 of the codec's name and the unit
//!        at      where what was packed is, with what is around it; bytes from the start
//!        len     its bytes; 0: packing gains nothing, and nothing is here
//!        crc32c  of it, with what is around it
//! trailer: units, count   bytes of all units, how many entries
//!          crc32c         of the entries
//! ```

use super::dump::{Dump, Field, show};
use mkimage_formats::spool::{Cache, Spool};
use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{Kind, Layout, Meta, Node, Tree, squashfs, vmdk};
use noise::noise;
use std::num::NonZero;
use std::path::Path;

#[path = "../../../testdata/noise.rs"]
mod noise;

const UNIT: usize = 64 << 10;

/// \[VMDK\] "Compressed grains": what is before each unit of a VMDK.
const GRAIN_MARKER: &[Field] = &[("lba", 0, 8), ("size", 8, 4)];
/// A unit of text, a hole, the same text, noise, and other text.
fn contents() -> Vec<u8> {
    let text = |line: &str| line.bytes().cycle().take(UNIT).collect::<Vec<_>>();
    let text = [text("text of a disk\n"), text("more of it\n")];
    [&text[0][..], &[0; UNIT], &text[0], &noise(UNIT), &text[1]].concat()
}

/// The file that a cache has after `build`. `head`: what is before each unit.
fn compare(name: &str, head: &[Field], build: impl FnOnce(&Layout, &Spool)) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("contents"), contents()).unwrap();
    let cache = Some(Cache::new(dir.path().join("cache"), |_| ()));
    let spool = Spool { path: dir.path().join("spool"), threads: NonZero::<usize>::MIN, memo: None, cache };
    build(&Layout::file(dir.path().join("contents")).unwrap(), &spool);

    let bytes = only_file(&dir.path().join("cache"));
    let mut dump = Dump::new(&bytes);
    // All are little-endian.
    let number = |at: usize, len| {
        bytes[at..at + len].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let trailer = bytes.len() - 24;
    let (units, count) = (number(trailer + 0x08, 8), number(trailer + 0x10, 4));
    let head_len = head.last().map_or(0, |(_, at, len)| at + len);
    for entry in (units..units + count * 48).step_by(48) {
        let key = show(&bytes[entry..][..32]);
        let (at, len, crc32c) = (number(entry + 0x20, 8), number(entry + 0x28, 4), number(entry + 0x2c, 4));
        dump.claim(entry, 48, &format!("entry: key={key} at={at:#x} len={len} crc32c={crc32c:08x}"));
        if len > 0 {
            dump.fields(at, head_len, "head", head);
            dump.claim(at + head_len, len, &format!("packed, of {}", &key[..8]));
        }
    }
    let (magic, crc32c) = (show(&bytes[trailer..][..8]), number(trailer + 0x14, 4));
    let text = format!("trailer: magic={magic} units={units} count={count} crc32c={crc32c:08x}");
    dump.claim(trailer, 24, &text);
    dump.compare(name);
}

fn only_file(folder: &Path) -> Vec<u8> {
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    std::fs::read(&files[0]).unwrap()
}

/// A unit that is there twice is kept twice if its number is part of it.
#[test]
fn every_byte_of_kept_grains_is_known() {
    compare("small.vmdk.blocks.txt", GRAIN_MARKER, |contents, spool| {
        vmdk::stream_optimized(contents, &vmdk::Options::new("x.vmdk", 1), spool).unwrap();
    });
}

#[test]
fn every_byte_of_kept_squashfs_blocks_is_known() {
    compare("small.squashfs.blocks.txt", &[], |contents, spool| {
        let mut tree = Tree::new();
        let kind = Kind::File(contents.clone());
        let node = Node { meta: Meta::new(0o644, Time::default()), kind, origin: OriginId::default() };
        tree.insert(super::path("file"), node).unwrap();
        let block_size = UNIT.try_into().unwrap();
        let compression = squashfs::Compression::Zstd;
        let options = squashfs::Options { compression, block_size, ..squashfs::Options::default() };
        squashfs::layout(&tree, &options, spool).unwrap();
    });
}
