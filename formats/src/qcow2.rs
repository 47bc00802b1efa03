//! QCOW2 version 3, QEMU's own container. Integers are big-endian.
//!
//! ```text
//! ├ Header ┼ refcount table ┼ refcounts ┼ L1 ┼ L2 ... ┼ clusters as they are ┼ packed clusters ┤
//! └──────────────────── all in whole clusters ───────────────────────────────┘
//! ```
//!
//! L1 points to L2 tables, and those to the clusters of the disk. Clusters that are holes are in no
//! table. Nothing shares a cluster but packed ones, and those lie one after the other, byte by byte.
//!
//! ```
//! use mkimage_formats::{Layout, emit, qcow2};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (raw, out) = (dir.path().join("disk.raw"), dir.path().join("disk.qcow2"));
//! # std::fs::write(&raw, [1; 512])?;
//! let disk = Layout::file(&raw)?;
//! emit::emit(&qcow2::layout(&disk, &qcow2::Options::default())?, &out)?;
//! # assert!(std::fs::read(&out)?.starts_with(b"QFI\xfb"));
//! # Ok(())
//! # }
//! ```
//!
//! \[QCOW2\] QEMU, *docs/interop/qcow2.txt* (version 3).

use crate::deflate;
use crate::layout::{Cursor, Layout};
use crate::runs::{self, Run};
use crate::spool::{self, Codec, Spool, Unit};
use std::io;
use zerocopy::big_endian::{U32, U64};
use zerocopy::{Immutable, IntoBytes};

mod tables;

use tables::{Place, Plan};

/// \[QCOW2\] "Header".
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Header {
    magic: [u8; 4],               // 00
    version: U32,                 // 04
    backing_file_offset: U64,     // 08 zero: none
    backing_file_size: U32,       // 10
    cluster_bits: U32,            // 14 binary logarithm of the cluster size
    size: U64,                    // 18 of the disk, bytes
    crypt_method: U32,            // 20 zero: none
    l1_size: U32,                 // 24 entries
    l1_table_offset: U64,         // 28 bytes, as are all offsets
    refcount_table_offset: U64,   // 30
    refcount_table_clusters: U32, // 38
    nb_snapshots: U32,            // 3c
    snapshots_offset: U64,        // 40
    incompatible_features: U64,   // 48
    compatible_features: U64,     // 50
    autoclear_features: U64,      // 58
    refcount_order: U32,          // 60 binary logarithm of a refcount's bits
    header_length: U32,           // 64
    compression_type: u8,         // 68
    padding: [u8; 7],             // 69
    end: [U32; 2],                // 70 the header extension that ends the list of them
}
const _: () = assert!(size_of::<Header>() == 0x78);

const MAGIC: [u8; 4] = *b"QFI\xfb";
/// The compression type is not zero: readers that know only zlib have to stop.
const COMPRESSION_TYPE: u64 = 1 << 3;
/// Refcounts of 16 bits.
const REFCOUNT_ORDER: u32 = 4;
/// Offsets and lengths are in whole ones where clusters are not, bytes.
const SECTOR: u64 = 512;

/// How an image is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of a cluster: a power of two from 512 to 2 MiB. QEMU's default is 64 KiB.
    pub cluster_size: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options { cluster_size: 64 << 10 }
    }
}

/// How clusters are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Every version of QEMU reads it.
    Zlib,
    /// Smaller and faster; QEMU 5.1 and later, where it is built in.
    Zstd,
}

/// As `zstd -3`, the level that QEMU takes.
const ZSTD_LEVEL: i32 = 3;
/// QEMU unpacks with a window of 4 KiB (`block/qcow2-threads.c`).
const WINDOW: u8 = 12;

/// Why a disk cannot be a QCOW2 image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a size of clusters.
    #[error("clusters of {size} bytes; QCOW2 has powers of two from 512 to 2097152")]
    ClusterSize {
        /// What was asked for.
        size: u32,
    },
    /// Too large for the tables, or not in sectors.
    #[error(
        "a disk of {size} bytes; with clusters of {cluster_size}, QCOW2 holds whole sectors of 512 bytes, {limit} bytes at most"
    )]
    Size {
        /// Bytes of the disk.
        size: u64,
        /// Bytes of a cluster.
        cluster_size: u32,
        /// Bytes.
        limit: u64,
    },
    /// The disk could not be compressed.
    #[error(transparent)]
    Spool(#[from] spool::Error),
}

/// `disk` with its clusters as they are. Nothing is read.
///
/// # Errors
/// The size of the disk or of clusters.
pub fn layout(disk: &Layout, options: &Options) -> Result<Layout, Error> {
    let image = Image::new(disk, options)?;
    let mut raw = Layout::default();
    let mut clusters = Vec::new();
    for Run { first, content } in runs::runs(disk, image.cluster) {
        let from = raw.len();
        raw.append(content);
        let places = (from..raw.len()).step_by(image.unit);
        clusters.extend((first..).zip(places.map(Place::Raw)));
    }
    Ok(image.layout(&clusters, raw, Layout::default()))
}

