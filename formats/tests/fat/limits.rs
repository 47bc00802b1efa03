//! What does not fit, and what each is told.

use crate::image::{bytes, file, path};
use crate::specimens::{add, esp};
use mkimage_formats::fat::{self, Error, Fat, Options};
use mkimage_formats::{Kind, Layout, SectorSize, Tree};

fn told(nodes: &[(&str, Kind)], options: &Options) -> String {
    let mut tree = Tree::new();
    for (name, kind) in nodes {
        add(&mut tree, name, kind.clone());
    }
    fat::layout(&tree, options).unwrap_err().to_string()
}

#[test]
fn a_tree_that_does_not_fit_is_told_why() {
    let long = "n".repeat(256);
    let small = "\u{fc}\u{65e5}x";
    let big = "\u{dc}\u{65e5}X";
    let table: [(&[(&str, Kind)], String); 14] = [
        (&[(&long, file(""))], format!("the name of `{long}` has 256 UTF-16 units; FAT allows 255")),
        (
            &[("a", Kind::Dir), ("a/b:c", file(""))],
            r#"the name of `a/b:c` has ':' in it; FAT allows no controls and none of " * / : < > ? \ |"#
                .into(),
        ),
        (
            &[("a\nb", Kind::Dir)],
            "the name of `a\\nb` has '\\n' in it; FAT allows no controls and none of \" * / : < > ? \\ |"
                .into(),
        ),
        (
            &[("a.", file(""))],
            "the name of `a.` ends with '.', which FAT leaves out at the end of names".into(),
        ),
        (
            &[("a ", file(""))],
            "the name of `a ` ends with ' ', which FAT leaves out at the end of names".into(),
        ),
        (
            &[("EFI", Kind::Dir), ("efi", Kind::Dir)],
            "`efi` and `EFI` are one name on FAT, which does not tell capitals from small letters".into(),
        ),
        (
            &[(big, file("")), (small, file(""))],
            format!(
                "`{small}` and `{big}` are one name on FAT, which does not tell capitals from small letters"
            ),
        ),
        (
            &[("longer-name.txt", file("")), ("longer~1.txt", file(""))],
            "`longer~1.txt` is the short name that FAT gives to another file of its folder".into(),
        ),
        (
            &[("l", Kind::Symlink(b"x".as_slice().into()))],
            "`l` is a symbolic link; FAT holds folders and files".into(),
        ),
        (
            &[("c", Kind::Char { major: 5, minor: 1 })],
            "`c` is a character device; FAT holds folders and files".into(),
        ),
        (
            &[("b", Kind::Block { major: 5, minor: 1 })],
            "`b` is a block device; FAT holds folders and files".into(),
        ),
        (&[("p", Kind::Fifo)], "`p` is a named pipe; FAT holds folders and files".into()),
        (
            &[("p", Kind::Fifo), ("q", Kind::HardLink(path("p")))],
            "`p` is a named pipe; FAT holds folders and files".into(),
        ),
        (
            &[("f", Kind::File(Layout::hole(1 << 32)))],
            "the file `f` has 4294967296 bytes; FAT allows 4294967295".into(),
        ),
    ];
    for (nodes, want) in table {
        assert_eq!(told(nodes, &Options::default()), want);
    }
    let mut tree = Tree::new();
    add(&mut tree, b"\xff", file(""));
    let e = fat::layout(&tree, &Options::default()).unwrap_err();
    assert!(matches!(e, Error::NotText { .. }), "{e}");
}

