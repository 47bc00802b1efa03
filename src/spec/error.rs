//! What may be wrong in a specification, shown with the line that it is in.

use super::place::{Place, Source};
use super::yaml::Syntax;
use std::fmt;

/// Everything that is wrong in a specification, in the order of the places.
///
/// Shown as a paragraph for each of the first hundred: `file:line:column: message`, the line, and a
/// caret below the place.
#[derive(Debug)]
pub struct Errors(Vec<Error>);

/// One thing that is wrong in a specification.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}{}", Snippet(place))]
pub struct Error {
    /// Where.
    pub place: Place,
    /// What.
    pub problem: Problem,
}

/// What is wrong at a place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text is not YAML.
    #[error("{0}")]
    Syntax(Syntax),
    /// The text is not UTF-8.
    #[error("byte {byte:#04x} is not UTF-8; a specification must be saved as UTF-8")]
    Encoding {
        /// The first byte that is not.
        byte: u8,
    },
    /// The text has no document.
    #[error("there is nothing in this file; it must have keys such as `kernel`, `init` and `services`")]
    Empty,
    /// A document after the first one.
    #[error("a second document begins here; a file must have one")]
    SecondDocument,
    /// Collections inside each other.
    #[error("more than {limit} lists and mappings inside each other")]
    Nesting {
        /// The deepest that is read.
        limit: usize,
    },
    /// Aliases of aliases.
    #[error("with this alias, the aliases of the file repeat more than {} MiB", limit >> 20)]
    Repeated {
        /// The most that they may repeat, in bytes.
        limit: usize,
    },
    /// An alias of a collection that it is in.
    #[error("this alias is inside the value that it names")]
    AliasInItself,
    /// A tag (`!name`) that changes what a value is.
    #[error("unknown tag `{tag}`; only `!!str`, `!!bool`, `!!int`, `!!float` and `!!null` are known")]
    Tag {
        /// The tag as written.
        tag: String,
    },
    /// A merge key without mappings.
    #[error("`<<` merges mappings; this is something else")]
    MergeNotMapping,
    /// A list or mapping as a key.
    #[error("a key must be text")]
    KeyNotText,
    /// A key that was there before.
    #[error("duplicate key `{key}`; the first is in line {first}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line of the first one.
        first: usize,
    },
    /// A key that means nothing.
    #[error("unknown key `{key}` in {within}{}", Known { nearest, known })]
    UnknownKey {
        /// The key.
        key: String,
        /// What it is in.
        within: String,
        /// The known key that looks most like it.
        nearest: Option<&'static str>,
        /// All keys that would be known.
        known: Vec<&'static str>,
    },
    /// A key that must be there.
    #[error("{within} needs the key `{key}`")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// What it is missing in.
        within: String,
    },
    /// A key of the specification that the label of an image cannot have.
    #[error("`{key}` cannot be set in the label `org.mobyproject.config`")]
    NotInLabel {
        /// The key.
        key: &'static str,
    },
    /// A value of the wrong type.
    #[error("{what} is {found}; it must be {expected}")]
    Type {
        /// What the value is of.
        what: String,
        /// What was found.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// A number that is too small or too large.
    #[error("{what} is {value}; it must be {range}")]
    Range {
        /// What the value is of.
        what: String,
        /// The value.
        value: String,
        /// The smallest and the largest.
        range: &'static str,
    },
    /// A value that is none of the possible ones.
    #[error("{what} is `{value}`; it must be {}", OneOf(choices))]
    Choice {
        /// What the value is of.
        what: String,
        /// The value.
        value: String,
        /// The possible ones.
        choices: &'static [&'static str],
    },
    /// A package instead of an image.
    #[error("`{package}`: building packages is not supported yet; build the package and write its tag here")]
    Package {
        /// The value.
        package: String,
    },
    /// The name of a container, which is the name of a folder.
    #[error("`{name}` cannot be the name of a container, because no folder can have it")]
    ContainerName {
        /// The name.
        name: String,
    },
    /// The path of a file that is no path in the root file system.
    #[error(transparent)]
    Path(#[from] mkimage_formats::tree::Error),
    /// The path of a file that is the root itself.
    #[error("path `{path}` names no file")]
    NoName {
        /// The path.
        path: String,
    },
    /// The target of a symbolic link.
    #[error("the target of a symbolic link cannot have a NUL byte")]
    NulInTarget,
    /// Permissions.
    #[error("mode `{mode}` is not octal; it must be `0` to `7777`")]
    Mode {
        /// The mode.
        mode: String,
    },
    /// A file of which nobody says what is in it.
    #[error("file `{path}` needs `contents`, `source`, `metadata`, `symlink` or `directory`")]
    NoContents {
        /// The path.
        path: String,
    },
    /// A file whose content comes from two places.
    #[error("file `{path}` has `{first}` and `{second}`; it may have one of them")]
    TwoContents {
        /// The path.
        path: String,
        /// The key that is kept.
        first: &'static str,
        /// The key that is one too many.
        second: &'static str,
    },
    /// A user or group that nobody has.
    #[error("no container is named `{name}`, whose id this would be{}", DidYouMean(nearest))]
    UnknownId {
        /// The name.
        name: String,
        /// The container whose name looks most like it.
        nearest: Option<String>,
    },
    /// A value of a container.
    #[error(transparent)]
    Container(#[from] super::ContainerProblem),
    /// Two of the same name.
    #[error("duplicate {what} name `{name}`; the first is at {first}")]
    DuplicateName {
        /// What has the name.
        what: &'static str,
        /// The name.
        name: String,
        /// Where the first is.
        first: Place,
    },
    /// The name of a volume.
    #[error("volume name `{name}` has `{character}`; it may have `a` to `z`, `0` to `9`, `_` and `-`")]
    VolumeName {
        /// The name.
        name: String,
        /// The first character that it may not have.
        character: char,
    },
}

impl Errors {
    /// Nobody reads more, and each costs a pass over its line, which may be all of the text.
    const MOST_SHOWN: usize = 100;

    /// The errors, in the order of the places.
    #[must_use]
    pub fn as_slice(&self) -> &[Error] {
        &self.0
    }

    /// All is well without errors; those that there are, are sorted.
    pub(crate) fn unless_empty(mut errors: Vec<Error>) -> Result<(), Errors> {
        if errors.is_empty() {
            return Ok(());
        }
        errors.sort_by(|a, b| a.place.cmp(&b.place));
        Err(Errors(errors))
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().take(Self::MOST_SHOWN).enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(error, f)?;
        }
        match self.0.len().saturating_sub(Self::MOST_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for Errors {}

/// Collects what is wrong in one text.
#[derive(Debug)]
pub(crate) struct Log {
    source: Source,
    errors: Vec<Error>,
}

impl Log {
    pub(crate) fn new(source: Source) -> Self {
        Log { source, errors: Vec::new() }
    }

    /// A place of the text; `line` is counted from 1, `column` in characters from 0.
    pub(crate) fn place(&self, line: usize, column: usize) -> Place {
        self.source.place(line, column.saturating_add(1))
    }

    pub(crate) fn report(&mut self, place: Place, problem: Problem) {
        self.errors.push(Error { place, problem });
    }

    /// Takes `result`'s value, or notes its error.
    pub(crate) fn take<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    /// `value`, if nothing was wrong.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Errors> {
        Errors::unless_empty(self.errors).map(|()| value)
    }
}

/// Ends a message about an unknown key.
struct Known<'a> {
    nearest: &'a Option<&'static str>,
    known: &'a [&'static str],
}

