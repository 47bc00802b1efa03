//! What an entry of `files` asks for, once its keys are taken together.

use super::error::{Error, Log, Problem};
use super::place::Located;
use super::{File, Ids};
use mkimage_formats::TreePath;

/// An entry of `files`, ready to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry<'a> {
    /// The path, without the slash that it may begin with.
    pub path: &'a str,
    /// What is there.
    pub content: FileContent<'a>,
    /// Permissions.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// What is at the path of an entry of `files`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent<'a> {
    /// A folder.
    Directory,
    /// A symbolic link to this.
    Symlink(&'a str),
    /// A file of this content.
    Contents(&'a str),
    /// A file with the content of one of the host's.
    Source {
        /// The host's file.
        path: &'a str,
        /// There is to be none if the host has none.
        optional: bool,
    },
    /// A file with the specification as content.
    Metadata(MetadataFormat),
}

/// How the specification is written into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataFormat {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

/// The most that permissions can be: with the set-user-id, set-group-id and sticky bits.
const MAX_MODE: u32 = 0o7777;

impl File {
    /// What the entry asks for.
    ///
    /// # Errors
    /// The owner or group is a name that no container has; or what [`Spec::parse`] refuses.
    ///
    /// [`Spec::parse`]: super::Spec::parse
    pub fn resolve(&self, ids: &Ids) -> Result<FileEntry<'_>, Error> {
        Ok(FileEntry {
            path: self.path.strip_prefix('/').unwrap_or(&self.path),
            mode: self.mode()?,
            uid: ids.resolve(self.uid.as_ref())?,
            gid: ids.resolve(self.gid.as_ref())?,
            content: self.content()?,
        })
    }

    /// Notes what is wrong whatever the names of containers are.
    pub(super) fn check(&self, log: &mut Log) {
        let place = &self.path.place;
        match TreePath::new(self.path.as_bytes()) {
            Err(error) => log.report(place.clone(), error.into()),
            Ok(path) if path.is_root() => {
                log.report(place.clone(), Problem::NoName { path: self.path.value.clone() });
            }
            Ok(_) => {}
        }
        if let Some(link) = self.symlink.as_ref().filter(|link| link.contains('\0')) {
            log.report(link.place.clone(), Problem::NulInTarget);
        }
        log.take(self.mode());
        log.take(self.content());
    }

    /// The permissions: those given, else the owner's alone.
    fn mode(&self) -> Result<u32, Error> {
        let Some(mode) = self.mode.as_ref().filter(|mode| !mode.is_empty()) else {
            return Ok(if self.directory { 0o700 } else { 0o600 });
        };
        octal(mode).ok_or_else(|| Error {
            place: mode.place.clone(),
            problem: Problem::Mode { mode: mode.value.clone() },
        })
    }

    /// What is at the path; a folder before a link before contents, as LinuxKit has it.
    fn content(&self) -> Result<FileContent<'_>, Error> {
        let filled = |text: &'_ &Located<String>| !text.is_empty();
        let symlink = self.symlink.as_ref().filter(filled);
        let source = self.source.as_ref().filter(filled);
        let metadata = self.metadata.as_ref().filter(filled);
        let given = match (self.directory, symlink, &self.contents) {
            (true, _, Some(contents)) => return Err(self.two("directory", "contents", contents)),
            (true, ..) => Some(("directory", FileContent::Directory)),
            (false, Some(link), _) => Some(("symlink", FileContent::Symlink(link))),
            (false, None, Some(contents)) => Some(("contents", FileContent::Contents(contents))),
            (false, None, None) => None,
        };
        match (given, source, metadata) {
            (Some((_, content)), None, None) => Ok(content),
            (Some((key, _)), Some(source), _) => Err(self.two(key, "source", source)),
            (Some((key, _)), None, Some(metadata)) => Err(self.two(key, "metadata", metadata)),
            (None, Some(_), Some(metadata)) => Err(self.two("source", "metadata", metadata)),
            (None, Some(source), None) => Ok(FileContent::Source { path: source, optional: self.optional }),
            (None, None, Some(format)) => metadata_format(format).map(FileContent::Metadata),
            (None, None, None) => {
                let problem = Problem::NoContents { path: self.path.value.clone() };
                Err(Error { place: self.path.place.clone(), problem })
            }
        }
    }

    fn two(&self, first: &'static str, second: &'static str, at: &Located<String>) -> Error {
        let problem = Problem::TwoContents { path: self.path.value.clone(), first, second };
        Error { place: at.place.clone(), problem }
    }
}

fn metadata_format(format: &Located<String>) -> Result<MetadataFormat, Error> {
    match format.as_str() {
        "yaml" => Ok(MetadataFormat::Yaml),
        "json" => Ok(MetadataFormat::Json),
        _ => {
            let choices = &["yaml", "json"];
            let problem =
                Problem::Choice { what: "`metadata`".to_owned(), value: format.value.clone(), choices };
            Err(Error { place: format.place.clone(), problem })
        }
    }
}

/// Permissions from octal digits.
pub(crate) fn octal(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    u32::from_str_radix(text, 8).ok().filter(|mode| digits && *mode <= MAX_MODE)
}
