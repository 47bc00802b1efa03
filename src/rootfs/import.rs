//! A root file system from tar archives: one that `mkimage build` or `linuxkit build` wrote, or an
//! image's layers.

use super::archive::{self, Entry};
use super::layers::{Error, Indexes, Layer, flatten};
use super::place::{Implied, put_below};
use mkimage_formats::tree::Origin;
use mkimage_formats::{Node, Slice, Source, Tree};
use std::path::{Path, PathBuf};

/// The tree that unpacking the tar file at `path` gives: LinuxKit's archives repeat paths, and the
/// last entry for one counts. The file must stay while the tree is used.
///
/// # Errors
/// The file cannot be read, is no tar archive, or an entry has no place in a tree.
pub fn import(path: &Path) -> Result<Tree, Error> {
    import_as(path, &format!("`{}`", path.display()))
}

/// The same; errors call the file `name`.
pub(crate) fn import_as(path: &Path, name: &str) -> Result<Tree, Error> {
    let Layer { slice, .. } = layer(path)?;
    let name = name.to_owned();
    let mut tree = Tree::new();
    let origin = tree.add_origin(Origin::default());
    let implied = Implied::new(origin);
    for Entry { path, meta, kind } in archive::index(&name, &slice)? {
        put_below(&mut tree, &path, Node { meta, kind, origin }, &implied)
            .map_err(|source| Error::Place { layer: name.clone(), source })?;
    }
    Ok(tree)
}

/// The tree of an image whose layers are these tar files, the bottom one first: what whiteouts hide
/// is not in it. The files must stay while the tree is used.
///
/// # Errors
/// As [`import`].
pub fn import_layers(paths: &[PathBuf]) -> Result<Tree, Error> {
    let layers = paths.iter().map(|path| layer(path)).collect::<Result<Vec<_>, _>>()?;
    flatten(&layers, &mut Indexes::default())
}

/// A whole file, under the name that errors give it.
fn layer(path: &Path) -> Result<Layer, archive::Error> {
    let source = Source::new(path).map_err(|source| archive::Error::Io { path: path.into(), source })?;
    Ok(Layer { name: format!("`{}`", path.display()), slice: Slice { at: 0, len: source.len(), source } })
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use mkimage_formats::{Kind, TreePath};

    #[test]
    fn the_last_entry_for_a_path_counts() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.tar");
        std::fs::write(&file, fixture::bytes("d etc\nf etc/a one\nd0700 etc\nf etc/a three")).unwrap();
        let tree = import(&file).unwrap();
        let node = |p| tree.get(&TreePath::new(p).unwrap()).unwrap();
        assert_eq!(node("etc").meta.mode, 0o700);
        assert!(matches!(&node("etc/a").kind, Kind::File(content) if content.len() == 5));
    }

    #[test]
    fn layers_are_files_bottom_first() {
        let dir = tempfile::tempdir().unwrap();
        let layers = [("bottom", "f a 1\nf b 2"), ("top", "f .wh.a\nf c 3")].map(|(name, entries)| {
            let path = dir.path().join(name);
            std::fs::write(&path, fixture::bytes(entries)).unwrap();
            path
        });
        assert_eq!(fixture::listed(&import_layers(&layers).unwrap()), ["f b 2", "f c 3"]);
        let gone = dir.path().join("gone");
        let e = import_layers(std::slice::from_ref(&gone)).unwrap_err();
        assert!(matches!(e, Error::Archive(archive::Error::Io { path, .. }) if path == gone));
    }

    #[test]
    fn what_is_no_tar_archive_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.tar");
        std::fs::write(&file, [b'x'; 2048]).unwrap();
        assert!(import(&file).is_err());
    }
}
