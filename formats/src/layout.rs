//! Where every byte of an output comes from.
//!
//! ```text
//! 0                                                        len
//! ├── Bytes ──┼────── Slice of a file ──────┼─ Hole ─┼─ Bytes ─┤
//! ```
//!
//! ```
//! use mkimage_formats::{Content, Layout};
//!
//! let mut layout = Layout::from(vec![1, 2, 3]);
//! layout.pad_to(512);
//! layout.push(vec![4]);
//! assert_eq!(layout.extents(), [vec![1, 2, 3].into(), Content::Hole(509), vec![4].into()]);
//! assert_eq!(layout.window(2, 2).extents(), [vec![3].into(), Content::Hole(1)]);
//! ```

mod late;

pub use late::Late;

use bytes::Bytes;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file on the host whose bytes outputs refer to. It must not change until they are emitted.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Source {
    path: PathBuf,
    len: u64,
    sha256: Option<[u8; 32]>,
}

impl Source {
    /// The file at `path`, as long as it is now.
    ///
    /// # Errors
    /// The file cannot be read, or is a folder.
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Source::opened(path.into(), None)?))
    }

    /// The file at `path`, whose SHA-256 the caller has checked.
    ///
    /// # Errors
    /// As [`Source::new`].
    pub fn verified(path: impl Into<PathBuf>, sha256: [u8; 32]) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Source::opened(path.into(), Some(sha256))?))
    }

    fn opened(path: PathBuf, sha256: Option<[u8; 32]>) -> io::Result<Self> {
        let meta = std::fs::metadata(&path)?;
        if meta.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Source { path, len: meta.len(), sha256 })
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes, when this value was made.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether there are none")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The SHA-256 of the whole file, if it is known without reading it.
    #[must_use]
    pub fn sha256(&self) -> Option<[u8; 32]> {
        self.sha256
    }
}

/// Part of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The file.
    pub source: Arc<Source>,
    /// The first byte's offset in the file.
    pub at: u64,
    /// Bytes.
    pub len: u64,
}

/// What fills an extent of an output.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// Structures: small, in memory.
    Bytes(Bytes),
    /// Bytes of a file, never in memory.
    Slice(Slice),
    /// Unwritten; reads as zeros. The value is a length in bytes.
    Hole(u64),
    /// Bytes that are not known yet.
    Late(Late),
}

impl Content {
    /// Bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether there are none")]
    pub fn len(&self) -> u64 {
        match self {
            Content::Bytes(b) => b.len() as u64,
            Content::Slice(s) => s.len,
            Content::Hole(n) => *n,
            Content::Late(l) => l.len() as u64,
        }
    }
}

/// An output, or a part of one: contents one after the other. Offsets are sums, so there is
/// neither a gap nor an overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Layout {
    extents: Vec<Content>,
    len: u64,
}

impl Layout {
    /// The whole file at `path`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn file(path: impl Into<PathBuf>) -> io::Result<Self> {
        let source = Source::new(path)?;
        let len = source.len();
        Ok(Content::Slice(Slice { source, at: 0, len }).into())
    }

    /// `len` bytes that read as zero.
    #[must_use]
    pub fn hole(len: u64) -> Self {
        Content::Hole(len).into()
    }

    /// Bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// No bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The contents in order; none is empty.
    #[must_use]
    pub fn extents(&self) -> &[Content] {
        &self.extents
    }

    /// Every byte is part of a hole.
    #[must_use]
    pub fn is_hole(&self) -> bool {
        self.extents.iter().all(|c| matches!(c, Content::Hole(_)))
    }

    /// Adds `content` at the end.
    pub fn push(&mut self, content: impl Into<Content>) {
        let content = content.into();
        if content.len() == 0 {
            return;
        }
        self.len += content.len();
        match (self.extents.last_mut(), &content) {
            (Some(Content::Hole(have)), Content::Hole(more)) => *have += more,
            (Some(Content::Slice(have)), Content::Slice(more))
                if have.source == more.source && have.at + have.len == more.at =>
            {
                have.len += more.len;
            }
            _ => self.extents.push(content),
        }
    }

    /// Makes room for so many more contents.
    pub(crate) fn reserve(&mut self, contents: usize) {
        self.extents.reserve_exact(contents);
    }

    /// Adds all of `other` at the end.
    pub fn append(&mut self, other: Layout) {
        for content in other.extents {
            self.push(content);
        }
    }

    /// Fills with a hole up to `len` bytes.
    ///
    /// # Panics
    /// The layout is longer than that already.
    pub fn pad_to(&mut self, len: u64) {
        let missing = len.checked_sub(self.len).expect("a layout only grows");
        self.push(Content::Hole(missing));
    }

    /// Fills with a hole to a multiple of `unit` bytes.
    pub fn pad_to_multiple(&mut self, unit: u64) {
        self.pad_to(self.len.next_multiple_of(unit));
    }

    /// Bytes `at..at + len` of this layout.
    ///
    /// # Panics
    /// The window reaches past the end.
    #[must_use]
    pub fn window(&self, at: u64, len: u64) -> Layout {
        Cursor::new(self).window(at, len)
    }

    /// This layout cut every `unit` bytes, in order; the last piece may be shorter.
    ///
    /// # Panics
    /// `unit` is zero.
    pub fn chunks(&self, unit: u64) -> impl Iterator<Item = Layout> {
        assert!(unit > 0, "pieces have a length");
        let (mut contents, mut left) = (self.extents.iter(), None);
        std::iter::from_fn(move || {
            let mut chunk = Layout::default();
            while chunk.len < unit {
                let Some(content) = left.take().or_else(|| contents.next().cloned()) else { break };
                let room = unit - chunk.len;
                if content.len() > room {
                    left = Some(part(&content, room, content.len() - room));
                    chunk.push(part(&content, 0, room));
                } else {
                    chunk.push(content);
                }
            }
            (!chunk.is_empty()).then_some(chunk)
        })
    }
}

