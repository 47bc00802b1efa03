//! How large a file system is, and how large its clusters are.
//!
//! ```text
//! reserved      FAT × 2             root folder           clusters, the first is number 2
//! ├─────────┼──────────────┼─ FAT12 and FAT16 only ─┼──────┬──────┬──────┬─ ─ ─┤
//!           an entry for     512 entries at least
//!           each cluster
//! ```
//!
//! The number of clusters, and nothing else, decides which FAT it is (\[FAT\] "FAT Type
//! Determination"), and how many there are depends on how large the FATs are, which depends on how
//! many there are. hadris-fat-raw solves that for a given length; here the length is looked for.

use super::{Error, Kind, Options};
use hadris_fat_raw::layout::fat_sectors;

/// Bytes of an entry of a folder.
const ENTRY: u64 = 32;
/// The "." and ".." of a folder that is not the root.
const DOTS: u64 = 2;
/// \[FAT\] "Boot Sector and BPB": what FAT16's root folder should have, for compatibility.
const ROOT_ENTRIES: u64 = 512;
/// \[FAT\] "Boot Sector and BPB": sectors before the first FAT; 32 is what FAT32 has by convention.
const RESERVED: u16 = 1;
const RESERVED_32: u16 = 32;
const FATS: u32 = 2;
/// \[FAT\] "FAT Type Determination": from so many clusters on it is FAT16, or FAT32.
const FAT16_FROM: u64 = 4085;
const FAT32_FROM: u64 = 65_525;
/// \[FAT\] "FAT Type Determination": "Stay at least 16 clusters on each side away from these cut-over
/// cluster counts", since "the world is full of FAT code that is wrong".
const AWAY: u64 = 16;
/// What Talos Linux keeps above FAT32's threshold. With fewer, clusters get smaller instead.
const AWAY_32: u64 = 2048;
/// \[FAT\] "FAT Data Structure": the top four bits of a FAT32 entry are reserved, and the last values
/// have meanings.
const FAT32_LAST: u64 = 0x0fff_fff5 - AWAY;
/// Sectors of a cluster, the fastest first: firmware walks a chain of clusters one by one, and
/// that takes long for large files. Larger ones than 4 KiB are not what ESPs have.
const CLUSTERS: [u32; 4] = [8, 4, 2, 1];
/// Clusters begin at multiples of this, so that files can share blocks with those of the host.
const ALIGNMENT: u64 = 4096;
/// If there is a large file, the largest of them begins at a multiple of this in place of the clusters:
/// disks that differ in what is before it have the same grains (64 KiB in VMDK and QCOW2), which are
/// compressed once for all.
const GRAIN: u64 = 64 << 10;
/// What is worth the room, bytes.
const LARGE: u64 = 1 << 20;

/// What has to fit.
#[derive(Debug, Default)]
pub(super) struct Demand {
    /// Entries in the root folder, the label's included.
    pub(super) root: u64,
    /// Entries in each other folder, without the dots.
    pub(super) folders: Vec<u64>,
    /// Bytes of each file.
    pub(super) files: Vec<u64>,
    /// How many folders come before the file of each index.
    pub(super) folders_before: Vec<u64>,
}

impl Demand {
    /// Clusters of `cluster` bytes.
    fn clusters(&self, kind: Kind, cluster: u64) -> u64 {
        let folder = |entries: u64| (entries * ENTRY).div_ceil(cluster).max(1);
        let root = if kind == Kind::Fat32 { folder(self.root) } else { 0 };
        let folders: u64 = self.folders.iter().map(|entries| folder(entries + DOTS)).sum();
        root + folders + self.files.iter().map(|len| len.div_ceil(cluster)).sum::<u64>()
    }

    /// Clusters before the largest file, if it is a large one. Folders grow, and each is counted as
    /// one cluster: where one is larger, the file is not where it could be, and nothing else.
    fn before_largest(&self, kind: Kind, cluster: u64) -> Option<u64> {
        let (index, _) =
            self.files.iter().enumerate().filter(|(_, len)| **len >= LARGE).max_by_key(|(_, len)| **len)?;
        let root = u64::from(kind == Kind::Fat32);
        let files: u64 = self.files[..index].iter().map(|len| len.div_ceil(cluster)).sum();
        Some(root + self.folders_before[index] + files)
    }

