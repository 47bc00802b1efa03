//! What was compressed once is taken from a cache, and nobody can tell.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

mod any;
#[path = "../../../testdata/noise.rs"]
mod noise;

use mkimage_formats::spool::{Cache, Spool};
use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{
    Content, Kind, Layout, Meta, Node, Slice, Tree, TreePath, emit, qcow2, squashfs, vmdk,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Bytes of every codec's unit here.
const UNIT: usize = 64 << 10;

/// What keeps units.
const KINDS: [&str; 5] = ["vmdk", "qcow2-zlib", "squashfs-gzip", "squashfs-xz", "squashfs-zstd"];

/// An image of this kind with `contents` in it.
fn image(kind: &str, contents: &Layout, spool: &Spool) -> Layout {
    let qcow2 = |compression| qcow2::compressed(contents, &qcow2::Options::default(), compression, spool);
    let squashfs = |compression| {
        let mut tree = Tree::new();
        let file = Kind::File(contents.clone());
        let node = Node { meta: Meta::new(0o644, Time::default()), kind: file, origin: OriginId::default() };
        tree.insert(TreePath::new("file").unwrap(), node).unwrap();
        let block_size = UNIT.try_into().unwrap();
        let options = squashfs::Options { compression, block_size, ..squashfs::Options::default() };
        squashfs::layout(&tree, &options, spool).unwrap()
    };
    match kind {
        "vmdk" => vmdk::stream_optimized(contents, &vmdk::Options::new("x.vmdk", 1), spool).unwrap(),
        "qcow2-zlib" => qcow2(qcow2::Compression::Zlib).unwrap(),
        "qcow2-zstd" => qcow2(qcow2::Compression::Zstd).unwrap(),
        "squashfs-gzip" => squashfs(squashfs::Compression::Gzip),
        "squashfs-xz" => squashfs(squashfs::Compression::Xz),
        "squashfs-lz4" => squashfs(squashfs::Compression::Lz4),
        _ => squashfs(squashfs::Compression::Zstd),
    }
}

/// A unit of text, different for each `n`.
fn text(n: u32) -> Vec<u8> {
    let line = |i: u32| format!("line {i} of text {n}: {}\n", i.wrapping_mul(n + 7)).into_bytes();
    (0..).flat_map(line).take(UNIT).collect()
}

/// Units that nothing compresses.
fn noise(units: usize) -> Vec<u8> {
    noise::noise(units * UNIT)
}

fn texts(numbers: Range<u32>) -> Vec<u8> {
    numbers.flat_map(text).collect()
}

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Desk(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn cache(&self) -> Cache {
        Cache::new(self.path("cache"), |_| ())
    }

    /// The files of the cache.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("cache")).into_iter().flatten();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The layout of an image, whose files are called `name`.
    fn layout(&self, name: &str, kind: &str, contents: &[u8], cache: Option<&Cache>) -> Layout {
        fs::write(self.path("contents"), contents).unwrap();
        let contents = Layout::file(self.path("contents")).unwrap();
        let threads = NonZero::new(3).unwrap();
        let spool = Spool { path: self.path(name), threads, memo: None, cache: cache.cloned() };
        image(kind, &contents, &spool)
    }

    /// The bytes of an image.
    fn image(&self, kind: &str, contents: &[u8], cache: Option<&Cache>) -> Vec<u8> {
        let layout = self.layout("spool", kind, contents, cache);
        emit::emit(&layout, self.path("image")).unwrap();
        fs::read(self.path("image")).unwrap()
    }

    /// The bytes of an image, and how many units were compressed for it.
    fn counted(&self, kind: &str, contents: &[u8]) -> (Vec<u8>, u64) {
        let cache = self.cache();
        (self.image(kind, contents, Some(&cache)), cache.packed())
    }
}

#[test]
fn what_is_known_is_not_compressed_again_and_no_byte_tells() {
    for kind in KINDS {
        let desk = Desk::new();
        let contents = [texts(0..4), noise(2), texts(4..7), vec![0; UNIT], text(7)].concat();
        let (changed, units) = ([texts(0..2), text(99), contents[3 * UNIT..].to_vec()].concat(), 10);
        let alone = |contents| desk.image(kind, contents, None);
        assert!(desk.counted(kind, &contents) == (alone(&contents), units), "{kind}: nothing is known");
        assert!(desk.counted(kind, &contents) == (alone(&contents), 0), "{kind}: all is");
        assert_eq!(desk.files().len(), 1, "{kind}: and nothing is added");
        assert!(desk.counted(kind, &changed) == (alone(&changed), 1), "{kind}: one unit is not");
        assert_eq!(desk.files().len(), 2, "{kind}");
        // A unit is known wherever it is.
        let moved = [text(100), contents.clone(), text(3)].concat();
        assert!(desk.counted(kind, &moved) == (alone(&moved), 1), "{kind}: another place");
    }
}

#[test]
fn that_noise_gains_nothing_is_known_without_its_bytes() {
    for kind in KINDS {
        let desk = Desk::new();
        let (cold, packed) = desk.counted(kind, &noise(16));
        assert_eq!(packed, 16, "{kind}");
        assert_eq!(fs::metadata(&desk.files()[0]).unwrap().len(), 16 * 48 + 24, "{kind}");
        assert!(desk.counted(kind, &noise(16)) == (cold, 0), "{kind}");
    }
}

#[test]
fn what_is_damaged_or_gone_is_compressed_again() {
    let contents = texts(0..4);
    for kind in KINDS {
        let desk = Desk::new();
        let (cold, _) = desk.counted(kind, &contents);
        let file = desk.files().remove(0);
        let whole = fs::read(&file).unwrap();
        let spoiled = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            bytes
        };
        let entries = whole.len() - 24 - 4 * 48;
        for (what, bytes, packed) in [
            ("the first byte", spoiled(0), 1),
            ("the last unit", spoiled(entries - 1), 1),
            ("an entry", spoiled(entries + 40), 4),
            ("the magic", spoiled(whole.len() - 24), 4),
            ("how many there are", spoiled(whole.len() - 8), 4),
            ("half of it", whole[..whole.len() / 2].to_vec(), 4),
            ("a byte of it", whole[..1].to_vec(), 4),
            ("nothing", Vec::new(), 4),
        ] {
            fs::remove_dir_all(desk.path("cache")).unwrap();
            fs::create_dir(desk.path("cache")).unwrap();
            fs::write(&file, bytes).unwrap();
            assert!(desk.counted(kind, &contents) == (cold.clone(), packed), "{kind}: {what}");
            // The next one finds what this one made.
            assert!(desk.counted(kind, &contents) == (cold.clone(), 0), "{kind}: after {what}");
            if packed == 4 {
                assert_eq!(desk.files(), [&*file], "{kind}: {what} was replaced");
                assert!(fs::read(&file).unwrap() == whole, "{kind}: {what}");
            }
        }
        fs::remove_dir_all(desk.path("cache")).unwrap();
        assert!(desk.counted(kind, &contents) == (cold, 4), "{kind}: no folder");
    }
}

