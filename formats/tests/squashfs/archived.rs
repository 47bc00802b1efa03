//! What an archive that sqfs2tar makes of an image says, attributes too.

use crate::judge;
use crate::seen::{Groups, Nodes, Seen};
use mkimage_formats::TreePath;
use mkimage_formats::tree::{Time, Xattrs};
use std::io::Read;
use tar::EntryType;

type Entry<'a> = tar::Entry<'a, &'a [u8]>;

/// The nodes of the image, and which names are of one node. None without sqfs2tar.
pub(crate) fn archived(image: &[u8]) -> Option<(Nodes, Groups)> {
    let mut sqfs2tar = judge::program("sqfs2tar")?;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), image).unwrap();
    let out = sqfs2tar.args(["--no-skip", "--root-becomes", "."]).arg(file.path()).output().unwrap();
    assert!(out.status.success() && out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    let (mut nodes, mut links) = (Nodes::new(), Vec::new());
    for entry in tar::Archive::new(&*out.stdout).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = TreePath::new(entry.path_bytes()).unwrap();
        if entry.header().entry_type() == EntryType::Link {
            links.push((path, TreePath::new(entry.link_name_bytes().unwrap()).unwrap()));
        } else {
            let seen = seen(&mut entry);
            assert!(nodes.insert(path.clone(), seen).is_none(), "{path} is there twice");
        }
    }
    Some(with_links(nodes, links))
}

fn with_links(mut nodes: Nodes, links: Vec<(TreePath, TreePath)>) -> (Nodes, Groups) {
    let mut groups = std::collections::BTreeMap::<_, std::collections::BTreeSet<_>>::new();
    for (name, first) in links {
        groups.entry(first.clone()).or_insert_with(|| [first].into()).insert(name);
    }
    for (first, names) in &groups {
        let nlink = u32::try_from(names.len()).unwrap();
        nodes.get_mut(first).unwrap().nlink = nlink;
        for name in names {
            nodes.insert(name.clone(), nodes[first].clone());
        }
    }
    (nodes, groups.into_values().collect())
}

fn seen(entry: &mut Entry) -> Seen {
    let mut xattrs = Xattrs::new();
    for record in entry.pax_extensions().unwrap().into_iter().flatten() {
        let record = record.unwrap();
        if let Some(name) = record.key_bytes().strip_prefix(b"SCHILY.xattr.") {
            xattrs.insert(name.to_vec(), record.value_bytes().to_vec());
        }
    }
    let header = entry.header();
    let kind = match header.entry_type() {
        EntryType::Regular | EntryType::GNUSparse => 0o10,
        EntryType::Directory => 0o04,
        EntryType::Symlink => 0o12,
        EntryType::Char => 0o02,
        EntryType::Block => 0o06,
        EntryType::Fifo => 0o01,
        other => panic!("{other:?}"),
    };
    let device = matches!(kind, 0o02 | 0o06)
        .then(|| (header.device_major().unwrap().unwrap(), header.device_minor().unwrap().unwrap()));
    let id = |id: u64| u32::try_from(id).unwrap();
    let mut seen = Seen {
        mode: kind << 12 | header.mode().unwrap(),
        uid: id(header.uid().unwrap()),
        gid: id(header.gid().unwrap()),
        mtime: Time::from_unix(header.mtime().unwrap().try_into().unwrap()),
        nlink: 1,
        device,
        content: Vec::new(),
        xattrs,
    };
    match kind {
        0o12 => seen.content = entry.link_name_bytes().unwrap().to_vec(),
        _ => drop(entry.read_to_end(&mut seen.content).unwrap()),
    }
    seen
}
