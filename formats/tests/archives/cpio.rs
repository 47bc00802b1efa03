//! Cpio archives.

use crate::any::{self, content, specimens};
use crate::judge;
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::{Kind, Layout, Meta, Node, Tree, TreePath, cpio};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn archive(tree: &Tree) -> Vec<u8> {
    let mut out = Stream::new(Vec::new());
    cpio::write(tree, tree.iter().map(|(p, _)| p), &mut out).unwrap();
    out.into_inner()
}

/// A name of an archive: the header's numbers and what follows.
#[derive(Debug, PartialEq)]
struct Entry {
    name: Vec<u8>,
    mode: u32,
    ids: (u32, u32),
    mtime: u32,
    rdev: (u32, u32),
    content: Vec<u8>,
}

/// Reads as Linux does (`init/initramfs.c`): the content of a hard link is that of its group.
fn read(mut archive: &[u8]) -> Vec<Entry> {
    let (whole, mut entries, mut groups) = (archive.len(), Vec::new(), BTreeMap::new());
    loop {
        assert_eq!(&archive[..6], b"070701");
        let digits = std::str::from_utf8(&archive[6..110]).unwrap();
        let n: Vec<u32> = (0..13).map(|i| u32::from_str_radix(&digits[8 * i..][..8], 16).unwrap()).collect();
        let [ino, mode, uid, gid, links, mtime, size, _, _, major, minor, name, check] = n[..] else {
            panic!()
        };
        assert_eq!(check, 0);
        let name_end = 110 + name as usize;
        let (name, start) = (archive[110..name_end - 1].to_vec(), name_end.next_multiple_of(4));
        assert_eq!(archive[name_end - 1], 0);
        let end = start + size as usize;
        let mut content = archive[start..end].to_vec();
        archive = &archive[end.next_multiple_of(4)..];
        if name == b"TRAILER!!!" {
            assert!(archive.len() < 512 && archive.iter().all(|b| *b == 0));
            assert_eq!(whole % 512, 0);
            return entries;
        }
        if links > 1 && mode >> 12 != 0o04 {
            let first = groups.entry(ino).or_insert_with(|| content.clone());
            content = first.clone();
        }
        entries.push(Entry { name, mode, ids: (uid, gid), mtime, rdev: (major, minor), content });
    }
}

/// What an archive of `tree` should say.
fn expected(tree: &Tree) -> Vec<Entry> {
    let entry = |(path, node): (&TreePath, &Node)| {
        let of = if let Kind::HardLink(first) = &node.kind { tree.get(first).unwrap() } else { node };
        let (kind, rdev, content) = match &of.kind {
            Kind::Dir => (0o04, (0, 0), Layout::default()),
            Kind::File(_) => (0o10, (0, 0), content(tree, of).unwrap().clone()),
            Kind::Symlink(target) => (0o12, (0, 0), Layout::from(target.to_vec())),
            Kind::Char { major, minor } => (0o02, (*major, *minor), Layout::default()),
            Kind::Block { major, minor } => (0o06, (*major, *minor), Layout::default()),
            Kind::Fifo => (0o01, (0, 0), Layout::default()),
            Kind::HardLink(_) => panic!("a link to a link"),
        };
        let mut bytes = Stream::new(Vec::new());
        bytes.layout(&content).unwrap();
        Entry {
            name: if path.is_root() { b".".to_vec() } else { path.as_bytes().to_vec() },
            mode: (kind << 12) | u32::from(of.meta.mode),
            ids: (of.meta.uid, of.meta.gid),
            mtime: of.meta.mtime.seconds.max(0).try_into().unwrap_or(u32::MAX),
            rdev,
            content: bytes.into_inner(),
        }
    };
    tree.iter().map(entry).collect()
}

