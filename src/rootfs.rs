//! Images, volumes and files as one root file system.
//!
//! ```text
//! kernel ─▶ init ─▶ volumes ─▶ onboot ─▶ onshutdown ─▶ services ─▶ files
//! boot/     /       containers/volumes/NAME/lower                  anywhere
//!                   containers/onboot/NNN-NAME/{lower,rootfs}
//! ```
//! Each stage is put on top of the ones before it, as if archives were unpacked one after the
//! other; every path then exists once, with the node that came last ([`place`](PlaceError) tells
//! what happens where folders, links and files meet). Nothing is unpacked on the host: contents
//! are slices of the layers' files.

use crate::oci::{Image, OciImage, Platform, Reference, Store};
use crate::spec::{Ids, Located, Spec, VolumeFormat};
pub(crate) use layers::{Indexes, Layer, flatten, is_implied};
use mkimage_formats::tree::{Origin, OriginId, Time};
use mkimage_formats::{Kind, Layout, Meta, Node, Slice, Source, Tree, TreePath};
use std::collections::BTreeMap;
use std::path::PathBuf;

mod apk;
mod archive;
mod bundles;
mod error;
mod files;
#[cfg(test)]
mod fixture;
mod image;
mod import;
mod kernel;
mod layers;
mod place;
mod volumes;

pub use archive::{Error as ArchiveError, Problem as EntryProblem};
pub use error::Error;
pub(crate) use import::import_as;
pub use import::{import, import_layers};
pub use kernel::Error as KernelError;
pub use layers::Error as LayersError;
pub use place::Error as PlaceError;

/// The time of everything that LinuxKit itself makes: 2017-04-18T16:30:00Z.
pub const T0: Time = Time::from_unix(1_492_533_000);

/// The images that a specification names.
#[derive(Clone, Debug, Default)]
pub struct Images {
    /// Those whose files are used.
    pub images: BTreeMap<Reference, Image>,
    /// Those that become an OCI layout in a volume, by the volume's name.
    pub layouts: BTreeMap<String, OciImage>,
}

impl Images {
    /// Gets them, from the cache or a registry.
    ///
    /// # Errors
    /// A reference is none, or an image is not to be had.
    pub fn get(spec: &Spec, store: &Store, platform: &Platform) -> Result<Self, Error> {
        let plain = |volume: &&crate::spec::Volume| volume.format != Some(VolumeFormat::Oci);
        let mut references = Vec::new();
        let names = (spec.kernel.image.iter())
            .chain(&spec.init)
            .chain(spec.volumes.iter().filter(plain).filter_map(|v| v.image.as_ref()))
            .chain(spec.containers().map(|c| &c.image));
        for name in names {
            let reference = reference(name)?;
            if !references.contains(&reference) {
                references.push(reference);
            }
        }
        let images = store.resolve(&references, platform)?;
        let mut layouts = BTreeMap::new();
        for volume in spec.volumes.iter().filter(|v| !plain(v)) {
            let Some(name) = &volume.image else { continue };
            let platforms = volume.platforms.iter().map(|p| {
                let wrong = |source| Error::Platform { place: p.place.clone(), source };
                p.parse::<Platform>().map_err(wrong)
            });
            let platforms = platforms.collect::<Result<Vec<_>, _>>()?;
            layouts.insert(volume.name.value.clone(), store.oci_layout(&reference(name)?, &platforms)?);
        }
        Ok(Images { images: references.into_iter().zip(images).collect(), layouts })
    }

    fn image(&self, name: &Located<String>) -> Result<(Reference, &Image), Error> {
        let reference = reference(name)?;
        let missing = || Error::NoImage { place: name.place.clone(), reference: Box::new(reference.clone()) };
        let image = self.images.get(&reference).ok_or_else(missing)?;
        Ok((reference, image))
    }
}

/// The reference that was written.
fn reference(name: &Located<String>) -> Result<Reference, Error> {
    name.parse().map_err(|source| Error::Reference { place: name.place.clone(), source })
}

/// What is asked of [`compose`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Unpack the kernel that is inside the kernel's file.
    pub decompress_kernel: bool,
    /// A folder for contents that are made here and too large for memory. It must be there while
    /// the tree is in use.
    pub spool: PathBuf,
}

/// A place of an image in a root file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The image.
    pub reference: Reference,
    /// The folder that its files are in.
    pub folder: TreePath,
}

