//! Records of an extended header: `LENGTH KEY=VALUE\n`, where the length counts itself.

use crate::tree::Time;
use std::collections::BTreeMap;

/// Records by key, in whose byte order they are written.
#[derive(Default)]
pub(super) struct Records(BTreeMap<Vec<u8>, Vec<u8>>);

impl Records {
    pub(super) fn add(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.0.insert(key.as_ref().to_vec(), value.as_ref().to_vec());
    }

    /// The header's field for `name`; a record too if the field cannot hold it.
    pub(super) fn name<const N: usize>(&mut self, key: &str, name: &[u8]) -> [u8; N] {
        if name.len() > N || !name.is_ascii() {
            self.add(key, name);
            if std::str::from_utf8(name).is_err() {
                // [PAX] "hdrcharset": what follows is not UTF-8.
                self.add("hdrcharset", "BINARY");
            }
        }
        super::fitting(name)
    }

    /// All records; none if there is none.
    pub(super) fn into_bytes(self) -> Option<Vec<u8>> {
        if self.0.is_empty() {
            return None;
        }
        let mut out = Vec::new();
        for (key, value) in self.0 {
            let rest = key.len() + value.len() + 3; // space, equals sign, newline
            let mut len = rest;
            while len != rest + len.to_string().len() {
                len = rest + len.to_string().len();
            }
            out.extend_from_slice(len.to_string().as_bytes());
            out.push(b' ');
            out.extend_from_slice(&key);
            out.push(b'=');
            out.extend_from_slice(&value);
            out.push(b'\n');
        }
        Some(out)
    }
}

/// \[PAX\] "mtime": decimal seconds.
pub(super) fn time(time: Time) -> String {
    if time.nanos == 0 {
        return time.seconds.to_string();
    }
    // Before 1970 the fraction counts backwards from the next second.
    let (sign, seconds, nanos) = if time.seconds < 0 {
        ("-", (time.seconds + 1).unsigned_abs(), 1_000_000_000 - time.nanos)
    } else {
        ("", time.seconds.unsigned_abs(), time.nanos)
    };
    let text = format!("{sign}{seconds}.{nanos:09}");
    text.trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_counts_its_own_digits() {
        for (value, want) in [(1, "6 k=v\n".len()), (93, 99), (94, 101), (95, 102)] {
            let mut r = Records::default();
            r.add("k", "v".repeat(value));
            let bytes = r.into_bytes().unwrap();
            assert_eq!(bytes.len(), want);
            assert!(bytes.starts_with(format!("{want} k=v").as_bytes()));
        }
        assert_eq!(Records::default().into_bytes(), None);
    }

    #[test]
    fn times_before_1970_are_negative_decimals() {
        for (seconds, nanos, want) in [
            (5, 0, "5"),
            (-5, 0, "-5"),
            (1, 500_000_000, "1.5"),
            (-1, 500_000_000, "-0.5"),
            (-2, 1, "-1.999999999"),
            (0, 10, "0.00000001"),
        ] {
            assert_eq!(time(Time { seconds, nanos }), want);
        }
    }
}
