//! Identifiers: what names become where Rock Ridge is not read.
//!
//! | | folder | file | of several equal ones the second |
//! |---|---|---|---|
//! | primary, level 3 of \[ECMA-119\] | `NAME`, 31 | `NAME.EXT;1`, 30 without `;1` | `NAME_1.EXT;1` |
//! | \[Joliet\] | 64 units of UCS-2 | the same | `Name_1.ext` |

use super::View;
use super::nodes::Nodes;
use crate::tree::Kind;
use std::collections::BTreeMap;
use std::ops::Range;

/// \[ECMA-119\] §7.6.3 and §7.5.1: bytes of a folder's identifier, and of name and extension of a
/// file's with the dot.
const MAX_FOLDER: usize = 31;
const MAX_FILE: usize = 30;
/// \[ECMA-119\] §7.5.1: the version.
const VERSION: &[u8] = b";1";
/// \[Joliet\] "Joliet Directory Identifiers": 128 bytes.
const MAX_JOLIET: usize = 128;

/// What a record is for.
#[derive(Clone, Copy)]
pub(super) enum Child {
    Folder(usize),
    /// A folder that has moved away.
    Moved(usize),
    File(usize),
}

/// A node in a folder.
pub(super) struct Entry {
    pub(super) child: Child,
    identifier: Range<usize>,
}

/// The entries of all folders of one tree.
pub(super) struct Names {
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// Of each folder.
    ends: Vec<usize>,
}

impl Names {
    /// Those of `nodes` as `view` has them.
    pub(super) fn new(nodes: &Nodes, view: View) -> Self {
        let mut names = Names { text: Vec::new(), entries: Vec::new(), ends: Vec::new() };
        for (number, folder) in nodes.folders.iter().enumerate() {
            let start = names.entries.len();
            let mut taken = BTreeMap::new();
            let mut add = |child, identifier| {
                let identifier = unique(identifier, &mut taken, view);
                let at = names.text.len();
                names.text.extend(identifier);
                names.entries.push(Entry { child, identifier: at..names.text.len() });
            };
            for &below in nodes.folders_in(number, view) {
                let inside = &nodes.folders[below];
                match inside.moved.filter(|_| view == View::Primary) {
                    Some(n) => add(Child::Folder(below), format!("RRD{n:06}").into_bytes()),
                    None => add(Child::Folder(below), view.folder(inside.name)),
                }
            }
            if view == View::Primary && folder.primary.is_empty() {
                for &below in &folder.folders {
                    add(Child::Moved(below), view.folder(nodes.folders[below].name));
                }
            }
            for &file in &folder.files {
                let node = &nodes.files[file];
                if view == View::Primary || matches!(node.node.kind, Kind::File(_)) {
                    add(Child::File(file), view.file(node.path.name()));
                }
            }
            let Names { text, entries, ends } = &mut names;
            entries[start..].sort_by(|a, b| text[a.identifier.clone()].cmp(&text[b.identifier.clone()]));
            ends.push(entries.len());
        }
        names
    }

    /// The entries of `folder` with their identifiers, in the order of records.
    pub(super) fn in_folder(&self, folder: usize) -> impl Iterator<Item = (Child, &[u8])> {
        let start = folder.checked_sub(1).map_or(0, |before| self.ends[before]);
        let entries = &self.entries[start..self.ends[folder]];
        entries.iter().map(|entry| (entry.child, &self.text[entry.identifier.clone()]))
    }
}

/// `identifier`, or one with a number that is not `taken`, which has each identifier and the last
/// number that it was given.
fn unique(identifier: Vec<u8>, taken: &mut BTreeMap<Vec<u8>, usize>, view: View) -> Vec<u8> {
    let Some(&last) = taken.get(&identifier) else {
        taken.insert(identifier.clone(), 0);
        return identifier;
    };
    let mut numbers = last + 1..;
    loop {
        let n = numbers.next().expect("without end");
        let numbered = view.numbered(&identifier, &format!("_{n}"));
        if !taken.contains_key(&numbered) {
            taken.insert(identifier, n);
            taken.insert(numbered.clone(), 0);
            return numbered;
        }
    }
}

impl View {
    fn folder(self, name: &[u8]) -> Vec<u8> {
        match self {
            View::Primary => d_characters(&String::from_utf8_lossy(name), MAX_FOLDER).collect(),
            View::Joliet => joliet(&String::from_utf8_lossy(name)),
        }
    }

    fn file(self, name: &[u8]) -> Vec<u8> {
        let name = String::from_utf8_lossy(name);
        if self == View::Joliet {
            return joliet(&name);
        }
        // There is a dot even if there is no extension.
        let (stem, extension, max) = match name.rsplit_once('.') {
            Some((stem, extension)) => {
                // Of an extension that is too long, one byte less than there would be room for.
                let len = extension.chars().count().min(MAX_FILE - 2);
                (stem, d_characters(extension, len), MAX_FILE - 1 - len)
            }
            None => (&*name, d_characters("", 0), MAX_FILE),
        };
        let mut out: Vec<u8> = d_characters(stem, max).collect();
        out.push(b'.');
        out.extend(extension);
        out.extend(VERSION);
        out
    }

