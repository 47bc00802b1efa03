//! Errors as people read them.

use std::error::Error;
use std::fmt::Write;

/// `error:` with the error, each cause on a line of its own, and a hint where there is one thing
/// to do.
pub(super) fn text(error: &(dyn Error + 'static), hint: Option<String>) -> String {
    let mut text = format!("error: {error}\n");
    let mut cause = error.source();
    while let Some(c) = cause {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  because: {c}");
        cause = c.source();
    }
    if let Some(hint) = hint {
        let _ = writeln!(text, "\nhint: {hint}");
    }
    text
}

/// Says what may be wrong.
pub(super) fn doubt(doubt: &dyn Error) {
    eprintln!("warning: {doubt}");
}

/// Says what the user may want to know.
pub(super) fn note(text: &str) {
    eprintln!("note: {text}");
}
