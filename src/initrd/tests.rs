use super::*;
use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;
use mkimage_formats::emit::Stream;
use mkimage_formats::tree::{Origin, Time};
use mkimage_formats::{Kind, Meta, Node, OriginId, TreePath};
use std::io::Read;

mod cached;
mod damaged;
mod golden;

const ALL: [Compression; 5] =
    [Compression::Gzip, Compression::Zstd, Compression::Xz, Compression::Lz4, Compression::None];

fn path(s: &str) -> TreePath {
    TreePath::new(s).unwrap()
}

fn put(tree: &mut Tree, at: &str, kind: Kind, origin: OriginId) {
    let node = Node { meta: Meta::new(0o755, Time::from_unix(1)), kind, origin };
    tree.insert(path(at), node).unwrap();
}

/// Two images and a file of the last one in a folder of the first.
fn tree(big: usize) -> Tree {
    let mut tree = Tree::new();
    let [a, b] =
        ["a", "b"].map(|source| tree.add_origin(Origin { source: source.into(), location: String::new() }));
    let noise = (0..big).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2] & 0x3f).collect::<Vec<_>>();
    put(&mut tree, "boot", Kind::Dir, a);
    put(&mut tree, "boot/kernel", Kind::File(b"kernel".to_vec().into()), a);
    put(&mut tree, "etc", Kind::Dir, b); // the last image's, but the first needs it
    put(&mut tree, "etc/first", Kind::File(noise.into()), a);
    put(&mut tree, "etc/last", Kind::File(b"last".to_vec().into()), b);
    put(&mut tree, "only", Kind::Dir, b);
    put(&mut tree, "only/link", Kind::HardLink(path("etc/first")), b);
    tree
}

fn options(compression: Compression, threads: usize) -> Options {
    let folder = Folder::Scratch(PathBuf::new());
    Options { compression, threads: threads.try_into().unwrap(), folder, doubt: |_| () }
}

fn bytes(initrd: &Measured) -> Vec<u8> {
    let mut bytes = Stream::new(Vec::new());
    bytes.layout(&initrd.content).unwrap();
    let bytes = bytes.into_inner();
    assert_eq!(initrd.crc32c().unwrap(), crc32c::crc32c(&bytes));
    bytes
}

fn made(tree: &Tree, compression: Compression, threads: usize) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { folder: Folder::Scratch(dir.path().into()), ..options(compression, threads) };
    bytes(&build(tree, None, &options).unwrap().whole)
}

/// What the kernel would find in the archives.
fn unpacked(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(&first) = bytes.first() {
        match first {
            0 => bytes = &bytes[1..],
            b'0' => {
                out.extend_from_slice(bytes);
                return out;
            }
            0x1f => {
                let mut gzip = GzDecoder::new(bytes);
                gzip.read_to_end(&mut out).unwrap();
                bytes = gzip.into_inner();
            }
            0x28 => {
                let len = zstd::zstd_safe::find_frame_compressed_size(bytes).unwrap();
                out.extend(zstd::decode_all(&bytes[..len]).unwrap());
                bytes = &bytes[len..];
            }
            0xfd => {
                let mut xz = XzReader::new(bytes, false);
                xz.read_to_end(&mut out).unwrap();
                bytes = xz.into_inner();
            }
            0x02 => {
                // As `unlz4` does: all that is left is frames.
                while let Some((word, rest)) = bytes.split_first_chunk() {
                    bytes = rest;
                    if *word != [0x02, 0x21, 0x4c, 0x18] {
                        let (block, rest) = bytes.split_at(u32::from_le_bytes(*word) as usize);
                        out.extend(lz4_flex::block::decompress(block, 8 << 20).unwrap());
                        bytes = rest;
                    }
                }
                assert_eq!(bytes, b"");
            }
            other => panic!("no archive starts with {other:#x}"),
        }
    }
    out
}

#[test]
fn every_compression_holds_the_same_archives() {
    let tree = tree(10 << 20);
    let plain = made(&tree, Compression::None, 1);
    for compression in ALL {
        let packed = made(&tree, compression, 2);
        assert!(unpacked(&packed) == plain, "{compression:?}");
        assert!(compression == Compression::None || packed.len() < plain.len());
    }
}

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let tree = tree(9 << 20);
    for compression in ALL {
        let one = made(&tree, compression, 1);
        assert!([2, 5, 1 << 31].iter().all(|n| made(&tree, compression, *n) == one), "{compression:?}");
    }
}

#[test]
fn a_folder_is_in_the_first_segment_that_needs_it_and_links_are_with_their_file() {
    let tree = tree(1);
    let segments: Vec<Vec<String>> =
        (segments(&tree).iter()).map(|paths| paths.iter().map(|p| p.to_string()).collect()).collect();
    assert_eq!(segments, [vec!["boot", "etc", "etc/first", "only", "only/link"], vec!["etc/last"]]);
}

/// Of 20,000 names, two passes over all for each are 800 million look-ups.
#[test]
fn many_names_of_a_file_are_together_at_once() {
    let mut tree = Tree::new();
    let [a, b] =
        ["a", "b"].map(|source| tree.add_origin(Origin { source: source.into(), ..Origin::default() }));
    put(&mut tree, "00000", Kind::File(Layout::from(b"x".to_vec())), b);
    for n in 1..20_000 {
        put(&mut tree, &format!("{n:05}"), Kind::HardLink(path("00000")), if n == 7000 { a } else { b });
    }
    put(&mut tree, "other", Kind::Fifo, b);
    let lens: Vec<usize> = segments(&tree).iter().map(Vec::len).collect();
    assert_eq!(lens, [20_000, 1]);
}

#[test]
fn microcode_goes_first_and_what_follows_starts_at_four_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let ucode = Layout::from(b"07070100".to_vec());
    let options = Options { folder: Folder::Scratch(dir.path().into()), ..options(Compression::Gzip, 1) };
    let bytes = bytes(&build(&tree(1), Some(&ucode), &options).unwrap().whole);
    assert_eq!(bytes[..10], *b"07070100\x1f\x8b");
    assert_eq!(bytes.len() % 4, 0);
}

#[test]
fn microcode_that_is_no_archive_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let ucode = Layout::from(b"uc".to_vec());
    let options = Options { folder: Folder::Scratch(dir.path().into()), ..options(Compression::Gzip, 1) };
    let with = build(&tree(1), Some(&ucode), &options).unwrap().whole;
    assert_eq!(with.crc32c().unwrap(), build(&tree(1), None, &options).unwrap().whole.crc32c().unwrap());
}
