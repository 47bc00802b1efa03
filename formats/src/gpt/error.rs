//! What does not fit into a partition table.

use super::{ENTRIES, Guid, NAME};
use crate::mbr::CODE;

/// Why a partition table cannot be made. Partitions are told by their names; all numbers are bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Part of a sector is left over.
    #[error("a disk of {len} bytes; it has to be a multiple of its sectors of {sector} bytes")]
    Len {
        /// The disk's.
        len: u64,
        /// A sector's.
        sector: u64,
    },
    /// No room for partitions.
    #[error("a disk of {len} bytes; the partition table and its copy alone take {tables}")]
    Small {
        /// The disk's.
        len: u64,
        /// Both tables' and the master boot record's.
        tables: u64,
    },
    /// The code runs into the disk's signature.
    #[error("boot code of {len} bytes; a master boot record holds {CODE}")]
    Code {
        /// Its bytes.
        len: usize,
    },
    /// Too many.
    #[error("{count} partitions; the table holds {ENTRIES}")]
    Count {
        /// How many.
        count: usize,
    },
    /// A name that is too long.
    #[error("the partition name `{name}` has {units} UTF-16 units; the table holds {NAME}")]
    Name {
        /// The name.
        name: String,
        /// Its UTF-16 units.
        units: usize,
    },
    /// Readers stop there.
    #[error("the partition name {name:?} has a NUL in it, which would end it")]
    Nul {
        /// The name.
        name: String,
    },
    /// Readers would not see the partition.
    #[error("the partition `{name}` has the type of an unused entry")]
    Unused {
        /// The partition.
        name: String,
    },
    /// Not where partitions start.
    #[error("the partition `{name}` starts at byte {first}, which is no multiple of {alignment}")]
    Alignment {
        /// The partition.
        name: String,
        /// Where it starts.
        first: u64,
        /// Where it may.
        alignment: u64,
    },
    /// Not whole sectors.
    #[error("the partition `{name}` has {len} bytes; it has to have one or more sectors of {sector}")]
    Partial {
        /// The partition.
        name: String,
        /// Its bytes.
        len: u64,
        /// A sector's.
        sector: u64,
    },
    /// Over a table, or past the end.
    #[error("the partition `{name}` has {len} bytes at byte {first}; there is room from byte {from} to {to}")]
    Bounds {
        /// The partition.
        name: String,
        /// Where it starts.
        first: u64,
        /// Its bytes.
        len: u64,
        /// Where the first table ends.
        from: u64,
        /// Where the second begins.
        to: u64,
    },
    /// Two partitions in one place.
    #[error("the partition `{name}` starts at byte {first}, but `{before}` ends at byte {end}")]
    Overlap {
        /// The one that starts later.
        name: String,
        /// Where.
        first: u64,
        /// The one that starts before it.
        before: String,
        /// Where that ends.
        end: u64,
    },
    /// Two partitions with one identifier.
    #[error("the partitions `{}` and `{}` have one identifier, {guid}", names[0], names[1])]
    Guid {
        /// The identifier.
        guid: Guid,
        /// The partitions.
        names: [String; 2],
    },
    /// More than the partition has room for.
    #[error("the content of the partition `{name}` has {content} bytes; the partition has {len}")]
    Content {
        /// The partition.
        name: String,
        /// The content's.
        content: u64,
        /// The partition's.
        len: u64,
    },
    /// A claim that nothing stands behind.
    #[error("the BIOS boot partition `{name}` has no boot code in it")]
    Empty {
        /// The partition.
        name: String,
    },
    /// What is left for the crate to refuse, which is nothing that is known.
    #[error("cannot write the partition table")]
    Structures(#[source] Box<dyn std::error::Error + Send + Sync>),
}
