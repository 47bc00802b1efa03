//! ISO 9660 with Joliet and Rock Ridge, bootable from CD and, copied to one, from a disk.
//!
//! ```text
//! 0             32 KiB                                                              n MiB
//! ├ system area ┼ descriptors ┼ folders ┼ files, in the tree's order ┼ path tables ┼ 300 KiB+ ┤
//!   MBR, GPT      PVD, boot     primary,  those of a folder before     both trees,   of zeros,
//!                 record, SVD,  Joliet    those of its folders         each in both  copy of
//!                 terminator                                           byte orders   the GPT
//! ```
//!
//! \[ECMA-119\] *Volume and File Structure of CDROM for Information Interchange*, 4th edition
//! (2019), level 3. \[Joliet\] *Joliet Specification* (Microsoft, 1995). \[RRIP\] *Rock Ridge
//! Interchange Protocol* 1.12. \[El Torito\] *"El Torito" Bootable CD-ROM Format Specification*
//! 1.0 (1995). \[UEFI\] *UEFI Specification* 2.11. Blocks are of 2,048 bytes.
//!
//! hadris-iso writes the structures; this module decides what it is told, puts the contents in
//! their places, and mends what its readers read otherwise.
//!
//! Contents take no memory, but each node of the tree takes about 2 KiB while the image is planned.
//!
//! # What becomes of a tree
//!
//! Rock Ridge keeps names (bytes, up to 255), permissions, owners, modification times in seconds,
//! symbolic links, hard links, device nodes and named pipes. Of these Linux (fs/isofs/rock.c, 6.1)
//! cuts names longer than 253 bytes, and minor numbers of devices to eight bits. Extended
//! attributes are left out: there is no place for them. A folder below the eighth level moves to `/rr_moved`, where
//! readers that do not know Rock Ridge see it (`genisoimage -R` does the same).
//!
//! The primary tree has names of up to 30 letters, digits and `_`; the Joliet tree has names of up
//! to 64 characters of Unicode's first plane, in which `_` stands for `* / : ; ? \`, for controls
//! and for characters of other planes, and U+FFFD for bytes that are not UTF-8; neither has links
//! (but the files that hard links name) nor devices. Names that become equal get `_1`, `_2`.
//!
//! # A bootable ISO in ten lines
//!
//! ```
//! use mkimage_formats::iso::{self, BootEntry};
//! use mkimage_formats::{Kind, Layout, Meta, Node, Tree, TreePath, emit};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (kernel, initrd, out) = (dir.path().join("k"), dir.path().join("i"), dir.path().join("o.iso"));
//! # std::fs::write(&kernel, [1; 5000])?;
//! # std::fs::write(&initrd, [2; 9000])?;
//! # let loader = vec![3; 2048];
//! let mut tree = Tree::new();
//! let meta = Meta::new(0o644, Default::default());
//! tree.insert(TreePath::new("boot")?, Node { meta: Meta { mode: 0o755, ..meta.clone() }, kind: Kind::Dir, origin: Default::default() })?;
//! for (name, content) in [("kernel", Layout::file(&kernel)?), ("initrd", Layout::file(&initrd)?), ("loader", loader.into())] {
//!     let node = Node { meta: meta.clone(), kind: Kind::File(content), origin: Default::default() };
//!     tree.insert(TreePath::new(format!("boot/{name}"))?, node)?;
//! }
//! let boot = vec![BootEntry::bios(TreePath::new("boot/loader")?)];
//! emit::emit(&iso::layout(&tree, &iso::Options { boot, ..Default::default() })?, &out)?;
//! # assert_eq!(std::fs::metadata(&out)?.len(), 1 << 20);
//! # Ok(())
//! # }
//! ```
//!
//! A loader that needs to know where the kernel is asks [`Iso::place`] and then takes its place in
//! the tree before [`Iso::layout`].

mod boot;
mod hybrid;
mod link;
mod mend;
mod source;
mod structs;

pub use crate::skeleton::Place;
pub use boot::{BootEntry, Platform};
pub use hybrid::{Hybrid, Profile};

use crate::emit;
use crate::layout::Layout;
use crate::record::Record;
use crate::skeleton::Skeleton;
use crate::tree::{Kind, Time, Tree, TreePath};
use crate::{gpt, mbr};
use hadris_iso::{IsoId, IsoLevel, IsoOptions};
use hadris_storage::BlockSize;
use mend::BLOCK;
use std::collections::BTreeMap;

