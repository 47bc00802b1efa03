//! Arbitrary trees.

use crate::image::{Image, bytes, files, path};
use crate::readers::{fsck, read_by_mtools, told};
use mkimage_formats::fat::{self, Fat, Options};
use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{Kind, Meta, Node, SectorSize, Tree};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{1,2}",
        "[A-C]{1,8}(\\.[a-c]{1,3})?",
        "[A-Ca-c\u{e9}\u{444}\u{65e5}. ;+=\\[\\]',_-]{1,60}",
        "x{20,250}[ab]{1,5}",
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![1 => Just(Kind::Dir), 2 => files(0..9000usize)]
}

/// What does not fit where it falls is left out, as are names that FAT would not have.
fn trees() -> impl Strategy<Value = Tree> {
    let parts = proptest::collection::vec(name(), 1..6);
    proptest::collection::vec((parts, any::<i32>(), kind()), 0..60).prop_map(|steps| {
        let (mut tree, mut taken) = (Tree::new(), BTreeSet::new());
        for (parts, seconds, kind) in steps {
            let mut folder = path("");
            for (n, part) in parts.iter().enumerate() {
                let part = part.trim_start().trim_end_matches(['.', ' ']);
                if matches!(part, "" | "." | "..") {
                    break;
                }
                folder = folder.join(&path(part));
                let folded = String::from_utf8_lossy(folder.as_bytes()).to_uppercase();
                if tree.get(&folder).is_none() && taken.insert(folded) {
                    let meta = Meta::new(0o644, Time::from_unix(seconds.into()));
                    let kind = if n + 1 == parts.len() { kind.clone() } else { Kind::Dir };
                    tree.insert(folder.clone(), Node { meta, kind, origin: OriginId::default() }).unwrap();
                } else if !tree.get(&folder).is_some_and(Node::is_dir) {
                    break;
                }
            }
        }
        tree
    })
}

fn options() -> impl Strategy<Value = Options> {
    let kind = prop_oneof![
        4 => Just(None),
        4 => Just(Some(fat::Kind::Fat12)),
        2 => Just(Some(fat::Kind::Fat16)),
        1 => Just(Some(fat::Kind::Fat32)),
    ];
    let sector_size = prop_oneof![3 => Just(SectorSize::B512), 1 => Just(SectorSize::B4096)];
    let label = "([A-Z][A-Z ]{0,9}[A-Z])?";
    (kind, sector_size, label, any::<bool>()).prop_map(|(kind, sector_size, label, read_only)| {
        // FAT32 has 264 MiB where sectors have 4 KiB: one such among the readers' is enough.
        let large = kind == Some(fat::Kind::Fat32);
        let sector_size = if large { SectorSize::B512 } else { sector_size };
        Options { kind, sector_size, label, read_only, ..Options::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn any_tree_is_read_back_whole(tree in trees(), options in options()) {
        let image = Image::new(&tree, &options);
        fsck(&image);
        if let Some(nodes) = read_by_mtools(&image) {
            let want = told(&tree);
            for (path, content) in &want {
                prop_assert!(nodes.get(path) == Some(content), "{}", path);
            }
            prop_assert_eq!(nodes.len(), want.len());
        }
    }

    #[test]
    fn any_tree_has_its_files_apart_and_the_same_bytes_twice(tree in trees(), options in options()) {
        let fat = Fat::new(&tree, &options).unwrap();
        let mut places: Vec<_> = tree.iter().filter_map(|(path, _)| fat.place(path)).collect();
        places.sort_unstable();
        let (mut end, len) = (options.sector_size.bytes(), fat.len());
        for place in places {
            prop_assert!(place.at >= end && place.at.is_multiple_of(options.sector_size.bytes()));
            end = place.at + place.len;
        }
        prop_assert!(end <= len && len.is_multiple_of(4096));
        let layout = fat.layout(&tree).unwrap();
        prop_assert_eq!(layout.len(), len);
        prop_assert!(bytes(&layout) == bytes(&fat::layout(&tree, &options).unwrap()));
    }
}
