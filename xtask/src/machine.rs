//! A virtual machine, and what its serial port says.

use crate::debian::Arch;
use crate::tally::Outcome;
use anyhow::{Context, Result};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running emulator whose standard output is the guest's serial port. It ends with this value.
pub(crate) struct Machine {
    child: Child,
    chunks: Receiver<Vec<u8>>,
    said: Vec<u8>,
    start: Instant,
    _attendant: Option<Attendant>,
}

/// Bytes of a few lines.
const LAST_WORDS: usize = 600;

/// A program that runs beside an emulator, and what it keeps. Both end with this value.
pub(crate) struct Attendant {
    child: Child,
    _dir: TempDir,
}

impl Attendant {
    pub(crate) fn new(child: Child, dir: TempDir) -> Self {
        Attendant { child, _dir: dir }
    }

    /// It has not ended.
    pub(crate) fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The text appeared.
    Seen,
    /// The machine ended without it.
    Ended,
    /// Time is up.
    TimedOut,
}

impl Machine {
    /// Starts an emulator.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run `{name}`"))?;
        let mut out = child.stdout.take().context("the emulator has an output")?;
        let (sender, chunks) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Machine { child, chunks, said: Vec::new(), start: Instant::now(), _attendant: None })
    }

    /// Keeps a program that the emulator needs.
    pub(crate) fn attended_by(mut self, attendant: Attendant) -> Self {
        self._attendant = Some(attendant);
        self
    }

    /// Waits until the guest has said one of `texts`, for `limit` from the start.
    pub(crate) fn wait(&mut self, texts: &[&str], limit: Duration) -> Wait {
        loop {
            let said = self.said();
            if texts.iter().any(|text| said.contains(text)) {
                return Wait::Seen;
            }
            let Some(left) = limit.checked_sub(self.start.elapsed()) else { return Wait::TimedOut };
            match self.chunks.recv_timeout(left) {
                Ok(chunk) => self.said.extend(chunk),
                Err(RecvTimeoutError::Timeout) => return Wait::TimedOut,
                Err(RecvTimeoutError::Disconnected) => return Wait::Ended,
            }
        }
    }

    /// All that the guest has said until the last wait ended.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.said).into_owned()
    }

    /// Waits, and judges whether every one of `lines` was said. All that was said is kept in the file
    /// `log`; who cannot read it there has the last of it in the words of a failure.
    pub(crate) fn judge(
        &mut self,
        texts: &[&str],
        limit: Duration,
        lines: &[String],
        log: &Path,
    ) -> Result<Outcome> {
        let wait = self.wait(texts, limit);
        let said = self.said();
        fs::write(log, &said).with_context(|| format!("cannot write `{}`", log.display()))?;
        let missing = lines.iter().find(|line| !said.contains(line.as_str()));
        if wait == Wait::Seen && missing.is_none() {
            return Ok(Outcome::Passed);
        }
        let last = &self.said[self.said.len().saturating_sub(LAST_WORDS)..];
        Ok(Outcome::Failed(format!(
            "{wait:?} without `{}`; the serial port's words are in `{}` and end in {:?}",
            missing.map_or("", String::as_str),
            log.display(),
            String::from_utf8_lossy(last)
        )))
    }

    /// Since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// QEMU without a window, with nothing but a processor and a serial port. The accelerator is named:
/// hardware virtualization inside a virtual machine may lack what firmware needs.
pub(crate) fn qemu(arch: Arch, machine: &str, memory_mib: u32) -> Command {
    let mut command = Command::new(program(arch));
    let cpu = match arch {
        Arch::Amd64 => "max",
        // The pointer authentication of later ones costs an emulator more than all the rest.
        Arch::Arm64 => "cortex-a57",
    };
    command.args(["-accel", "tcg", "-cpu", cpu, "-machine", machine, "-m", &memory_mib.to_string()]);
    command.args(["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"]);
    command
}

/// QEMU's program for machines of `arch`.
pub(crate) fn program(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "qemu-system-x86_64",
        Arch::Arm64 => "qemu-system-aarch64",
    }
}

/// The program is on the search path.
pub(crate) fn installed(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// What to do about a program that is not there.
pub(crate) fn missing(program: &str) -> String {
    let packages = match program {
        "qemu-system-x86_64" => "qemu-system-x86",
        "qemu-system-aarch64" => "qemu-system-arm qemu-efi-aarch64",
        "bochs" => "bochs bochs-term bochsbios vgabios",
        "sbsign" => "sbsigntool",
        other => other,
    };
    format!("`{program}` is not here: apt-get install --no-install-recommends {packages}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_in_one_of_three_ways() {
        let script = "echo one; sleep 0.1; echo two; sleep 60";
        let mut m = Machine::start(Command::new("sh").args(["-c", script])).unwrap();
        assert_eq!(m.wait(&["two"], Duration::from_secs(20)), Wait::Seen);
        assert_eq!(m.said(), "one\ntwo\n");
        assert_eq!(m.wait(&["three"], Duration::from_millis(200)), Wait::TimedOut);
        let mut m = Machine::start(Command::new("sh").args(["-c", "echo one"])).unwrap();
        assert_eq!(m.wait(&["two"], Duration::from_secs(20)), Wait::Ended);
    }

    #[test]
    fn a_failure_says_what_is_missing_and_what_came_last() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let judge = |wanted: &str| {
            let mut m = Machine::start(Command::new("sh").args(["-c", "echo one; echo end"])).unwrap();
            m.judge(&["end"], Duration::from_secs(20), &[wanted.to_owned()], &log).unwrap()
        };
        assert!(matches!(judge("one"), Outcome::Passed));
        let Outcome::Failed(why) = judge("two") else { panic!("it was not said") };
        assert!(why.starts_with("Seen without `two`") && why.ends_with(r#"end in "one\nend\n""#), "{why}");
        assert_eq!(fs::read_to_string(&log).unwrap(), "one\nend\n");
    }
}