#[test]
fn options_that_do_not_fit_are_told_why() {
    let mib = |n: u64| Kind::File(Layout::hole(n << 20));
    let of = |kind, len| Options { kind, len, ..Options::default() };
    let label = |label: &str| Options { label: label.into(), ..Options::default() };
    let rule = r#"is not of 1 to 11 ASCII characters without " * + , . / : ; < = > ? [ \ ] |"#;
    let table = [
        (label("TWELVE CHARS"), format!("the label `TWELVE CHARS` {rule}")),
        (label("\u{fc}"), format!("the label `\u{fc}` {rule}")),
        (label("A.B"), format!("the label `A.B` {rule}")),
        (label(" A"), format!("the label ` A` {rule}")),
        (of(None, Some(1000)), "a file system of 1000 bytes is not of whole sectors of 512 bytes".into()),
        (
            Options { sector_size: SectorSize::B4096, ..of(None, Some(512)) },
            "a file system of 512 bytes is not of whole sectors of 4096 bytes".into(),
        ),
        (of(None, Some(512)), "the file system needs 10514432 bytes, and has 512".into()),
        (of(None, Some(10 << 20)), "the file system needs 10514432 bytes, and has 10485760".into()),
        (
            of(Some(fat::Kind::Fat32), Some(32 << 20)),
            "the file system needs 35168256 bytes, and has 33554432".into(),
        ),
        (
            of(Some(fat::Kind::Fat12), Some(17 << 20)),
            "FAT12 of 17825792 bytes has too many clusters; it can have 16728064 bytes".into(),
        ),
        (
            of(Some(fat::Kind::Fat16), Some(1 << 30)),
            "FAT16 of 1073741824 bytes has too many clusters; it can have 268648448 bytes".into(),
        ),
    ];
    for (options, want) in table {
        assert_eq!(told(&[("f", mib(10))], &options), want);
    }
    assert_eq!(
        told(&[("f", mib(20))], &of(Some(fat::Kind::Fat12), None)),
        "the tree needs 5120 clusters of 4096 bytes; FAT12 has up to 4068"
    );
}

#[test]
fn what_is_needed_is_enough_and_less_is_not() {
    let tree = esp(3 << 20);
    for kind in [Some(fat::Kind::Fat12), Some(fat::Kind::Fat16), Some(fat::Kind::Fat32), None] {
        for sector_size in [SectorSize::B512, SectorSize::B4096] {
            let with = |len| Fat::new(&tree, &Options { kind, len, sector_size, ..Options::default() });
            let whole = with(None).unwrap().len();
            assert_eq!(with(Some(whole)).unwrap().len(), whole);
            let Err(Error::TooSmall { needed, len: 4096 }) = with(Some(4096)) else { panic!("{whole}") };
            // Larger clusters are worth more to firmware than the last KiB.
            assert!(needed <= whole, "{needed}, {whole}");
            assert_eq!(with(Some(needed)).unwrap().len(), needed);
            let Err(Error::TooSmall { needed: again, .. }) = with(Some(needed - 4096)) else {
                panic!("{needed}")
            };
            assert_eq!(again, needed);
        }
    }
}

#[test]
fn an_exact_length_counts_for_more_than_where_the_largest_file_begins() {
    let mut tree = Tree::new();
    add(&mut tree, "f", file(vec![1; 1_430_000]));
    let place = |len| Fat::new(&tree, &Options { len, ..Options::default() }).unwrap().place(&path("f"));
    let [wide, floppy] = [None, Some(1_474_560)].map(|len| place(len).unwrap().at);
    assert_eq!(wide % (64 << 10), 0);
    assert!(floppy < 64 << 10, "{floppy}");
}

#[test]
fn a_folder_that_is_too_long_is_counted() {
    let mut tree = Tree::new();
    add(&mut tree, "d", Kind::Dir);
    for n in 0..32_768 {
        add(&mut tree, format!("d/{n}"), file(""));
    }
    let e = fat::layout(&tree, &Options::default()).unwrap_err();
    assert_eq!(e.to_string(), "the folder `/d` needs 65538 entries; FAT allows 65536");
}

#[test]
fn fat12_and_fat16_have_a_root_folder_for_as_many_names_as_there_are() {
    let mut tree = Tree::new();
    for n in 0..600 {
        add(&mut tree, format!("a file with a name that is long {n}"), file(""));
    }
    let image = bytes(&fat::layout(&tree, &Options::default()).unwrap());
    assert!(u16::from_le_bytes([image[17], image[18]]) >= 600 * 4);
}

#[test]
fn contents_may_change_but_not_their_lengths() {
    let mut tree = Tree::new();
    add(&mut tree, "f", file("1234"));
    let plan = |tree: &Tree| Fat::new(tree, &Options::default()).unwrap();
    let fat = plan(&tree);
    let place = fat.place(&path("f")).unwrap();
    add(&mut tree, "f", file("5678"));
    assert_eq!(bytes(&fat.layout(&tree).unwrap().window(place.at, 4)), b"5678");
    let fat = plan(&tree);
    add(&mut tree, "f", file("12345"));
    let e = fat.layout(&tree).unwrap_err();
    assert!(matches!(e, Error::Changed { planned: 4, found: 5, .. }), "{e}");
    let fat = plan(&tree);
    tree.remove(&path("f"));
    let e = fat.layout(&tree).unwrap_err();
    assert!(matches!(e, Error::Changed { planned: 5, found: 0, .. }), "{e}");
}
