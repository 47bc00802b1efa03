//! A file of the cache, dumped so that every byte is accounted for.

use super::cached::{cached, names};
use super::*;
use dump::{Dump, Field};

#[path = "../../../formats/tests/golden/dump.rs"]
mod dump;

/// What makes the dump.
const COMMAND: &str = "cargo test -p mkimage --lib initrd::tests::golden";

/// Integers are little-endian.
const TRAILER: &[Field] = &[
    ("magic", 0x00, 8),
    ("len", 0x08, 4), // of the segment and its padding, bytes; four of eight are enough here
    ("crc32c", 0x10, 4), // of the same
];

#[test]
fn every_byte_of_a_kept_segment_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let mut tree = Tree::new();
    put(&mut tree, "init", Kind::Symlink(b"bin/init".as_slice().into()), OriginId::default());
    cached(&tree, dir.path(), Compression::Gzip);
    let files = names(dir.path());
    let [file] = &Vec::from_iter(&files)[..] else { panic!("{files:?}") };
    let bytes = fs::read(file).unwrap();
    let trailer = bytes.len() - 24;

    let mut gzip = GzDecoder::new(&bytes[..trailer]);
    gzip.read_to_end(&mut Vec::new()).unwrap();
    let padding = gzip.into_inner().len();
    let mut dump = Dump::new(&bytes);
    let key = file.file_name().unwrap().to_str().unwrap();
    dump.claim(0, trailer - padding, &format!("segment of gzip, called {key}"));
    dump.fields(trailer, 24, "trailer", TRAILER);
    dump.compare("small.segment.txt");
}
