//! Hard links of layers.

use super::{Entry, Error, Key, Role, Stack, role};
use crate::rootfs::place::{Implied, make_parents, resolve};
use mkimage_formats::tree::OriginId;
use mkimage_formats::{Kind, Node, Tree, TreePath};
use std::collections::HashMap;

/// How many links to links are followed. Archives name what came first, so one is usual.
pub(super) const MAX_HOPS: usize = 40;

/// What a hard link names in the end.
enum Content {
    /// Something that is in the tree.
    There(TreePath),
    /// An entry that a layer above hides or replaces.
    Gone(Key),
}

/// Puts the links at `keys` into the tree, where everything else is already; `implied` is for folders that they need.
pub(super) fn put_all(
    stack: &Stack<'_>,
    keys: &[Key],
    tree: &mut Tree,
    implied: &Implied,
    placed: &HashMap<TreePath, Key>,
) -> Result<(), Error> {
    let own = keys.iter().map(|key| (stack.entry(*key).path.clone(), *key)).collect::<HashMap<_, _>>();
    let mut search = Search { stack, placed, own, paths: Vec::new() };
    // Where content went that is nowhere else any more.
    let mut kept: HashMap<Key, TreePath> = HashMap::new();
    for &key in keys {
        let path = resolve(tree, &stack.entry(key).path).map_err(|e| stack.misplaced(key, e))?;
        if placed.get(&path).is_some_and(|other| other.0 > key.0) {
            continue; // something with the plain path, from a layer above
        }
        let content = search.content(tree, key)?;
        let (meta, kind) = match &content {
            Content::There(first) => (Default::default(), Kind::HardLink(first.clone())),
            Content::Gone(entry) => match kept.get(entry) {
                Some(first) => (Default::default(), Kind::HardLink(first.clone())),
                None => {
                    kept.insert(*entry, path.clone());
                    let Entry { meta, kind, .. } = stack.entry(*entry);
                    (meta.clone(), kind.clone())
                }
            },
        };
        make_parents(tree, &path, implied).map_err(|e| stack.misplaced(key, e))?;
        let node = Node { meta, kind, origin: OriginId::default() };
        tree.insert(path, node).map_err(|e| stack.misplaced(key, e.into()))?;
    }
    Ok(())
}

struct Search<'a> {
    stack: &'a Stack<'a>,
    /// Where entries that are no hard links ended up.
    placed: &'a HashMap<TreePath, Key>,
    /// Hard links that are visible.
    own: HashMap<TreePath, Key>,
    /// The entries of each layer by path, made when first needed.
    paths: Vec<HashMap<&'a TreePath, usize>>,
}

impl Search<'_> {
    /// What the link at `key` names.
    fn content(&mut self, tree: &Tree, key: Key) -> Result<Content, Error> {
        let mut at = key;
        for _ in 0..MAX_HOPS {
            let Kind::HardLink(target) = &self.stack.entry(at).kind else { return Ok(Content::Gone(at)) };
            let path = resolve(tree, target).map_err(|e| self.stack.misplaced(at, e))?;
            // What is visible and in this layer or below is what the link means.
            match self.placed.get(&path) {
                Some(found) if found.0 <= at.0 && self.stack.entry(*found).kind != Kind::Dir => {
                    return Ok(Content::There(path));
                }
                _ => {}
            }
            at = match self.own.get(&path) {
                Some(link) if link.0 <= at.0 => *link,
                _ => match self.below(at.0, target) {
                    Some(found) if self.stack.entry(found).kind != Kind::Dir => found,
                    _ => {
                        return Err(Error::Dangling {
                            layer: self.stack.layers[at.0].name.clone(),
                            path: self.stack.entry(at).path.clone(),
                            target: target.clone(),
                        });
                    }
                },
            };
        }
        let path = self.stack.entry(key).path.clone();
        Err(Error::Cycle { layer: self.stack.layers[key.0].name.clone(), path })
    }

    /// What is at `path` when `layer` has been applied.
    fn below(&mut self, layer: usize, path: &TreePath) -> Option<Key> {
        if self.paths.is_empty() {
            self.paths = self
                .stack
                .entries
                .iter()
                .map(|entries| {
                    let mut paths = HashMap::new();
                    for (number, entry) in entries.iter().enumerate() {
                        paths.entry(&entry.path).or_insert(number);
                    }
                    paths
                })
                .collect();
        }
        for at in (0..=layer).rev() {
            if let Some(number) = self.paths[at].get(path) {
                return Some((at, *number));
            }
            if self.hides(at, path) {
                return None;
            }
        }
        None
    }

    /// The layer hides what those below it have at `path`.
    fn hides(&self, layer: usize, path: &TreePath) -> bool {
        let has = |folder: &TreePath, name: &[u8]| {
            let marker = TreePath::new(name).map(|name| folder.join(&name));
            marker.is_ok_and(|marker| self.paths[layer].contains_key(&marker))
        };
        std::iter::successors(Some(path.clone()), TreePath::parent).any(|p| {
            let Some(folder) = p.parent() else { return false };
            let replaced = self.paths[layer].get(&p).is_some_and(|number| {
                let entry = self.stack.entry((layer, *number));
                matches!(role(&entry.path), Role::Node) && entry.kind != Kind::Dir
            });
            replaced || has(&folder, &[super::WHITEOUT, p.name()].concat()) || has(&folder, super::OPAQUE)
        })
    }
}
