//! QCOW2 (\[QCOW2\]), VMDK (\[VMDK\]) and OVA (\[OVF\]) of one small disk.

use super::dump::{Dump, Field, show};
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::ova::{self, Firmware, Medium, MediumKind};
use mkimage_formats::spool::Spool;
use mkimage_formats::{Content, Layout, qcow2, vmdk};
use std::num::NonZero;

const QCOW2: &[Field] = &[
    ("magic", 0, 4),
    ("version", 4, 4),
    ("backing_file_offset", 8, 8),
    ("backing_file_size", 16, 4),
    ("cluster_bits", 20, 4),
    ("size", 24, 8),
    ("crypt_method", 32, 4),
    ("l1_size", 36, 4),
    ("l1_table_offset", 40, 8),
    ("refcount_table_offset", 48, 8),
    ("refcount_table_clusters", 56, 4),
    ("nb_snapshots", 60, 4),
    ("snapshots_offset", 64, 8),
    ("incompatible_features", 72, 8),
    ("compatible_features", 80, 8),
    ("autoclear_features", 88, 8),
    ("refcount_order", 96, 4),
    ("header_length", 100, 4),
    ("compression_type", 104, 1),
];

const VMDK: &[Field] = &[
    ("magic", 0, 4),
    ("version", 4, 4),
    ("flags", 8, 4),
    ("capacity", 12, 8),
    ("grain_size", 20, 8),
    ("descriptor_offset", 28, 8),
    ("descriptor_size", 36, 8),
    ("num_gtes_per_gt", 44, 4),
    ("rgd_offset", 48, 8),
    ("gd_offset", 56, 8),
    ("overhead", 64, 8),
    ("unclean_shutdown", 72, 1),
    ("line_ends", 73, 4),
    ("compress_algorithm", 77, 2),
];

fn bytes(layout: &Layout) -> Vec<u8> {
    let mut out = Stream::new(Vec::new());
    out.layout(layout).unwrap();
    out.into_inner()
}

/// Four pieces of a size: text, a hole, zeros that are none, and bytes of all values.
fn disk(piece: usize) -> Layout {
    let mut disk = Layout::from(b"text of a disk\n".repeat(piece / 15));
    disk.pad_to(2 * piece as u64);
    disk.push(vec![0; piece]);
    disk.push((0..piece).map(|n| (n * n / 7).to_le_bytes()[0]).collect::<Vec<_>>());
    disk
}

fn spool(dir: &tempfile::TempDir) -> Spool {
    Spool { path: dir.path().join("spool"), threads: NonZero::<usize>::MIN, memo: None, cache: None }
}

/// Claims a table by its entries of `N` bytes that are not zero, and gives them.
fn table<const N: usize>(
    dump: &mut Dump<'_>,
    at: usize,
    len: usize,
    name: &str,
    value: impl Fn([u8; N]) -> u64,
) -> Vec<(usize, u64)> {
    let entries = dump.bytes[at..at + len].chunks(N).map(|entry| value(entry.try_into().unwrap()));
    let entries: Vec<_> = entries.enumerate().filter(|(_, entry)| *entry != 0).collect();
    let text = entries.iter().fold(format!("{name}:"), |text, (n, entry)| format!("{text} {n}={entry:x}"));
    dump.claim(at, len, &text);
    entries
}

fn size(n: u64) -> usize {
    n.try_into().unwrap()
}

/// Dumps an image with clusters of 512 bytes, whose tables have one each.
fn qcow2_is(image: &Layout, name: &str) {
    let bytes = bytes(image);
    let mut dump = Dump::new(&bytes);
    dump.fields(0, 512, "header", QCOW2);
    for (n, block) in table(&mut dump, 512, 512, "refcount table", u64::from_be_bytes) {
        let word = |bytes| u16::from_be_bytes(bytes).into();
        table(&mut dump, size(block), 512, &format!("refcounts {n}"), word);
    }
    for (n, entry) in table(&mut dump, 1536, 8, "L1", u64::from_be_bytes) {
        let l2 = size(entry & !(1 << 63));
        for (n, entry) in table(&mut dump, l2, 512, &format!("L2 {n}"), u64::from_be_bytes) {
            // Bit 62 says compressed; one bit above the offset how many sectors more.
            let at = size(entry & ((1 << 61) - 1));
            if entry & 1 << 62 == 0 {
                dump.claim(at, 512, &format!("cluster {n}: {}", show(&bytes[at..at + 40])));
            }
        }
    }
    // Packed clusters are one behind the other, with no length of their own.
    if let Some(packed) = image.extents().iter().position(|extent| matches!(extent, Content::Slice(_))) {
        let at = image.extents()[..packed].iter().map(Content::len).sum();
        dump.claim(size(at), size(image.extents()[packed].len()), "packed clusters");
    }
    dump.compare(name);
}

