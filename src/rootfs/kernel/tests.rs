use super::modules;
use crate::rootfs::fixture;
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::{Content, Kind, Layout, Slice, Source};

#[test]
fn modules_are_found_in_a_sparse_archive() {
    let dir = tempfile::tempdir().unwrap();
    // The archive's zeros from 1536 on, which are in the second module, as a hole.
    let tar = fixture::bytes(&format!("f a one\nf b {}\nf c three", "\0".repeat(4096)));
    let hole = 1536..1536 + 4096;
    assert!(tar[hole.clone()].iter().all(|byte| *byte == 0));
    let pieces = dir.path().join("pieces");
    std::fs::write(&pieces, [&tar[..hole.start], &tar[hole.end..]].concat()).unwrap();
    let source = Source::new(pieces).unwrap();
    let piece = |at, len| Content::Slice(Slice { source: source.clone(), at, len });
    let mut sparse = Layout::from(piece(0, 1536));
    sparse.pad_to(1536 + 4096);
    sparse.push(piece(1536, source.len() - 1536));

    let found = modules("kernel.tar", &sparse, dir.path()).unwrap();
    let files = found.iter().map(|entry| match &entry.kind {
        Kind::File(content) => {
            let mut out = Stream::new(Vec::new());
            out.layout(content).unwrap();
            (entry.path.to_string(), out.into_inner())
        }
        other => panic!("{other:?}"),
    });
    let want = [("a", b"one".to_vec()), ("b", vec![0; 4096]), ("c", b"three".to_vec())];
    assert_eq!(files.collect::<Vec<_>>(), want.map(|(path, bytes)| (path.to_owned(), bytes)));
}

// A file on Windows has holes only if it is marked.
#[cfg(unix)]
#[test]
fn a_hole_after_the_archive_takes_no_room() {
    let dir = tempfile::tempdir().unwrap();
    let mut sparse = Layout::from(fixture::bytes("f a one"));
    sparse.pad_to(1 << 43);
    let found = modules("kernel.tar", &sparse, dir.path()).unwrap();
    assert_eq!(found.iter().map(|entry| entry.path.to_string()).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn an_empty_archive_of_modules_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let error = modules("kernel.tar", &Layout::default(), dir.path()).unwrap_err();
    assert_eq!(error.to_string(), "`kernel.tar` is no tar archive");
}
