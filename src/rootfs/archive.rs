//! What is in a tar file, and where: an index of a layer that reads headers only.
//!
//! ```text
//! ├ L, K, x ┼─ header ─┼── content ──┤ ... ├─ zeros ─┤
//!   of the     a block    skipped, its
//!   entry                 place kept
//! ```
//! Reads what others write: ustar, PAX, GNU's long names and old sparse files. The structures are
//! the `tar` crate's; numbers and records are read here, because the crate takes a negative time
//! for a large one and ends a record at a newline in its value.
//!
//! \[PAX\] IEEE Std 1003.1-2017, *pax*; \[GNU\] *GNU tar manual*, "Basic Tar Format".

use mkimage_formats::tree::{self, MAX_PATH};
use mkimage_formats::{Content, Kind, Layout, Meta, Slice, TreePath};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;

mod fields;
mod records;

use records::Records;

/// Everything is in blocks of 512 bytes.
const BLOCK: u64 = 512;
/// The longest name or set of records; as in Go's `archive/tar`, which made most layers.
const MAX_RECORDS: u64 = 1 << 20;
/// Bytes of all sparse files of an archive, which their headers say and no content bounds.
const MAX_SPARSE: u64 = 1 << 50;

/// An entry: a node with its path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Where it is, or with a `.wh.` name what it hides.
    pub(crate) path: TreePath,
    pub(crate) meta: Meta,
    pub(crate) kind: Kind,
}

/// Why a tar file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file itself.
    #[error("cannot read `{path}`")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An entry.
    #[error("{archive} is broken at byte {at}{}", .name.as_ref().map(|n| format!(", `{n}`")).unwrap_or_default())]
    Entry {
        /// The archive: a layer's digest, or the path of an archive in an image.
        archive: String,
        /// Where the entry's header begins, bytes from the archive's start.
        at: u64,
        /// The entry's name, if that could be read.
        name: Option<String>,
        /// What is wrong.
        source: Problem,
    },
}

/// What can be wrong with an entry of a tar file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Not a header, or a damaged one.
    #[error("the header's checksum is {found}; its bytes add up to {sum}")]
    Checksum {
        /// The field.
        found: i64,
        /// What it should be.
        sum: i64,
    },
    /// Not an archive, but perhaps one inside.
    #[error("it is compressed as {format}; the tar archive itself is wanted")]
    Compressed {
        /// What its first bytes say.
        format: &'static str,
    },
    /// Neither octal digits nor base 256.
    #[error("{field} is `{text}`, which is not a number")]
    Number {
        /// The field.
        field: &'static str,
        /// Its bytes.
        text: String,
    },
    /// A number that its place in a file system cannot hold.
    #[error("{field} is {value}; at most {limit} is possible")]
    Range {
        /// The field.
        field: &'static str,
        /// What it says.
        value: i64,
        /// The largest value.
        limit: u64,
    },
    /// The end comes too early.
    #[error("the archive ends at byte {len}; the entry needs {end}")]
    Truncated {
        /// Where it should end, bytes from the archive's start.
        end: u64,
        /// The archive's length.
        len: u64,
    },
    /// A name or set of records that nothing real needs.
    #[error("its name or records have {len} bytes; {MAX_RECORDS} are allowed")]
    Records {
        /// Their length.
        len: u64,
    },
    /// A symbolic link that no Linux makes.
    #[error("the link's target has {len} bytes; Linux takes up to {MAX_PATH}")]
    Target {
        /// Its length.
        len: usize,
    },
    /// Not `LENGTH KEY=VALUE` and a newline.
    #[error("record `{text}` is not a length, a key and a value")]
    Record {
        /// Its beginning.
        text: String,
    },
    /// Not a file of any kind.
    #[error("its type is `{kind}`; only files, folders, links, devices and pipes are known")]
    Type {
        /// The type flag.
        kind: char,
    },
    /// GNU tar's sparse files in PAX form; Docker and BuildKit write none.
    #[error("it is a sparse file in PAX form, which is not supported")]
    Sparse,
    /// Pieces of a sparse file that overlap or lie outside of it.
    #[error("the map of the sparse file is out of order at byte {at}")]
    SparseMap {
        /// The piece's offset in the file.
        at: u64,
    },
    /// After the end there is more.
    #[error("a block of zeros is followed by something else")]
    Zeros,
    /// A name that leaves the file system.
    #[error("`{name}` would be outside of the file system")]
    Outside {
        /// The name of the entry, or a hard link's target.
        name: String,
    },
    /// Not a path.
    #[error(transparent)]
    Path(tree::Error),
}