/// Who finds it damaged does not know that it still is, when another build makes it anew.
#[test]
fn a_damaged_file_is_not_removed_by_who_cannot_replace_it() {
    let desk = Desk::new();
    desk.counted("vmdk", &texts(0..3));
    let file = desk.files().remove(0);
    fs::write(&file, b"damaged").unwrap();
    desk.counted("vmdk", &texts(3..4));
    assert_eq!(desk.files().len(), 2);
    assert_eq!(fs::read(&file).unwrap(), b"damaged");
    desk.counted("vmdk", &texts(0..3));
    assert_eq!(desk.files().len(), 2);
    assert_ne!(fs::read(&file).unwrap(), b"damaged");
}

#[test]
fn a_folder_that_cannot_be_made_keeps_nothing_and_is_no_error() {
    let desk = Desk::new();
    fs::write(desk.path("cache"), "a file").unwrap();
    for kind in KINDS {
        let alone = desk.image(kind, &texts(0..3), None);
        for _ in 0..2 {
            assert!(desk.counted(kind, &texts(0..3)) == (alone.clone(), 3), "{kind}");
        }
    }
}

#[test]
fn compressions_do_not_mix() {
    let desk = Desk::new();
    for kind in KINDS {
        let contents = texts(0..3);
        let alone = desk.image(kind, &contents, None);
        assert!(desk.counted(kind, &contents) == (alone, 3), "{kind}");
    }
    assert_eq!(desk.files().len(), KINDS.len());
}

#[test]
fn what_is_compressed_as_fast_as_it_is_found_is_not_kept() {
    let desk = Desk::new();
    for kind in ["squashfs-lz4", "qcow2-zstd"] {
        let alone = desk.image(kind, &texts(0..3), None);
        assert!(desk.counted(kind, &texts(0..3)) == (alone, 0), "{kind}");
    }
    assert_eq!(desk.files().len(), 0);
}

#[test]
fn builds_at_the_same_time_share_a_folder() {
    for kind in KINDS {
        let (desk, contents) = (Desk::new(), texts(0..8));
        let alone = desk.image(kind, &contents, None);
        let contents = Layout::file(desk.path("contents")).unwrap();
        std::thread::scope(|scope| {
            for n in 0..4 {
                let (desk, alone, contents) = (&desk, &alone, &contents);
                scope.spawn(move || {
                    let (name, cache) = (format!("spool{n}"), Some(desk.cache()));
                    let threads = NonZero::new(2).unwrap();
                    let spool = Spool { path: desk.path(&name), threads, memo: None, cache };
                    let image = desk.path(&format!("image{n}"));
                    emit::emit(&self::image(kind, contents, &spool), &image).unwrap();
                    assert!(fs::read(image).unwrap() == *alone, "{kind}");
                });
            }
        });
        // Each made all of it, or found all of it.
        assert_eq!(desk.files().len(), 1, "{kind}");
    }
}