/// `disk` with compressed clusters, where that gains something. Reads all of it.
///
/// # Errors
/// The size of the disk or of clusters; the disk cannot be read, or the spool cannot be written.
pub fn compressed(
    disk: &Layout,
    options: &Options,
    compression: Compression,
    spool: &Spool,
) -> Result<Layout, Error> {
    let mut image = Image::new(disk, options)?;
    image.compression = compression;
    let (units, packed) = spool.pack(disk, image.unit, &compression)?;
    let mut cursor = Cursor::new(disk);
    let mut raw = Layout::default();
    let clusters = units.into_iter().map(|Unit { number, at, len }| {
        let place = if len > 0 {
            Place::Packed { at, len: len as u64 }
        } else {
            let start = number * image.cluster;
            let content = cursor.window(start, image.cluster.min(disk.len() - start));
            let place = Place::Raw(raw.len());
            raw.append(content);
            raw.pad_to_multiple(image.cluster);
            place
        };
        (number, place)
    });
    let clusters: Vec<_> = clusters.collect();
    Ok(image.layout(&clusters, raw, packed))
}

impl Codec for Compression {
    fn name(&self) -> &'static str {
        match self {
            Compression::Zlib => "qcow2-zlib",
            Compression::Zstd => "qcow2-zstd",
        }
    }

    /// zstd at its level takes hardly longer than a digest.
    fn is_slow(&self) -> bool {
        *self == Compression::Zlib
    }

    fn pack(&self, cluster: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let packed = match self {
            Compression::Zlib => deflate::whole(cluster, false, WINDOW)?,
            Compression::Zstd => Some(zstd::bulk::compress(cluster, ZSTD_LEVEL)?),
        };
        Ok(packed.filter(|packed| packed.len() < cluster.len()))
    }
}

/// What is known before the clusters are.
struct Image {
    /// Bytes of a cluster.
    cluster: u64,
    /// The same, in memory.
    unit: usize,
    /// Bytes of the disk.
    size: u64,
    compression: Compression,
}

impl Image {
    fn new(disk: &Layout, options: &Options) -> Result<Self, Error> {
        let cluster_size = options.cluster_size;
        let valid = cluster_size.is_power_of_two() && (512..=2 << 20).contains(&cluster_size);
        let Some(unit) = usize::try_from(cluster_size).ok().filter(|_| valid) else {
            return Err(Error::ClusterSize { size: cluster_size });
        };
        let (size, cluster) = (disk.len(), u64::from(cluster_size));
        // QEMU reads an L1 table of 32 MiB and a refcount table of 8 MiB at most (block/qcow2.h).
        // Both reach 2^19 × cluster²; half of it leaves room for the tables themselves.
        let limit = (cluster * cluster) << 18;
        if size > limit || !size.is_multiple_of(SECTOR) {
            return Err(Error::Size { size, cluster_size, limit });
        }
        Ok(Image { cluster, unit, size, compression: Compression::Zlib })
    }

    /// The image of a disk with `clusters`: their numbers, ascending, and places.
    fn layout(&self, clusters: &[(u64, Place)], raw: Layout, packed: Layout) -> Layout {
        let plan = Plan::new(self, clusters, raw.len(), packed.len());
        let mut out = Layout::from(self.header(&plan).as_bytes().to_vec());
        for table in plan.tables(clusters) {
            out.pad_to_multiple(self.cluster);
            out.push(table);
        }
        out.pad_to(plan.raw);
        out.append(raw);
        out.append(packed);
        out.pad_to_multiple(self.cluster);
        out
    }

    fn header(&self, plan: &Plan) -> Header {
        let (features, compression_type) = match self.compression {
            Compression::Zlib => (0, 0),
            Compression::Zstd => (COMPRESSION_TYPE, 1),
        };
        Header {
            magic: MAGIC,
            version: U32::new(3),
            backing_file_offset: U64::ZERO,
            backing_file_size: U32::ZERO,
            cluster_bits: U32::new(self.cluster.trailing_zeros()),
            size: U64::new(self.size),
            crypt_method: U32::ZERO,
            l1_size: U32::new(plan.l1_size),
            l1_table_offset: U64::new(plan.l1),
            refcount_table_offset: U64::new(plan.refcount_table),
            refcount_table_clusters: U32::new(plan.refcount_table_clusters),
            nb_snapshots: U32::ZERO,
            snapshots_offset: U64::ZERO,
            incompatible_features: U64::new(features),
            compatible_features: U64::ZERO,
            autoclear_features: U64::ZERO,
            refcount_order: U32::new(REFCOUNT_ORDER),
            header_length: U32::new(0x70),
            compression_type,
            padding: [0; 7],
            end: [U32::ZERO; 2],
        }
    }
}