    /// Entries of FAT12's or FAT16's root folder: whole sectors.
    fn root_entries(&self, sector: u64) -> u64 {
        self.root.max(ROOT_ENTRIES).next_multiple_of(sector / ENTRY)
    }
}

/// A file system's dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) kind: Kind,
    /// Bytes of a sector.
    pub(super) sector: u32,
    /// Sectors of a cluster.
    pub(super) per_cluster: u32,
    /// Sectors before the first FAT.
    pub(super) reserved: u16,
    /// Entries of the root folder, unless it is FAT32.
    pub(super) root_entries: u16,
    /// All sectors.
    pub(super) sectors: u32,
    /// Clusters.
    pub(super) clusters: u32,
}

impl Geometry {
    /// Bytes.
    pub(super) fn len(&self) -> u64 {
        u64::from(self.sectors) * u64::from(self.sector)
    }
}

/// Numbers of clusters that are far enough from those of other kinds.
fn range(kind: Kind) -> std::ops::RangeInclusive<u64> {
    match kind {
        Kind::Fat12 => 1..=FAT16_FROM - 1 - AWAY,
        Kind::Fat16 => FAT16_FROM + AWAY..=FAT32_FROM - 1 - AWAY,
        Kind::Fat32 => FAT32_FROM + AWAY_32 + 1..=FAT32_LAST,
    }
}

/// What was asked for, and what has to fit into it.
pub(super) struct Problem<'a> {
    options: &'a Options,
    demand: &'a Demand,
    sector: u32,
    /// The largest file is to begin at a multiple of [`GRAIN`].
    grain: bool,
}

impl<'a> Problem<'a> {
    pub(super) fn new(options: &'a Options, demand: &'a Demand) -> Self {
        let sector = u32::try_from(options.sector_size.bytes()).expect("a sector of some KiB");
        Problem { options, demand, sector, grain: true }
    }

    /// The dimensions of the file system.
    pub(super) fn solve(&self) -> Result<Geometry, Error> {
        let Some(len) = self.options.len else { return self.smallest() };
        let unit = u64::from(self.sector);
        if !len.is_multiple_of(unit) {
            return Err(Error::Unit { len, unit });
        }
        if len < self.options.min_len {
            return Err(Error::TooSmall { needed: self.options.min_len, len });
        }
        // What is wanted of the largest file gives way to the length.
        let tight = Problem { grain: false, ..*self };
        if let Some(g) = self.fits(len / unit).or_else(|| tight.fits(len / unit)) {
            return Ok(g);
        }
        // Smaller clusters can do with less, if there are many small files.
        let least = self.choices().filter_map(|(kind, per_cluster)| tight.least(kind, per_cluster));
        match least.map(|g| g.len()).min() {
            None => self.smallest(),
            Some(needed) if needed > len => Err(Error::TooSmall { needed, len }),
            Some(_) => {
                let kind = self.options.kind.unwrap_or(Kind::Fat32);
                Err(Error::TooLarge { kind, len, limit: self.largest(kind) })
            }
        }
    }

    /// The best file system of so many sectors.
    fn fits(&self, sectors: u64) -> Option<Geometry> {
        self.choices().find_map(|(kind, per_cluster)| {
            let needed = self.needed(kind, per_cluster);
            self.lay(kind, per_cluster, sectors).filter(|g| within(g, needed))
        })
    }

    /// Kinds, and sectors of a cluster, the best first.
    fn choices(&self) -> impl Iterator<Item = (Kind, u32)> {
        let wanted = self.options.kind;
        let kinds = [Kind::Fat12, Kind::Fat16, Kind::Fat32].into_iter();
        kinds
            .filter(move |kind| wanted.is_none_or(|wanted| wanted == *kind))
            .flat_map(|kind| CLUSTERS.map(|per_cluster| (kind, per_cluster)))
    }

    /// The first kind, and the largest clusters, of which there are neither too few nor too many.
    fn smallest(&self) -> Result<Geometry, Error> {
        let all = self.choices().find_map(|(kind, per_cluster)| self.least(kind, per_cluster));
        all.ok_or_else(|| {
            let kind = self.options.kind.unwrap_or(Kind::Fat32);
            let [per_cluster, ..] = CLUSTERS;
            let (clusters, limit) = (self.needed(kind, per_cluster), *range(kind).end());
            Error::Clusters { kind, clusters, cluster: u64::from(per_cluster * self.sector), limit }
        })
    }

