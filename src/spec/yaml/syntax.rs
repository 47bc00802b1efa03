//! What the parser says is wrong, in words that say what to do.

use super::MAX_NESTING;
use crate::spec::error::Problem;
use granit_parser::{ErrorKind, ScanError};
use std::fmt;

/// A rule of YAML that a text breaks.
#[derive(Debug)]
pub struct Syntax(ErrorKind);

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
            | ErrorKind::TabAtBlockScalarStart => f.write_str("a tab; YAML is indented by spaces only"),
            ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
                write!(
                    f,
                    "the control character U+{:04X}; write it as an escape in double quotes",
                    u32::from(*character)
                )
            }
            ErrorKind::UnexpectedCharacter { character } => {
                write!(f, "no value can begin with `{character}`; put it in quotes")
            }
            ErrorKind::MappingValueNotAllowed => f.write_str(
                "no key is expected here; check the indentation, or put a value with `: ` in quotes",
            ),
            ErrorKind::ExpectedBlockMappingKey => {
                f.write_str("a key is expected here; check the indentation")
            }
            ErrorKind::ExpectedBlockSequenceEntry => {
                f.write_str("an item, `- `, is expected here; check the indentation")
            }
            ErrorKind::ExpectedDocumentStart => {
                f.write_str("nothing is expected here; check the indentation")
            }
            ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
                write!(f, "this `{open}` is closed by `{close}`")
            }
            ErrorKind::UnclosedQuotedScalar => f.write_str("this quote is not closed"),
            ErrorKind::UnclosedFlowCollection { open } => write!(f, "this `{open}` is not closed"),
            ErrorKind::UnknownAnchor => f.write_str("no value before this one has an anchor of that name"),
            other => fmt::Display::fmt(other, f),
        }
    }
}

/// The problem that a parser's error is.
pub(super) fn problem(error: &ScanError, text: &str) -> Problem {
    let rest = error.marker().byte_offset().and_then(|at| text.get(at..)).unwrap_or_default();
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => Problem::Nesting { limit: MAX_NESTING },
        ErrorKind::UnexpectedCharacter { character: '@' } if rest.starts_with("@pkg:") => {
            let package = rest.split([',', ']', '}']).next().unwrap_or(rest);
            Problem::Package { package: package.lines().next().unwrap_or_default().trim_end().to_owned() }
        }
        kind => Problem::Syntax(Syntax(kind.clone())),
    }
}