impl Known<'_> {
    /// More keys than this are not listed: nobody reads on.
    const MOST: usize = 12;
}

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None if self.known.len() <= Self::MOST => {
                write!(f, "; it may have {}", Listed(self.known, "and"))
            }
            None => Ok(()),
        }
    }
}

/// Ends a message with what was probably meant.
pub(super) struct DidYouMean<'a>(pub(crate) &'a Option<String>);

impl fmt::Display for DidYouMean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

struct OneOf<'a>(&'a [&'static str]);

impl fmt::Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Listed(self.0, "or").fmt(f)
    }
}

/// `a`, `b` and `c`.
struct Listed<'a>(&'a [&'static str], &'static str);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().enumerate() {
            match i {
                0 => {}
                _ if i + 1 == self.0.len() => write!(f, " {} ", self.1)?,
                _ => f.write_str(", ")?,
            }
            write!(f, "`{name}`")?;
        }
        Ok(())
    }
}

/// The line of a place, and a caret below the place.
struct Snippet<'a>(&'a Place);

impl Snippet<'_> {
    /// Characters of the line to show; a label is one line of any length.
    const WIDTH: usize = 100;
    /// Characters to show before the place when the line is cut.
    const BEFORE: usize = 60;
}

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.0.source_line();
        if line.is_empty() {
            return Ok(());
        }
        let at = self.0.column() - 1;
        let first = if at < Self::WIDTH { 0 } else { at - Self::BEFORE };
        let cut = if first > 0 { "…" } else { "" };
        let shown = line.chars().skip(first).take(Self::WIDTH);
        let shown: String = shown.map(|c| if c.is_control() { ' ' } else { c }).collect();
        let more = if line.chars().nth(first + Self::WIDTH).is_some() { "…" } else { "" };
        let number = self.0.line().to_string();
        write!(f, "\n {number} | {cut}{shown}{more}")?;
        let (margin, indent) = (number.len(), at - first + cut.chars().count());
        write!(f, "\n {:margin$} | {:indent$}^", "", "")
    }
}
