//! FAT12 and FAT32, of an EFI system partition.

use super::dump::{Dump, Field, show};
use mkimage_formats::fat::{Fat, Kind, Options};
use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{Kind as Is, Layout, Meta, Node, SectorSize, Tree, emit};

/// \[FAT\] "Boot Sector and BPB", up to where FAT32 differs.
const BPB: &[Field] = &[
    ("jump", 0, 3),
    ("oem", 3, 8),
    ("sector", 11, 2),
    ("per-cluster", 13, 1),
    ("reserved", 14, 2),
    ("fats", 16, 1),
    ("root-entries", 17, 2),
    ("sectors-16", 19, 2),
    ("media", 21, 1),
    ("fat-sectors-16", 22, 2),
    ("per-track", 24, 2),
    ("heads", 26, 2),
    ("hidden", 28, 4),
    ("sectors-32", 32, 4),
];

/// What follows, with the code that says that there is none.
const FAT32: &[Field] = &[
    ("fat-sectors-32", 36, 4),
    ("flags", 40, 2),
    ("version", 42, 2),
    ("root", 44, 4),
    ("fs-info", 48, 2),
    ("backup", 50, 2),
];
const REST: &[Field] = &[
    ("drive", 0, 1),
    ("signature", 2, 1),
    ("serial", 3, 4),
    ("label", 7, 11),
    ("says", 18, 8),
    ("code", 26, 5),
];

/// "FAT32 FSInfo Sector Structure and Backup Boot Sector".
const FS_INFO: &[Field] =
    &[("lead", 0, 4), ("struct", 484, 4), ("free", 488, 4), ("next", 492, 4), ("trail", 508, 4)];

/// "FAT Directory Structure" and "FAT Long Directory Entries".
const SHORT: &[Field] = &[
    ("name", 0, 11),
    ("attributes", 11, 1),
    ("case", 12, 1),
    ("tenths", 13, 1),
    ("created", 14, 4),
    ("accessed", 18, 2),
    ("cluster-high", 20, 2),
    ("modified", 22, 4),
    ("cluster", 26, 2),
    ("size", 28, 4),
];
const LONG: &[Field] = &[
    ("order", 0, 1),
    ("name-1", 1, 10),
    ("attributes", 11, 1),
    ("checksum", 13, 1),
    ("name-2", 14, 12),
    ("name-3", 28, 4),
];

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |n, &b| n << 8 | usize::from(b))
}

/// A folder of a folder, a file of several clusters, one of none, and names of each sort.
fn tree() -> Tree {
    let mut tree = Tree::new();
    let mut add = |name: &str, kind| {
        let meta = Meta::new(0o644, Time::from_unix(1_600_000_000));
        tree.insert(super::path(name), Node { meta, kind, origin: OriginId::default() }).unwrap();
    };
    add("EFI", Is::Dir);
    add("EFI/BOOT", Is::Dir);
    add("EFI/BOOT/BOOTX64.EFI", Is::File(Layout::from(vec![0xf4; 9000])));
    add("empty", Is::File(Layout::default()));
    add("loader-\u{e9}.conf", Is::File(b"timeout 3\n".to_vec().into()));
    tree
}

/// Where everything is, by what the boot sector says.
struct Volume {
    kind: Kind,
    fat: usize,
    data: usize,
    cluster: usize,
}

