//! What all dumps share: claims on ranges, and the comparison with the text that is kept.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// An image, and what is known of its ranges.
pub(crate) struct Dump<'a> {
    pub(crate) bytes: &'a [u8],
    claims: BTreeMap<usize, (usize, String)>,
}

/// A field: name, offset in its structure, bytes.
pub(crate) type Field = (&'static str, usize, usize);

impl<'a> Dump<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Dump { bytes, claims: BTreeMap::new() }
    }

    /// Says what `len` bytes at `at` are. A second claim on the same range (a file's other name)
    /// is added to the first.
    pub(crate) fn claim(&mut self, at: usize, len: usize, text: &str) {
        if len == 0 {
            return;
        }
        let claim = self.claims.entry(at).or_insert_with(|| (len, String::new()));
        assert_eq!(claim.0, len, "{at:#x} is {:?} and {text}", claim.1);
        let and = if claim.1.is_empty() { "" } else { "; " };
        write!(claim.1, "{and}{text}").unwrap();
    }

    /// Claims a structure by its `fields`, which have to cover all of it that is not zero.
    pub(crate) fn fields(&mut self, at: usize, len: usize, name: &str, fields: &[Field]) {
        let mut text = format!("{name}:");
        let mut end = 0;
        for &(field, start, size) in fields {
            let reserved = &self.bytes[at + end..at + start];
            assert!(reserved.iter().all(|&b| b == 0), "{name} at {at:#x}, before {field}: {reserved:x?}");
            end = start + size;
            let value = &self.bytes[at + start..at + end];
            // The byte of the digit is also that of a number.
            let inner = value.iter().rposition(|&b| b != 0).map_or(&[][..], |last| &value[..last]);
            if value.iter().any(|b| !b" 0\0".contains(b)) || inner.contains(&0) {
                write!(text, " {field}={}", show(value)).unwrap();
            }
        }
        assert!(self.bytes[at + end..at + len].iter().all(|&b| b == 0), "{name} at {at:#x}, after {end}");
        self.claim(at, len, &text);
    }

    /// All claims in order, with the zeros between them. Other bytes there fail the test, as do
    /// claims that overlap.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut at = 0;
        let end = (self.bytes.len(), (0, String::new()));
        for (start, (len, what)) in self.claims.clone().into_iter().chain([end]) {
            assert!(at <= start, "{what} at {start:#x} is in what ends at {at:#x}");
            assert!(self.bytes[at..start].iter().all(|&b| b == 0), "unknown bytes in {at:#x}..{start:#x}");
            if at < start {
                writeln!(text, "{at:08x} {:7} zeros", start - at).unwrap();
            }
            if len > 0 {
                writeln!(text, "{start:08x} {len:7} {what}").unwrap();
            }
            at = start + len;
        }
        assert_eq!(at, self.bytes.len());
        text
    }

    /// Compares with `testdata/golden/NAME.txt`, or writes it.
    pub(crate) fn compare(&self, name: &str) {
        let digest = Sha256::digest(self.bytes).iter().fold(String::new(), |hex, b| format!("{hex}{b:02x}"));
        let found = format!("# UPDATE_GOLDEN=1 {}\nsha256 {digest}\n{}", super::COMMAND, self.text());
        let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let kept = folders.map(|folder| folder.join("testdata/golden")).find(|folder| folder.is_dir());
        let kept = kept.unwrap().join(name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&kept, &found).unwrap();
        }
        let wanted = std::fs::read_to_string(&kept).unwrap();
        for (n, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate().skip(2) {
            assert_eq!(found, wanted, "{name}:{}", n + 1);
        }
        assert_eq!(found, wanted, "{name}");
    }
}

/// Text in quotes if it is some, hexadecimal bytes if not. Four bytes are a number.
pub(crate) fn show(value: &[u8]) -> String {
    let end = value.iter().rposition(|b| !b" \0".contains(b)).map_or(0, |n| n + 1);
    let trimmed = &value[..end];
    if value.len() != 4 && !trimmed.is_empty() && trimmed.iter().all(|b| (b' '..=b'~').contains(b)) {
        return format!("{:?}", String::from_utf8_lossy(trimmed));
    }
    value.iter().fold(String::new(), |hex, b| format!("{hex}{b:02x}"))
}
