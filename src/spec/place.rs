//! Where in which text a value stands.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A text that values come from: a YAML file, or the label of an image.
#[derive(Debug)]
struct Text {
    name: String,
    text: String,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
}

/// A named text, shared by the places in it.
#[derive(Clone, Debug)]
pub(crate) struct Source(Arc<Text>);

impl Source {
    /// A text, and the name that messages call it by.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(end, _)| end + 1)).collect();
        Source(Arc::new(Text { name: name.to_owned(), text: text.to_owned(), lines }))
    }

    /// A place in the text; `line` and `column` are counted from 1, and a column is a character,
    /// not a byte.
    pub(crate) fn place(&self, line: usize, column: usize) -> Place {
        Place { source: self.clone(), line, column }
    }
}

/// A place in a text; shown as `file:line:column`.
#[derive(Clone)]
pub struct Place {
    source: Source,
    line: usize,
    column: usize,
}

impl Place {
    /// The name of the text: a file's path, a URL, or an image and its label.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.source.0.name
    }

    /// The line, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The character in the line, counted from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// The line's text, without its end.
    #[must_use]
    pub fn source_line(&self) -> &str {
        let Text { text, lines, .. } = &*self.source.0;
        let start = lines.get(self.line.saturating_sub(1)).copied();
        start.and_then(|start| text[start..].lines().next()).unwrap_or_default()
    }

    fn key(&self) -> (&str, usize, usize) {
        (self.file(), self.line, self.column)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file(), self.line, self.column)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Place {}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// A value, and the place that it was read from.
///
/// Two are equal when their values are: the place only serves messages.
#[derive(Clone)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place,
}

impl<T> Located<T> {
    /// `value`, read at `place`.
    pub fn new(value: T, place: Place) -> Self {
        Located { value, place }
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Located<T> {}

impl<T: fmt::Debug> fmt::Debug for Located<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
