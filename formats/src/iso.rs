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
//! Contents take no memory; the folders that describe them are held as they will be written.
//!
//! # What becomes of a tree
//!
//! Rock Ridge keeps names (bytes, up to 255), permissions, owners, modification times in seconds,
//! symbolic links, hard links, device nodes and named pipes. Of these Linux (fs/isofs/rock.c, 6.1)
//! cuts names longer than 253 bytes, and minor numbers of devices to eight bits. Extended
//! attributes are left out: there is no place for them. A folder below the eighth level moves to
//! `/rr_moved`, where readers that do not know Rock Ridge see it (`genisoimage -R` does the same).
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
mod date;
mod error;
mod hybrid;
mod link;
mod names;
mod nodes;
mod path_table;
mod plan;
mod records;
mod structs;
mod system_use;
mod volume;

pub use crate::skeleton::Place;
pub use boot::{BootEntry, Platform};
pub use error::Error;
pub use hybrid::{Hybrid, Profile};

use crate::layout::Layout;
use crate::skeleton::Skeleton;
use crate::tree::{Kind, Time, Tree, TreePath};
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

/// The trees of folders that describe the same contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    /// Of the primary volume descriptor, with Rock Ridge.
    Primary,
    /// Of the supplementary one.
    Joliet,
}

impl View {
    const BOTH: [Self; 2] = [View::Primary, View::Joliet];

    /// Its place in [`View::BOTH`].
    fn index(self) -> usize {
        match self {
            View::Primary => 0,
            View::Joliet => 1,
        }
    }
}

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
        volume::check(options)?;
        boot::check(tree, &options.boot)?;
        Ok(Iso { skeleton: plan::skeleton(tree, options)?, boot: options.boot.clone() })
    }

    /// Bytes: a whole number of MiB.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether there are none")]
    pub fn len(&self) -> u64 {
        self.skeleton.record.len()
    }

    /// Where the content of the file `path` is: a multiple of 2,048 bytes from the start of the
    /// image, and from 64 KiB of content on one of 4,096. None for other nodes, for files without
    /// content and for hard links, which are where the file that they name is.
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
