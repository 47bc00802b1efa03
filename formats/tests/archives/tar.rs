//! Tar archives.

use crate::any::{self, content, specimens};
use crate::judge;
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::tree::Time;
use mkimage_formats::{Kind, Layout, Meta, Node, Slice, Tree, TreePath, emit, tar};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::Read;

fn archive(tree: &Tree) -> Vec<u8> {
    let mut out = Stream::new(Vec::new());
    tar::write(tree, &mut out).unwrap();
    let out = out.into_inner();
    assert_eq!(out.len() as u64, tar::len(tree).unwrap());
    out
}

fn bytes(layout: &Layout) -> Vec<u8> {
    let mut out = Stream::new(Vec::new());
    out.layout(layout).unwrap();
    out.into_inner()
}

/// One line for each entry, as the Python program below prints it.
fn listed(tree: &Tree) -> String {
    let hex = |b: &[u8]| b.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let line = |(path, node): (&TreePath, &Node)| {
        let m = &node.meta;
        let (kind, link, dev) = match &node.kind {
            Kind::Dir => ("5", hex(b""), (0, 0)),
            Kind::File(_) => ("0", hex(b""), (0, 0)),
            Kind::Symlink(target) => ("2", hex(target), (0, 0)),
            Kind::HardLink(first) => ("1", hex(first.as_bytes()), (0, 0)),
            Kind::Char { major, minor } => ("3", hex(b""), (*major, *minor)),
            Kind::Block { major, minor } => ("4", hex(b""), (*major, *minor)),
            Kind::Fifo => ("6", hex(b""), (0, 0)),
        };
        let data = if let Kind::File(l) = &node.kind { bytes(l) } else { Vec::new() };
        let owner = m.owner.as_deref().cloned().unwrap_or_default();
        let mut records = String::new();
        for (key, value) in m.xattrs.iter().flat_map(|x| x.iter()) {
            records += &format!(" SCHILY.xattr.{}={}", String::from_utf8_lossy(key), hex(value));
        }
        let origin = tree.origin(node.origin).cloned().unwrap_or_default();
        let name = if path.is_root() { b"." } else { path.as_bytes() };
        let nanos = i128::from(m.mtime.seconds) * 1_000_000_000 + i128::from(m.mtime.nanos);
        format!(
            "{} {kind} {:o} {} {} {nanos} {} {link} {}:{} {} {} {} {}{records}\n",
            hex(name),
            m.mode,
            m.uid,
            m.gid,
            hex(&data),
            dev.0,
            dev.1,
            hex(owner.user.as_bytes()),
            hex(owner.group.as_bytes()),
            origin.source,
            origin.location,
        )
    };
    tree.iter().map(line).collect()
}

const PYTHON: &str = r#"
import decimal, sys, tarfile
hexed = lambda s: s.encode('utf-8', 'surrogateescape').hex()
for m in tarfile.open(sys.argv[1], errors='surrogateescape'):
    h = m.pax_headers
    data = tarfile.open(sys.argv[1]).extractfile(m).read().hex() if m.isreg() else ''
    nanos = int(decimal.Decimal(h.get('mtime', str(m.mtime))).scaleb(9))
    x = ''.join(f' {k}={hexed(v)}' for k, v in sorted(h.items()) if k.startswith('SCHILY.xattr.'))
    print(f"{hexed(m.name)} {m.type.decode()} {m.mode:o} {m.uid} {m.gid} {nanos} {data} {hexed(m.linkname)} "
          f"{m.devmajor}:{m.devminor} {hexed(m.uname)} {hexed(m.gname)} "
          f"{h.get('LINUXKIT.source', '')} {h.get('LINUXKIT.location', '')}{x}")
"#;

#[test]
fn python_reads_every_field_back() {
    let Some(mut python) = judge::program("python3") else { return };
    let tree = specimens(false);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), archive(&tree)).unwrap();
    let got = judge::output(python.args(["-c", PYTHON]).arg(file.path()));
    let want = listed(&tree);
    for (got, want) in got.lines().zip(want.lines()) {
        assert_eq!(got, want);
    }
    assert_eq!(got.lines().count(), want.lines().count());
}

/// The values of one line of mtree.
fn mtree(line: &str) -> (String, BTreeMap<&str, &str>) {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default().trim_start_matches("./").to_owned();
    (name, words.map(|w| w.split_once('=').unwrap_or((w, ""))).collect())
}