/// A root file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootFs {
    /// All paths.
    pub tree: Tree,
    /// The images, in the order in which they were put there: one that is in `init` and in a bundle
    /// twice, but bundles share one place.
    pub images: Vec<Placed>,
}

impl RootFs {
    /// Adds a file that is in no image. `location` is what makes it.
    ///
    /// # Errors
    /// The path leads out of the file system, or something that is no folder is in the way.
    pub fn put_file(&mut self, location: &str, path: &str, content: Vec<u8>) -> Result<(), Error> {
        let failed = |source| Error::Place { location: location.to_owned(), source };
        let path = TreePath::new(path).map_err(|e| failed(PlaceError::Tree(e)))?;
        let origin = self.tree.add_origin(Origin { source: "mkimage".into(), location: location.to_owned() });
        let node = Node { meta: Meta::new(0o644, T0), kind: Kind::File(content.into()), origin };
        place::put(&mut self.tree, &path, node).map(drop).map_err(failed)
    }
}

/// Makes the root file system that `spec` asks for.
///
/// # Errors
/// An image is broken or cannot be a container, or a file of the host cannot be read.
pub fn compose(spec: &Spec, images: &Images, options: &Options) -> Result<RootFs, Error> {
    let mut composer = Composer {
        spec,
        images,
        ids: Ids::of(spec),
        tree: Tree::new(),
        indexes: Indexes::default(),
        placed: Vec::new(),
    };
    kernel::put(&mut composer, options)?;
    image::put_init(&mut composer)?;
    volumes::put(&mut composer)?;
    bundles::put(&mut composer)?;
    files::put(&mut composer)?;
    Ok(RootFs { tree: composer.tree, images: composer.placed })
}

/// A root file system that grows.
struct Composer<'a> {
    spec: &'a Spec,
    images: &'a Images,
    ids: Ids,
    tree: Tree,
    indexes: Indexes,
    placed: Vec<Placed>,
}

/// Who puts something: its origin, and the words for it in errors.
#[derive(Clone, Copy)]
struct By<'a> {
    origin: OriginId,
    location: &'a str,
}

impl Composer<'_> {
    fn origin(&mut self, source: impl ToString, location: &str) -> OriginId {
        self.tree.add_origin(Origin { source: source.to_string(), location: location.to_owned() })
    }

    /// The files of an image.
    fn flatten(&mut self, location: &str, image: &Image) -> Result<Tree, Error> {
        let layer = |layer: &crate::oci::Layer| {
            let source = Source::verified(&layer.tar, layer.diff_id.bytes())
                .map_err(|source| Error::Read { path: layer.tar.clone(), source })?;
            let slice = Slice { at: 0, len: source.len(), source };
            Ok(Layer { name: layer.digest.to_string(), slice })
        };
        let layers = image.layers.iter().map(layer).collect::<Result<Vec<_>, Error>>()?;
        layers::flatten(&layers, &mut self.indexes).map_err(|source| Error::Layers {
            location: location.to_owned(),
            reference: Box::new(image.reference.clone()),
            source: Box::new(source),
        })
    }

    fn put(&mut self, by: By<'_>, path: &TreePath, meta: Meta, kind: Kind) -> Result<(), Error> {
        let node = Node { meta, kind, origin: by.origin };
        let failed = |source| Error::Place { location: by.location.to_owned(), source };
        place::put(&mut self.tree, path, node).map(drop).map_err(failed)
    }

    /// A folder of LinuxKit's own, and the folders that it is in.
    fn put_folders(&mut self, by: By<'_>, path: &TreePath) -> Result<(), Error> {
        let up = std::iter::successors(Some(path.clone()), TreePath::parent);
        let mut down: Vec<_> = up.filter(|p| !p.is_root()).collect();
        down.reverse();
        down.iter().try_for_each(|p| self.put(by, p, Meta::new(0o755, T0), Kind::Dir))
    }

    /// A file of LinuxKit's own.
    fn put_file(&mut self, by: By<'_>, path: &TreePath, content: impl Into<Layout>) -> Result<(), Error> {
        self.put(by, path, Meta::new(0o644, T0), Kind::File(content.into()))
    }

    /// A path of a name in the specification.
    fn path(&self, location: &str, name: impl AsRef<[u8]>) -> Result<TreePath, Error> {
        let failed = |e| Error::Place { location: location.to_owned(), source: PlaceError::Tree(e) };
        TreePath::new(name).map_err(failed)
    }
}
