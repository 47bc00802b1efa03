//! A specimen of everything that a root file system can have, and what a guest says of each.
//!
//! ```text
//! specimens/   regular files, sparse, shared by names, of others' and with attributes; symbolic
//!              links; devices and a pipe; folders deep and full
//! ```

use crate::noise::Noise;
use anyhow::Result;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use tar::{EntryType, Header};

/// Where they are.
const FOLDER: &str = "specimens";
/// Files in the folder that is too full for a block.
const MANY: usize = 300;
/// Levels of folders: ISO 9660 has eight.
const DEEP: &str = "deep/2/3/4/5/6/7/8/9/10";
/// Seconds since 1970.
const TIME: u64 = 1_234_567_890;

/// Linux cuts longer names of Rock Ridge (fs/isofs/rock.c, `get_rock_ridge_filename`).
const ISO_NAME: usize = 253;
/// Of a device's number it takes eight bits as the minor one (there, `parse_rock_ridge_inode_internal`).
const ISO_MINOR: u32 = 255;

/// One path.
struct Specimen {
    path: String,
    kind: Kind,
    mode: u32,
    owner: (u32, u32),
    attributes: &'static [(&'static str, &'static [u8])],
}

enum Kind {
    Folder,
    File {
        content: Vec<u8>,
        names: u32,
    },
    /// One more name of the file at that path.
    Name(&'static str),
    Symlink(String),
    Char(u32, u32),
    Block(u32, u32),
    Pipe,
}

impl Specimen {
    fn new(path: impl Into<String>, kind: Kind) -> Self {
        let mode = match kind {
            Kind::Folder => 0o755,
            Kind::Symlink(_) => 0o777,
            _ => 0o640,
        };
        Specimen { path: path.into(), kind, mode, owner: (0, 0), attributes: &[] }
    }

    fn is_seen_on_iso(&self) -> bool {
        let minor = if let Kind::Char(_, minor) | Kind::Block(_, minor) = self.kind { minor } else { 0 };
        self.path.len() <= ISO_NAME && minor <= ISO_MINOR
    }
}

fn file(content: impl Into<Vec<u8>>) -> Kind {
    Kind::File { content: content.into(), names: 1 }
}

/// \[Linux\] include/uapi/linux/capability.h, `vfs_cap_data` of revision 2: CAP_NET_RAW, permitted
/// and effective.
const NET_RAW: &[u8; 20] =
    b"\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";

/// All but the many.
fn specimens() -> Vec<Specimen> {
    let mut noise = vec![0; 1 << 20];
    Noise::new(2).fill(&mut noise);
    // A hole between and after what is not zero, longer than any file system's block.
    let mut sparse = vec![0; 9 << 20];
    sparse[..5000].copy_from_slice(&noise[..5000]);
    sparse[6 << 20..][..5000].copy_from_slice(&noise[5000..10_000]);
    let long = ["a long target of some folders"; 120].join("/");
    let mut all = vec![
        Specimen { mode: 0o1777, ..Specimen::new("", Kind::Folder) },
        Specimen::new("empty", file("")),
        Specimen::new("noise", file(noise)),
        Specimen::new("a text", file("of few words\n".repeat(900))),
        Specimen::new("sparse", file(sparse)),
        Specimen::new("zeros", file(vec![0; 2 << 20])),
        Specimen::new("N".repeat(ISO_NAME), file("behind a long name")),
        Specimen::new("M".repeat(255), file("behind a longer name")),
        Specimen { mode: 0o4755, owner: (70_000, 4_000_000_000), ..Specimen::new("of others", file("x")) },
        Specimen { mode: 0o2770, owner: (1000, 100), ..Specimen::new("shared", Kind::Folder) },
        Specimen::new("shared/first", Kind::File { content: b"under three names".to_vec(), names: 3 }),
        Specimen::new("second", Kind::Name("shared/first")),
        Specimen::new("shared/third", Kind::Name("shared/first")),
        Specimen::new("short", Kind::Symlink("shared/first".into())),
        Specimen::new("long", Kind::Symlink(long)),
        Specimen { mode: 0o666, ..Specimen::new("null", Kind::Char(1, 3)) },
        Specimen::new("tty", Kind::Char(511, 200)),
        Specimen { owner: (0, 6), ..Specimen::new("disk", Kind::Block(259, 1_000_000)) },
        Specimen::new("pipe", Kind::Pipe),
        Specimen {
            attributes: &[("security.capability", NET_RAW), ("user.note", b"of a file")],
            ..Specimen::new("ping", file("x".repeat(9000)))
        },
        Specimen {
            attributes: &[("trusted.overlay.opaque", b"y"), ("user.large", &[0x5a; 3000])],
            ..Specimen::new("opaque", Kind::Folder)
        },
        Specimen::new("many", Kind::Folder),
    ];
    let levels = DEEP.match_indices('/').map(|(at, _)| &DEEP[..at]).chain([DEEP]);
    all.extend(levels.map(|level| Specimen::new(level, Kind::Folder)));
    all.push(Specimen::new(format!("{DEEP}/file"), file("far down")));
    all
}

fn many() -> impl Iterator<Item = String> {
    (0..MANY).map(|number| format!("many/file number {number}"))
}

/// A tar archive of all, without an end: others can follow.
pub(super) fn archive() -> Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for specimen in specimens().into_iter().chain(many().map(|path| Specimen::new(path, file("")))) {
        let mut header = Header::new_gnu();
        header.set_mode(specimen.mode);
        header.set_uid(specimen.owner.0.into());
        header.set_gid(specimen.owner.1.into());
        header.set_mtime(TIME);
        header.set_size(0);
        let names = specimen.attributes.iter().map(|(name, _)| format!("SCHILY.xattr.{name}"));
        let records: Vec<_> = names.zip(specimen.attributes.iter().map(|(_, value)| *value)).collect();
        if !records.is_empty() {
            tar.append_pax_extensions(records.iter().map(|(name, value)| (name.as_str(), *value)))?;
        }
        let path = format!("{FOLDER}/{}", specimen.path);
        let (kind, device, content) = match specimen.kind {
            Kind::Folder => (EntryType::Directory, None, Vec::new()),
            Kind::File { content, .. } => (EntryType::Regular, None, content),
            Kind::Char(major, minor) => (EntryType::Char, Some((major, minor)), Vec::new()),
            Kind::Block(major, minor) => (EntryType::Block, Some((major, minor)), Vec::new()),
            Kind::Pipe => (EntryType::Fifo, None, Vec::new()),
            Kind::Name(first) => {
                header.set_entry_type(EntryType::Link);
                tar.append_link(&mut header, path, format!("{FOLDER}/{first}"))?;
                continue;
            }
            Kind::Symlink(target) => {
                header.set_entry_type(EntryType::Symlink);
                tar.append_link(&mut header, path, target)?;
                continue;
            }
        };
        header.set_entry_type(kind);
        if let Some((major, minor)) = device {
            header.set_device_major(major)?;
            header.set_device_minor(minor)?;
        }
        header.set_size(u64::try_from(content.len())?);
        tar.append_data(&mut header, path, &content[..])?;
    }
    Ok(tar.get_ref().clone())
}

