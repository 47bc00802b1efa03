//! What does not fit, and what each is told.

use crate::image::{file, path};
use crate::specimens::{add, link};
use mkimage_formats::iso::{self, BootEntry, Error, Iso, Options};
use mkimage_formats::tree::OriginId;
use mkimage_formats::{Kind, Layout, Meta, Node, Tree};

fn told(tree: &Tree, options: &Options) -> String {
    let e = iso::layout(tree, options).unwrap_err();
    let cause = std::error::Error::source(&e).map(|cause| format!(": {cause}"));
    format!("{e}{}", cause.unwrap_or_default())
}

#[test]
fn a_tree_that_does_not_fit_is_told_why() {
    let mut deep = String::from("0");
    let table: [(Vec<(String, Kind)>, String); 4] = [
        (
            vec![("n".repeat(256), file(""))],
            format!("the name of `{}` has 256 bytes; Linux allows 255", "n".repeat(256)),
        ),
        (
            vec![("l".into(), link("t".repeat(4096)))],
            "the target of the symbolic link `l` has 4096 bytes; 1 to 4095 are allowed".into(),
        ),
        (
            vec![("l".into(), link(""))],
            "the target of the symbolic link `l` has 0 bytes; 1 to 4095 are allowed".into(),
        ),
        (
            std::iter::once(("rr_moved".to_owned(), file("")))
                .chain((1..10).map(|n| {
                    let folder = deep.clone();
                    deep += &format!("/{n}");
                    (folder, Kind::Dir)
                }))
                .collect(),
            "folders below the eighth level have to move to `rr_moved`, which is no folder".into(),
        ),
    ];
    for (nodes, want) in table {
        let mut tree = Tree::new();
        for (name, kind) in nodes {
            let node = Node { meta: Meta::default(), kind, origin: OriginId::default() };
            tree.insert(path(name), node).unwrap();
        }
        assert_eq!(told(&tree, &Options::default()), want);
    }
}

#[test]
fn options_that_do_not_fit_are_told_why() {
    let mut tree = Tree::new();
    add(&mut tree, "boot", 0o755, Kind::Dir);
    add(&mut tree, "boot/loader", 0o644, file([0; 63]));
    add(&mut tree, "boot/empty", 0o644, file(""));
    let entry = |image: &str| BootEntry::bios(path(image));
    let boot = vec![entry("boot/loader")];
    let with = |options: Options| Options { boot: boot.clone(), ..options };
    let cat = |name: &str| with(Options { catalog: Some(path(name)), ..Options::default() });
    let table = [
        (
            Options { volume: "V".repeat(33), ..Options::default() },
            format!("volume `{}` has 33 characters; 32 of printable ASCII are allowed", "V".repeat(33)),
        ),
        (
            Options { publisher: "\u{fc}".into(), ..Options::default() },
            "publisher `\u{fc}` has 1 characters; 128 of printable ASCII are allowed".into(),
        ),
        (
            Options { boot: vec![entry("boot/gone")], ..Options::default() },
            "the boot image `boot/gone` is not a file with content in the tree".into(),
        ),
        (
            Options { boot: vec![entry("boot/empty")], ..Options::default() },
            "the boot image `boot/empty` is not a file with content in the tree".into(),
        ),
        (
            cat("isolinux/boot.cat"),
            "the boot catalog cannot be at `isolinux/boot.cat`: its folder is missing, or the name is taken"
                .into(),
        ),
        (
            cat("boot/loader"),
            "the boot catalog cannot be at `boot/loader`: its folder is missing, or the name is taken".into(),
        ),
        (
            Options {
                boot: vec![BootEntry { info_table: true, ..entry("boot/loader") }],
                ..Options::default()
            },
            "the boot image `boot/loader` has 63 bytes; a boot information table needs 64 to 16777216".into(),
        ),
    ];
    for (options, want) in table {
        assert_eq!(told(&tree, &options), want);
    }
    assert!(iso::layout(&tree, &cat("boot.cat")).is_ok());
}

#[test]
fn too_many_folders_are_counted_not_wrapped() {
    let mut tree = Tree::new();
    // The root is one of them.
    for n in 1..65_535 {
        add(&mut tree, format!("{n}"), 0o755, Kind::Dir);
    }
    assert!(Iso::new(&tree, &Options::default()).is_ok());
    add(&mut tree, "more", 0o755, Kind::Dir);
    assert_eq!(told(&tree, &Options::default()), "65536 folders; ISO 9660 numbers 65535");
}

#[test]
fn contents_beyond_the_last_block_are_counted_not_wrapped() {
    // The first is too long by itself, the others together.
    for lens in [vec![1 << 43], vec![u64::MAX], vec![1 << 42; 2]] {
        let mut tree = Tree::new();
        for (n, len) in lens.iter().enumerate() {
            add(&mut tree, format!("f{n}"), 0o644, Kind::File(Layout::hole(*len)));
        }
        let e = Iso::new(&tree, &Options::default()).unwrap_err();
        assert!(matches!(e, Error::Blocks { blocks, .. } if blocks > u32::MAX.into()), "{lens:?}: {e}");
    }
}

#[test]
fn contents_may_change_but_not_their_lengths() {
    let mut tree = Tree::new();
    add(&mut tree, "f", 0o644, file("1234"));
    let plan = |tree: &Tree| Iso::new(tree, &Options::default()).unwrap();
    let iso = plan(&tree);
    add(&mut tree, "f", 0o644, Kind::File(Layout::hole(4)));
    assert!(iso.layout(&tree).unwrap().window(60 << 10, 20 << 10).is_hole());
    let iso = plan(&tree);
    add(&mut tree, "f", 0o644, file("12345"));
    let e = iso.layout(&tree).unwrap_err();
    assert!(matches!(e, Error::Changed { planned: 4, found: 5, .. }), "{e}");
}
