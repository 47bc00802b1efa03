use super::*;
use mkimage_formats::Source;
use noise::noise;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

#[path = "../../../testdata/noise.rs"]
mod noise;

pub(super) fn cached(tree: &Tree, folder: &Path, compression: Compression) -> Vec<u8> {
    let options = Options { folder: Folder::Cache(folder.into()), ..options(compression, 2) };
    bytes(&build(tree, None, &options).unwrap().whole)
}

pub(super) fn names(folder: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn bytes_are_the_same_without_a_cache_and_with_an_empty_and_a_filled_one() {
    let tree = tree(100_000);
    for compression in ALL {
        let dir = tempfile::tempdir().unwrap();
        let want = made(&tree, compression, 1);
        for _ in 0..2 {
            assert!(cached(&tree, dir.path(), compression) == want, "{compression:?}");
        }
        // One for each image, or none, since nothing is compressed.
        let files = if compression == Compression::None { 0 } else { 2 };
        assert_eq!(names(dir.path()).len(), files, "{compression:?}");
    }
}

#[test]
fn a_change_makes_one_segment_and_leaves_the_others() {
    for compression in ALL.into_iter().filter(|compression| *compression != Compression::None) {
        let dir = tempfile::tempdir().unwrap();
        let mut tree = tree(100_000);
        cached(&tree, dir.path(), compression);
        let before = names(dir.path());
        let origin = tree.get(&path("etc/last")).unwrap().origin;
        put(&mut tree, "etc/last", Kind::File(b"another line".to_vec().into()), origin);
        let warm = cached(&tree, dir.path(), compression);
        assert_eq!((before.len(), names(dir.path()).difference(&before).count()), (2, 1), "{compression}");
        assert!(names(dir.path()).is_superset(&before), "{compression}");
        assert!(warm == made(&tree, compression, 2), "{compression}");
    }
}

#[test]
fn a_damaged_segment_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let tree = tree(300_000);
    let want = cached(&tree, dir.path(), Compression::Zstd);
    for file in names(dir.path()) {
        let good = fs::read(&file).unwrap();
        let flipped = |at: usize| {
            let mut bad = good.clone();
            bad[at] ^= 1;
            bad
        };
        let longer = [&good[..], &[0]].concat();
        let shorter = good[1..].to_vec();
        let trailer = (good.len() - 24..good.len()).step_by(4).map(flipped);
        for bad in trailer.chain([flipped(0), flipped(good.len() / 2), longer, shorter, Vec::new()]) {
            fs::write(&file, &bad).unwrap();
            assert!(cached(&tree, dir.path(), Compression::Zstd) == want);
            assert!(fs::read(&file).unwrap() == good);
        }
        // What cannot be replaced is no segment either, and the reason is told.
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let options = Options { folder: Folder::Cache(dir.path().into()), ..options(Compression::Zstd, 1) };
        assert!(matches!(build(&tree, None, &options), Err(Error::Folder { .. })));
        fs::remove_dir(&file).unwrap();
        assert!(cached(&tree, dir.path(), Compression::Zstd) == want);
    }
}

#[test]
fn a_cache_that_is_deleted_between_builds_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("deep/segments");
    let tree = tree(10);
    let want = cached(&tree, &folder, Compression::Gzip);
    fs::remove_dir_all(dir.path().join("deep")).unwrap();
    assert!(cached(&tree, &folder, Compression::Gzip) == want);
}

#[test]
fn a_build_that_fails_leaves_no_segment() {
    let dir = tempfile::tempdir().unwrap();
    let gone = dir.path().join("gone");
    fs::write(&gone, [1; 10]).unwrap();
    let mut tree = tree(10);
    put(&mut tree, "file", Kind::File(Layout::file(&gone).unwrap()), OriginId::default());
    fs::remove_file(&gone).unwrap();
    let folder = dir.path().join("segments");
    let options = Options { folder: Folder::Cache(folder.clone()), ..options(Compression::Gzip, 1) };
    assert!(matches!(build(&tree, None, &options), Err(Error::Archive(_))));
    assert_eq!(names(&folder).len(), 2, "the segments before it are complete");
}

#[test]
fn two_builds_at_once_share_a_cache() {
    let dir = tempfile::tempdir().unwrap();
    let tree = tree(500_000);
    let want = made(&tree, Compression::Gzip, 1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(cached(&tree, dir.path(), Compression::Gzip) == want));
        }
    });
    assert_eq!(names(dir.path()).len(), 2, "nothing temporary is left");
}

/// The key of everything in `tree`, and the archive if it is asked for.
fn key(tree: &Tree, compression: Compression, archive: Option<&mut Vec<u8>>) -> String {
    let mut keyed = Keyed::new(compression, archive.map(|out| out as &mut dyn io::Write));
    cpio::write(tree, tree.iter().map(|(path, _)| path), &mut keyed).unwrap();
    keyed.key().hex()
}