/// Reads the headers of the tar file in `slice`. `archive` is what errors call it.
pub(crate) fn index(archive: &str, slice: &Slice) -> Result<Vec<Entry>, Error> {
    let failed = |source| Error::Io { path: slice.source.path().into(), source };
    let mut file = File::open(slice.source.path()).map_err(failed)?;
    file.seek(SeekFrom::Start(slice.at)).map_err(failed)?;
    let mut reader = Reader { input: BufReader::with_capacity(64 << 10, file), slice, at: 0, sparse: 0 };
    let compressed = compression(reader.input.fill_buf().map_err(failed)?);
    let mut entries = Vec::new();
    loop {
        let start = reader.at;
        let mut name = None;
        match reader.entry(&mut name) {
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => return Ok(entries),
            Err(Failure::Io(source)) => return Err(failed(source)),
            Err(Failure::Problem(source)) => {
                let source = match compressed {
                    Some(format) if start == 0 => Problem::Compressed { format },
                    _ => source,
                };
                let name = name.map(|n: Vec<u8>| String::from_utf8_lossy(&n).escape_debug().to_string());
                return Err(Error::Entry { archive: archive.into(), at: start, name, source });
            }
        }
    }
}

/// How what begins like this is compressed.
fn compression(start: &[u8]) -> Option<&'static str> {
    let known = [
        (&[0x1f, 0x8b][..], "gzip"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
        (&[0x04, 0x22, 0x4d, 0x18], "lz4"),
    ];
    known.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, format)| *format)
}

enum Failure {
    Io(io::Error),
    Problem(Problem),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure::Problem(problem)
    }
}

struct Reader<'a> {
    input: BufReader<File>,
    slice: &'a Slice,
    /// Bytes from the archive's start.
    at: u64,
    /// Bytes of the sparse files so far.
    sparse: u64,
}

/// A header, with what the records before it say instead.
struct Head {
    header: tar::Header,
    records: Records,
}