    /// `identifier` with `suffix` at the end of its name, cut so that it fits.
    fn numbered(self, identifier: &[u8], suffix: &str) -> Vec<u8> {
        let (name, version) = match identifier.strip_suffix(VERSION) {
            Some(name) if self == View::Primary => (name, VERSION),
            _ => (identifier, &b""[..]),
        };
        let (dot, suffix, max) = match self {
            View::Primary => (&b"."[..], suffix.as_bytes().to_vec(), MAX_FILE),
            View::Joliet => (&b"\0."[..], joliet(suffix), MAX_JOLIET),
        };
        let at = name.chunks(dot.len()).rposition(|unit| unit == dot);
        let (stem, extension) = name.split_at(at.map_or(name.len(), |unit| unit * dot.len()));
        let extension = &extension[..extension.len().min(max - suffix.len())];
        let room = max - suffix.len() - extension.len();
        [&stem[..stem.len().min(room)], &suffix, extension, version].concat()
    }
}

/// \[ECMA-119\] §7.4.1: the first `max` characters as capital letters, digits and `_`.
fn d_characters(text: &str, max: usize) -> impl Iterator<Item = u8> {
    text.chars().take(max).map(|c| match u8::try_from(c) {
        Ok(byte) if byte.is_ascii_alphanumeric() => byte.to_ascii_uppercase(),
        _ => b'_',
    })
}

/// \[Joliet\] "Allowed Character Set": UCS-2, from the most significant byte.
fn joliet(name: &str) -> Vec<u8> {
    let unit = |c| match c {
        '\0'..='\x1f' | '*' | '/' | ':' | ';' | '?' | '\\' => u16::from(b'_'),
        _ => u16::try_from(u32::from(c)).unwrap_or(u16::from(b'_')),
    };
    name.chars().take(MAX_JOLIET / 2).flat_map(|c| unit(c).to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joliet_text(identifier: &[u8]) -> String {
        let units: Vec<_> = identifier.chunks(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]])).collect();
        String::from_utf16(&units).unwrap()
    }

    #[test]
    fn names_become_identifiers_of_few_characters() {
        let long = "n".repeat(70);
        let table = [
            ("readme.txt", "README.TXT;1", "README_TXT", "readme.txt"),
            ("x.tar.gz", "X_TAR.GZ;1", "X_TAR_GZ", "x.tar.gz"),
            ("Makefile", "MAKEFILE.;1", "MAKEFILE", "Makefile"),
            ("dot.", "DOT.;1", "DOT_", "dot."),
            (".hidden", ".HIDDEN;1", "_HIDDEN", ".hidden"),
            ("a b*;", "A_B__.;1", "A_B__", "a b__"),
            ("\u{fc}\u{1f600}", "__.;1", "__", "\u{fc}_"),
            (&long, &format!("{}.;1", "N".repeat(30)), &"N".repeat(31), &"n".repeat(64)),
            (&format!("{long}.c"), &format!("{}.C;1", "N".repeat(28)), &"N".repeat(31), &"n".repeat(64)),
            (&format!("c.{long}"), &format!("C.{};1", "N".repeat(28)), &format!("C_{}", "N".repeat(29)), {
                &format!("c.{}", "n".repeat(62))
            }),
        ];
        for (name, file, folder, joliet) in table {
            assert_eq!(View::Primary.file(name.as_bytes()), file.as_bytes(), "{name}");
            assert_eq!(View::Primary.folder(name.as_bytes()), folder.as_bytes(), "{name}");
            assert_eq!(joliet_text(&View::Joliet.file(name.as_bytes())), joliet, "{name}");
            assert_eq!(joliet_text(&View::Joliet.folder(name.as_bytes())), joliet, "{name}");
        }
        assert_eq!(joliet_text(&View::Joliet.file(b"\xff.\xfe")), "\u{fffd}.\u{fffd}");
    }

    #[test]
    fn equal_identifiers_get_numbers_that_nothing_else_has() {
        let mut taken = BTreeMap::new();
        let mut identifier = |name: &str| {
            let unique = unique(View::Primary.file(name.as_bytes()), &mut taken, View::Primary);
            String::from_utf8(unique).unwrap()
        };
        assert_eq!(
            ["a_2.c", "a.c", "A.c", "a.C"].map(&mut identifier),
            ["A_2.C;1", "A.C;1", "A_1.C;1", "A_3.C;1"]
        );
        assert_eq!(identifier("a_1.c"), "A_1_1.C;1");
        let long = "x".repeat(40);
        identifier(&long);
        assert_eq!(identifier(&long), format!("{}_1.;1", "X".repeat(27)));
    }

    #[test]
    fn numbered_identifiers_fit() {
        for (view, max) in [(View::Primary, 32), (View::Joliet, 128)] {
            for name in
                ["y", &"x".repeat(90), &format!("{}.txt", "x".repeat(90)), &format!(".{}", "e".repeat(90))]
            {
                for n in ["_1", "_10", "_50000"] {
                    let identifiers = [view.file(name.as_bytes()), view.folder(name.as_bytes())];
                    for identifier in identifiers {
                        let numbered = view.numbered(&identifier, n);
                        assert!(numbered.len() <= max && numbered != identifier, "{view:?} {name} {n}");
                    }
                }
            }
        }
    }
}
