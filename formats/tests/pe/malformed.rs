//! What no sections can be added to, and what each is told.

use crate::section;
use crate::stub::{AMD64, CERTIFICATES, FILE_HEADER, OPTIONAL, TABLE, put, put_u32, stub};
use mkimage_formats::pe::Section;
use mkimage_formats::{Layout, pe};

fn told(stub: &[u8], sections: &[Section]) -> String {
    pe::append(stub, sections).unwrap_err().to_string()
}

fn linux() -> Vec<Section> {
    vec![section(".linux", vec![1])]
}

#[test]
fn a_stub_that_is_none_is_told_by_the_number_that_is_wrong() {
    type Change = fn(&mut Vec<u8>);
    let table: [(Change, &str); 16] = [
        (|s| s.truncate(1), "the stub has 1 bytes; its signature takes bytes 0 to 2"),
        (|s| s[0] = b'm', "the stub has [6d, 5a] at byte 0; a PE image has [4d, 5a]"),
        (|s| s.truncate(0x3f), "the stub has 63 bytes; its MS-DOS header takes bytes 60 to 64"),
        (
            |s| put_u32(s, 0x3c, u32::MAX),
            "the stub has 2572 bytes; its signature takes bytes 4294967295 to 4294967299",
        ),
        (|s| s[0x41] = 0, "the stub has [50, 00, 00, 00] at byte 64; a PE image has [50, 45, 00, 00]"),
        (|s| s.truncate(0x50), "the stub has 80 bytes; its file header takes bytes 68 to 88"),
        (|s| s.truncate(0x60), "the stub has 96 bytes; its optional header takes bytes 88 to 200"),
        (
            |s| s[OPTIONAL + 1] = 1,
            "the stub's optional header is of type 0x10b; that of a 64-bit image is 0x20b",
        ),
        (
            |s| put_u32(s, OPTIONAL + 108, 17),
            "the stub's optional header has 240 bytes; with 17 directories it has 248",
        ),
        (
            |s| put(s, CERTIFICATES, &[0, 0x12, 0, 0, 8, 7, 0, 0]),
            "the stub is signed: it has 1800 bytes of certificates at byte 4608",
        ),
        (
            |s| put_u32(s, OPTIONAL + 36, 0x201),
            "the stub's sections are aligned to 513 bytes in the file; that has to be a power of two up to 65536",
        ),
        (
            |s| put_u32(s, OPTIONAL + 32, 1 << 22),
            "the stub's sections are aligned to 4194304 bytes in memory; \
             that has to be a power of two up to 2097152",
        ),
        (
            |s| put_u32(s, OPTIONAL + 60, 0x100),
            "the stub's headers have 256 bytes; its section table ends at byte 408",
        ),
        (
            |s| put_u32(s, TABLE + 40 + 12, 0x1007),
            "the section `.data` of the stub starts at byte 4103 in memory, \
             before byte 4104 where the part before it ends",
        ),
        (
            |s| put_u32(s, TABLE + 40 + 20, 0x5ff),
            "the section `.data` of the stub starts at byte 1535 in the file, \
             before byte 1536 where the part before it ends",
        ),
        (
            |s| put_u32(s, TABLE + 40 + 16, 0x20d),
            "the stub has 2572 bytes; its section takes bytes 2048 to 2573",
        ),
    ];
    for (change, want) in table {
        let mut stub = stub(AMD64);
        change(&mut stub);
        assert_eq!(told(&stub, &linux()), want);
    }
}

#[test]
fn bytes_after_the_sections_are_dropped_if_they_are_symbols_or_zeros() {
    let mut stub = stub(AMD64);
    let whole = pe::append(&stub, &linux()).unwrap();
    put_u32(&mut stub, FILE_HEADER + 8, 0);
    let want = "the stub has 12 bytes after its last section, from byte 2560, which no loader reads";
    assert_eq!(told(&stub, &linux()), want);
    stub[0xa00..].fill(0);
    assert!(pe::append(&stub, &linux()).unwrap() == whole);
}

#[test]
fn sections_that_cannot_be_added_are_named() {
    let stub = stub(AMD64);
    let one = |name, content: Layout| told(&stub, &[section(name, content)]);
    assert_eq!(one("", vec![1].into()), "the section name `` has 0 bytes; 1 to 8 are allowed");
    assert_eq!(
        one(".longname", vec![1].into()),
        "the section name `.longname` has 9 bytes; 1 to 8 are allowed"
    );
    assert_eq!(one(".data", vec![1].into()), "there are two sections `.data`; a loader sees one of them");
    let twice = [linux(), linux()].concat();
    assert_eq!(told(&stub, &twice), "there are two sections `.linux`; a loader sees one of them");
    assert_eq!(
        one(".linux", Layout::default()),
        "the section `.linux` has no content; in a section header, a length of zero means another one"
    );
    assert!(pe::append(&stub, &[section(".linux123"[..8].trim(), vec![1])]).is_ok());
}

#[test]
fn rule_25_an_image_has_less_than_2_gib() {
    let stub = stub(AMD64);
    let make = |len| pe::append(&stub, &[section(".initrd", Layout::hole(len))]);
    // 12 KiB are the stub's in memory, and 4 KiB in the file.
    let most = pe::LIMIT - 0x4000;
    assert_eq!(make(most).unwrap().len(), most + 0x1000);
    let e = make(most + 1).unwrap_err().to_string();
    assert_eq!(e, "an image of 2147483648 bytes; firmware loads less than 2147483648");
    assert!(make(u64::MAX - 0x10_0000).is_err());
}

#[test]
fn section_headers_have_to_fit_before_the_first_section() {
    let names =
        [".0", ".1", ".2", ".3", ".4", ".5", ".6", ".7", ".8", ".9", ".a", ".b", ".c", ".d", ".e", ".f"];
    let sections = |n: usize| -> Vec<_> { names[..n].iter().map(|name| section(name, vec![1])).collect() };
    let mut stub = stub(AMD64);
    assert!(pe::append(&stub, &sections(15)).is_ok());
    assert_eq!(
        told(&stub, &sections(16)),
        "16 more sections need 640 bytes of the stub's headers; 616 are free"
    );
    // Something is there that no structure tells of.
    stub[TABLE + 3 * 40] = 1;
    assert_eq!(told(&stub, &sections(2)), "2 more sections need 80 bytes of the stub's headers; 40 are free");
}
