//! FAT12, FAT16 and FAT32: EFI system partitions, on disks and in El Torito.
//!
//! ```text
//! 0        1          7            32+ sectors                                            len
//! ├ boot ──┼ FSInfo ─┬┼ boot again ─┬──┼ FAT ─┼ FAT ─┼ root folder ┼ folders and files ┼ ─ ─ ┤
//!   sector   FAT32    FAT32            one entry       FAT32: a      clusters, in the    free
//!                                      a cluster, twice cluster      tree's order
//! ```
//!
//! \[FAT\] *Microsoft Extensible Firmware Initiative FAT32 File System Specification* 1.03 (2000),
//! whose sections have no numbers.
//!
//! hadris-fat writes the structures; this module decides how large the file system and its clusters
//! are, refuses what FAT cannot hold, and puts the contents in their places. Contents take no
//! memory.
//!
//! # What becomes of a tree
//!
//! Folders and files keep their names (up to 255 UTF-16 units) and modification times, in steps of
//! two seconds and in UTC. Owners and permissions are left out: there is no place for them. A hard
//! link is a second file, with a copy of the content. Symbolic links, devices, names that differ in
//! case alone and names that FAT cannot hold are errors.
//!
//! Each file is one run of clusters, so that a loader needs to know its [`Place`] alone. They follow
//! each other in the order of their names in bytes, a folder's where the folder's name is.
//!
//! The time that hadris-fat takes grows with the square of the number of files in a folder.
//!
//! # An EFI system partition
//!
//! ```
//! use mkimage_formats::{Kind, Layout, Meta, Node, SectorSize, Tree, TreePath, emit, fat};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (loader, out) = (dir.path().join("loader.efi"), dir.path().join("esp.img"));
//! # std::fs::write(&loader, [1; 5000])?;
//! let mut tree = Tree::new();
//! for (name, kind) in [
//!     ("EFI", Kind::Dir),
//!     ("EFI/BOOT", Kind::Dir),
//!     ("EFI/BOOT/BOOTX64.EFI", Kind::File(Layout::file(&loader)?)),
//! ] {
//!     let node = Node { meta: Meta::new(0o755, Default::default()), kind, origin: Default::default() };
//!     tree.insert(TreePath::new(name)?, node)?;
//! }
//! // For a partition that begins at 1 MiB.
//! let options = fat::Options { serial: 0x1234_5678, ..fat::Options::esp(SectorSize::B512, 2048) };
//! emit::emit(&fat::layout(&tree, &options)?, &out)?;
//! # assert_eq!(std::fs::metadata(&out)?.len(), 64 << 20);
//! # Ok(())
//! # }
//! ```

mod error;
mod geometry;
mod source;

pub use crate::skeleton::Place;
pub use error::Error;

use crate::layout::Layout;
use crate::record::Record;
use crate::sector::SectorSize;
use crate::skeleton::Skeleton;
use crate::tree::{Time, Tree, TreePath};
use error::{refused, short_name};
use geometry::{Geometry, Problem};
use hadris_fat::sync::FatFs;
use hadris_fat::{CacheOptions, FatKind, FatOptions, VolumeLabel};
use hadris_fs::sync::copy_tree;
use hadris_fs::{Extent, MountOptions, Resolve};
use hadris_storage::BlockSize;
use std::collections::BTreeMap;
use std::fmt;

/// Which of the three it is: how many bits an entry of its FAT has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Up to 4,068 clusters: floppies, and images within an ISO.
    Fat12,
    /// 4,101 to 65,508 clusters.
    Fat16,
    /// 67,574 clusters and more: what disks of UEFI machines should have.
    Fat32,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Fat12 => "FAT12",
            Kind::Fat16 => "FAT16",
            Kind::Fat32 => "FAT32",
        })
    }
}

/// What the file system is beside the tree. The default is the smallest that holds it, not on a
/// disk but for itself, as El Torito has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which FAT. None takes the first, in the order of their sizes, that everything fits into.
    pub kind: Option<Kind>,
    /// Bytes: whole sectors. None is as few as everything fits into, and whole 4 KiB.
    pub len: Option<u64>,
    /// Bytes that it has at least.
    pub min_len: u64,
    /// The sectors of the disk that it is on.
    pub sector_size: SectorSize,
    /// Sectors before it on the disk: where its partition begins. 0 if it is not in a partition.
    pub hidden_sectors: u32,
    /// The volume's name: up to 11 characters of ASCII, of which letters become capitals. May be
    /// empty.
    pub label: String,
    /// The volume's number.
    pub serial: u32,
    /// When the volume was made.
    pub epoch: Time,
    /// Files cannot be written to.
    pub read_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            kind: None,
            len: None,
            min_len: 0,
            sector_size: SectorSize::B512,
            hidden_sectors: 0,
            label: "MKIMAGE".into(),
            serial: 0,
            epoch: Time::default(),
            read_only: false,
        }
    }
}

impl Options {
    /// An EFI system partition on a disk, after `hidden_sectors`: FAT32 of 64 MiB at least, or of
    /// 260 MiB if the disk has sectors of 4 KiB. There are machines that refuse FAT16 there, and
    /// the least number of clusters of FAT32 does not fit into less.
    #[must_use]
    pub fn esp(sector_size: SectorSize, hidden_sectors: u32) -> Self {
        let min_len = match sector_size {
            SectorSize::B512 => 64 << 20,
            SectorSize::B4096 => 260 << 20,
        };
        Options { kind: Some(Kind::Fat32), min_len, sector_size, hidden_sectors, ..Options::default() }
    }
}

