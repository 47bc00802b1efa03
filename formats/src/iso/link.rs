//! Targets of symbolic links: \[RRIP\] §4.1.3 "SL".
//!
//! ```text
//! "SL" len 1 flags ┬─ component ─┬─ component ─┬ ─ ─   an entry has at most 255 bytes
//!                  flags len text flags len text       and 250 of components
//! ```
//!
//! A target of more than 250 bytes takes several entries. Where an entry ends between two
//! components, Linux puts a slash and libarchive (3.6, `parse_rockridge_SL1`) none. All readers agree
//! where it ends inside of one, so every entry but the last is full to the last byte, and its last
//! component continues in the next.

/// Bytes of components in an entry: 255 less signature, length, version and flags.
const ROOM: usize = 250;
/// A component's flags and length.
const HEAD: usize = 2;

// Flags of a component.
const CONTINUE: u8 = 1;
const CURRENT: u8 = 2;
const PARENT: u8 = 4;
const ROOT: u8 = 8;

/// The components of each entry for `target`. Slashes that follow a slash are dropped: no two
/// readers agree on an empty component in the middle.
pub(super) fn entries(target: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = vec![Vec::new()];
    if target.first() == Some(&b'/') {
        entries[0].extend([ROOT, 0]);
    }
    let mut parts: Vec<&[u8]> = target.split(|b| *b == b'/').filter(|p| !p.is_empty()).collect();
    if has_slash_at_end(target) {
        parts.push(b"");
    }
    let last = parts.len().saturating_sub(1);
    for (n, part) in parts.into_iter().enumerate() {
        push(&mut entries, part, n == last);
    }
    entries
}

fn has_slash_at_end(target: &[u8]) -> bool {
    target.last() == Some(&b'/') && target.iter().any(|b| *b != b'/')
}

fn component(entry: &mut Vec<u8>, flags: u8, text: &[u8]) {
    let len = u8::try_from(text.len()).expect("an entry has less room than that");
    entry.extend([flags, len]);
    entry.extend(text);
}

/// Adds a component. Unless it is the last, two bytes or more stay free after it.
fn push(entries: &mut Vec<Vec<u8>>, mut text: &[u8], last: bool) {
    let free_after = if last { 0 } else { HEAD };
    let special = match text {
        b"." => CURRENT,
        b".." => PARENT,
        _ => 0,
    };
    let mut entry = entries.pop().expect("there is a first entry");
    if special != 0 && entry.len() + HEAD + free_after <= ROOM {
        component(&mut entry, special, b"");
        return entries.push(entry);
    }
    while entry.len() + HEAD + text.len() + free_after > ROOM {
        let room = ROOM - entry.len() - HEAD;
        // Where one byte would stay free, too few for another head, two stay free.
        let here = if room == text.len() + 1 { text.len() - 1 } else { text.len().min(room) };
        component(&mut entry, CONTINUE, &text[..here]);
        if entry.len() < ROOM {
            component(&mut entry, CONTINUE, b"");
        }
        text = &text[here..];
        entries.push(std::mem::take(&mut entry));
    }
    component(&mut entry, 0, text);
    entries.push(entry);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader makes of entries: libarchive's way, which puts no slash between entries, or
    /// Linux's, which puts one where a component does not continue.
    fn read(entries: &[Vec<u8>], slash_between: bool) -> Vec<u8> {
        let (mut out, mut separator) = (Vec::new(), &b""[..]);
        for entry in entries {
            if !slash_between {
                separator = b"";
            }
            let mut rest = &entry[..];
            while let [flags, len, text @ ..] = rest {
                let (text, after) = text.split_at(usize::from(*len));
                out.extend(separator);
                separator = if flags & (CONTINUE | ROOT) == 0 { b"/" } else { b"" };
                match flags & !CONTINUE {
                    CURRENT => out.extend(b"."),
                    PARENT => out.extend(b".."),
                    ROOT => out.extend(b"/"),
                    0 => out.extend(text),
                    other => panic!("flags {other}"),
                }
                rest = after;
            }
        }
        out
    }

    #[test]
    fn every_reader_reads_every_length() {
        for (start, part) in [("", "abc"), ("/", "a"), ("", ".."), ("/", "."), ("", "12345678")] {
            for len in 1..1200 {
                for end in ["", "x", "/"] {
                    let mut target = format!("{start}{}", format!("{part}/").repeat(400));
                    target.truncate(len);
                    let target = format!("{}{end}", target.trim_end_matches('/'));
                    let entries = entries(target.as_bytes());
                    let (last, full) = entries.split_last().unwrap();
                    assert!(last.len() <= ROOM && full.iter().all(|e| e.len() == ROOM), "{target}");
                    for slash_between in [false, true] {
                        let read = String::from_utf8(read(&entries, slash_between)).unwrap();
                        assert_eq!(read, target, "{slash_between}");
                    }
                }
            }
        }
    }

    #[test]
    fn doubled_slashes_become_one() {
        assert_eq!(read(&entries(b"//a///b"), true), b"/a/b");
    }
}
