//! An image's layers as one tree.
//!
//! ```text
//! top     ├ etc/.wh.motd ┼ bin/new ┤      a path is the topmost layer's that has it,
//!         ├ etc/motd ┼ bin/old ┤          unless one above hides it
//! bottom  ├ bin ┼ etc ┤
//! ```
//! Layers are read from the top, each in its own order, and the first entry for a path counts: as
//! LinuxKit does, and with the same results where a layer names a path twice. A `.wh.NAME` hides
//! NAME and all below it, from then on; a `.wh..wh..opq` hides what layers below have in its
//! folder.
//!
//! A hard link is one more name of what was at its target when its own layer was applied. If a
//! layer above replaces that, the link keeps the old content.
//!
//! \[OCI\] *OCI Image Layer Filesystem Changeset*, "Whiteouts".

use super::archive::{self, Entry};
use super::place::{self, Implied, put_below, resolve};
use mkimage_formats::tree::{Origin, OriginId};
use mkimage_formats::{Kind, Node, Slice, Tree, TreePath};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

mod links;

/// A layer: an uncompressed tar file.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// What errors call it: the digest.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) slice: Slice,
}

/// Why an image's layers are no file system.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer cannot be read.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// An entry has no place.
    #[error("layer {layer} does not fit on the ones below it")]
    Place {
        /// The layer's digest.
        layer: String,
        /// What is wrong.
        source: place::Error,
    },
    /// A hard link to nothing.
    #[error("layer {layer}: `{path}` is a hard link to `{target}`, which is no file in it or below")]
    Dangling {
        /// The layer's digest.
        layer: String,
        /// The link.
        path: TreePath,
        /// What it should be a name of.
        target: TreePath,
    },
    /// Links to links.
    #[error("layer {layer}: more than {} hard links lead from `{path}` to each other", links::MAX_HOPS)]
    Cycle {
        /// The layer's digest.
        layer: String,
        /// The link that was followed.
        path: TreePath,
    },
}

/// Indexes of layers that were read. Images share layers, and each is read once.
#[derive(Default)]
pub(crate) struct Indexes(HashMap<(PathBuf, u64), Arc<Vec<Entry>>>);

impl Indexes {
    /// What is in the tar file.
    pub(crate) fn get(&mut self, name: &str, slice: &Slice) -> Result<Arc<Vec<Entry>>, archive::Error> {
        let key = (slice.source.path().to_path_buf(), slice.at);
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let entries = Arc::new(archive::index(name, slice)?);
        self.0.insert(key, entries.clone());
        Ok(entries)
    }
}

/// The prefix of names that hide.
const WHITEOUT: &[u8] = b".wh.";
/// The name that hides what is below its folder.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// The prefix of names that AUFS keeps its books with.
const BOOKKEEPING: &[u8] = b".wh..wh.";

/// What an entry is to the layers below.
enum Role {
    Node,
    /// Hides that path.
    Whiteout(TreePath),
    /// Hides all below that folder.
    Opaque(TreePath),
    /// Nothing.
    Bookkeeping,
}

fn role(path: &TreePath) -> Role {
    let name = path.name();
    let folder = || path.parent().unwrap_or_default();
    if name == OPAQUE {
        return Role::Opaque(folder());
    }
    if name.starts_with(BOOKKEEPING) {
        return Role::Bookkeeping;
    }
    match name.strip_prefix(WHITEOUT).map(TreePath::new) {
        Some(Ok(name)) if !name.is_root() => Role::Whiteout(folder().join(&name)),
        Some(_) => Role::Bookkeeping,
        None => Role::Node,
    }
}

/// An entry's place: its layer, from the bottom, and its number in it.
type Key = (usize, usize);

/// The layers of an image, bottom first.
struct Stack<'a> {
    layers: &'a [Layer],
    entries: Vec<Arc<Vec<Entry>>>,
}

/// A folder of a flattened image that is in no layer, but that something in them is in. Where the
/// system has a folder or a link to one at its path, unpacking leaves that alone.
pub(crate) fn is_implied(node: &Node) -> bool {
    node.origin != OriginId::default()
}

