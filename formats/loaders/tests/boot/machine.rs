//! QEMU, its serial line, and what comes over it.

use crate::bochs;
use crate::bus::{self, Bus};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub(crate) struct Machine {
    pub(crate) bus: Bus,
    /// `-machine`; these are not for Bochs.
    pub(crate) board: &'static str,
    pub(crate) mib: u32,
    /// `-cpu`.
    pub(crate) cpu: &'static str,
}

impl Default for Machine {
    fn default() -> Self {
        Machine { bus: bus::IDE_DISK, board: "pc", mib: 64, cpu: "max" }
    }
}

/// Longest wait for the next byte or line. An emulated machine on a busy host is slow.
const PATIENCE: Duration = Duration::from_secs(120);

impl Machine {
    /// Starts the machine and reads its serial line up to the `times`th occurrence of one of `ends`.
    /// Before each but the first, `key` is sent.
    pub(crate) fn run(
        &self,
        image: &std::path::Path,
        ends: &[&str],
        times: usize,
    ) -> std::io::Result<String> {
        if self.bus.program == bus::BOCHS {
            return bochs::run(image, self.bus.cd, ends);
        }
        let kind = if self.bus.cd { "media=cdrom,readonly=on" } else { "snapshot=on" };
        let drive = format!("if=none,id=m,format=raw,{kind},file={}", image.display());
        let mut command = Command::new(self.bus.program);
        command
            .args(["-accel", "tcg", "-cpu", self.cpu, "-machine", self.board, "-m", &self.mib.to_string()])
            .args(["-nodefaults", "-display", "none", "-vga", "std", "-no-reboot", "-serial", "stdio"])
            .args(["-drive", &drive])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        for device in self.bus.devices {
            command.args(["-device", device]);
        }
        let mut machine = Running(command.spawn()?);
        let (send, lines) = mpsc::channel();
        let mut out = machine.0.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut buffer) {
                if send.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        let began = Instant::now();
        let (mut said, mut seen) = (String::new(), 0);
        while let Some(left) = PATIENCE.checked_sub(began.elapsed()) {
            let Ok(bytes) = lines.recv_timeout(left) else { break };
            said.push_str(&String::from_utf8_lossy(&bytes));
            let now = ends.iter().map(|end| said.matches(end).count()).sum();
            if now >= times {
                break;
            }
            if now > seen {
                seen = now;
                machine.0.stdin.as_mut().ok_or(std::io::ErrorKind::BrokenPipe)?.write_all(b"k")?;
            }
        }
        Ok(said)
    }
}

/// Ends with its value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
