//! What Rock Ridge adds to a record: entries of \[SUSP\] and \[RRIP\].
//!
//! ```text
//! record   ├ DirectoryRecord ┼ identifier ┼ SP ┼ PX ┼ TF ┼ NM ┼ CE ┤       up to 254 bytes
//!                                                              │
//! after all records of the folder      ┌ block, offset, length ┘
//! area     ─ ─ ┼ SL ┼ SL ┼ ─ ─ ┼ CE ┼ ─ ─      up to a block, and within one
//! ```

use super::structs::{BLOCK_LEN, Both32, Continuation, DeviceNumber, DirectoryRecord, Posix, TIMES, Times};
use super::{date, link};
use crate::tree::Meta;
use zerocopy::{Immutable, IntoBytes};

/// Bytes of an entry before its content: signature, length, version.
const HEAD: usize = 4;
/// Bytes of a `CE`.
pub(super) const CONTINUATION: usize = HEAD + size_of::<Continuation>();
/// \[ECMA-119\] §9.1.1: bytes of a record, of which there is an even number.
const MAX_RECORD: usize = 254;

/// \[SUSP\] §5.3 "SP": what tells that there are entries.
const CHECK: [u8; 3] = [0xbe, 0xef, 0];
/// \[RRIP\] §4.3: what `ER` says, as mkisofs and xorriso do.
const ID: &str = "RRIP_1991A";
const DESCRIPTOR: &str =
    "THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS";
const SOURCE: &str = "PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE. SEE PUBLISHER IDENTIFIER IN \
                      PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION.";
const VERSION: u8 = 1;

// \[RRIP\] §4.1.4 "NM": flags.
const CONTINUE: u8 = 1;
const CURRENT: u8 = 2;
const PARENT: u8 = 4;
/// Bytes of a name in an entry, after the flags.
const MAX_NAME: usize = 250;

/// The entries of one record.
#[derive(Default)]
pub(super) struct SystemUse(Vec<u8>);

