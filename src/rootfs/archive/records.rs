//! Records of an extended header: `LENGTH KEY=VALUE\n`.

use super::Problem;
use mkimage_formats::tree::{Time, Xattrs};

/// What the records before an entry say instead of its header.
#[derive(Default)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) mtime: Option<Time>,
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    pub(super) xattrs: Xattrs,
}

impl Records {
    /// Reads a header's records. An empty value takes a record back.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<(), Problem> {
        while !bytes.is_empty() {
            let (key, value, rest) = split(bytes).ok_or_else(|| malformed(bytes))?;
            self.take(key, value).ok_or_else(|| malformed(bytes))??;
            bytes = rest;
        }
        Ok(())
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<Result<(), Problem>> {
        let text = || Some(std::str::from_utf8(value).ok()?.to_owned());
        let number = || match value {
            b"" => Some(None),
            _ => text()?.parse().ok().map(Some),
        };
        let bytes = || (!value.is_empty()).then(|| value.to_vec());
        match key {
            b"path" => self.path = bytes(),
            b"linkpath" => self.link = bytes(),
            b"size" => self.size = number()?,
            b"uid" => self.uid = number()?,
            b"gid" => self.gid = number()?,
            b"mtime" if value.is_empty() => self.mtime = None,
            b"mtime" => self.mtime = Some(time(&text()?)?),
            b"uname" => self.user = Some(String::from_utf8_lossy(value).into_owned()),
            b"gname" => self.group = Some(String::from_utf8_lossy(value).into_owned()),
            _ if key.starts_with(b"GNU.sparse.") => return Some(Err(Problem::Sparse)),
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    self.xattrs.insert(name.to_vec(), value.to_vec());
                }
            }
        }
        Some(Ok(()))
    }
}

/// The first record's key and value, and what follows it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|b| *b == b' ')?;
    let len: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..len)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|b| *b == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &bytes[len..]))
}

fn malformed(bytes: &[u8]) -> Problem {
    let start = &bytes[..bytes.len().min(40)];
    Problem::Record { text: String::from_utf8_lossy(start).escape_debug().to_string() }
}

/// Decimal seconds, digits beyond the ninth of the fraction dropped.
fn time(text: &str) -> Option<Time> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let number = |s: &str| if s.bytes().all(|b| b.is_ascii_digit()) { s.parse::<i64>().ok() } else { None };
    let seconds = number(whole)?;
    let nanos = number(&format!("{:0<9}", &fraction.get(..9).unwrap_or(fraction)))?;
    let nanos = u32::try_from(nanos).ok()?;
    Some(match (negative, nanos) {
        (false, _) => Time { seconds, nanos },
        (true, 0) => Time::from_unix(-seconds),
        (true, _) => Time { seconds: -seconds - 1, nanos: 1_000_000_000 - nanos },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_newlines_and_equals_signs() {
        let mut r = Records::default();
        r.read(b"25 SCHILY.xattr.a=x\n=\n\x00y\n12 path=a=b\n").unwrap();
        assert_eq!(r.xattrs[&b"a"[..]], b"x\n=\n\0y");
        assert_eq!(r.path.as_deref(), Some(&b"a=b"[..]));
        for bad in ["5 a=b\n", "7 a=b\n", "6 ab=\r", "x path=a\n", "99999999999999999999 a=b\n", "0 a=b\n"] {
            assert!(matches!(r.read(bad.as_bytes()), Err(Problem::Record { .. })), "{bad}");
        }
        assert!(matches!(r.read(b"22 GNU.sparse.major=1\n"), Err(Problem::Sparse)));
    }

    #[test]
    fn times_have_signs_and_fractions() {
        for (text, want) in [
            ("5", Some((5, 0))),
            ("1.5", Some((1, 500_000_000))),
            ("-0.5", Some((-1, 500_000_000))),
            ("-5", Some((-5, 0))),
            ("0.00000000199", Some((0, 1))),
            ("1e3", None),
            ("", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(time(text), want.map(|(seconds, nanos)| Time { seconds, nanos }), "{text}");
        }
    }
}