    /// The shortest file system with such clusters, if there can be one.
    fn least(&self, kind: Kind, per_cluster: u32) -> Option<Geometry> {
        let needed = self.needed(kind, per_cluster);
        // Only the smallest clusters are added to reach the least number.
        let wanted = if per_cluster == 1 { needed.max(*range(kind).start()) } else { needed };
        let unit = ALIGNMENT / u64::from(self.sector);
        let floor = self.options.min_len.div_ceil(u64::from(self.sector));
        let sectors = self.sectors(kind, per_cluster, wanted).max(floor).next_multiple_of(unit);
        self.lay(kind, per_cluster, sectors).filter(|g| within(g, needed))
    }

    /// Bytes of the largest file system of `kind`.
    fn largest(&self, kind: Kind) -> u64 {
        let sectors = self.sectors(kind, CLUSTERS[0], *range(kind).end());
        sectors.min(u32::MAX.into()) * u64::from(self.sector)
    }

    fn needed(&self, kind: Kind, per_cluster: u32) -> u64 {
        self.demand.clusters(kind, u64::from(per_cluster * self.sector))
    }

    /// The least number of sectors that hold `clusters`.
    fn sectors(&self, kind: Kind, per_cluster: u32, clusters: u64) -> u64 {
        let per_cluster_wide = u64::from(per_cluster);
        let mut sectors = clusters * per_cluster_wide;
        // Each round adds what the FATs and the rest took from the clusters.
        loop {
            let have = self.lay(kind, per_cluster, sectors).map_or(0, |g| u64::from(g.clusters));
            if have >= clusters || sectors > u32::MAX.into() {
                return sectors;
            }
            sectors += ((clusters - have) * per_cluster_wide).div_ceil(2);
        }
    }

    /// The file system of so many sectors, as hadris lays it out; none if it cannot be.
    fn lay(&self, kind: Kind, per_cluster: u32, sectors: u64) -> Option<Geometry> {
        let sectors = u32::try_from(sectors).ok()?;
        let (kind_of_hadris, first, entries) = match kind {
            Kind::Fat12 => (hadris_fat::FatKind::Fat12, RESERVED, self.root()?),
            Kind::Fat16 => (hadris_fat::FatKind::Fat16, RESERVED, self.root()?),
            Kind::Fat32 => (hadris_fat::FatKind::Fat32, RESERVED_32, 0),
        };
        let root = u32::from(entries) / (self.sector / 32);
        let cluster = u64::from(per_cluster * self.sector);
        let (before, alignment) = match self.demand.before_largest(kind, cluster).filter(|_| self.grain) {
            Some(clusters) => (clusters * cluster, GRAIN),
            None => (0, ALIGNMENT),
        };
        let mut reserved = first;
        loop {
            let available = sectors.checked_sub(u32::from(reserved) + root)?;
            let (fat, clusters) = fat_sectors(kind_of_hadris, available, per_cluster, FATS, self.sector)?;
            let data = u64::from(u32::from(reserved) + root + FATS * fat) * u64::from(self.sector);
            let at = data + before;
            let missing = (at.next_multiple_of(alignment) - at) / u64::from(self.sector);
            if missing == 0 {
                let (sector, root_entries) = (self.sector, entries);
                return Some(Geometry {
                    kind,
                    sector,
                    per_cluster,
                    reserved,
                    root_entries,
                    sectors,
                    clusters,
                });
            }
            // A larger reserve can make the FATs smaller, but that ends soon.
            reserved = reserved.checked_add(u16::try_from(missing).ok()?)?;
        }
    }

    fn root(&self) -> Option<u16> {
        u16::try_from(self.demand.root_entries(u64::from(self.sector))).ok()
    }
}

/// It is the kind that it is meant to be, and what is needed fits.
fn within(g: &Geometry, needed: u64) -> bool {
    let clusters = u64::from(g.clusters);
    range(g.kind).contains(&clusters) && clusters >= needed
}
