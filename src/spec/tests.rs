//! Specifications as files: broken ones with what is said about them, and one that has everything.

mod broken;
mod complete;
mod noise;
mod reading;

use std::path::PathBuf;

/// A folder of `testdata/specs`.
fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/specs").join(name)
}

/// Compares `found` with the file at `path`, which is written anew when the environment variable
/// `UPDATE_TESTDATA` is set.
fn golden(path: &std::path::Path, found: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_TESTDATA").is_some() {
        std::fs::write(path, found).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    let message = || format!("{} differs; found:\n{found}\n", path.display());
    if expected == found { Ok(()) } else { Err(message()) }
}
