//! Arbitrary partitions.

use crate::{emitted, judge, options, reader};
use mkimage_formats::gpt::{self, Guid, Partition, Type};
use mkimage_formats::{Layout, SectorSize};
use proptest::prelude::*;
use std::fmt::Write;

const MIB: u64 = 1 << 20;

/// Characters of one and of two UTF-16 units; 36 at most.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9 _.\u{e9}-]{0,36}", "[\u{1f4be}\u{6f22}]{0,18}"]
}

/// Apart from each other, in any order, on a disk that has room for them.
fn disks() -> impl Strategy<Value = (SectorSize, u64, Vec<Partition>)> {
    let sector = prop_oneof![Just(SectorSize::B512), Just(SectorSize::B4096)];
    let kind = prop_oneof![Just(Type::EFI_SYSTEM), Just(Type::LINUX), (1u128..).prop_map(Type::new),];
    // MiB before it, its sectors, and the rest.
    let part = (0..3u64, 1..2000u64, kind, name(), any::<u64>(), any::<u32>());
    (sector, proptest::collection::vec(part, 0..9)).prop_map(|(sector, parts)| {
        let mut partitions = Vec::new();
        let mut end = MIB;
        for (number, (gap, sectors, kind, name, attributes, order)) in parts.into_iter().enumerate() {
            let (first, len) = (end + gap * MIB, sectors * sector.bytes());
            let guid = Guid::derived(b"any", &number.to_string());
            partitions.push((order, Partition { kind, guid, name, first, len, attributes }));
            end = (first + len).next_multiple_of(MIB);
        }
        partitions.sort_by_key(|(order, _)| *order);
        (sector, end + MIB, partitions.into_iter().map(|(_, p)| p).collect())
    })
}

/// Only a length: what is in the partitions is for another test.
fn empty(partitions: &[Partition]) -> Vec<(Partition, Layout)> {
    partitions.iter().map(|p| (p.clone(), Layout::hole(p.len))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_laid_out_is_read_back((sector, len, partitions) in disks()) {
        let options = options(sector);
        let disk = gpt::layout(len, &options, &empty(&partitions)).unwrap();
        prop_assert_eq!(disk.len(), len);
        let dir = tempfile::tempdir().unwrap();
        let path = emitted(&disk, dir.path());
        let bytes = std::fs::read(&path).unwrap();
        let table = reader::table(&bytes, usize::try_from(sector.bytes()).unwrap());
        prop_assert_eq!(table.disk, options.disk);
        prop_assert_eq!(table.usable.0 * sector.bytes(), gpt::table_len(sector));
        prop_assert_eq!((table.usable.1 + 1) * sector.bytes(), len - gpt::backup_len(sector));
        prop_assert_eq!(&table.partitions, &partitions);
        if let (SectorSize::B512, Some(mut sfdisk)) = (sector, judge::program("sfdisk")) {
            let found = judge::output(sfdisk.env("LC_ALL", "C.UTF-8").arg("--dump").arg(&path));
            let mut want = String::new();
            for (n, p) in partitions.iter().enumerate() {
                let guid = p.guid.to_string().to_uppercase();
                let kind = p.kind.0.to_string().to_uppercase();
                let (first, size) = (p.first / 512, p.len / 512);
                writeln!(want, "{}{}:{first}:{size}:{kind}:{guid}", path.display(), n + 1).unwrap();
            }
            prop_assert_eq!(lines(&found), want);
        }
    }

    #[test]
    fn any_two_that_meet_are_refused(a in 0..6u64, b in 0..6u64, len_a in 1..5u64, len_b in 1..5u64) {
        let part = |name: &str, first, len| {
            let guid = Guid::derived(b"any", name);
            let name = name.to_owned();
            Partition { kind: Type::LINUX, guid, name, first: first * MIB, len: len * MIB, attributes: 0 }
        };
        let table = empty(&[part("a", a, len_a), part("b", b, len_b)]);
        let fits = a > 0 && b > 0 && a + len_a < 9 && b + len_b < 9 && (a + len_a <= b || b + len_b <= a);
        let disk = gpt::layout(9 * MIB, &options(SectorSize::B512), &table);
        prop_assert_eq!(disk.is_ok(), fits, "{:?}", disk);
    }
}

/// `NAME:START:SIZE:TYPE:UUID` of each partition in a dump of sfdisk.
fn lines(dump: &str) -> String {
    let mut lines = String::new();
    for line in dump.lines().filter(|line| line.contains(" start=")) {
        let field = |name: &str| {
            let after = line.split_once(&format!(" {name}=")).unwrap().1;
            after.split(',').next().unwrap().trim().to_owned()
        };
        let name = line.split_once(" :").unwrap().0;
        writeln!(lines, "{name}:{}:{}:{}:{}", field("start"), field("size"), field("type"), field("uuid"))
            .unwrap();
    }
    lines
}