/// What the image has beside the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// When the volume was made.
    pub epoch: Time,
    /// The volume's name, up to 32 characters; 16 are seen in Joliet.
    pub volume: String,
    /// The name of the set that the volume is in, up to 128 characters.
    pub volume_set: String,
    /// Who publishes it, up to 128 characters.
    pub publisher: String,
    /// Who made it, up to 128 characters.
    pub preparer: String,
    /// What made it, up to 128 characters.
    pub application: String,
    /// The system that its system area is for, up to 32 characters.
    pub system: String,
    /// What firmware can boot from CD, the default first.
    pub boot: Vec<BootEntry>,
    /// Where the boot catalog is seen as a file, if at all. Its folder must be there.
    pub catalog: Option<TreePath>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            epoch: Time::default(),
            volume: "MKIMAGE".into(),
            volume_set: String::new(),
            publisher: String::new(),
            preparer: String::new(),
            application: "MKIMAGE".into(),
            system: String::new(),
            boot: Vec::new(),
            catalog: None,
        }
    }
}

/// \[ECMA-119\] §8.4.8: blocks are numbered in 32 bits. Bytes.
const MAX_LEN: u64 = BLOCK << 32;

/// An image whose structures are written and whose files have places.
#[derive(Debug)]
pub struct Iso {
    skeleton: Skeleton,
    boot: Vec<BootEntry>,
}

/// The image of `tree`: [`Iso::new`] and [`Iso::layout`].
///
/// # Errors
/// As those.
pub fn layout(tree: &Tree, options: &Options) -> Result<Layout, Error> {
    Iso::new(tree, options)?.layout(tree)
}

impl Iso {
    /// Plans the image of `tree`. Of files only the lengths count; the contents may be others when
    /// [`Iso::layout`] takes them.
    ///
    /// # Errors
    /// The tree or the options do not fit into ISO 9660.
    pub fn new(tree: &Tree, options: &Options) -> Result<Self, Error> {
        check_boot(tree, options)?;
        let theirs = source::tree(tree)?;
        let opts = iso_options(options)?;
        let block = BlockSize::new(512).expect("512 is not zero");
        let mut record = Record::new(MAX_LEN, block);
        let report = hadris_iso::sync::write(&mut record, &theirs, &opts).map_err(refused)?;
        drop(theirs);
        // Readers read ahead, and drives fail at the end of the medium: hadris adds 150 blocks, as
        // mkisofs and xorriso do. The copy of a GPT comes after them. Whole MiB are cylinders for
        // those who count them.
        let size = (report.size() + hybrid::TAIL).next_multiple_of(1 << 20);
        let blocks = u32::try_from(size / BLOCK).map_err(|source| Error::Structures(Box::new(source)))?;
        record.truncate(size);
        mend::set_volume_size(&mut record, blocks);
        mend::mend(&mut record, tree);

        let files = tree.iter().filter(|(_, node)| matches!(node.kind, Kind::File(_)));
        let places = files.filter_map(|(path, _)| {
            let extents = report.extents(path.as_bytes())?;
            let at = extents.first()?.offset();
            // Extents of a large file follow each other.
            Some((path.clone(), Place { at, len: extents.iter().map(hadris_fs::Extent::len).sum() }))
        });
        let skeleton = Skeleton { record, places: places.collect() };
        let mut iso = Iso { skeleton, boot: options.boot.clone() };
        if !options.boot.is_empty() {
            boot::set_sector_counts(&mut iso, &options.boot);
        }
        Ok(iso)
    }

    /// Bytes: a whole number of MiB.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether there are none")]
    pub fn len(&self) -> u64 {
        self.skeleton.record.len()
    }

    /// Where the content of the file `path` is: a multiple of 2,048 bytes from the start of the
    /// image. None for other nodes, for files without content and for hard links, which are where
    /// the file that they name is.
    #[must_use]
    pub fn place(&self, path: &TreePath) -> Option<Place> {
        self.skeleton.places.get(path).copied()
    }

    /// The image with the contents that the files of `tree` have now.
    ///
    /// # Errors
    /// A file is gone or has another length than was planned, or a boot image that gets a table
    /// cannot be read.
    pub fn layout(self, tree: &Tree) -> Result<Layout, Error> {
        let content = |path: &TreePath, place: Place| match tree.get(path).map(|node| &node.kind) {
            Some(Kind::File(content)) if content.len() == place.len => Ok(content),
            other => {
                let found = if let Some(Kind::File(content)) = other { content.len() } else { 0 };
                Err(Error::Changed { path: path.clone(), planned: place.len, found })
            }
        };
        let mut tables = BTreeMap::new();
        for entry in self.boot.iter().filter(|entry| entry.info_table) {
            if let Some(place) = self.place(&entry.image) {
                let image = boot::with_info_table(&entry.image, content(&entry.image, place)?, place)?;
                tables.insert(&entry.image, image);
            }
        }
        self.skeleton.fill(|path, place| match tables.get(path) {
            Some(image) => Ok(image),
            None => content(path, place),
        })
    }
}

