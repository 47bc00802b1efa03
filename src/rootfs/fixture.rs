//! Layers for tests, made in memory by the `tar` crate.

use super::layers::Layer;
use mkimage_formats::{Kind, Slice, Source, Tree, emit};
use std::path::Path;
use tar::{EntryType, Header};

/// A layer from entries in a line each, as [`bytes`] reads them.
pub(super) fn layer(dir: &Path, name: &str, entries: &str) -> Layer {
    file(dir, name, &bytes(entries))
}

/// A layer of any bytes.
pub(super) fn file(dir: &Path, name: &str, bytes: &[u8]) -> Layer {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    let source = Source::new(path).unwrap();
    let slice = Slice { at: 0, len: source.len(), source };
    Layer { name: name.into(), slice }
}

/// A tar file: `d PATH`, `f PATH CONTENT`, `l PATH TARGET`, `h PATH TARGET`, `p PATH`,
/// `c PATH`; a mode may follow the letter.
pub(super) fn bytes(entries: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for line in entries.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        let (letter, mode) = words[0].split_at(1);
        let rest = words.get(2).copied().unwrap_or_default();
        let mut header = Header::new_gnu();
        header.set_mode(u32::from_str_radix(mode, 8).unwrap_or(0o755));
        header.set_mtime(1_600_000_000);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        // Names that the crate would refuse to write.
        header.as_old_mut().name[..words[1].len()].copy_from_slice(words[1].as_bytes());
        let mut content = "";
        let kind = match letter {
            "d" => EntryType::Directory,
            "l" => EntryType::Symlink,
            "h" => EntryType::Link,
            "p" => EntryType::Fifo,
            "c" => EntryType::Char,
            _ => {
                content = rest;
                EntryType::Regular
            }
        };
        header.set_entry_type(kind);
        if matches!(letter, "l" | "h") {
            header.as_old_mut().linkname[..rest.len()].copy_from_slice(rest.as_bytes());
        }
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.append(&header, content.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A tree in a line for each path, as [`bytes`] takes them but for modes.
pub(super) fn listed(tree: &Tree) -> Vec<String> {
    use emit::Sink;
    let line = |(path, node): (_, &mkimage_formats::Node)| match &node.kind {
        Kind::Dir => format!("d {path}"),
        Kind::File(layout) => {
            let mut out = emit::Stream::new(Vec::new());
            out.layout(layout).unwrap();
            format!("f {path} {}", String::from_utf8_lossy(&out.into_inner())).trim_end().into()
        }
        Kind::Symlink(target) => format!("l {path} {}", String::from_utf8_lossy(target)),
        Kind::HardLink(first) => format!("h {path} {first}"),
        Kind::Fifo => format!("p {path}"),
        Kind::Char { .. } | Kind::Block { .. } => format!("c {path}"),
    };
    tree.iter().map(line).collect()
}
