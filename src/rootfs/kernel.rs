//! The kernel, its modules and microcode, out of the kernel's image.
//!
//! ```text
//! image   kernel ────────▶ boot/kernel      and boot/cmdline
//!         kernel.tar ────▶ lib/modules/...  what is in that archive
//!         ucode ─────────▶ boot/ucode.cpio
//! ```

use super::{By, Composer, Error as RootFsError, Options, T0, archive};
use crate::kernel;
use mkimage_formats::emit;
use mkimage_formats::{Content, Kind, Layout, Meta, Node, Slice, Source, Tree, TreePath};
use std::io;
use std::path::{Path, PathBuf};

/// Why an image has no kernel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A path that the specification names.
    #[error("there is no file `{path}` in it; the YAML's `kernel: {key}:` says which it is{}", or_none(key))]
    Missing {
        /// `binary`, `tar` or `ucode`.
        key: &'static str,
        /// The path.
        path: String,
    },
    /// The archive of modules.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// The archive of modules is empty.
    #[error("`{path}` is no tar archive")]
    NotAnArchive {
        /// The archive's path in the image.
        path: String,
    },
    /// What is in the kernel's file.
    #[error(transparent)]
    Unpack(#[from] kernel::Error),
    /// What is in the image cannot be read.
    #[error(transparent)]
    Read(#[from] emit::Error),
    /// A temporary file.
    #[error("cannot write `{path}`")]
    Spool {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// That an image needs no modules.
fn or_none(key: &str) -> &'static str {
    if key == "tar" { ", and `none` that there is none" } else { "" }
}

/// The kernel, if the specification has one.
pub(super) fn put(to: &mut Composer<'_>, options: &Options) -> Result<(), RootFsError> {
    let spec = to.spec;
    let Some(name) = &spec.kernel.image else { return Ok(()) };
    let (reference, image) = to.images.image(name)?;
    let tree = to.flatten("kernel", image)?;
    let failed =
        |source| RootFsError::Kernel { reference: Box::new(reference.clone()), source: Box::new(source) };
    let by = By { origin: to.origin(&reference, "kernel"), location: "kernel" };
    if let Some(tar) = spec.kernel.tar() {
        let (_, content) = file(&tree, "tar", tar).map_err(failed)?;
        for entry in modules(tar, content, &options.spool).map_err(failed)? {
            to.put(by, &entry.path, entry.meta, entry.kind)?;
        }
    }
    let binary = spec.kernel.binary();
    let (meta, content) = file(&tree, "binary", binary).map_err(failed)?;
    let content = match options.decompress_kernel {
        true => kernel::unpacked(binary, content, &options.spool).map_err(|e| failed(e.into()))?,
        false => content.clone(),
    };
    let kernel = Meta::new(meta.mode, T0);
    let path = |name| to.path("kernel", name);
    let (boot, cmdline, binary, ucode) =
        (path("boot")?, path("boot/cmdline")?, path("boot/kernel")?, path("boot/ucode.cpio")?);
    to.put(by, &boot, Meta::new(0o755, T0), Kind::Dir)?;
    to.put_file(by, &cmdline, spec.kernel.cmdline().as_bytes().to_vec())?;
    to.put(by, &binary, kernel, Kind::File(content))?;
    if let Some(name) = spec.kernel.ucode() {
        let (meta, content) = file(&tree, "ucode", name).map_err(failed)?;
        to.put(by, &ucode, Meta::new(meta.mode, T0), Kind::File(content.clone()))?;
    }
    to.place(reference, TreePath::root());
    Ok(())
}

/// The file that the image has at `path`.
fn file<'a>(image: &'a Tree, key: &'static str, path: &str) -> Result<(&'a Meta, &'a Layout), Error> {
    let node = |path: &TreePath| image.get(path);
    let found = TreePath::new(path).ok().and_then(|p| node(&p)).and_then(|n| match &n.kind {
        Kind::HardLink(first) => node(first),
        _ => Some(n),
    });
    match found {
        Some(Node { meta, kind: Kind::File(content), .. }) => Ok((meta, content)),
        _ => Err(Error::Missing { key, path: path.to_owned() }),
    }
}

/// What is in the archive of modules.
fn modules(path: &str, content: &Layout, spool: &Path) -> Result<Vec<archive::Entry>, Error> {
    let name = format!("`{path}`");
    match content.extents() {
        [] => Err(Error::NotAnArchive { path: path.to_owned() }),
        [Content::Slice(slice)] => Ok(archive::index(&name, slice)?),
        // A sparse file of its layer: modules may reach over its pieces.
        _ => Ok(archive::index(&name, &whole(content, spool)?)?),
    }
}

/// `content` in one piece: a file in the folder `spool`, with the holes, which may be anything.
fn whole(content: &Layout, spool: &Path) -> Result<Slice, Error> {
    let failed = |source| Error::Spool { path: spool.to_owned(), source };
    let (_, path) = tempfile::Builder::new()
        .prefix("modules-")
        .tempfile_in(spool)
        .and_then(|file| file.keep().map_err(io::Error::from))
        .map_err(failed)?;
    emit::emit(content, &path)?;
    let source = Source::new(path).map_err(failed)?;
    Ok(Slice { at: 0, len: source.len(), source })
}

#[cfg(test)]
mod tests;