/// Checks what hadris would refuse with fewer words.
fn check_boot(tree: &Tree, options: &Options) -> Result<(), Error> {
    for entry in &options.boot {
        match tree.get(&entry.image).map(|node| &node.kind) {
            Some(Kind::File(content)) if !content.is_empty() => {}
            _ => return Err(Error::BootImage { path: entry.image.clone() }),
        }
    }
    if let Some(path) = &options.catalog {
        let parent = path.parent().filter(|p| p.is_root() || tree.get(p).is_some_and(|n| n.is_dir()));
        if parent.is_none() || tree.get(path).is_some() {
            return Err(Error::Catalog { path: path.clone() });
        }
    }
    Ok(())
}

fn iso_options(options: &Options) -> Result<IsoOptions, Error> {
    let texts = [
        ("volume", IsoId::Volume, &options.volume, 32),
        ("volume set", IsoId::VolumeSet, &options.volume_set, 128),
        ("publisher", IsoId::Publisher, &options.publisher, 128),
        ("preparer", IsoId::Preparer, &options.preparer, 128),
        ("application", IsoId::Application, &options.application, 128),
        ("system", IsoId::System, &options.system, 32),
    ];
    let mut opts = IsoOptions::new()
        .with_level(IsoLevel::L3)
        .with_rock_ridge()
        .with_joliet()
        .with_time(source::date_time(options.epoch));
    for (field, id, value, limit) in texts {
        if value.len() > limit || !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return Err(Error::Text { field, value: value.clone(), limit });
        }
        opts = opts.with_id(id, value);
    }
    if !options.boot.is_empty() {
        opts = opts.with_el_torito(boot::catalog(&options.boot, options.catalog.as_ref())?);
    }
    Ok(opts)
}

/// Why an image cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text of the volume descriptor.
    #[error("{field} `{value}` has {} characters; {limit} of printable ASCII are allowed", value.chars().count())]
    Text {
        /// Which one.
        field: &'static str,
        /// What was asked for.
        value: String,
        /// Bytes of the field.
        limit: usize,
    },
    /// A component of a path.
    #[error("the name of `{path}` has {len} bytes; Linux allows {limit}")]
    Name {
        /// The path.
        path: TreePath,
        /// Bytes of its last component.
        len: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// A symbolic link.
    #[error("the target of the symbolic link `{path}` has {len} bytes; 1 to {limit} are allowed")]
    Target {
        /// The link.
        path: TreePath,
        /// Bytes of its target.
        len: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// Path tables have room for so many.
    #[error("{count} folders; ISO 9660 numbers {limit}")]
    Folders {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A boot entry's image.
    #[error("the boot image `{path}` is not a file with content in the tree")]
    BootImage {
        /// The image.
        path: TreePath,
    },
    /// hadris takes text only.
    #[error("the path `{path}` of a boot image or catalog is not UTF-8")]
    BootPath {
        /// The path.
        path: TreePath,
        /// Where it is not.
        source: std::str::Utf8Error,
    },
    /// The boot catalog's place among the files.
    #[error("the boot catalog cannot be at `{path}`: its folder is missing, or the name is taken")]
    Catalog {
        /// The path.
        path: TreePath,
    },
    /// A boot information table has no room.
    #[error("the boot image `{path}` has {len} bytes; a boot information table needs 64 to {limit}")]
    InfoTable {
        /// The image.
        path: TreePath,
        /// Its bytes.
        len: u64,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// A boot image's sum cannot be taken.
    #[error("cannot read the boot image `{path}`")]
    Read {
        /// The image.
        path: TreePath,
        /// Why.
        source: emit::Error,
    },
    /// The tree is not the one that was planned.
    #[error("`{path}` was planned with {planned} bytes and has {found}")]
    Changed {
        /// The file.
        path: TreePath,
        /// Bytes that its place has.
        planned: u64,
        /// Bytes that it has now.
        found: u64,
    },
    /// Too large for a partition.
    #[error("an image of {sectors} sectors; a master boot record counts to 4294967295")]
    Sectors {
        /// 512-byte sectors.
        sectors: u64,
        /// What it does not fit into.
        source: std::num::TryFromIntError,
    },
    /// The EFI system partition has no place.
    #[error("the EFI system partition `{path}` is not a file with content in the tree")]
    Esp {
        /// What was to be the partition.
        path: TreePath,
    },
    /// The master boot record.
    #[error("cannot make the image boot from a disk")]
    Mbr(#[from] mbr::Error),
    /// The GUID partition table.
    #[error("cannot make the image boot from a disk")]
    Gpt(#[from] gpt::Error),
    /// What is left for hadris to refuse: 2³² blocks, or a file called `rr_moved` in the root of a
    /// tree of more than eight levels.
    #[error("the tree does not fit into ISO 9660")]
    Structures(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn refused(e: hadris_fs::PathError) -> Error {
    Error::Structures(Box::new(e))
}
