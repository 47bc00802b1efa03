//! What may be wrong in a specification, shown with the line that it is in.

use super::place::Place;
use std::fmt;

/// Everything that is wrong in a specification, in the order of the places.
///
/// Shown as one paragraph for each: `file:line:column: message`, the line, and a caret below the
/// place.
#[derive(Debug)]
pub struct Errors(Vec<Error>);

/// One thing that is wrong in a specification.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}\n{}", Snippet(place))]
pub struct Error {
    /// Where.
    pub place: Place,
    /// What.
    pub problem: Problem,
}

/// What is wrong at a place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {}

impl Errors {
    /// The errors, in the order of the places.
    #[must_use]
    pub fn as_slice(&self) -> &[Error] {
        &self.0
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

struct Snippet<'a>(&'a Place);

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.source_line())
    }
}
