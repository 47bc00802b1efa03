//! A root file system from the tar archive that `mkimage build` or `linuxkit build` wrote.

use super::archive::{self, Entry};
use super::layers::Error;
use super::place::put;
use mkimage_formats::tree::Origin;
use mkimage_formats::{Node, Slice, Source, Tree};
use std::path::Path;

/// The tree that unpacking the tar file at `path` gives: LinuxKit's archives repeat paths, and the
/// last entry for one counts. The file must stay while the tree is used.
///
/// # Errors
/// The file cannot be read, is no tar archive, or an entry has no place in a tree.
pub fn import(path: &Path) -> Result<Tree, Error> {
    let name = format!("`{}`", path.display());
    let io = |source| archive::Error::Io { path: path.into(), source };
    let source = Source::new(path).map_err(io)?;
    let slice = Slice { at: 0, len: source.len(), source };
    let mut tree = Tree::new();
    let origin = tree.add_origin(Origin::default());
    for Entry { path, meta, kind } in archive::index(&name, &slice)? {
        put(&mut tree, &path, Node { meta, kind, origin })
            .map_err(|source| Error::Place { layer: name.clone(), source })?;
    }
    Ok(tree)
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
    fn what_is_no_tar_archive_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.tar");
        std::fs::write(&file, [b'x'; 2048]).unwrap();
        assert!(import(&file).is_err());
    }
}