#[test]
fn every_byte_of_a_qcow2_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, options) = (disk(1024), qcow2::Options { cluster_size: 512 });
    qcow2_is(&qcow2::layout(&disk, &options).unwrap(), "small.qcow2.txt");
    let zstd = qcow2::Compression::Zstd;
    qcow2_is(&qcow2::compressed(&disk, &options, zstd, &spool(&dir)).unwrap(), "small.zstd.qcow2.txt");
}

fn vmdk_is(bytes: &[u8], name: &str) {
    let mut dump = Dump::new(bytes);
    dump.fields(0, 512, "header", VMDK);
    let text = bytes[512..].iter().position(|b| *b == 0).unwrap();
    dump.claim(512, text, &format!("descriptor: {:?}", str::from_utf8(&bytes[512..512 + text]).unwrap()));
    let word = |bytes| u32::from_le_bytes(bytes).into();
    let mut directories = vec![21];
    if bytes[48] != 0 {
        directories.push(usize::from(bytes[56]));
    }
    let mut grains = Vec::new();
    for directory in directories {
        for (_, at) in table(&mut dump, directory * 512, 512, "grain directory", word) {
            grains = table(&mut dump, size(at) * 512, 2048, "grain table", word);
        }
    }
    for (n, at) in grains {
        let at = size(at) * 512;
        if bytes[10] & 1 == 0 {
            dump.claim(at, 64 << 10, &format!("grain {n}"));
            continue;
        }
        let lba = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let len = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap());
        dump.claim(at, 12, &format!("marker: lba={lba:x} size={len:x}"));
        dump.claim(at + 12, size(len.into()), &format!("grain {n}, in the frame of zlib"));
    }
    dump.compare(name);
}

#[test]
fn every_byte_of_a_vmdk_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, options) = (disk(64 << 10), vmdk::Options::new("small.vmdk", 0x1234_5678));
    let stream = vmdk::stream_optimized(&disk, &options, &spool(&dir)).unwrap();
    vmdk_is(&bytes(&stream), "small.stream.vmdk.txt");
    vmdk_is(&bytes(&vmdk::monolithic_sparse(&disk, &options).unwrap()), "small.sparse.vmdk.txt");
}

#[test]
fn every_byte_of_an_ova_is_known() {
    let medium = |name: &str, kind| Medium { name: name.into(), file: vec![b'm'; 700].into(), kind };
    let media = vec![
        medium("small.vmdk", MediumKind::Disk { size: 1 << 20 }),
        medium("small.iso", MediumKind::Cdrom),
    ];
    let options = ova::Options { modified: 1_600_000_000, ..ova::Options::new("small", Firmware::Efi) };
    let bytes = bytes(&ova::layout(media, &options).unwrap());
    let mut dump = Dump::new(&bytes);
    let mut at = 0;
    while bytes[at] != 0 {
        dump.fields(at, 512, "header", super::archives::TAR);
        let size = super::archives::number(&bytes[at + 124..at + 136], 8);
        let content = str::from_utf8(&bytes[at + 512..at + 512 + size]).unwrap();
        for (n, line) in content.split_inclusive('\n').enumerate() {
            let before: usize = content.split_inclusive('\n').take(n).map(str::len).sum();
            let line_end = line.trim_end_matches('\n');
            dump.claim(at + 512 + before, line.len(), if line.len() > 600 { "the medium" } else { line_end });
        }
        at += 512 + size.next_multiple_of(512);
    }
    dump.compare("small.ova.txt");
}