/// Windows of a layout in ascending order, found in one pass over its extents.
pub(crate) struct Cursor<'l> {
    layout: &'l Layout,
    /// The extent that the next window may begin in.
    index: usize,
    /// Its first byte.
    start: u64,
}

impl<'l> Cursor<'l> {
    /// At the first byte of `layout`.
    pub(crate) fn new(layout: &'l Layout) -> Self {
        Cursor { layout, index: 0, start: 0 }
    }

    /// Bytes `at..at + len`; none of them before the last window's end.
    ///
    /// # Panics
    /// The window reaches past the end of the layout, or back.
    pub(crate) fn window(&mut self, at: u64, len: u64) -> Layout {
        let end =
            at.checked_add(len).filter(|end| *end <= self.layout.len).expect("a window inside the layout");
        assert!(self.start <= at || len == 0, "windows ascend");
        let mut out = Layout::default();
        while let Some(content) = self.layout.extents.get(self.index) {
            let stop = self.start + content.len();
            let (from, to) = (at.max(self.start), end.min(stop));
            if from < to {
                out.push(part(content, from - self.start, to - from));
            }
            if stop > end {
                break;
            }
            (self.index, self.start) = (self.index + 1, stop);
        }
        out
    }
}

/// Bytes `at..at + len` of one content.
fn part(content: &Content, at: u64, len: u64) -> Content {
    // Both fit where they are used: within a buffer in memory.
    let within = |n| usize::try_from(n).expect("within a buffer");
    match content {
        Content::Bytes(b) => Content::Bytes(b.slice(within(at)..within(at + len))),
        Content::Late(l) => Content::Late(l.part(within(at), within(len))),
        Content::Slice(s) => Content::Slice(Slice { source: s.source.clone(), at: s.at + at, len }),
        Content::Hole(_) => Content::Hole(len),
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Content::Bytes(bytes.into())
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Content::Bytes(bytes)
    }
}

impl From<Late> for Content {
    fn from(late: Late) -> Self {
        Content::Late(late)
    }
}

impl From<Slice> for Content {
    fn from(slice: Slice) -> Self {
        Content::Slice(slice)
    }
}

impl<T: Into<Content>> From<T> for Layout {
    fn from(content: T) -> Self {
        let content = content.into();
        match content.len() {
            0 => Layout::default(),
            // Of exactly this size: a root file system has one for each file.
            len => Layout { extents: vec![content], len },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::Reader;

    #[test]
    fn neighbours_of_one_kind_become_one_extent() {
        let source = Arc::new(Source { path: "x".into(), len: 100, sha256: None });
        let slice = |at, len| Slice { source: source.clone(), at, len };
        let mut l = Layout::hole(3);
        l.push(Content::Hole(4));
        l.push(slice(10, 5));
        l.push(slice(15, 5));
        l.push(slice(21, 1));
        l.push(Vec::new());
        assert_eq!(l.extents(), [Content::Hole(7), slice(10, 10).into(), slice(21, 1).into()]);
        assert_eq!(l.len(), 18);
    }

    #[test]
    fn windows_in_order_are_the_layout() {
        let mut l = Layout::from(vec![1, 2, 3, 4]);
        l.push(Content::Hole(9));
        l.push(vec![5, 6, 7]);
        for size in 1..=l.len() {
            let mut cursor = Cursor::new(&l);
            let mut whole = Layout::default();
            for at in (0..l.len()).step_by(size.try_into().unwrap()) {
                let window = cursor.window(at, size.min(l.len() - at));
                assert_eq!(window, l.window(at, window.len()));
                whole.append(window);
            }
            assert_eq!(whole.len(), l.len());
        }
    }

    #[test]
    fn a_window_cuts_each_kind() {
        let source = Arc::new(Source { path: "x".into(), len: 100, sha256: None });
        let mut l = Layout::from(vec![1, 2, 3, 4]);
        l.push(Slice { source: source.clone(), at: 10, len: 4 });
        l.pad_to_multiple(16);
        let w = l.window(2, 8);
        let want: [Content; 3] =
            [vec![3, 4].into(), Slice { source, at: 10, len: 4 }.into(), Content::Hole(2)];
        assert_eq!((w.extents(), w.len()), (&want[..], 8));
        assert!(l.window(8, 8).is_hole());
        let late = Late::new(5, || Ok(vec![1, 2, 3, 4, 5]));
        let part = Layout::from(late.clone()).window(1, 3);
        assert_eq!(part, late.part(1, 3).into());
        assert_ne!(part, late.part(2, 3).into());
        assert_eq!(Reader::default().read(&part.window(1, 2)).unwrap(), [3, 4]);
        assert!(l.window(16, 0).is_empty());
    }

    #[test]
    fn chunks_are_the_windows_one_after_the_other() {
        let source = Arc::new(Source { path: "x".into(), len: 100, sha256: None });
        let mut l = Layout::from(vec![1, 2, 3]);
        l.push(Slice { source, at: 10, len: 9 });
        l.push(Content::Hole(13));
        l.push(vec![4]);
        for unit in [1, 4, 5, 13, 25, 26, 27] {
            let windows = (0..26).step_by(usize::try_from(unit).unwrap());
            let windows: Vec<_> = windows.map(|at| l.window(at, unit.min(26 - at))).collect();
            assert_eq!(l.chunks(unit).collect::<Vec<_>>(), windows, "{unit}");
        }
        assert_eq!(Layout::default().chunks(4).count(), 0);
    }
}
