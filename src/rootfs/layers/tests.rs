use super::*;
use crate::rootfs::fixture::{self, layer, listed};

/// The tree of layers, bottom first, or the error with its causes.
fn flat(layers: &[&str]) -> Result<Vec<String>, String> {
    let dir = tempfile::tempdir().unwrap();
    let named = layers.iter().enumerate().map(|(n, text)| layer(dir.path(), &format!("L{n}"), text));
    let layers: Vec<_> = named.collect();
    told(flatten(&layers, &mut Indexes::default()))
}

fn told(tree: Result<Tree, Error>) -> Result<Vec<String>, String> {
    tree.map(|t| listed(&t)).map_err(|e| {
        let causes = std::iter::successors(Some(&e as &dyn std::error::Error), |e| e.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    })
}

#[test]
fn the_topmost_layer_wins_and_whiteouts_hide() {
    for (what, layers, want) in [
        ("replaced", &["f a 1\nf b 2", "f a 3"][..], &["f a 3", "f b 2"][..]),
        ("whiteout", &["d e\nf e/a 1\nf e/b 2", "f e/.wh.a"], &["d e", "f e/b 2"]),
        ("whiteout of a folder", &["d e\nf e/a 1\nf b 2", "f .wh.e"], &["f b 2"]),
        ("made again above", &["f a 1", "f .wh.a", "f a 2"], &["f a 2"]),
        (
            "folder made again above",
            &["d e\nf e/a 1\nd e/f\nf e/f/x 1", "f .wh.e", "d e\nf e/b 2"],
            &["d e", "f e/b 2"],
        ),
        ("folder became file", &["d e\nf e/a 1", "f e 2"], &["f e 2"]),
        ("file became folder", &["f e 2", "d e\nf e/a 1"], &["d e", "f e/a 1"]),
        (
            "opaque",
            &["d e\nf e/a 1\nd e/f\nf e/f/x 1", "d e\nf e/.wh..wh..opq\nf e/b 2"],
            &["d e", "f e/b 2"],
        ),
        ("opaque comes last", &["d e\nf e/a 1", "d e\nf e/b 2\nf e/.wh..wh..opq"], &["d e", "f e/b 2"]),
        ("opaque root", &["f a 1", "f .wh..wh..opq\nf b 2"], &["f b 2"]),
        ("bookkeeping", &["f a 1", "f .wh..wh.plnk\nf .wh."], &["f a 1"]),
        ("first of two", &["f a 1\nf a 2"], &["f a 1"]),
        ("whiteout before", &["f a 1", "f .wh.a\nf a 2"], &[]),
        ("cleaned", &["d ./e/\nf ./e//x 1\nf /y 2\nf e/../z 3"], &["d e", "f e/x 1", "f y 2", "f z 3"]),
        ("missing folder", &["f e/f/x 1"], &["d e", "d e/f", "f e/f/x 1"]),
        ("root", &["d ./\nf x 1"], &["d .", "f x 1"]),
    ] {
        assert_eq!(flat(layers).unwrap(), want, "{what}");
    }
}

#[test]
fn hard_links_keep_the_content_of_their_layer() {
    for (what, layers, want) in [
        ("plain", &["f a 1\nh b a"][..], &["f a 1", "h b a"][..]),
        ("link sorts first", &["f b 1\nh a b\nh c b"], &["f a 1", "h b a", "h c a"]),
        ("to a layer below", &["f a 1", "h b a"], &["f a 1", "h b a"]),
        ("target replaced above", &["f a 1\nh b a\nh c a", "f a 2"], &["f a 2", "f b 1", "h c b"]),
        ("target hidden above", &["f a 1\nh b a\nh c a", "f .wh.a"], &["f b 1", "h c b"]),
        ("made between", &["f a 1", "h b a", "f a 2"], &["f a 2", "f b 1"]),
        ("to a link", &["f a 1\nh b a", "h c b"], &["f a 1", "h b a", "h c a"]),
        ("link hidden", &["f a 1\nh b a\nh c b", "f .wh.b"], &["f a 1", "h c a"]),
        ("behind a link", &["d u\nl e u\nf u/a 1\nh b e/a"], &["f b 1", "l e u", "d u", "h u/a b"]),
        ("absolute", &["f a 1\nh b /./a"], &["f a 1", "h b a"]),
        ("to a pipe", &["p a\nh b a"], &["p a", "h b a"]),
    ] {
        assert_eq!(flat(layers).unwrap(), want, "{what}");
    }
}

#[test]
fn folders_that_are_links_are_followed() {
    let usr_merged = &["d usr\nd usr/lib\nl lib usr/lib", "f lib/a 1\nf usr/lib/b 2"];
    assert_eq!(
        flat(usr_merged).unwrap(),
        ["l lib usr/lib", "d usr", "d usr/lib", "f usr/lib/a 1", "f usr/lib/b 2"]
    );
    // The upper layer's is the one, by either path.
    let twice = &["d usr\nl lib usr\nf usr/a 1", "f lib/a 2", "f lib/b 3", "f usr/b 4"];
    assert_eq!(flat(twice).unwrap(), ["l lib usr", "d usr", "f usr/a 2", "f usr/b 4"]);
    // A folder above a link replaces it.
    assert_eq!(flat(&["d usr\nl lib usr", "d lib\nf lib/a 1"]).unwrap(), ["d lib", "f lib/a 1", "d usr"]);
}

#[test]
fn hostile_entries_are_named_with_their_layer() {
    for (layers, want) in [
        (
            &["f ../x 1"][..],
            "layer L0 is broken at byte 0, `../x`: `../x` would be outside of the file system",
        ),
        (
            &["f a 1", "f a/../../x 1"],
            "layer L1 is broken at byte 0, `a/../../x`: `a/../../x` would be outside of the file system",
        ),
        (
            &["h a ../../etc/shadow"],
            "layer L0 is broken at byte 0, `a`: `../../etc/shadow` would be outside of the file system",
        ),
        (&["p e\nf e/x 1"], ""),
        (
            &["p e", "f e/x 1"],
            "layer L1 does not fit on the ones below it: `e/x` cannot be in `e`, which is no folder",
        ),
        (
            &["l a b\nl b a", "f a/x 1"],
            "layer L1 does not fit on the ones below it: more than 40 symbolic links lead to the folder of `a/x`",
        ),
        (&["h a b"], "layer L0: `a` is a hard link to `b`, which is no file in it or below"),
        (
            &["f b 1", "f .wh.b\nh a b"],
            "layer L1: `a` is a hard link to `b`, which is no file in it or below",
        ),
        (&["h a b", "f b 1"], "layer L0: `a` is a hard link to `b`, which is no file in it or below"),
        (&["d b\nh a b"], "layer L0: `a` is a hard link to `b`, which is no file in it or below"),
        (&["h a b\nh b a"], "layer L0: more than 40 hard links lead from `a` to each other"),
        (&["h a a"], "layer L0: more than 40 hard links lead from `a` to each other"),
    ] {
        match flat(layers) {
            Err(e) => assert_eq!(e, want),
            Ok(tree) => assert_eq!((want, tree), ("", vec!["p e".to_owned()])),
        }
    }
}

#[test]
fn broken_archives_are_named_with_their_place() {
    let whole = fixture::bytes("f a 1\nf b 2");
    let with = |at: usize, bytes: &[u8]| {
        let mut tar = whole.clone();
        tar[at..at + bytes.len()].copy_from_slice(bytes);
        // The checksum is right again.
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(&tar[1024..1536]);
        header.set_cksum();
        tar[1024..1536].copy_from_slice(header.as_bytes());
        tar
    };
    let mut flipped = whole.clone();
    flipped[1024] ^= 1;
    let dir = tempfile::tempdir().unwrap();
    for (bytes, want) in [
        (flipped, "byte 1024: the header's checksum is 3132; its bytes add up to 3133"),
        (whole[..1100].to_vec(), "byte 1024: the archive ends at byte 1100; the entry needs 1536"),
        (whole[..1536].to_vec(), "byte 1024, `b`: the archive ends at byte 1536; the entry needs 1537"),
        (
            with(1024 + 124, b"77777777777\0"),
            "byte 1024, `b`: the archive ends at byte 3072; the entry needs 8589936127",
        ),
        (
            with(1024 + 124, b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"),
            "byte 1024, `b`: the archive ends at byte 3072; the entry needs 9223372036854777343",
        ),
        (
            with(1024 + 124, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            "byte 1024, `b`: size is -1; at most 9223372036854775807 is possible",
        ),
        (with(1024 + 124, b"0000x\0"), "byte 1024, `b`: size is `0000x\\000001\\0`, which is not a number"),
        (
            with(1024 + 108, b"\x80\0\0\x01\0\0\0\0"),
            "byte 1024, `b`: uid is 4294967296; at most 4294967295 is possible",
        ),
        (
            with(1024 + 156, b"V"),
            "byte 1024, `b`: its type is `V`; only files, folders, links, devices and pipes are known",
        ),
        (with(1024 + 156, b"L"), "byte 1024: the archive ends at byte 3072; the entry needs 3584"),
    ] {
        let layers = [fixture::file(dir.path(), "L", &bytes)];
        let got = told(flatten(&layers, &mut Indexes::default()));
        assert_eq!(got.unwrap_err(), format!("layer L is broken at {want}"));
        std::fs::remove_file(dir.path().join("L")).unwrap();
    }
}

/// A layer of empty files and symbolic links, with names and targets of any length.
fn long(dir: &std::path::Path, entries: &[(String, Option<String>)]) -> Layer {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, target) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        match target {
            None => tar.append_data(&mut header, path, &b""[..]).unwrap(),
            Some(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                tar.append_link(&mut header, path, target).unwrap();
            }
        }
    }
    fixture::file(dir, "L", &tar.into_inner().unwrap())
}

#[test]
fn paths_that_no_linux_takes_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let shown = "a/".repeat(20);
    let path = format!("the path `{shown}...` has 4097 bytes; Linux takes up to 4095");
    for (entries, want) in [
        (vec![("a/".repeat(2048) + "a", None)], &*path),
        (
            vec![("a".into(), Some("x".repeat(4096)))],
            "the link's target has 4096 bytes; Linux takes up to 4095",
        ),
        // Behind a link.
        (vec![(format!("b/{}a", "a/".repeat(48)), None), ("b".into(), Some("a/".repeat(2000)))], &*path),
    ] {
        let layers = [long(dir.path(), &entries)];
        let error = told(flatten(&layers, &mut Indexes::default())).unwrap_err();
        assert!(error.ends_with(want), "{error}");
    }
}

/// Of 4 KiB of name come 4 MiB of folders' names.
#[test]
fn few_names_make_no_great_number_of_folders() {
    let dir = tempfile::tempdir().unwrap();
    let entries = (0..5).map(|n| (format!("{n}/{}a", "a/".repeat(2040)), None));
    let layers = [long(dir.path(), &entries.collect::<Vec<_>>())];
    let error = told(flatten(&layers, &mut Indexes::default())).unwrap_err();
    let said = "is in folders that have no entry; the paths of all such have more than 16 MiB";
    assert!(error.ends_with(said), "{error}");
}

#[test]
fn a_layer_is_read_once() {
    let dir = tempfile::tempdir().unwrap();
    let layers = [layer(dir.path(), "L", "f a 1")];
    let mut indexes = Indexes::default();
    let first = flatten(&layers, &mut indexes).unwrap();
    std::fs::write(dir.path().join("L"), "gone").unwrap();
    assert_eq!(flatten(&layers, &mut indexes).unwrap(), first);
}
