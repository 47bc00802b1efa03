//! Any builds and any damage: no initrd tells that there was a cache.

use super::cached::{cached, names};
use super::*;
use proptest::prelude::*;
use proptest::sample::Index;

/// An image for each word, with a file of it; words repeat.
fn tree(words: &[u8]) -> Tree {
    let mut tree = Tree::new();
    for (n, word) in words.iter().enumerate() {
        let image = tree.add_origin(Origin { source: n.to_string(), location: String::new() });
        // Longer ones are not kept in memory.
        let content = usize::from(*word) * 3000;
        let content =
            (0..content).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect::<Vec<_>>();
        put(&mut tree, &n.to_string(), Kind::File(content.into()), image);
    }
    tree
}

fn words() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(0..9_u8, 1..4)
}

/// What happens to a file, at a place that is a part of its length.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    Flip(Index, u8),
    Grow(Vec<u8>),
    Gone,
}

fn damage() -> impl Strategy<Value = (Index, Damage)> {
    let damage = prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), 1_u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        proptest::collection::vec(any::<u8>(), 1..40).prop_map(Damage::Grow),
        Just(Damage::Gone),
    ];
    (any::<Index>(), damage)
}

/// Does it to one of the files in `folder`.
fn inflict(folder: &Path, (file, damage): &(Index, Damage)) {
    let files: Vec<_> = names(folder).into_iter().collect();
    let path = file.get(&files);
    let mut bytes = fs::read(path).unwrap();
    match damage {
        Damage::Cut(at) => bytes.truncate(at.index(bytes.len().max(1))),
        Damage::Flip(..) if bytes.is_empty() => {}
        Damage::Flip(at, bits) => *at.get_mut(&mut bytes) ^= bits,
        Damage::Grow(more) => bytes.extend_from_slice(more),
        Damage::Gone => return fs::remove_file(path).unwrap(),
    }
    fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn no_build_and_no_damage_before_it_reaches_an_initrd(
        compression in 0..ALL.len() - 1,
        builds in proptest::collection::vec((words(), damage()), 2..6),
    ) {
        let dir = tempfile::tempdir().unwrap();
        for (words, damage) in builds {
            let tree = tree(&words);
            prop_assert!(cached(&tree, dir.path(), ALL[compression]) == made(&tree, ALL[compression], 1));
            inflict(dir.path(), &damage);
        }
    }

    #[test]
    fn builds_at_the_same_time_make_what_each_makes_alone(
        before in words(),
        damage in damage(),
        builds in proptest::collection::vec(words(), 2..5),
    ) {
        let dir = tempfile::tempdir().unwrap();
        cached(&tree(&before), dir.path(), Compression::Zstd);
        inflict(dir.path(), &damage);
        std::thread::scope(|scope| {
            for words in &builds {
                let folder = dir.path();
                scope.spawn(move || {
                    let tree = tree(words);
                    let alone = made(&tree, Compression::Zstd, 1);
                    (0..3).for_each(|_| assert!(cached(&tree, folder, Compression::Zstd) == alone));
                });
            }
        });
    }
}

#[test]
fn a_file_that_is_cut_anywhere_or_has_any_byte_changed_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let tree = tree(&[0]);
    let want = cached(&tree, dir.path(), Compression::Gzip);
    let file = names(dir.path()).pop_first().unwrap();
    let whole = fs::read(&file).unwrap();
    let cut = (0..whole.len()).map(|len| whole[..len].to_vec());
    let changed = (0..whole.len()).flat_map(|at| {
        [1, 0x80, 0xff].map(|bits| {
            let mut bytes = whole.clone();
            bytes[at] ^= bits;
            bytes
        })
    });
    for bytes in cut.chain(changed) {
        fs::write(&file, &bytes).unwrap();
        assert!(cached(&tree, dir.path(), Compression::Gzip) == want, "{bytes:x?}");
        assert!(fs::read(&file).unwrap() == whole, "{bytes:x?}");
    }
}