#[test]
fn gnu_cpio_and_bsdtar_list_the_same_tree() {
    let tree = specimens(true);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), archive(&tree)).unwrap();
    if let Some(mut gnu) = judge::program("cpio") {
        gnu.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").args(["-itvn", "--quiet", "-F"]).arg(file.path());
        let got = judge::output(&mut gnu);
        assert_eq!(got.lines().count(), tree.len(), "{got}");
        assert!(
            got.contains("-rwsr-xr-x   3 7        8              12 Apr 18  2017 name-after-z\n"),
            "{got}"
        );
        assert!(got.contains("brw-rw----   1 0        6        259, 70000 Apr 18  2017 disk\n"), "{got}");
        assert!(got.contains(" Jan  1  1970 before-1970\n"), "{got}");
        assert!(got.contains(" link -> ../etc//x\n"), "{got}");
    }
    if let Some(mut bsdtar) = judge::program("bsdtar") {
        let got = judge::output(bsdtar.env("LC_ALL", "C.UTF-8").args(["-tvf"]).arg(file.path()));
        assert_eq!(got.lines().count(), tree.len(), "{got}");
        assert!(got.contains(" z link to name-after-z\n"), "{got}");
        assert!(got.contains(" zz link to name-after-z\n"), "{got}");
    }
}

/// Both kinds of reader put the one content of a group where it belongs.
#[test]
fn hard_links_unpack_as_one_file() {
    let mut tree = Tree::new();
    let put = |tree: &mut Tree, name: &str, kind| {
        let node = Node { meta: Meta::new(0o644, Default::default()), kind, origin: Default::default() };
        tree.insert(any::path(name), node).unwrap();
    };
    put(&mut tree, "m", any::file("shared"));
    put(&mut tree, "a", Kind::HardLink(any::path("m")));
    put(&mut tree, "z", Kind::HardLink(any::path("m")));
    let bytes = archive(&tree);
    for (name, args) in [("cpio", &["-id", "--quiet", "-F"][..]), ("bsdtar", &["-xf"][..])] {
        let Some(mut program) = judge::program(name) else { continue };
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("in"), &bytes).unwrap();
        judge::output(program.current_dir(dir.path()).args(args).arg("in"));
        for name in ["a", "m", "z"] {
            assert_eq!(std::fs::read(dir.path().join(name)).unwrap(), b"shared");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            assert_eq!(std::fs::metadata(dir.path().join("m")).unwrap().nlink(), 3, "{name}");
        }
    }
}

#[test]
fn what_linux_would_skip_is_an_error() {
    let mut tree = Tree::new();
    let (big, far, folder) = (any::path("big"), any::path("far"), any::path([b'n'; 4000]));
    let deep = folder.join(&any::path([b'n'; 95]));
    for (path, kind) in [
        (&big, Kind::File(Layout::hole(1 << 32))),
        (&far, Kind::Symlink(vec![b'x'; 4096].into())),
        (&folder, Kind::Dir),
        (&deep, Kind::Fifo),
    ] {
        let node = Node { meta: Meta::default(), kind, origin: Default::default() };
        tree.insert(path.clone(), node).unwrap();
    }
    let error = |path| cpio::write(&tree, [path], &mut Stream::new(std::io::sink())).unwrap_err().to_string();
    assert_eq!(error(&big), "`big` has 4294967296 bytes; a file in an initrd can have 4294967295");
    assert_eq!(error(&far), "the link target of `far` has 4096 bytes; Linux unpacks up to 4095");
    assert!(error(&deep).ends_with("has 4096 bytes; Linux unpacks up to 4095"));
}

/// A part of a tree need not have the name that the content is kept with.
#[test]
fn a_group_without_its_first_name_is_whole() {
    let tree = specimens(true);
    let (z, zz) = (any::path("z"), any::path("zz"));
    let mut out = Stream::new(Vec::new());
    cpio::write(&tree, [&zz, &z], &mut out).unwrap();
    let got: Vec<_> = read(&out.into_inner()).into_iter().map(|e| (e.name, e.content)).collect();
    let content = b"content of z".to_vec();
    assert_eq!(got, [(b"z".to_vec(), content.clone()), (b"zz".to_vec(), content)]);
}

proptest! {
    #[test]
    fn any_tree_comes_back(tree in any::trees()) {
        prop_assert_eq!(read(&archive(&tree)), expected(&tree));
    }
}
