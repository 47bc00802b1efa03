//! Arbitrary builds, and arbitrary damage.
//!
//! A cache is right if no output tells that there was one: what a build takes from it is what was
//! put there, or nothing.

use super::{Desk, KINDS, UNIT, image, noise, text};
use mkimage_formats::spool::Spool;
use mkimage_formats::{Layout, emit, qcow2};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeSet;
use std::fs;
use std::num::NonZero;

/// Units by number: of zeros, of noise, of text.
fn contents(units: &[u32]) -> Vec<u8> {
    let unit = |n: &u32| match n {
        0 => vec![0; UNIT],
        1 | 2 => noise(2)[(*n as usize - 1) * UNIT..][..UNIT].to_vec(),
        _ => text(*n),
    };
    units.iter().flat_map(unit).collect()
}

fn units() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(0..8_u32, 1..6)
}

/// What happens to a file, at places that are parts of its length.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    Flip(Index, u8),
    Zeros(Index),
    Grow(Vec<u8>),
    Gone,
}

impl Damage {
    fn any() -> impl Strategy<Value = Damage> {
        prop_oneof![
            any::<Index>().prop_map(Damage::Cut),
            (any::<Index>(), 1_u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),
            any::<Index>().prop_map(Damage::Zeros),
            proptest::collection::vec(any::<u8>(), 1..80).prop_map(Damage::Grow),
            Just(Damage::Gone),
        ]
    }

    /// Does it to one of the cache's files.
    fn inflict(&self, desk: &Desk, file: Index) {
        let files = desk.files();
        if files.is_empty() {
            return;
        }
        let path = file.get(&files);
        let mut bytes = fs::read(path).unwrap();
        if bytes.is_empty() {
            return;
        }
        match self {
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Flip(at, bits) => *at.get_mut(&mut bytes) ^= bits,
            // A block that a power failure kept from the disk.
            Damage::Zeros(at) => {
                let at = at.index(bytes.len());
                bytes[at..].iter_mut().take(512).for_each(|byte| *byte = 0);
            }
            Damage::Grow(more) => bytes.extend_from_slice(more),
            Damage::Gone => return fs::remove_file(path).unwrap(),
        }
        fs::write(path, bytes).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    #[test]
    fn builds_in_any_order_take_what_was_put_and_compress_the_rest(
        builds in proptest::collection::vec((0..KINDS.len(), units()), 1..8),
    ) {
        let desk = Desk::new();
        let mut known = BTreeSet::new();
        for (kind, units) in builds {
            let contents = contents(&units);
            let kind = KINDS[kind];
            let (found, packed) = desk.counted(kind, &contents);
            prop_assert!(found == desk.image(kind, &contents, None), "{}: {:?}", kind, units);
            let new = units.iter().filter(|unit| **unit != 0 && !known.contains(&(kind, **unit)));
            prop_assert_eq!(packed, new.count() as u64, "{}: {:?}", kind, units);
            known.extend(units.into_iter().map(|unit| (kind, unit)));
        }
    }

    #[test]
    fn no_damage_reaches_an_output(
        kind in 0..KINDS.len(),
        builds in proptest::collection::vec(
            (units(), proptest::collection::vec((any::<Index>(), Damage::any()), 0..4)),
            2..7,
        ),
    ) {
        let (desk, kind) = (Desk::new(), KINDS[kind]);
        for (units, damages) in builds {
            let contents = contents(&units);
            let (found, _) = desk.counted(kind, &contents);
            prop_assert!(found == desk.image(kind, &contents, None), "{}: {:?}", kind, units);
            damages.iter().for_each(|(file, damage)| damage.inflict(&desk, *file));
        }
    }

    #[test]
    fn builds_at_the_same_time_make_what_each_makes_alone(
        kind in 0..KINDS.len(),
        before in units(),
        damage in (any::<Index>(), Damage::any()),
        builds in proptest::collection::vec((units(), 1..4_usize), 2..5),
    ) {
        let (desk, kind) = (Desk::new(), KINDS[kind]);
        desk.counted(kind, &contents(&before));
        damage.1.inflict(&desk, damage.0);
        std::thread::scope(|scope| {
            for (n, (units, threads)) in builds.iter().enumerate() {
                let desk = &desk;
                scope.spawn(move || {
                    let path = |name: &str| desk.path(&format!("{name}{n}"));
                    fs::write(path("contents"), contents(units)).unwrap();
                    let contents = Layout::file(path("contents")).unwrap();
                    let threads = NonZero::new(*threads).unwrap();
                    for round in 0..3 {
                        let cache = Some(desk.cache()).filter(|_| round > 0);
                        let spool = Spool { path: path("spool"), threads, memo: None, cache };
                        emit::emit(&image(kind, &contents, &spool), path("image")).unwrap();
                        match round {
                            0 => fs::rename(path("image"), path("alone")).unwrap(),
                            _ => assert!(fs::read(path("image")).unwrap() == fs::read(path("alone")).unwrap()),
                        }
                    }
                });
            }
        });
    }
}

/// A file of so few bytes that each of them can be damaged in turn.
#[test]
fn a_file_that_is_cut_anywhere_or_has_any_byte_changed_gives_what_it_had_or_nothing() {
    let desk = Desk::new();
    let clusters: Vec<u8> = (0..3_u8).flat_map(|n| [b'a' + n; 500].into_iter().chain([n; 12])).collect();
    fs::write(desk.path("contents"), clusters).unwrap();
    let contents = Layout::file(desk.path("contents")).unwrap();
    let made = |cached: bool| {
        let cache = desk.cache();
        let known = Some(cache.clone()).filter(|_| cached);
        let spool =
            Spool { path: desk.path("spool"), threads: NonZero::<usize>::MIN, memo: None, cache: known };
        let options = qcow2::Options { cluster_size: 512 };
        let image = qcow2::compressed(&contents, &options, qcow2::Compression::Zlib, &spool).unwrap();
        emit::emit(&image, desk.path("image")).unwrap();
        (fs::read(desk.path("image")).unwrap(), cache.packed())
    };
    let (alone, _) = made(false);
    assert!(made(true) == (alone.clone(), 3));
    let file = desk.files().remove(0);
    let whole = fs::read(&file).unwrap();
    let units = whole.len() - 24 - 3 * 48;
    let check = |bytes: &[u8], packed: u64, what: &str| {
        fs::remove_dir_all(desk.path("cache")).unwrap();
        fs::create_dir(desk.path("cache")).unwrap();
        fs::write(&file, bytes).unwrap();
        assert!(made(true) == (alone.clone(), packed), "{what}");
        assert!(made(true) == (alone.clone(), 0), "after {what}");
    };
    for len in 0..whole.len() {
        check(&whole[..len], 3, &format!("{len} bytes of it"));
    }
    for at in 0..whole.len() {
        for bits in [1, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= bits;
            check(&bytes, if at < units { 1 } else { 3 }, &format!("byte {at} changed by {bits:#x}"));
        }
    }
}
