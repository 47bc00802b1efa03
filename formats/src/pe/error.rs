//! What is no image that sections can be added to.

/// Why sections cannot be added. All numbers are bytes, places are in the file unless told
/// otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A structure that is not there as a whole.
    #[error("the stub has {len} bytes; its {structure} takes bytes {at} to {end}")]
    Truncated {
        /// Which one.
        structure: &'static str,
        /// Its first byte.
        at: u64,
        /// The byte after its last.
        end: u64,
        /// The stub's length.
        len: u64,
    },
    /// Something else.
    #[error("the stub has {found:02x?} at byte {at}; a PE image has {expected:02x?}")]
    Magic {
        /// Where.
        at: usize,
        /// What has to be there.
        expected: &'static [u8],
        /// What is there.
        found: Vec<u8>,
    },
    /// An image for 32 bits, or of another kind.
    #[error("the stub's optional header is of type {found:#x}; that of a 64-bit image is 0x20b")]
    Optional {
        /// Its magic number.
        found: u16,
    },
    /// An optional header without the fields that are needed.
    #[error("the stub's optional header has {len} bytes; with {directories} directories it has {needed}")]
    OptionalLen {
        /// Bytes that the file header gives to it.
        len: u64,
        /// Directories that it says to have.
        directories: u32,
        /// Bytes that those need.
        needed: u64,
    },
    /// No unit to align to.
    #[error(
        "the stub's sections are aligned to {found} bytes in {place}; that has to be a power of two up to {limit}"
    )]
    Alignment {
        /// The file, or memory.
        place: &'static str,
        /// The alignment.
        found: u32,
        /// The largest.
        limit: u32,
    },
    /// A signature, which would not hold any more.
    #[error("the stub is signed: it has {len} bytes of certificates at byte {at}")]
    Signed {
        /// Their first byte.
        at: u32,
        /// Their bytes.
        len: u32,
    },
    /// Sections that are not one after the other.
    #[error(
        "the section `{section}` of the stub starts at byte {at} in {place}, before byte {end} where the part before it ends"
    )]
    Order {
        /// The section.
        section: String,
        /// The file, or memory.
        place: &'static str,
        /// Where it starts.
        at: u64,
        /// Where what is before it ends.
        end: u64,
    },
    /// What no section has.
    #[error("the stub has {len} bytes after its last section, from byte {at}, which no loader reads")]
    Trailing {
        /// The first one.
        at: u64,
        /// How many.
        len: u64,
    },
    /// The section table cannot grow.
    #[error("{sections} more sections need {needed} bytes of the stub's headers; {room} are free")]
    Room {
        /// How many are to be added.
        sections: usize,
        /// Bytes of their headers.
        needed: usize,
        /// Zeros between the section table and the first section.
        room: usize,
    },
    /// Headers that end before their last one.
    #[error("the stub's headers have {len} bytes; its section table ends at byte {end}")]
    Headers {
        /// Bytes that the optional header gives to them.
        len: usize,
        /// The byte after the section table.
        end: usize,
    },
    /// A stub without code.
    #[error("the stub has no section with bytes in the file")]
    NoSections,
    /// More than the field holds.
    #[error("{count} sections; an image has up to 65535")]
    Count {
        /// How many.
        count: usize,
        /// What they do not fit into.
        source: std::num::TryFromIntError,
    },
    /// No name for a section.
    #[error("the section name `{name}` has {} bytes; 1 to 8 are allowed", name.len())]
    Name {
        /// The name.
        name: &'static str,
    },
    /// A name that is taken.
    #[error("there are two sections `{name}`; a loader sees one of them")]
    Duplicate {
        /// The name.
        name: &'static str,
    },
    /// A section without content.
    #[error("the section `{name}` has no content; in a section header, a length of zero means another one")]
    Empty {
        /// The section.
        name: &'static str,
    },
    /// Too large.
    #[error("an image of {len} bytes; firmware loads less than {}", super::LIMIT)]
    Size {
        /// The file's, or the image's in memory, whichever is larger.
        len: u64,
    },
}