impl Reader<'_> {
    /// The next entry, or none at the end. `name` is for errors.
    fn entry(&mut self, name: &mut Option<Vec<u8>>) -> Result<Option<Entry>, Failure> {
        let Some(head) = self.head()? else { return Ok(None) };
        let (header, records) = (&head.header, &head.records);
        let path_bytes = records.path.clone().unwrap_or_else(|| header.path_bytes().into_owned());
        *name = Some(path_bytes.clone());
        let size = match records.size {
            Some(size) => size,
            None => fields::unsigned("size", &header.as_old().size, i64::MAX.unsigned_abs())?,
        };
        let link = match (&records.link, header.link_name_bytes()) {
            (Some(link), _) => link.clone(),
            (None, Some(link)) => link.into_owned(),
            (None, None) => Vec::new(),
        };
        let flag = header.entry_type().as_byte();
        let mut content_len = 0;
        let kind = match flag {
            // A file whose name ends in a slash is a folder of an archive before ustar.
            0 | b'0' if path_bytes.ends_with(b"/") => Kind::Dir,
            0 | b'0' | b'7' => {
                content_len = size;
                Kind::File(self.content(size))
            }
            b'S' => {
                content_len = size;
                Kind::File(self.sparse(header, size)?)
            }
            b'1' => Kind::HardLink(clean(&link)?),
            b'2' if link.len() > MAX_PATH => return Err(Problem::Target { len: link.len() }.into()),
            b'2' => Kind::Symlink(link.into()),
            b'3' | b'4' => {
                let (major, minor) = fields::device(header)?;
                if flag == b'3' { Kind::Char { major, minor } } else { Kind::Block { major, minor } }
            }
            b'5' => Kind::Dir,
            b'6' => Kind::Fifo,
            other => return Err(Problem::Type { kind: char::from(other) }.into()),
        };
        let (path, meta) = (clean(&path_bytes)?, fields::meta(header, records)?);
        self.skip(content_len)?;
        Ok(Some(Entry { path, meta, kind }))
    }

    /// The next header that is an entry's own.
    fn head(&mut self) -> Result<Option<Head>, Failure> {
        let (mut records, start) = (Records::default(), self.at);
        loop {
            let before = self.at;
            let Some(header) = self.header()? else {
                return match before == start {
                    true => Ok(None),
                    // Records, but no entry that they are about.
                    false => {
                        Err(Problem::Truncated { end: self.slice.len + BLOCK, len: self.slice.len }.into())
                    }
                };
            };
            let flag = header.entry_type().as_byte();
            if !matches!(flag, b'L' | b'K' | b'x' | b'g') {
                return Ok(Some(Head { header, records }));
            }
            let len = fields::unsigned("size", &header.as_old().size, i64::MAX.unsigned_abs())?;
            if len > MAX_RECORDS {
                return Err(Problem::Records { len }.into());
            }
            self.check(len)?;
            let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()]; // at most MAX_RECORDS
            self.input.read_exact(&mut bytes).map_err(Failure::Io)?;
            self.at += len;
            self.skip(0)?;
            match flag {
                b'L' => records.path = Some(until_nul(bytes)),
                b'K' => records.link = Some(until_nul(bytes)),
                b'x' => records.read(&bytes)?,
                // Global records: a comment of git's. Docker and containerd ignore them too.
                _ => {}
            }
        }
    }

    /// The next header; none at the end.
    fn header(&mut self) -> Result<Option<tar::Header>, Failure> {
        let Some(header) = self.block()? else { return Ok(None) };
        if header.as_bytes().iter().any(|b| *b != 0) {
            fields::checked(&header)?;
            return Ok(Some(header));
        }
        match self.block()? {
            Some(second) if second.as_bytes().iter().any(|b| *b != 0) => Err(Problem::Zeros.into()),
            _ => Ok(None),
        }
    }

    /// The next block; none if the archive ends here.
    fn block(&mut self) -> Result<Option<tar::Header>, Failure> {
        if self.at == self.slice.len {
            return Ok(None);
        }
        self.check(BLOCK)?;
        let mut block = tar::Header::new_old();
        self.input.read_exact(block.as_mut_bytes()).map_err(Failure::Io)?;
        self.at += BLOCK;
        Ok(Some(block))
    }

    /// There are `len` more bytes.
    fn check(&self, len: u64) -> Result<(), Problem> {
        match self.at.checked_add(len) {
            Some(end) if end <= self.slice.len => Ok(()),
            end => Err(Problem::Truncated { end: end.unwrap_or(u64::MAX), len: self.slice.len }),
        }
    }

    /// Goes on after `len` bytes of content and what fills their last block.
    fn skip(&mut self, len: u64) -> Result<(), Failure> {
        self.check(len)?;
        let end = (self.at + len).next_multiple_of(BLOCK).min(self.slice.len);
        let by = i64::try_from(end - self.at).map_err(|e| Failure::Io(io::Error::other(e)))?;
        self.input.seek_relative(by).map_err(Failure::Io)?;
        self.at = end;
        Ok(())
    }

    /// The `len` bytes that follow.
    fn content(&self, len: u64) -> Layout {
        Content::Slice(self.part(0, len)).into()
    }

    /// Bytes `from..from + len` of what follows.
    fn part(&self, from: u64, len: u64) -> Slice {
        Slice { source: self.slice.source.clone(), at: self.slice.at + self.at + from, len }
    }

    /// \[GNU\] "Storing Sparse Files": the pieces of content that follow, between holes.
    fn sparse(&mut self, header: &tar::Header, size: u64) -> Result<Layout, Failure> {
        let Some(gnu) = header.as_gnu() else { return Err(Problem::Type { kind: 'S' }.into()) };
        let limit = i64::MAX.unsigned_abs();
        let mut map: Vec<(u64, u64)> = Vec::new();
        let mut read = |pieces: &[tar::GnuSparseHeader]| -> Result<(), Problem> {
            for piece in pieces.iter().filter(|p| p.offset[0] != 0 && p.numbytes[0] != 0) {
                let at = fields::unsigned("offset", &piece.offset, limit)?;
                map.push((at, fields::unsigned("numbytes", &piece.numbytes, limit)?));
            }
            Ok(())
        };
        read(&gnu.sparse)?;
        let mut more = gnu.isextended[0] == 1;
        while more {
            self.check(BLOCK)?;
            let mut extension = tar::GnuExtSparseHeader::new();
            self.input.read_exact(extension.as_mut_bytes()).map_err(Failure::Io)?;
            self.at += BLOCK;
            read(&extension.sparse)?;
            more = extension.isextended[0] == 1;
        }
        let real = fields::unsigned("realsize", &gnu.realsize, MAX_SPARSE - self.sparse)?;
        self.sparse += real;
        let (mut layout, mut used) = (Layout::default(), 0);
        for (at, len) in map {
            let fits = at >= layout.len()
                && at.checked_add(len).is_some_and(|end| end <= real)
                && used + len <= size;
            if !fits {
                return Err(Problem::SparseMap { at }.into());
            }
            layout.pad_to(at);
            layout.push(self.part(used, len));
            used += len;
        }
        layout.pad_to(real);
        Ok(layout)
    }
}

/// The path that `name` means, `..` taken as Go's `path.Clean` does.
fn clean(name: &[u8]) -> Result<TreePath, Problem> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in name.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.pop().is_none() => {
                return Err(Problem::Outside {
                    name: String::from_utf8_lossy(name).escape_debug().to_string(),
                });
            }
            b".." => {}
            part => parts.push(part),
        }
    }
    TreePath::new(parts.join(&b'/')).map_err(Problem::Path)
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len()));
    bytes
}

#[cfg(test)]
mod tests;