/// The files that an image takes bytes of.
fn sources(layout: &Layout) -> BTreeSet<&Path> {
    let slices = layout.extents().iter().filter_map(|content| match content {
        Content::Slice(Slice { source, .. }) => Some(source.path()),
        _ => None,
    });
    slices.collect()
}

#[test]
fn an_image_takes_bytes_of_a_few_files_after_any_number_of_changes() {
    for kind in KINDS {
        let desk = Desk::new();
        let cache = desk.cache();
        // Build after build changes one unit, and all of the last one's are from builds of their own.
        let contents = |n: u32| [texts(100..100 + n), texts(n..12)].concat();
        for n in 0..=12 {
            desk.layout("spool", kind, &contents(n), Some(&cache));
        }
        assert_eq!(cache.packed(), 24, "{kind}");
        let layout = desk.layout("last", kind, &contents(12), Some(&cache));
        assert_eq!(cache.packed(), 24, "{kind}");
        let sources = sources(&layout);
        assert!(sources.len() <= 9, "{kind}: {sources:?}");
        assert!(sources.iter().all(|path| path.starts_with(desk.path("cache"))), "{kind}: {sources:?}");
        emit::emit(&layout, desk.path("image")).unwrap();
        let found = fs::read(desk.path("image")).unwrap();
        assert!(found == desk.image(kind, &contents(12), None), "{kind}");
    }
}

/// A number of the file.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[test]
fn a_file_is_read_by_who_knows_its_description_alone() {
    let desk = Desk::new();
    desk.counted("squashfs-zstd", &texts(0..3));
    let bytes = fs::read(&desk.files()[0]).unwrap();
    let (rest, trailer) = bytes.split_at(bytes.len() - 24);
    let (units, count) = (number(&trailer[8..16]), number(&trailer[16..20]));
    assert_eq!((&trailer[..8], count), (b"mkimgblk".as_slice(), 3));
    let (units, entries) = rest.split_at(units);
    assert_eq!(number(&trailer[20..]), usize::try_from(crc32c::crc32c(entries)).unwrap());
    let mut keys = Vec::new();
    for n in 0..3 {
        let wanted = Sha256::new().chain_update("mkimage unit 1 squashfs-zstd\n").chain_update(text(n));
        let wanted = wanted.finalize();
        let entry = entries.chunks(48).find(|entry| entry[..32] == wanted[..]).unwrap();
        let (at, len) = (number(&entry[32..40]), number(&entry[40..44]));
        let unit = &units[at..at + len];
        assert_eq!(number(&entry[44..]), usize::try_from(crc32c::crc32c(unit)).unwrap());
        assert!(zstd::decode_all(unit).unwrap() == text(n));
        keys.push(entry[..32].to_vec());
    }
    keys.sort();
    assert!(keys.iter().eq(entries.chunks(48).map(|entry| &entry[..32]).collect::<Vec<_>>().iter()));

    desk.counted("vmdk", &texts(0..1));
    let bytes = fs::read(&desk.files()[1]).unwrap();
    let len = number(&bytes[8..12]);
    let mut grain = Vec::new();
    flate2::read::ZlibDecoder::new(&bytes[12..12 + len]).read_to_end(&mut grain).unwrap();
    assert!(grain == text(0));
    assert_eq!(bytes.len() - 48 - 24, (12 + len).next_multiple_of(512));
}

/// The names have digests of all that was compressed. Who changes a compressor, or takes another
/// version of one, raises `FORMAT` in `spool/cache.rs`, or old builds' bytes are in new outputs.
#[test]
fn a_codec_makes_the_bytes_of_its_format_number() {
    let desk = Desk::new();
    for kind in KINDS {
        desk.counted(kind, &[texts(0..2), noise(1)].concat());
    }
    let files = desk.files();
    let names = files.iter().map(|path| path.file_name().unwrap().to_str().unwrap());
    let found: Vec<_> = names.map(|name| &name[..name.len() - 48]).collect();
    assert_eq!(
        found,
        [
            "qcow2-zlib.1.9946c64d8268d96a",
            "squashfs-gzip.1.7ff388fa1754cdbb",
            "squashfs-xz.1.0e1212deb88c0dea",
            "squashfs-zstd.1.6ec1ff403f411c67",
            "vmdk.1.3573de1e9f79c57e",
        ]
    );
}
