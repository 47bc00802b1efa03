//! A few files in memory, on their way into an image or an initrd.

use crate::debian::{self, Entry};
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Entries by path (without a leading `/`), none for a folder; all owned by root, none with a time.
#[derive(Default)]
pub(crate) struct Files(BTreeMap<String, Option<Entry>>);

impl Files {
    /// Adds a file.
    pub(crate) fn file(&mut self, path: impl Into<String>, mode: u32, data: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), Some(Entry::File { mode, data: data.into() }));
    }

    /// Adds a symbolic link.
    pub(crate) fn link(&mut self, path: impl Into<String>, target: &str) {
        self.0.insert(path.into(), Some(Entry::Link(target.into())));
    }

    /// Adds a folder that may stay empty.
    pub(crate) fn folder(&mut self, path: impl Into<String>) {
        self.0.insert(path.into(), None);
    }

    /// Adds what `want` says yes to from each package.
    pub(crate) fn unpack(&mut self, debs: &[PathBuf], want: impl Fn(&str) -> bool) -> Result<()> {
        debs.iter().try_for_each(|deb| {
            debian::unpack(deb, &want, |path, entry| {
                self.0.insert(path, Some(entry));
                Ok(())
            })
        })
    }

    /// Adds the shared libraries and the loader of each package.
    pub(crate) fn libraries(&mut self, debs: &[PathBuf]) -> Result<()> {
        self.unpack(debs, |path| {
            let library = path.strip_prefix("lib/x86_64-linux-gnu/").is_some_and(|name| !name.contains('/'));
            path.starts_with("lib64/") || library && path.contains(".so")
        })
    }

    /// The folders above every entry and the entries, parents first.
    fn sorted(&self) -> BTreeMap<&str, Option<&Entry>> {
        let mut all = BTreeMap::new();
        for (path, entry) in &self.0 {
            for (at, _) in path.match_indices('/') {
                all.entry(&path[..at]).or_insert(None);
            }
            all.insert(path, entry.as_ref());
        }
        all
    }

    /// A tar archive of everything.
    pub(crate) fn tar(&self) -> Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, entry) in self.sorted() {
            let mut header = tar::Header::new_gnu();
            match entry {
                None => {
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_mode(0o755);
                    header.set_size(0);
                    tar.append_data(&mut header, format!("{path}/"), &[][..])?;
                }
                Some(Entry::File { mode, data }) => {
                    header.set_mode(*mode);
                    header.set_size(u64::try_from(data.len())?);
                    tar.append_data(&mut header, path, &data[..])?;
                }
                Some(Entry::Link(target)) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_mode(0o777);
                    header.set_size(0);
                    tar.append_link(&mut header, path, target)?;
                }
            }
        }
        Ok(tar.into_inner()?)
    }

    /// An uncompressed initrd of everything.
    pub(crate) fn initrd(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        for (ino, (path, entry)) in (1..).zip(self.sorted()) {
            let (mode, data): (u32, &[u8]) = match entry {
                None => (0o040_755, &[]),
                Some(Entry::File { mode, data }) => (0o100_000 | mode, data),
                Some(Entry::Link(target)) => (0o120_777, target.as_bytes()),
            };
            let header = cpio::newc::Builder::new(path).ino(ino).mode(mode).nlink(1);
            let mut writer = header.write(&mut out, u32::try_from(data.len())?);
            std::io::Write::write_all(&mut writer, data)?;
            writer.finish()?;
        }
        cpio::newc::trailer(&mut out)?;
        Ok(out)
    }
}
