//! Names that Windows gives to no file.
//!
//! \[WIN\] Microsoft, *Naming Files, Paths, and Namespaces*, "Naming Conventions". With some of
//! them a file is made all the same, but another: `a:b` is a stream of the file `a`, `stop.` is
//! `stop`, and what is written to `nul.iso` is gone.

/// \[WIN\] names that are devices, whatever follows a dot.
const DEVICES: [&str; 4] = ["AUX", "CON", "NUL", "PRN"];
/// \[WIN\] with a digit other than 0 after each.
const PORTS: [&str; 2] = ["COM", "LPT"];

/// Whether Windows makes a file of exactly this name.
pub(super) fn windows_has(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ').to_ascii_uppercase();
    let is_port = PORTS
        .iter()
        .filter_map(|port| stem.strip_prefix(port))
        .any(|number| matches!(number.as_bytes(), [b'1'..=b'9']) || ["¹", "²", "³"].contains(&number));
    let reserved = |c: char| c < ' ' || "<>:\"/\\|?*".contains(c);
    !name.contains(reserved) && !name.ends_with(['.', ' ']) && !DEVICES.contains(&stem.as_str()) && !is_port
}

#[test]
fn devices_streams_and_what_loses_its_end_are_no_names_on_windows() {
    for name in
        ["aux", "Nul.iso", "con .tar.gz", "COM1", "lpt9.img", "com¹", "a:b", "stop.", "space ", "a?", "a\\b"]
    {
        assert!(!windows_has(name), "{name}");
    }
    for name in ["auxiliary", "nul-efi.iso", "com0", "com10", "COM", "a.b", ".hidden", "ünï", "a b"] {
        assert!(windows_has(name), "{name}");
    }
}
