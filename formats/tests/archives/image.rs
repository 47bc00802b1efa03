//! Images that other programs read, and what is put into them.

use mkimage_formats::emit::{self, Sink, Stream};
use mkimage_formats::{Content, Kind, Layout, TreePath};
use proptest::prelude::*;
use std::path::PathBuf;
use tempfile::TempDir;

/// An image in a folder of its own.
pub(crate) struct Image {
    /// Has room for what else a test needs.
    pub(crate) dir: TempDir,
}

impl Image {
    pub(crate) fn emit(layout: &Layout) -> Self {
        let image = Image { dir: tempfile::tempdir().unwrap() };
        emit::emit(layout, image.path()).unwrap();
        image
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("x.img")
    }
}

pub(crate) fn path(name: impl AsRef<[u8]>) -> TreePath {
    TreePath::new(name).unwrap()
}

pub(crate) fn file(content: impl AsRef<[u8]>) -> Kind {
    Kind::File(content.as_ref().to_vec().into())
}

pub(crate) fn bytes(layout: &Layout) -> Vec<u8> {
    let mut out = Stream::new(Vec::new());
    out.layout(layout).unwrap();
    out.into_inner()
}

/// Files of some pieces and holes, each of `len` bytes.
pub(crate) fn files(len: impl Strategy<Value = usize>) -> impl Strategy<Value = Kind> {
    let pieces = proptest::collection::vec((any::<u8>(), len, any::<bool>()), 0..4);
    pieces.prop_map(|pieces| {
        let mut layout = Layout::default();
        for (byte, len, hole) in pieces {
            let piece = vec![byte; len];
            layout.push(if hole { Content::Hole(len as u64) } else { piece.into() });
        }
        Kind::File(layout)
    })
}
