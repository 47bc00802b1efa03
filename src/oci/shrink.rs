//! A cache that stays within a size.
//!
//! ```text
//! least recently used                                          most recently used
//! ├ segment ┼ layer's archive ┼ image ┼ blocks ┼ blob of no image ┼ image ┤
//! ╰────────── removed ──────────────╯           until the rest is small enough
//! ```
//! An image goes with its blobs, but for those that another one has. What was made from layers
//! goes on its own, since it can be made again without a registry.

use super::manifest::{Document, REF_NAME};
use super::tidy::{Listed, absent};
use super::{Descriptor, Digest, Error, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files of compressed blocks that a cache has, about.
const MAX_BLOCK_FILES: usize = 64;

/// Something that is removed as a whole.
struct Item {
    used: SystemTime,
    what: What,
}

enum What {
    /// A file that can be made or fetched again, and its length.
    File(PathBuf, u64),
    /// An image, and all that it needs of the cache.
    Image { root: Digest, blobs: BTreeSet<Digest> },
}

/// A file of the cache.
struct Found {
    path: PathBuf,
    len: u64,
    used: SystemTime,
}

impl Store {
    /// Removes what was used least recently, until the files of the cache have no more than
    /// `limit` bytes together. Returns the images that are gone. What was left behind by
    /// processes that were killed goes in any case.
    ///
    /// # Errors
    /// The cache cannot be read, or something cannot be removed.
    pub fn shrink(&self, limit: u64) -> Result<Vec<Listed>, Error> {
        let _alone = self.alone()?;
        let private = self.cache.private();
        let blob_folder = self.cache.blobs();
        let layer_folder = self.spool.dir();
        for leftover in self.leftovers()? {
            absent(remove(&leftover), &leftover)?;
        }
        let blobs: BTreeMap<Digest, Found> = (files(&blob_folder)?.into_iter())
            .filter_map(|file| Some((format!("sha256:{}", name(&file.path)).parse().ok()?, file)))
            .collect();
        let mut made = Vec::new();
        for folder in
            [layer_folder, &private.join("segments"), &self.cache.blocks(), &private.join("partial")]
        {
            made.extend(files(folder)?);
        }
        let mut size: u64 = blobs.values().chain(&made).map(|file| file.len).sum();
        let (mut items, mut needed) = self.images(&blobs)?;
        // A mark has no bytes, and goes with its layer.
        let made = made.into_iter().filter(|file| file.len > 0);
        let orphans = blobs.iter().filter(|(digest, _)| !needed.contains_key(digest));
        let orphans = orphans.map(|(_, file)| Found { path: file.path.clone(), ..*file });
        items.extend(
            made.chain(orphans).map(|Found { path, len, used }| Item { used, what: What::File(path, len) }),
        );
        items.sort_by(|a, b| a.key().cmp(&b.key()));

        let (mut images, mut lost, mut gone) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for item in items {
            if size <= limit {
                break;
            }
            match item.what {
                What::File(path, len) => {
                    size -= len;
                    gone.push(path);
                }
                What::Image { root, blobs: of_image } => {
                    images.insert(root);
                    for digest in of_image {
                        let images = needed.entry(digest).or_default();
                        *images -= 1;
                        if *images == 0
                            && let Some(file) = blobs.get(&digest)
                        {
                            size -= file.len;
                            lost.insert(digest);
                        }
                    }
                }
            }
        }
        self.remove_all(&images, &lost, &gone)
    }

    /// What processes left behind that were killed, if nobody else uses the cache.
    fn leftovers(&self) -> Result<Vec<PathBuf>, Error> {
        let private = self.cache.private();
        let mut found = Vec::new();
        for (folder, is_leftover) in [
            (&*private, (|name| name.starts_with("import-")) as fn(&str) -> bool),
            (self.spool.dir(), |name| name.starts_with("scratch-") || name.ends_with(".partial")),
            (&private.join("segments"), |name| name.ends_with(".partial")),
            (&self.cache.blobs(), |name| name.ends_with(".partial")),
        ] {
            found.extend(entries(folder)?.into_iter().filter(|path| is_leftover(&name(path))));
        }
        Ok(found)
    }

    /// Removes what processes left behind that were killed, which may be as large as their outputs,
    /// and, if there are many, those files of compressed blocks that were used least recently: each
    /// build that compresses something adds one. Whoever cleans up looks at bytes; here it is about
    /// how many files a build has to open. Waits for nobody, and what cannot be removed stays.
    pub(super) fn thin(&self) {
        let leftovers = self.leftovers().unwrap_or_default();
        let mut blocks = files(&self.cache.blocks()).unwrap_or_default();
        if leftovers.is_empty() && blocks.len() <= MAX_BLOCK_FILES {
            return;
        }
        // Others who build are at it, or have bytes of it.
        let Some(_alone) = self.cache.alone_now() else { return };
        leftovers.iter().for_each(|path| drop(remove(path)));
        if blocks.len() > MAX_BLOCK_FILES {
            blocks.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.path.cmp(&b.path)));
            blocks[MAX_BLOCK_FILES / 2..].iter().for_each(|file| drop(fs::remove_file(&file.path)));
        }
    }

    /// The images of the cache, and how many of them need each blob.
    fn images(&self, blobs: &BTreeMap<Digest, Found>) -> Result<(Vec<Item>, BTreeMap<Digest, usize>), Error> {
        let mut items: BTreeMap<Digest, Item> = BTreeMap::new();
        let mut needed: BTreeMap<Digest, usize> = BTreeMap::new();
        for root in &self.cache.index()?.manifests {
            if items.contains_key(&root.digest) {
                continue; // under another name
            }
            let (manifests, of_image) = self.walk(root)?;
            let used = manifests.iter().filter_map(|digest| Some(blobs.get(digest)?.used)).max();
            for digest in &of_image {
                *needed.entry(*digest).or_default() += 1;
            }
            let what = What::Image { root: root.digest, blobs: of_image };
            items.insert(root.digest, Item { used: used.unwrap_or(SystemTime::UNIX_EPOCH), what });
        }
        Ok((items.into_values().collect(), needed))
    }

    /// The manifests of an image, and all its blobs, as far as the cache has what names them.
    fn walk(&self, root: &Descriptor) -> Result<(BTreeSet<Digest>, BTreeSet<Digest>), Error> {
        let (mut manifests, mut blobs) = (BTreeSet::new(), BTreeSet::new());
        let mut next = vec![root.clone()];
        while let Some(descriptor) = next.pop() {
            blobs.insert(descriptor.digest);
            if !manifests.insert(descriptor.digest) {
                continue;
            }
            // One that is damaged names nothing, and goes in its turn.
            let read = match self.cache.read(&descriptor) {
                Err(error @ Error::Read { .. }) => return Err(error),
                read => read.ok().flatten(),
            };
            match read.and_then(|bytes| Document::parse(&bytes).ok()) {
                Some(Document::Index(index)) => next.extend(index.manifests),
                Some(Document::Manifest(manifest)) => {
                    blobs.extend(manifest.layers.iter().chain([&manifest.config]).map(|blob| blob.digest));
                }
                None => {}
            }
        }
        Ok((manifests, blobs))
    }

    /// First the names, so that none is left of something that is gone.
    fn remove_all(
        &self,
        images: &BTreeSet<Digest>,
        lost: &BTreeSet<Digest>,
        gone: &[PathBuf],
    ) -> Result<Vec<Listed>, Error> {
        let mut removed = Vec::new();
        if !images.is_empty() {
            let update = self.cache.update(|index| {
                let (out, kept) = index.manifests.drain(..).partition(|m| images.contains(&m.digest));
                index.manifests = kept;
                out
            });
            let out: Vec<Descriptor> = update?;
            removed.extend(out.into_iter().map(|mut m| Listed {
                name: m.annotations.remove(REF_NAME).unwrap_or_default(),
                digest: m.digest,
            }));
            removed.sort();
        }
        let blobs = lost.iter().map(|digest| self.cache.blob_path(*digest));
        for path in blobs.chain(gone.iter().cloned()) {
            absent(fs::remove_file(&path), &path)?;
        }
        self.spool.forget(lost)?;
        Ok(removed)
    }
}

impl Item {
    /// What is removed first has the smallest.
    fn key(&self) -> (SystemTime, Option<Digest>, Option<&Path>) {
        match &self.what {
            What::File(path, _) => (self.used, None, Some(path)),
            What::Image { root, .. } => (self.used, Some(*root), None),
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a folder; nothing, if there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(failed(source)),
        Ok(entries) => entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect(),
    }
}

/// The files of a folder.
fn files(folder: &Path) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        let failed = |source| Error::Read { path: path.clone(), source };
        let meta = fs::symlink_metadata(&path).map_err(failed)?;
        if meta.is_file() {
            let used = meta.modified().map_err(failed)?;
            found.push(Found { path, len: meta.len(), used });
        }
    }
    Ok(found)
}

/// Removes a file or a folder.
fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}
