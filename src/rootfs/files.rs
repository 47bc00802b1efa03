//! The specification's own files.
//!
//! The folders that a file is in are made with its owner and its permissions, and may be searched
//! by whom it gives any: LinuxKit sets them even if an image has the folder, once for the whole
//! section, so that the first file below a folder decides.

use super::{By, Composer, Error, T0};
use crate::spec::FileContent;
use mkimage_formats::{Kind, Layout, Meta, TreePath};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// All entries of `files`.
pub(super) fn put(to: &mut Composer<'_>) -> Result<(), Error> {
    let spec = to.spec;
    let mut made: HashSet<TreePath> = HashSet::new();
    for (number, file) in spec.files.iter().enumerate() {
        let entry = file.resolve(&to.ids)?;
        let kind = match entry.content {
            FileContent::Directory => Kind::Dir,
            FileContent::Symlink(target) => Kind::Symlink(target.as_bytes().into()),
            FileContent::Contents(text) => Kind::File(text.as_bytes().to_vec().into()),
            FileContent::Metadata(format) => {
                let expand = |name: &str| {
                    name.parse().map_or(name.to_owned(), |r: crate::oci::Reference| r.to_string())
                };
                Kind::File(spec.metadata(format, expand).into_bytes().into())
            }
            FileContent::Source { path, optional } => {
                let path = expanded(path);
                match Layout::file(&path) {
                    Ok(layout) => Kind::File(layout),
                    Err(e) if optional && e.kind() == io::ErrorKind::NotFound => continue,
                    Err(source) => {
                        let written = file.source.as_ref().unwrap_or(&file.path);
                        return Err(Error::Source { place: written.place.clone(), path, source });
                    }
                }
            }
        };
        let location = format!("files[{number}]");
        let by = By { origin: to.origin("linuxkit.files", &location), location: &location };
        let path = to.path(&location, entry.path)?;
        let mode = u16::try_from(entry.mode & 0o7777).unwrap_or_default(); // twelve bits
        let meta = Meta { uid: entry.uid, gid: entry.gid, ..Meta::new(mode, T0) };
        let up = std::iter::successors(path.parent(), TreePath::parent);
        let mut folders: Vec<_> = up.filter(|p| !p.is_root()).collect();
        folders.reverse();
        for folder in folders {
            if made.insert(folder.clone()) {
                to.put(by, &folder, Meta { mode: searchable(mode), ..meta.clone() }, Kind::Dir)?;
            }
        }
        if kind == Kind::Dir {
            made.insert(path.clone());
        }
        to.put(by, &path, meta, kind)?;
    }
    Ok(())
}

/// A folder's permissions: the file's, and search for whom it gives any.
fn searchable(mode: u16) -> u16 {
    [0o700, 0o070, 0o007]
        .into_iter()
        .filter(|class| mode & class != 0)
        .fold(mode, |m, class| m | (class & 0o111))
}

/// `~/` is the user's own folder.
fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => Path::new(path).to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_can_be_searched_by_whom_the_file_gives_anything() {
        for (file, folder) in
            [(0o600, 0o700), (0o644, 0o755), (0o4755, 0o4755), (0o604, 0o705), (0o020, 0o030)]
        {
            assert_eq!(searchable(file), folder);
        }
    }
}
