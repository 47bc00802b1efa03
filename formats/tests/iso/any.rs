//! Arbitrary trees.

use crate::image::{Image, bytes, files, path};
use crate::readers::{groups, read_by_libarchive, told};
use mkimage_formats::iso::{self, Iso, Options};
use mkimage_formats::tree::{OriginId, Time};
use mkimage_formats::{Kind, Meta, Node, Tree};
use proptest::prelude::*;

fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[a-c]{1,2}".prop_map(String::into_bytes),
        "[A-Ca-c\u{e9}\u{1f600}. ;:*_-]{1,60}".prop_map(String::into_bytes),
        "x{20,50}[ab]{1,8}".prop_map(String::into_bytes),
        // Without a newline, at which the crate that reads bsdtar's archive ends a record.
        proptest::collection::vec(11..=255u8, 1..8),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    let len = prop_oneof![9 => 0..3000usize, 1 => 60_000..70_000usize];
    let number = || (0..4096u32, 0..1u32 << 20);
    // Doubled slashes become one, which has a test of its own.
    let target = "/?[a-z.]{1,9}(/[a-z.]{1,90}){0,20}/?";
    prop_oneof![
        5 => Just(Kind::Dir),
        4 => files(len),
        2 => target.prop_map(|s| Kind::Symlink(s.into_bytes().into())),
        1 => number().prop_map(|(major, minor)| Kind::Block { major, minor }),
        1 => number().prop_map(|(major, minor)| Kind::Char { major, minor }),
        1 => Just(Kind::Fifo),
    ]
}

/// What does not fit where it falls is left out.
fn trees() -> impl Strategy<Value = Tree> {
    let meta = (0..0o10000u16, any::<u32>(), any::<u32>(), any::<i32>());
    let parts = proptest::collection::vec(name(), 1..12);
    let step = (parts, meta, kind(), any::<Option<proptest::sample::Index>>());
    proptest::collection::vec(step, 0..50).prop_map(|steps| {
        let mut tree = Tree::new();
        for (parts, (mode, uid, gid, seconds), mut kind, other) in steps {
            let meta = Meta { uid, gid, ..Meta::new(mode, Time::from_unix(seconds.into())) };
            let others: Vec<_> = tree.iter().filter(|(_, n)| !n.is_dir()).map(|(p, _)| p.clone()).collect();
            if let (Some(other), false, false) = (other, others.is_empty(), kind == Kind::Dir) {
                kind = Kind::HardLink(other.get(&others).clone());
            }
            let Ok(whole) = mkimage_formats::TreePath::new(parts.join(&b'/')) else { continue };
            if whole.is_root() {
                continue; // it stays a folder
            }
            let mut folder = path("");
            for part in whole.as_bytes().split(|b| *b == b'/') {
                folder = folder.join(&path(part));
                let node = |kind| Node { meta: meta.clone(), kind, origin: OriginId::default() };
                if folder == whole {
                    let _ = tree.insert(folder.clone(), node(kind.clone()));
                } else if tree.get(&folder).is_none() {
                    let _ = tree.insert(folder.clone(), node(Kind::Dir));
                }
            }
        }
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn any_tree_is_read_back_whole(tree in trees()) {
        let image = Image::new(&tree, &Options::default());
        if let Some((mut nodes, links)) = read_by_libarchive(&image) {
            let want = told(&tree);
            nodes.retain(|path, _| want.contains_key(path) || path != &self::path("rr_moved"));
            for (path, node) in &want {
                prop_assert_eq!(nodes.get(path), Some(node), "{}", path);
            }
            prop_assert_eq!(nodes.len(), want.len());

            prop_assert_eq!(links, groups(&tree));
        }
    }

    #[test]
    fn any_tree_has_its_files_in_ascending_places_and_the_same_bytes_twice(tree in trees()) {
        let iso = Iso::new(&tree, &Options::default()).unwrap();
        let mut places: Vec<_> = tree.iter().filter_map(|(path, _)| iso.place(path)).collect();
        places.sort_unstable();
        let (mut end, len) = (32 << 10, iso.len());
        for place in places {
            prop_assert!(place.at >= end && place.at % 2048 == 0);
            prop_assert!(place.len < 64 << 10 || place.at % 4096 == 0);
            end = place.at + place.len;
        }
        prop_assert!(end + 150 * 2048 <= len && len % (1 << 20) == 0);
        let layout = iso.layout(&tree).unwrap();
        prop_assert_eq!(layout.len(), len);
        prop_assert!(bytes(&layout) == bytes(&iso::layout(&tree, &Options::default()).unwrap()));
    }
}