/// What the guest says of them, but for what Linux does not see on an ISO 9660.
pub(super) fn lines(iso: bool) -> Result<Vec<String>> {
    let all = specimens();
    let mut lines = Vec::new();
    for specimen in all.iter().filter(|specimen| !iso || specimen.is_seen_on_iso()) {
        let same = match specimen.kind {
            Kind::Name(first) => all.iter().find(|other| other.path == first).unwrap_or(specimen),
            _ => specimen,
        };
        let (kind, what) = match &same.kind {
            Kind::Folder => ("directory", String::new()),
            Kind::File { content, names } => {
                let kind = if content.is_empty() { "regular empty file" } else { "regular file" };
                (kind, format!(" {} bytes, {names} links, {}  -", content.len(), sha256(content)))
            }
            Kind::Symlink(target) => {
                ("symbolic link", format!(" {}  -", sha256(format!("{target}\n").as_bytes())))
            }
            Kind::Char(major, minor) => ("character special file", format!(" {major:x}:{minor:x}")),
            Kind::Block(major, minor) => ("block special file", format!(" {major:x}:{minor:x}")),
            Kind::Pipe => ("fifo", String::new()),
            Kind::Name(first) => anyhow::bail!("there is no `{first}`"),
        };
        let (uid, gid) = same.owner;
        let path = if specimen.path.is_empty() { ".".into() } else { format!("./{}", specimen.path) };
        let mode = same.mode;
        lines.push(format!("guest: specimen {path}: {kind}, {mode:o}, of {uid}:{gid}, {TIME}{what}"));
        for (name, value) in specimen.attributes.iter().filter(|_| !iso) {
            let value = hex(value);
            lines.push(format!("guest: attribute of {}: {name}=0x{value}", specimen.path));
        }
    }
    let mut names: Vec<String> = many().chain(["many".into()]).collect();
    names.sort();
    lines.push(format!("guest: many {}  -", sha256(format!("{}\n", names.join("\n")).as_bytes())));
    lines.push(format!("guest: {} specimens", all.len() + MANY));
    Ok(lines)
}

/// As the guest tells it.
fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

/// In hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_path_of_the_archive_is_counted_once() {
        let archive = archive().unwrap();
        let mut archive = tar::Archive::new(&archive[..]);
        let paths = archive.entries().unwrap().map(|entry| entry.unwrap().path_bytes().into_owned());
        let paths: BTreeSet<_> = paths.collect();
        assert!(lines(true).unwrap().contains(&format!("guest: {} specimens", paths.len())));
    }

    #[test]
    fn names_of_a_file_are_told_as_the_file() {
        let lines = lines(true).unwrap();
        let second = lines.iter().find(|line| line.contains("./second:")).unwrap();
        assert!(second.contains(": regular file, 640, of 0:0, 1234567890 17 bytes, 3 links, "), "{second}");
        assert!(!lines.iter().any(|line| line.contains("attribute")));
    }
}
