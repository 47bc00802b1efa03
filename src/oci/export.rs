//! Images as archives for other programs.
//!
//! ```text
//! oci      oci-layout, index.json, blobs/sha256/HEX …         what `import`, skopeo and buildx read
//! docker   manifest.json, HEX.json, HEX/layer.tar …           what `docker load` reads
//! ```
//!
//! The same image gives the same bytes: names in order, no owners, all times zero.
//!
//! \[OCI-IMAGE\] image-layout.md; \[DOCKER-SAVE\] *Docker Image Specification* 1.2.

use super::cache::LAYOUT;
use super::manifest::{Index, OCI_INDEX, REF_NAME};
use super::select::Choice;
use super::{Blob, Error, Platform, Reference, Store};
use mkimage_formats::tree::{self, Meta, OriginId, Time};
use mkimage_formats::{Kind, Layout, Node, Tree, TreePath};
use serde::Serialize;
use std::io;

/// Why an archive cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A name that cannot be in an archive.
    #[error(transparent)]
    Tree(#[from] tree::Error),
    /// A list of images that cannot be written.
    #[error("cannot list the image")]
    List(#[from] serde_json::Error),
}

/// \[DOCKER-SAVE\] `manifest.json`
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

impl Store {
    /// An image as an OCI layout, under the name `name`: for one platform that image alone, else
    /// the index with all of them.
    ///
    /// # Errors
    /// The image is not to be had.
    pub fn export_oci(
        &self,
        reference: &Reference,
        name: &Reference,
        platform: Option<&Platform>,
    ) -> Result<Tree, Error> {
        let choice = platform.map_or(Choice::All, Choice::Run);
        let mut archive = Archive::new();
        let (mut blobs, mut roots) = (Vec::new(), Vec::new());
        for mut selection in self.obtain(std::slice::from_ref(reference), choice)? {
            if platform.is_some() {
                // The index, and what attests the image, would name what is not in the archive.
                selection.manifests.truncate(1);
                selection.root = selection.manifests.first().map_or(selection.root, |m| m.descriptor.clone());
            }
            self.list(&selection, &mut blobs);
            roots.push(selection.root);
        }
        for blob in &blobs {
            archive.file(&format!("blobs/sha256/{}", blob.digest.hex()), content(blob)?)?;
        }
        for root in &mut roots {
            root.annotations.insert(REF_NAME.into(), name.cache_name());
        }
        let rest = serde_json::Map::default();
        let index = Index { schema_version: 2, media_type: OCI_INDEX.into(), manifests: roots, rest };
        let index = serde_json::to_vec(&index).map_err(ExportError::from)?;
        archive.file("index.json", Layout::from(index))?;
        archive.file("oci-layout", Layout::from(LAYOUT.as_bytes().to_vec()))?;
        Ok(archive.tree)
    }

    /// An image for one platform as `docker save` writes it, under the name `name`.
    ///
    /// # Errors
    /// The image is not to be had.
    pub fn export_docker(
        &self,
        reference: &Reference,
        name: &Reference,
        platform: &Platform,
    ) -> Result<Tree, Error> {
        let mut archive = Archive::new();
        let mut saved = Vec::new();
        for image in self.resolve(std::slice::from_ref(reference), platform)? {
            let config = format!("{}.json", super::Digest::of(&image.config_bytes).hex());
            archive.file(&config, Layout::from(image.config_bytes))?;
            let mut layers = Vec::new();
            for layer in image.layers {
                let path = format!("{}/layer.tar", layer.diff_id.hex());
                let content = Layout::file(&layer.tar).map_err(|e| unread(&layer.tar, e))?;
                // An image may have the same layer twice.
                if !layers.contains(&path) {
                    archive.file(&path, content)?;
                }
                layers.push(path);
            }
            saved.push(Saved { config, repo_tags: vec![name.cache_name()], layers });
        }
        let list = serde_json::to_vec(&saved).map_err(ExportError::from)?;
        archive.file("manifest.json", Layout::from(list))?;
        Ok(archive.tree)
    }
}

fn content(blob: &Blob) -> Result<Layout, Error> {
    Layout::file(&blob.path).map_err(|e| unread(&blob.path, e))
}

fn unread(path: &std::path::Path, source: io::Error) -> Error {
    Error::Read { path: path.to_owned(), source }
}

/// Files of no one, made at no time.
struct Archive {
    tree: Tree,
}

impl Archive {
    fn new() -> Self {
        Archive { tree: Tree::new() }
    }

    fn file(&mut self, path: &str, content: Layout) -> Result<(), ExportError> {
        for (at, _) in path.match_indices('/') {
            let folder = TreePath::new(&path[..at])?;
            if self.tree.get(&folder).is_none() {
                self.tree.insert(folder, node(0o755, Kind::Dir))?;
            }
        }
        Ok(self.tree.insert(TreePath::new(path)?, node(0o644, Kind::File(content)))?)
    }
}

fn node(mode: u16, kind: Kind) -> Node {
    Node { meta: Meta::new(mode, Time::default()), kind, origin: OriginId::default() }
}