/// A file system whose structures are written and whose files have places.
#[derive(Debug)]
pub struct Fat {
    skeleton: Skeleton,
    kind: Kind,
}

/// The file system of `tree`: [`Fat::new`] and [`Fat::layout`].
///
/// # Errors
/// As those.
pub fn layout(tree: &Tree, options: &Options) -> Result<Layout, Error> {
    Fat::new(tree, options)?.layout(tree)
}

impl Fat {
    /// Plans the file system of `tree`. Of files only the lengths count; the contents may be others
    /// when [`Fat::layout`] takes them.
    ///
    /// # Errors
    /// The tree or the options do not fit into FAT, or the tree does not fit into the length.
    pub fn new(tree: &Tree, options: &Options) -> Result<Self, Error> {
        let (theirs, demand) = source::tree(tree, options)?;
        let geometry = Problem::new(options, &demand).solve()?;
        let block = BlockSize::new(geometry.sector).expect("a sector is not empty");
        let mut record = Record::new(geometry.len(), block);
        let opts = fat_options(&geometry, options)?;
        hadris_fat::sync::format(&mut record, &opts).map_err(|e| refused(e.into()))?;
        let cache = CacheOptions::new().with_directory_entries(source::MAX_ENTRIES);
        let fs = FatFs::mount(&mut record, MountOptions::new()).map_err(|e| refused(e.into()))?;
        let mut fs = fs.with_cache(cache);
        let root = fs.root();
        copy_tree(&theirs, &mut fs, root).map_err(short_name)?;
        let places = places(&mut fs, tree, &geometry)?;
        fs.unmount().map_err(|e| refused(e.into()))?;
        Ok(Fat { skeleton: Skeleton { record, structures: Vec::new(), places }, kind: geometry.kind })
    }

    /// Bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether there are none")]
    pub fn len(&self) -> u64 {
        self.skeleton.record.len()
    }

    /// Which FAT it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where the content of the file `path` is: a multiple of 512 bytes from the start of the file
    /// system. None for folders and for files without content.
    #[must_use]
    pub fn place(&self, path: &TreePath) -> Option<Place> {
        self.skeleton.places.get(path).copied()
    }

    /// The file system with the contents that the files of `tree` have now.
    ///
    /// # Errors
    /// A file is gone or has another length than was planned.
    pub fn layout(self, tree: &Tree) -> Result<Layout, Error> {
        self.skeleton.fill(|path, place| match source::content(tree, path) {
            Some(content) if content.len() == place.len => Ok(content),
            other => {
                let found = other.map_or(0, Layout::len);
                Err(Error::Changed { path: path.clone(), planned: place.len, found })
            }
        })
    }
}

fn fat_options(g: &Geometry, options: &Options) -> Result<FatOptions, Error> {
    let kind = match g.kind {
        Kind::Fat12 => FatKind::Fat12,
        Kind::Fat16 => FatKind::Fat16,
        Kind::Fat32 => FatKind::Fat32,
    };
    let opts = FatOptions::new()
        .with_kind(kind)
        .with_sector_size(g.sector)
        .with_cluster_size(g.per_cluster * g.sector)
        .with_reserved_sectors(g.reserved)
        .with_root_entries(g.root_entries)
        .with_partition_offset(u64::from(options.hidden_sectors) * u64::from(g.sector))
        .with_serial(options.serial)
        .with_time(source::date_time(options.epoch))
        // [FAT] "Boot Sector and BPB": "the recommended setting", since some drivers look at it.
        .with_oem_name(*b"MSWIN4.1");
    if options.label.is_empty() {
        return Ok(opts);
    }
    match VolumeLabel::new(&options.label) {
        Ok(label) => Ok(opts.with_label(label)),
        Err(_) => Err(Error::Label { label: options.label.clone(), limit: 11 }),
    }
}

/// Where hadris put the files that have content.
fn places(
    fs: &mut FatFs<&mut Record>,
    tree: &Tree,
    g: &Geometry,
) -> Result<BTreeMap<TreePath, Place>, Error> {
    let mut places = BTreeMap::new();
    let clusters = fs.statfs().map_err(|e| refused(e.into()))?.total_blocks();
    assert_eq!(clusters, g.clusters.into(), "as many clusters as were planned");
    for (path, _) in tree.iter() {
        let Some(content) = source::content(tree, path).filter(|content| !content.is_empty()) else {
            continue;
        };
        let node = fs.resolve(path.as_bytes(), Resolve::Lexical).map_err(|e| refused(e.into()))?;
        // Runs that follow each other are one.
        let mut runs = [Extent::new(0, 0); 2];
        let count = fs.extents(node, 0, &mut runs).map_err(|e| refused(e.into()))?;
        fs.forget(node, 1);
        assert_eq!((count, runs[0].len()), (1, content.len()), "`{path}` is one run of its length");
        places.insert(path.clone(), Place { at: runs[0].offset(), len: content.len() });
    }
    Ok(places)
}