impl SystemUse {
    /// Forgets all entries.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn push(&mut self, signature: &[u8; 2], contents: &[&[u8]]) {
        let start = self.0.len();
        self.0.extend(signature);
        self.0.extend([0, 1]);
        self.0.extend(contents.iter().copied().flatten());
        self.0[start + 2] = u8::try_from(self.0.len() - start).expect("an entry has up to 255 bytes");
    }

    fn push_one(&mut self, signature: &[u8; 2], content: &(impl IntoBytes + Immutable)) {
        self.push(signature, &[content.as_bytes()]);
    }

    /// The first entry of the first record of the root.
    pub(super) fn sharing(&mut self) {
        self.push_one(b"SP", &CHECK);
    }

    /// Which protocol the other entries are of, in the same record.
    pub(super) fn extensions(&mut self) {
        let texts = [ID, DESCRIPTOR, SOURCE];
        let lens = texts.map(|text| u8::try_from(text.len()).expect("short texts"));
        let [id, descriptor, source] = texts.map(str::as_bytes);
        self.push(b"ER", &[&lens, &[VERSION], id, descriptor, source]);
    }

    /// Mode, with the type of file, owner and times.
    pub(super) fn posix(&mut self, kind: u32, meta: &Meta, links: usize, serial: u32) {
        let posix = Posix {
            mode: Both32::new(kind | u32::from(meta.mode)),
            links: Both32::new(u32::try_from(links).unwrap_or(u32::MAX)),
            uid: Both32::new(meta.uid),
            gid: Both32::new(meta.gid),
            serial: Both32::new(serial),
        };
        self.push_one(b"PX", &posix);
        // Rock Ridge wants one. When a file was read last is of no use in an image.
        let modified = date::bytes(meta.mtime);
        self.push_one(b"TF", &Times { flags: TIMES, modified, accessed: modified });
    }

    /// The node's name.
    pub(super) fn name(&mut self, name: &[u8]) {
        let mut parts = name.chunks(MAX_NAME).peekable();
        while let Some(part) = parts.next() {
            let flags = if parts.peek().is_some() { CONTINUE } else { 0 };
            self.push(b"NM", &[&[flags], part]);
        }
    }

    /// The record is of the folder that it is in.
    pub(super) fn current(&mut self) {
        self.push_one(b"NM", &CURRENT);
    }

    /// The record is of the folder above.
    pub(super) fn parent(&mut self) {
        self.push_one(b"NM", &PARENT);
    }

    /// Where a symbolic link leads.
    pub(super) fn link(&mut self, target: &[u8]) {
        let mut entries = link::entries(target).into_iter().peekable();
        while let Some(components) = entries.next() {
            let flags = if entries.peek().is_some() { CONTINUE } else { 0 };
            self.push(b"SL", &[&[flags], &components]);
        }
    }

    /// A device.
    pub(super) fn device(&mut self, major: u32, minor: u32) {
        let [high, low] = dev_t(major, minor);
        self.push_one(b"PN", &DeviceNumber { high: Both32::new(high), low: Both32::new(low) });
    }

    /// \[RRIP\] §4.1.5.1: the folder of this name is at that block.
    pub(super) fn moved_to(&mut self, block: u32) {
        self.push_one(b"CL", &Both32::new(block));
    }

    /// \[RRIP\] §4.1.5.2: the folder above was at that block.
    pub(super) fn moved_from(&mut self, block: u32) {
        self.push_one(b"PL", &Both32::new(block));
    }

    /// \[RRIP\] §4.1.5.3: the folder is not to be seen here.
    pub(super) fn moved(&mut self) {
        self.push(b"RE", &[]);
    }

    /// What is in the record itself, whose identifier has `identifier` bytes, and in each area. A
    /// `CE` belongs at the end of every part but the last.
    pub(super) fn parts(&self, identifier: usize) -> Vec<&[u8]> {
        let mut parts = Vec::with_capacity(1);
        let mut rest = &self.0[..];
        let mut room = MAX_RECORD - DirectoryRecord::system_use_at(identifier);
        while rest.len() > room {
            let mut len = 0;
            while len + usize::from(rest[len + 2]) <= room - CONTINUATION {
                len += usize::from(rest[len + 2]);
            }
            let (part, after) = rest.split_at(len);
            parts.push(part);
            (rest, room) = (after, BLOCK_LEN);
        }
        parts.push(rest);
        parts
    }

    /// The entry that says where the next part is.
    pub(super) fn continuation(to: Continuation) -> Vec<u8> {
        let mut entry = SystemUse::default();
        entry.push_one(b"CE", &to);
        entry.0
    }
}

/// glibc's `makedev`: high and low half.
fn dev_t(major: u32, minor: u32) -> [u32; 2] {
    let (major, minor) = (u64::from(major), u64::from(minor));
    let number = (minor & 0xff) | (major & 0xfff) << 8 | (minor & !0xff) << 12 | (major & !0xfff) << 32;
    let half = |n: u64| u32::try_from(n & 0xffff_ffff).expect("masked to 32 bits");
    [half(number >> 32), half(number)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_numbers_are_split_as_glibc_does() {
        let table =
            [((5, 1), [0, 0x501]), ((136, 300), [0, 0x10882c]), ((0x1234, 0xf_ffff), [0x1000, 0xfff2_34ff])];
        for ((major, minor), want) in table {
            assert_eq!(dev_t(major, minor), want, "{major}, {minor}");
        }
    }

    #[test]
    fn entries_are_whole_in_every_part_and_leave_room_for_where_the_next_is() {
        for len in (0..400).step_by(7).chain([4095]) {
            for identifier in [1, 2, 31, 32, 33] {
                let mut all = SystemUse::default();
                all.name(&vec![b'n'; len % 256]);
                all.link(&vec![b'x'; len.max(1)]);
                let parts = all.parts(identifier);
                assert_eq!(parts.concat(), all.0);
                let rooms = std::iter::once(254 - (33 + identifier).next_multiple_of(2))
                    .chain(std::iter::repeat(2048));
                for (n, (part, room)) in parts.iter().zip(rooms).enumerate() {
                    let more = if n + 1 < parts.len() { 28 } else { 0 };
                    assert!(part.len() + more <= room, "{len} {identifier} part {n}");
                    let mut rest = *part;
                    while let [_, _, len, ..] = rest {
                        rest = &rest[usize::from(*len)..];
                    }
                    assert!(rest.is_empty());
                }
            }
        }
    }
}