#[test]
fn the_key_is_of_what_was_read_and_verified_files_are_not_read_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"0123456789").unwrap();
    let of = |source: Arc<Source>, at, len| {
        let mut tree = Tree::new();
        let content = Content::Slice(Slice { source, at, len });
        put(&mut tree, "file", Kind::File(content.into()), OriginId::default());
        tree
    };
    let host = || Source::new(&file).unwrap();
    let layer = |n| Source::verified(&file, [n; 32]).unwrap();
    let mut archive = Vec::new();
    let first = key(&of(host(), 2, 4), Compression::Gzip, Some(&mut archive));
    assert!(archive.windows(4).any(|window| window == b"2345"));
    assert_eq!(key(&of(host(), 2, 4), Compression::Gzip, None), first);

    let slices = [of(layer(1), 2, 4), of(layer(2), 2, 4), of(layer(1), 3, 4), of(layer(1), 2, 5)];
    let keys: BTreeSet<_> = slices.iter().map(|tree| key(tree, Compression::Gzip, None)).collect();
    assert!(keys.len() == 4 && !keys.contains(&first));
    let mut archive = Vec::new();
    assert!(keys.contains(&key(&slices[0], Compression::Gzip, Some(&mut archive))));
    assert!(archive.windows(4).any(|window| window == b"2345"));

    fs::write(&file, b"01x3456789").unwrap();
    assert_ne!(key(&of(host(), 2, 4), Compression::Gzip, None), first);
    let changed = of(layer(1), 2, 4);
    fs::remove_file(&file).unwrap();
    assert!(keys.contains(&key(&changed, Compression::Gzip, None)));
}

/// Bytes of `etc/first`, its mode, owner, group and time; a name, a link's target, a device; the
/// compression.
type Inputs = (Vec<u8>, u16, u32, u32, i64, String, String, (u32, u32), usize);

fn inputs() -> impl Strategy<Value = Inputs> {
    let few = || "[ab]{1,2}";
    let bytes = proptest::collection::vec(0..3_u8, 0..4);
    (bytes, 0..4_u16, 0..3_u32, 0..3_u32, 0..3_i64, few(), few(), (0..2_u32, 0..2_u32), 0..2_usize)
}

fn key_of((bytes, mode, uid, gid, time, name, target, (major, minor), compression): &Inputs) -> String {
    let meta = Meta { uid: *uid, gid: *gid, ..Meta::new(*mode, Time::from_unix(*time)) };
    let mut tree = Tree::new();
    let mut insert = |name: &str, kind| {
        tree.insert(path(name), Node { meta: meta.clone(), kind, origin: OriginId::default() }).unwrap();
    };
    insert("etc", Kind::Dir);
    insert("etc/first", Kind::File(bytes.clone().into()));
    insert(&format!("etc/{name}"), Kind::Symlink(target.as_bytes().into()));
    insert("dev", Kind::Char { major: *major, minor: *minor });
    key(&tree, ALL[*compression], None)
}

proptest! {
    #[test]
    fn keys_are_equal_if_and_only_if_all_inputs_are(a in inputs(), b in inputs()) {
        prop_assert_eq!(key_of(&a) == key_of(&b), a == b);
        let changes: [fn(&mut Inputs); 10] = [
            |i| i.0.push(0),
            |i| i.1 ^= 0o4000,
            |i| i.2 += 1,
            |i| i.3 += 1,
            |i| i.4 += 1,
            |i| i.5.push('c'),
            |i| i.6.push('c'),
            |i| i.7.0 += 1,
            |i| i.7.1 += 1,
            |i| i.8 ^= 1,
        ];
        for (n, change) in changes.iter().enumerate() {
            let mut changed = a.clone();
            change(&mut changed);
            prop_assert_ne!(key_of(&changed), key_of(&a), "change {}", n);
        }
    }
}

/// Segments of an earlier build are used beside new ones: if this fails, raise the number in the
/// key (`FORMAT`), and only then the digests here.
#[test]
fn what_one_archive_becomes_depends_on_the_format_in_the_key() {
    use sha2::{Digest, Sha256};
    let digest = |bytes: &[u8]| Sha256::digest(bytes)[..4].iter().map(|b| format!("{b:02x}")).collect();
    let text = |n: u32| format!("{} {}\n", n / 7, n.wrapping_mul(2_654_435_761) >> 20).into_bytes();
    let mut tree = Tree::new();
    // What deflate takes for text, for something that is compressed already, and for a program.
    let mut content: Vec<u8> = (0..30_000).flat_map(text).collect();
    content.extend(noise(300_000));
    content.extend(noise(200_000).iter().flat_map(|byte| [byte & 0x3f, 0xa5, 0x8b]));
    put(&mut tree, "file", Kind::File(content.into()), OriginId::default());
    let found: Vec<String> = ALL.map(|compression| digest(&made(&tree, compression, 2))).into();
    assert_eq!(found, ["4a2fb2dd", "c9f39793", "eba3b3ca", "5f5a2c0c", "958ad06a"]);
}
