//! A file of compressed units, which outlives the build that made it.
//!
//! ```text
//! 0                                                        len - 24   len
//! ├ unit ┼ unit ┼ ... ┼ unit ┼ Entry ┼ Entry ┼ ... ┼ Entry ┼ Trailer ┤
//!                            └──── ascending by key ───────┘
//! ```
//! It gets its name when it is complete, and the name follows from the entries: whoever replaces it
//! has the same bytes. Nothing is flushed to the disk: what a power failure leaves of it has not its
//! checksums.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What a unit is known by: the SHA-256 of the codec's name and the unit's bytes.
pub(super) type Key = [u8; 32];

/// A unit.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(super) struct Entry {
    pub(super) key: Key,    // 00
    pub(super) at: U64,     // 20 bytes from the start of the file
    pub(super) len: U32,    // 28 of what was packed, bytes; zero: that gains nothing, and is not here
    pub(super) crc32c: U32, // 2c of what was packed, and all that is around it
}
const _: () = assert!(size_of::<Entry>() == 48);

impl Entry {
    /// Nothing is gained.
    pub(super) const STORED: Entry = Entry { key: [0; 32], at: U64::ZERO, len: U32::ZERO, crc32c: U32::ZERO };
}

/// What a file ends with.
#[derive(Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Trailer {
    magic: [u8; 8], // 00
    units: U64,     // 08 bytes of all units
    count: U32,     // 10 of entries
    crc32c: U32,    // 14 of the entries
}
const _: () = assert!(size_of::<Trailer>() == 24);

impl Trailer {
    fn new(units: u64, entries: &[Entry]) -> Self {
        Trailer {
            magic: *b"mkimgblk",
            units: units.into(),
            count: u32::try_from(entries.len()).expect("entries are limited").into(),
            crc32c: crc32c::crc32c(entries.as_bytes()).into(),
        }
    }
}

/// Writes what comes after `units` bytes of units. Returns the digest of the entries.
pub(super) fn finish(out: &mut impl Write, units: u64, entries: &mut [Entry]) -> io::Result<[u8; 32]> {
    entries.sort_unstable();
    out.write_all(entries.as_bytes())?;
    out.write_all(Trailer::new(units, entries).as_bytes())?;
    out.flush()?;
    Ok(Sha256::digest(entries.as_bytes()).into())
}

/// The entries of the file at `path`. None if it is damaged, or if there are more than `limit`.
pub(super) fn entries(path: &Path, limit: usize) -> io::Result<Entries> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let Some(end) = len.checked_sub(size_of::<Trailer>() as u64) else { return Ok(Entries::Damaged) };
    file.seek(SeekFrom::Start(end))?;
    let mut trailer = Trailer::new(0, &[]);
    file.read_exact(trailer.as_mut_bytes())?;
    let count = u64::from(trailer.count.get());
    if trailer.units.get().checked_add(count * size_of::<Entry>() as u64) != Some(end) {
        return Ok(Entries::Damaged);
    }
    let Some(count) = usize::try_from(count).ok().filter(|count| *count <= limit) else {
        return Ok(Entries::TooMany);
    };
    file.seek(SeekFrom::Start(trailer.units.get()))?;
    let mut entries = vec![Entry::STORED; count];
    file.read_exact(entries.as_mut_bytes())?;
    let whole = trailer == Trailer::new(trailer.units.get(), &entries);
    Ok(if whole { Entries::Are(entries) } else { Entries::Damaged })
}

/// What a file was found to have.
pub(super) enum Entries {
    Are(Vec<Entry>),
    TooMany,
    Damaged,
}
