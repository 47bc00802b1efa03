//! What a command costs.

use crate::Result;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

/// What a command and all that it started cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// Of all processors, user's and system's.
    pub(crate) cpu: Duration,
    /// The most memory that one process had, bytes.
    pub(crate) peak: u64,
}

impl Cost {
    /// The lesser of each.
    pub(crate) fn best(self, other: Cost) -> Cost {
        Cost {
            wall: self.wall.min(other.wall),
            cpu: self.cpu.min(other.cpu),
            peak: self.peak.min(other.peak),
        }
    }
}

/// Runs `command`, which has to succeed.
pub(crate) fn run(command: &mut Command) -> Result<Cost> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut words = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        std::io::Read::read_to_string(&mut stderr, &mut words)?;
    }
    let ended = child.wait4()?;
    let wall = start.elapsed();
    if !ended.status.success() {
        return Err(format!("{command:?}: {}\n{words}", ended.status).into());
    }
    let ended = ended.rusage;
    Ok(Cost { wall, cpu: ended.utime + ended.stime, peak: ended.maxrss })
}

/// `mkimage` with its words.
pub(crate) fn mkimage<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mkimage"));
    command.args(args);
    command
}

/// A script, run in `dir`. Some tools of superusers are not in everybody's `PATH`.
pub(crate) fn shell(dir: &Path, script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-ec", &format!("PATH=$PATH:/usr/sbin:/sbin\n{script}")]).current_dir(dir);
    command
}

/// A program of that name can be run.
pub(crate) fn is_there(program: &str) -> bool {
    let found = shell(Path::new("/"), &format!("command -v {program}")).stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}