impl Volume {
    /// The clusters of a chain that begins with `first`.
    fn chain(&self, bytes: &[u8], first: usize) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut next = first;
        // "FAT Data Structure": what marks the end, and everything above what a cluster can be.
        let end = if self.kind == Kind::Fat12 { 0xff8 } else { 0x0fff_fff8 };
        while next != 0 && next < end {
            chain.push(next);
            next = self.entry(bytes, next);
        }
        chain
    }

    fn entry(&self, bytes: &[u8], cluster: usize) -> usize {
        let fat = &bytes[self.fat..];
        match self.kind {
            Kind::Fat12 => number(&fat[cluster * 3 / 2..][..2]) >> (cluster % 2 * 4) & 0xfff,
            _ => number(&fat[cluster * 4..][..4]),
        }
    }

    fn at(&self, cluster: usize) -> usize {
        self.data + (cluster - 2) * self.cluster
    }

    /// Claims `len` bytes of a folder at `at`, and what it names.
    fn folder(&self, dump: &mut Dump, at: usize, len: usize) {
        for at in (at..at + len).step_by(32) {
            let entry = &dump.bytes[at..at + 32];
            match (entry[0], entry[11]) {
                (0, _) => return,
                (_, 0x0f) => dump.fields(at, 32, "long name", LONG),
                _ => {
                    dump.fields(at, 32, "entry", SHORT);
                    let first = number(&entry[20..22]) << 16 | number(&entry[26..28]);
                    let chain = self.chain(dump.bytes, first);
                    assert!(chain.windows(2).all(|w| w[0] + 1 == w[1]), "one run: {chain:?}");
                    if entry[11] & 0x10 == 0 {
                        let what = format!("content of {}", show(&entry[..11]));
                        let size = number(&entry[28..32]);
                        assert_eq!(chain.len(), size.div_ceil(self.cluster));
                        if size > 0 {
                            dump.claim(self.at(first), size, &what);
                        }
                    } else if entry[0] != b'.' {
                        self.folder(dump, self.at(first), chain.len() * self.cluster);
                    }
                }
            }
        }
    }
}

fn boot_sector(dump: &mut Dump, at: usize, kind: Kind) {
    let rest = if kind == Kind::Fat32 { 64 } else { 36 };
    let mut fields = BPB.to_vec();
    if kind == Kind::Fat32 {
        fields.extend(FAT32);
    }
    fields.extend(REST.iter().map(|(name, start, size)| (*name, start + rest, *size)));
    fields.push(("magic", 510, 2));
    dump.fields(at, 512, "boot sector", &fields);
}

fn compare(options: &Options, name: &str) {
    let dir = tempfile::tempdir().unwrap();
    let tree = tree();
    let fat = Fat::new(&tree, options).unwrap();
    let kind = fat.kind();
    let file = dir.path().join("x.img");
    emit::emit(&fat.layout(&tree).unwrap(), &file).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let mut dump = Dump::new(&bytes);

    let sector = number(&bytes[11..13]);
    let (reserved, root) = (number(&bytes[14..16]) * sector, number(&bytes[17..19]) * 32);
    let sectors = if kind == Kind::Fat32 { &bytes[36..40] } else { &bytes[22..24] };
    let fat_len = number(sectors) * sector;
    let data = reserved + 2 * fat_len + root;
    let volume = Volume { kind, fat: reserved, data, cluster: usize::from(bytes[13]) * sector };
    boot_sector(&mut dump, 0, kind);
    if kind == Kind::Fat32 {
        // The second copies of both begin at the backup's sector.
        let backup = number(&bytes[50..52]) * sector;
        boot_sector(&mut dump, backup, kind);
        for at in [sector, backup + sector] {
            dump.fields(at, 512, "fs info", FS_INFO);
        }
    }
    for at in [reserved, reserved + fat_len] {
        let used = bytes[at..at + fat_len].iter().rposition(|&b| b != 0).unwrap() + 1;
        dump.claim(at, used, &format!("fat: {}", show(&bytes[at..at + used])));
    }
    if kind == Kind::Fat32 {
        let first = number(&bytes[44..48]);
        let len = volume.chain(&bytes, first).len() * volume.cluster;
        volume.folder(&mut dump, volume.at(first), len);
    } else {
        volume.folder(&mut dump, data - root, root);
    }
    dump.compare(name);
}

fn options(kind: Kind) -> Options {
    let options = Options { kind: Some(kind), ..Options::default() };
    Options { serial: 0x1234_5678, epoch: Time::from_unix(1_700_000_000), read_only: true, ..options }
}

#[test]
fn every_byte_of_a_fat12_file_system_is_known() {
    compare(&options(Kind::Fat12), "small.fat12.txt");
}

#[test]
fn every_byte_of_a_fat32_file_system_is_known() {
    let partition = Options { sector_size: SectorSize::B512, hidden_sectors: 2048, ..options(Kind::Fat32) };
    compare(&partition, "small.fat32.txt");
}