/// The file system that `layers`, bottom first, are together. Its nodes have no origin, but for
/// [those](is_implied) that no layer has.
pub(crate) fn flatten(layers: &[Layer], indexes: &mut Indexes) -> Result<Tree, Error> {
    let entries = layers.iter().map(|l| indexes.get(&format!("layer {}", l.name), &l.slice));
    let stack = Stack { layers, entries: entries.collect::<Result<_, _>>()? };
    let visible = stack.visible();
    let mut tree = Tree::new();
    let implied = Implied::new(tree.add_origin(Origin::default()));
    // Where entries ended up, for the sake of hard links.
    let mut placed: HashMap<TreePath, Key> = HashMap::new();
    let (mut behind_links, mut hard_links) = (Vec::new(), Vec::new());
    for (path, key) in visible {
        if matches!(stack.entry(key).kind, Kind::HardLink(_)) {
            hard_links.push(key);
        } else if is_behind_link(&tree, path) {
            behind_links.push(key);
        } else {
            let at = stack.put(&mut tree, &implied, path, key)?;
            placed.insert(at, key);
        }
    }
    // Folders that are links can only be followed when all links are known. What is below them
    // may meet entries with the plain path: the upper layer's counts.
    behind_links.sort_unstable();
    for key in behind_links {
        let path = &stack.entry(key).path;
        let at = resolve(&tree, path).map_err(|e| stack.misplaced(key, e))?;
        if placed.get(&at).is_none_or(|other| other.0 <= key.0) {
            let at = stack.put(&mut tree, &implied, path, key)?;
            placed.insert(at, key);
        }
    }
    links::put_all(&stack, &hard_links, &mut tree, &implied, &placed)?;
    Ok(tree)
}

/// The nearest thing above `path` that exists is a symbolic link.
fn is_behind_link(tree: &Tree, path: &TreePath) -> bool {
    let nearest = path.folders().find_map(|folder| tree.get(folder));
    nearest.is_some_and(|node| matches!(node.kind, Kind::Symlink(_)))
}

impl Stack<'_> {
    fn entry(&self, (layer, entry): Key) -> &Entry {
        &self.entries[layer][entry]
    }

    fn misplaced(&self, key: Key, source: place::Error) -> Error {
        Error::Place { layer: self.layers[key.0].name.clone(), source }
    }

    fn put(&self, tree: &mut Tree, implied: &Implied, path: &TreePath, key: Key) -> Result<TreePath, Error> {
        let Entry { meta, kind, .. } = self.entry(key);
        let node = Node { meta: meta.clone(), kind: kind.clone(), origin: OriginId::default() };
        put_below(tree, path, node, implied).map_err(|e| self.misplaced(key, e))
    }

    /// The entries that nothing hides, by path.
    fn visible(&self) -> BTreeMap<&TreePath, Key> {
        let mut visible = BTreeMap::new();
        // What was seen, and whether something can be below it in layers further down.
        let mut seen: HashMap<TreePath, bool> = HashMap::new();
        let mut opaque: HashSet<TreePath> = HashSet::new();
        for (layer, entries) in self.entries.iter().enumerate().rev() {
            let mut opaque_here = Vec::new();
            for (number, entry) in entries.iter().enumerate() {
                let hidden = |path: &TreePath| {
                    let mut above = path.folders();
                    seen.contains_key(path)
                        || above.any(|p| seen.get(p) == Some(&false) || opaque.contains(p))
                };
                match role(&entry.path) {
                    Role::Opaque(folder) => opaque_here.push(folder),
                    Role::Bookkeeping => {}
                    // Made again above: as a folder, without what it had below.
                    Role::Whiteout(path) if seen.get(&path) == Some(&true) => opaque_here.push(path),
                    Role::Whiteout(path) if hidden(&path) => {}
                    Role::Whiteout(path) => {
                        seen.insert(path, false);
                    }
                    Role::Node if hidden(&entry.path) => {}
                    Role::Node => {
                        seen.insert(entry.path.clone(), entry.kind == Kind::Dir);
                        visible.insert(&entry.path, (layer, number));
                    }
                }
            }
            opaque.extend(opaque_here);
        }
        visible
    }
}

#[cfg(test)]
mod tests;
