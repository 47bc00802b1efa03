//! The programs that judge.

#[path = "../../../testdata/skip.rs"]
pub(crate) mod skip;

use std::process::{Command, Stdio};

/// The program, if this machine has it. In CI it must.
pub(crate) fn program(name: &str) -> Option<Command> {
    let found = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok() {
        return Some(Command::new(name));
    }
    skip::missing(format_args!("`{name}` is missing"));
    None
}

/// What the command prints; it must succeed and complain about nothing.
pub(crate) fn output(command: &mut Command) -> String {
    let out = command.output().unwrap();
    let complaints = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && complaints.is_empty(), "{command:?}: {complaints}");
    String::from_utf8(out.stdout).unwrap()
}
