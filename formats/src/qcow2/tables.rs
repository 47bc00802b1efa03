//! Where the parts of an image are, and the tables that say so.

use super::{Image, REFCOUNT_ORDER, SECTOR};
use zerocopy::IntoBytes;
use zerocopy::big_endian::{U16, U64};

/// \[QCOW2\] "L1 table entry", "L2 table entry": nothing else refers to the cluster.
const COPIED: u64 = 1 << 63;
/// \[QCOW2\] "L2 table entry": the cluster is compressed.
const COMPRESSED: u64 = 1 << 62;
/// Bytes of an entry of every table but the refcounts.
const ENTRY: u64 = 8;
/// Bytes of a refcount.
const REFCOUNT: u64 = (1 << REFCOUNT_ORDER) / 8;

/// Where a cluster's bytes are.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// Byte offset among the clusters that are as they were.
    Raw(u64),
    /// Byte offset among the packed ones, and bytes: one at least.
    Packed { at: u64, len: u64 },
}

/// The parts of an image. Offsets are in bytes, and whole clusters.
pub(super) struct Plan {
    /// Bytes of a cluster.
    cluster: u64,
    pub(super) refcount_table: u64,
    pub(super) refcount_table_clusters: u32,
    refcount_blocks: u64,
    pub(super) l1: u64,
    /// Entries.
    pub(super) l1_size: u32,
    l2: u64,
    pub(super) raw: u64,
    packed: u64,
    /// Of the image.
    end: u64,
}

impl Plan {
    /// `raw` and `packed` are bytes.
    pub(super) fn new(image: &Image, clusters: &[(u64, Place)], raw: u64, packed: u64) -> Self {
        let cluster = image.cluster;
        let per_table = cluster / ENTRY;
        let l1_size = image.size.div_ceil(cluster * per_table).max(1);
        let l1_clusters = l1_size.div_ceil(per_table);
        let l2_clusters = l2_tables(clusters, cluster).fold(0, |n, _| n + 1);
        let rest = l1_clusters + l2_clusters + raw / cluster + packed.div_ceil(cluster);
        // Refcounts count the clusters that they are in, too.
        let (mut table, mut blocks) = (1, 1);
        loop {
            let all = 1 + table + blocks + rest;
            let need = (blocks.div_ceil(per_table), all.div_ceil(cluster / REFCOUNT));
            if need == (table, blocks) {
                break;
            }
            (table, blocks) = need;
        }
        let narrow = |n: u64| u32::try_from(n).expect("the limit of the disk's size bounds the tables");
        let refcount_blocks = (1 + table) * cluster;
        let l1 = refcount_blocks + blocks * cluster;
        let l2 = l1 + l1_clusters * cluster;
        let start = l2 + l2_clusters * cluster;
        Plan {
            cluster,
            refcount_table: cluster,
            refcount_table_clusters: narrow(table),
            refcount_blocks,
            l1,
            l1_size: narrow(l1_size),
            l2,
            raw: start,
            packed: start + raw,
            end: start + raw + packed.next_multiple_of(cluster),
        }
    }

    /// The refcount table, the refcounts, the L1 table and each L2 table, in the image's order.
    pub(super) fn tables(&self, clusters: &[(u64, Place)]) -> impl Iterator<Item = Vec<u8>> {
        let blocks = (self.refcount_blocks..self.l1).step_by(index(self.cluster));
        let refcount_table: Vec<_> = blocks.map(U64::new).collect();
        let mut l1 = vec![U64::ZERO; index(self.l1_size.into())];
        let mut at = self.l2;
        for table in l2_tables(clusters, self.cluster) {
            l1[index(table[0].0 / (self.cluster / ENTRY))] = U64::new(at | COPIED);
            at += self.cluster;
        }
        let first = [
            refcount_table.as_bytes().to_vec(),
            self.refcounts(clusters).as_bytes().to_vec(),
            l1.as_bytes().to_vec(),
        ];
        first.into_iter().chain(l2_tables(clusters, self.cluster).map(|table| self.l2_table(table)))
    }

    fn refcounts(&self, clusters: &[(u64, Place)]) -> Vec<U16> {
        let mut counts = vec![U16::new(1); index(self.packed / self.cluster)];
        counts.resize(index(self.end / self.cluster), U16::ZERO);
        for (_, place) in clusters {
            let Place::Packed { at, len } = place else { continue };
            let at = self.packed + at;
            let (first, last) = (at / self.cluster, (at + len - 1) / self.cluster);
            for count in &mut counts[index(first)..=index(last)] {
                // Room enough: what 2 MiB are packed to are never under 64 bytes.
                *count = U16::new(count.get() + 1);
            }
        }
        counts
    }

    fn l2_table(&self, clusters: &[(u64, Place)]) -> Vec<u8> {
        let per_table = self.cluster / ENTRY;
        let mut table = vec![U64::ZERO; index(per_table)];
        for (number, place) in clusters {
            let entry = match place {
                Place::Raw(at) => (self.raw + at) | COPIED,
                Place::Packed { at, len } => {
                    let at = self.packed + at;
                    // [QCOW2] "Compressed Clusters Descriptor": above the offset, the sectors after
                    // the first; the larger clusters are, the more bits for them.
                    let more = (at + len - 1) / SECTOR - at / SECTOR;
                    let shift = 62 - (self.cluster.trailing_zeros() - 8);
                    COMPRESSED | (more << shift) | at
                }
            };
            table[index(number % per_table)] = U64::new(entry);
        }
        table.as_bytes().to_vec()
    }
}

/// The clusters that each L2 table tells of.
fn l2_tables(clusters: &[(u64, Place)], cluster: u64) -> impl Iterator<Item = &[(u64, Place)]> {
    let per_table = cluster / ENTRY;
    clusters.chunk_by(move |a, b| a.0 / per_table == b.0 / per_table)
}

/// A number of entries, or of bytes of a cluster.
fn index(n: u64) -> usize {
    usize::try_from(n).expect("a table that is in memory")
}
