use super::*;
use crate::emit::{Sink, Stream};

const MIB: u64 = 1 << 20;

fn options() -> Options {
    Options {
        sector_size: SectorSize::B512,
        disk: Guid::derived(b"test", "disk"),
        boot_code: Vec::new(),
        signature: 0,
        active: Active::None,
    }
}

/// Named by its place.
fn partition(first: u64, len: u64) -> Partition {
    let name = format!("{first}");
    Partition { kind: Type::LINUX, guid: Guid::derived(b"test", &name), name, first, len, attributes: 0 }
}

fn told(len: u64, partitions: &[Partition]) -> String {
    let table: Vec<_> = partitions.iter().map(|p| (p.clone(), Layout::default())).collect();
    layout(len, &options(), &table).unwrap_err().to_string()
}

#[test]
fn contents_are_at_the_start_of_their_partitions() {
    let table = [
        (partition(3 * MIB, MIB), Layout::from(b"third".to_vec())),
        (partition(MIB, 2 * MIB), Layout::from(b"first".to_vec())),
    ];
    let disk = layout(5 * MIB, &options(), &table).unwrap();
    let mut out = Stream::new(Vec::new());
    out.layout(&disk).unwrap();
    let bytes = out.into_inner();
    assert_eq!((&bytes[1 << 20..][..5], &bytes[3 << 20..][..5]), (&b"first"[..], &b"third"[..]));
    assert_eq!(bytes.len(), 5 << 20);
    assert_eq!(&bytes[512..520], b"EFI PART");
    assert_eq!(&bytes[(5 << 20) - 512..][..8], b"EFI PART");
}

#[test]
fn what_does_not_fit_is_named_with_its_numbers() {
    let p = partition(MIB, MIB);
    let table: [(u64, &[Partition], &str); 10] = [
        (5 * MIB + 1, &[], "a disk of 5242881 bytes; it has to be a multiple of its sectors of 512 bytes"),
        (34_304, &[], "a disk of 34304 bytes; the partition table and its copy alone take 34304"),
        (5 * MIB, &vec![p.clone(); 129], "129 partitions; the table holds 128"),
        (
            5 * MIB,
            &[Partition { name: "\u{1f4be}".repeat(19), ..p.clone() }],
            &format!(
                "the partition name `{}` has 38 UTF-16 units; the table holds 36",
                "\u{1f4be}".repeat(19)
            ),
        ),
        (
            5 * MIB,
            &[partition(MIB + 512, MIB)],
            "the partition `1049088` starts at byte 1049088, which is no multiple of 1048576",
        ),
        (
            5 * MIB,
            &[partition(MIB, MIB + 511)],
            "the partition `1048576` has 1049087 bytes; it has to have one or more sectors of 512",
        ),
        (
            5 * MIB,
            &[partition(4 * MIB, MIB)],
            "the partition `4194304` has 1048576 bytes at byte 4194304; there is room from byte 17408 to 5225984",
        ),
        (
            5 * MIB,
            &[partition(0, MIB)],
            "the partition `0` has 1048576 bytes at byte 0; there is room from byte 17408 to 5225984",
        ),
        (
            5 * MIB,
            &[partition(2 * MIB, MIB), partition(MIB, MIB + 512)],
            "the partition `2097152` starts at byte 2097152, but `1048576` ends at byte 2097664",
        ),
        (
            5 * MIB,
            &[p.clone(), Partition { guid: p.guid, ..partition(2 * MIB, MIB) }],
            &format!("the partitions `1048576` and `2097152` have one identifier, {}", p.guid),
        ),
    ];
    for (len, partitions, want) in table {
        assert_eq!(told(len, partitions), want);
    }
}

#[test]
fn what_would_not_be_read_back_is_refused() {
    let p = partition(MIB, MIB);
    let one = |p: Partition, options: &Options, content: u64| {
        layout(5 * MIB, options, &[(p, Layout::hole(content))]).unwrap_err().to_string()
    };
    let named = Partition { name: "a\0b".into(), ..p.clone() };
    assert_eq!(one(named, &options(), 0), r#"the partition name "a\0b" has a NUL in it, which would end it"#);
    let unused = Partition { kind: Type::UNUSED, ..p.clone() };
    assert_eq!(one(unused, &options(), 0), "the partition `1048576` has the type of an unused entry");
    assert_eq!(
        one(p.clone(), &options(), MIB + 1),
        "the content of the partition `1048576` has 1048577 bytes; the partition has 1048576"
    );
    let code = Options { boot_code: vec![0x90; 441], ..options() };
    assert_eq!(one(p, &code, 0), "boot code of 441 bytes; a master boot record holds 440");
}

#[test]
fn a_disk_of_more_sectors_than_its_boot_record_can_say_is_laid_out() {
    let len = 1 << 50;
    let disk = layout(len, &options(), &[(partition(MIB, len - 2 * MIB), Layout::default())]).unwrap();
    assert_eq!(disk.len(), len);
    let mut out = Stream::new(Vec::new());
    out.layout(&disk.window(446, 16)).unwrap();
    assert_eq!(out.into_inner()[8..], [1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
}