#[test]
fn bsdtar_and_gnu_tar_read_the_same_tree() {
    let tree = specimens(true);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), archive(&tree)).unwrap();
    if let Some(mut bsdtar) = judge::program("bsdtar") {
        let options =
            "mtree:!all,mtree:type,mtree:mode,mtree:uid,mtree:gid,mtree:time,mtree:size,mtree:device";
        let from = format!("@{}", file.path().display());
        let args = ["-cf", "-", "--format=mtree", "--options", options, &from];
        let got = judge::output(bsdtar.env("LC_ALL", "C.UTF-8").args(args));
        let got: BTreeMap<_, _> = got.lines().filter(|l| l.starts_with('.')).map(mtree).collect();
        for (path, node) in tree.iter() {
            let name =
                if path.is_root() { ".".into() } else { path.to_string().replace('\u{e9}', "\\303\\251") };
            let Some(got) = got.get(name.as_str()) else { panic!("bsdtar misses {name}: {got:?}") };
            let m = &node.meta;
            assert_eq!(got["mode"], format!("{:o}", m.mode), "{name}");
            assert_eq!((got["uid"], got["gid"]), (&*m.uid.to_string(), &*m.gid.to_string()), "{name}");
            assert_eq!(got["time"], format!("{}.0", m.mtime.seconds), "{name}");
            if let Some(layout) = content(&tree, node).filter(|_| matches!(node.kind, Kind::File(_))) {
                assert_eq!(got["size"], layout.len().to_string(), "{name}");
            }
            if let Kind::Char { major, minor } | Kind::Block { major, minor } = node.kind {
                assert_eq!(got["device"], format!("native,{major},{minor}"), "{name}");
            }
        }
        assert_eq!(got.len(), tree.len());
    }
    if let Some(mut gnu) = judge::program("tar") {
        let args = [
            "--list",
            "-v",
            "--warning=no-unknown-keyword",
            "--numeric-owner",
            "--full-time",
            "--quoting-style=literal",
            "-f",
        ];
        let got = judge::output(gnu.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").args(args).arg(file.path()));
        assert_eq!(got.lines().count(), tree.len());
        assert!(got.contains("-rwsr-xr-x 7/8 "), "{got}");
        assert!(got.contains("\nhrwsr-xr-x 7/8 "), "{got}");
        assert!(got.contains(" z link to name-after-z\n"), "{got}");
        assert!(got.contains("-rw-r--r-- 3000000/4294967293 "), "{got}");
        assert!(got.contains("1969-12-31 23:59:55 before-1970\n"), "{got}");
        assert!(got.contains(" 259,70000 "), "{got}");
        assert!(got.contains(" uni-\u{e9}\n"), "{got}");
    }
}

/// A file of 9 GB is never read to find out how long the archive is.
#[test]
fn a_size_above_eight_gibibytes_is_a_record() {
    let mut tree = Tree::new();
    let kind = Kind::File(Layout::hole(9 << 30));
    tree.insert(any::path("big"), Node { meta: Meta::default(), kind, origin: Default::default() }).unwrap();
    struct Head(Vec<u8>);
    impl Sink for Head {
        fn bytes(&mut self, bytes: &[u8]) -> Result<(), emit::Error> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
        fn slice(&mut self, _: &Slice) -> Result<(), emit::Error> {
            Ok(())
        }
        fn hole(&mut self, len: u64) -> Result<(), emit::Error> {
            self.0.resize(self.0.len() + usize::try_from(len % (1 << 30)).unwrap(), 0);
            Ok(())
        }
    }
    let mut head = Head(Vec::new());
    tar::write(&tree, &mut head).unwrap();
    assert_eq!(tar::len(&tree).unwrap(), (9 << 30) + 1536 + 1024);
    let mut read = ::tar::Archive::new(&*head.0);
    let entry = read.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(entry.size(), 9 << 30);
}

#[test]
fn what_tar_cannot_hold_is_named() {
    let mut tree = Tree::new();
    let kind = Kind::Char { major: 5_000_000, minor: 0 };
    tree.insert(any::path("dev"), Node { meta: Meta::default(), kind, origin: Default::default() }).unwrap();
    let e = tar::len(&tree).unwrap_err().to_string();
    assert_eq!(e, "device `dev` has number 5000000; tar allows 2097151");
}

proptest! {
    #[test]
    fn any_tree_comes_back(tree in any::trees()) {
        let bytes = archive(&tree);
        let mut back = Tree::new();
        for entry in ::tar::Archive::new(&*bytes).entries().unwrap() {
            let mut entry = entry.unwrap();
            let number = |e: &::tar::Entry<'_, _>, key| {
                let field = e.header().as_ustar().unwrap();
                if key { field.device_major().unwrap() } else { field.device_minor().unwrap() }
            };
            let (major, minor) = (number(&entry, true), number(&entry, false));
            let link = entry.link_name_bytes().map(|n| n.into_owned()).unwrap_or_default();
            let mtime = entry.header().mtime().unwrap();
            let mut time = Time::from_unix(mtime.try_into().unwrap());
            for record in entry.pax_extensions().unwrap().into_iter().flatten() {
                let record = record.unwrap();
                if record.key_bytes() == b"mtime" {
                    let text = record.value().unwrap();
                    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
                    let nanos: i64 = format!("{part:0<9}").parse().unwrap();
                    let whole: i64 = whole.trim_start_matches('-').parse().unwrap();
                    let all = i128::from(whole) * 1_000_000_000 + i128::from(nanos);
                    let all = if text.starts_with('-') { -all } else { all };
                    time = Time {
                        seconds: all.div_euclid(1_000_000_000).try_into().unwrap(),
                        nanos: all.rem_euclid(1_000_000_000).try_into().unwrap(),
                    };
                }
            }
            let meta = Meta {
                mode: entry.header().mode().unwrap().try_into().unwrap(),
                uid: entry.header().uid().unwrap().try_into().unwrap(),
                gid: entry.header().gid().unwrap().try_into().unwrap(),
                mtime: time,
                ..Meta::default()
            };
            let kind = match entry.header().entry_type().as_byte() {
                b'5' => Kind::Dir,
                b'1' => Kind::HardLink(any::path(&link)),
                b'2' => Kind::Symlink(link.into()),
                b'3' => Kind::Char { major, minor },
                b'4' => Kind::Block { major, minor },
                b'6' => Kind::Fifo,
                _ => {
                    let mut content = Vec::new();
                    entry.read_to_end(&mut content).unwrap();
                    Kind::File(content.into())
                }
            };
            let path = any::path(entry.path_bytes());
            prop_assert!(back.get(&path).is_none(), "{path} twice");
            back.insert(path, Node { meta, kind, origin: Default::default() }).unwrap();
        }
        prop_assert_eq!(back, tree);
    }
}
