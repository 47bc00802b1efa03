//! Wine, with a folder of its own for what Windows keeps of itself.

use crate::machine::installed;
use crate::product;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Debian keeps the program that its `wine` starts, after words about 32 bits.
const LOADER: &str = "/usr/lib/wine/wine64";
/// The C compiler and linker for Windows.
pub(super) const GCC: &str = "x86_64-w64-mingw32-gcc";

/// A running wine, which ends with this value.
pub(super) struct Wine {
    prefix: PathBuf,
}

impl Wine {
    /// Makes the folder, if it is not there yet, and starts wine.
    pub(super) fn started() -> Result<Self> {
        let prefix = std::path::absolute(product::target().join("windows/wine"))?;
        let wine = Wine { prefix };
        if !wine.prefix.exists() {
            let partial = Wine { prefix: wine.prefix.with_extension("partial") };
            // What a run that was interrupted left there.
            let _ = fs::remove_dir_all(&partial.prefix);
            fs::create_dir_all(&partial.prefix)?;
            done(partial.command().args(["wineboot", "--init"]).stdout(Stdio::null()))?;
            let library = "drive_c/windows/system32/bcryptprimitives.dll";
            let mut gcc = Command::new(GCC);
            gcc.args(["-O2", "-shared", "-o"]).arg(partial.prefix.join(library));
            gcc.args(["-x", "c", "-", "-ladvapi32"]);
            compiled(&mut gcc, include_bytes!("bcryptprimitives.c"))?;
            partial.server("--kill")?;
            fs::rename(&partial.prefix, &wine.prefix)?;
        }
        // It ends by itself, should nobody come to end it.
        wine.server("--persistent=60")?;
        // What wine starts beside the first program lives on, with that program's output: whoever
        // waits for the end of that would wait for the end of wine.
        done(wine.command().args(["cmd", "/c", "exit"]).stdout(Stdio::null()).stderr(Stdio::null()))?;
        Ok(wine)
    }

    /// Wine; the first argument is the program that it shall run.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(LOADER);
        self.surround(&mut command);
        command
    }

    /// What a command needs to run [`runner`] in this wine.
    pub(super) fn surround<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("WINEPREFIX", &self.prefix)
            .env("WINEDEBUG", "-all")
            // Neither .NET nor a browser is wanted, and no window about it.
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
            .env_remove("DISPLAY")
            // In other locales wine cannot name every file.
            .env("LC_ALL", "C.UTF-8")
    }

    fn server(&self, what: &str) -> Result<()> {
        let mut command = Command::new("wineserver");
        done(self.surround(&mut command).arg(what))
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // Where it has ended already, so much the better.
        let _ = self.server("--kill");
    }
}

/// The program that runs programs for Windows.
pub(super) fn runner() -> &'static str {
    LOADER
}

/// What is missing to build for Windows and to run the result.
pub(super) fn missing() -> Option<String> {
    let packages = [(GCC, "gcc-mingw-w64-x86-64-win32"), (LOADER, "wine64"), ("wineserver", "wine")];
    let (program, package) = packages.into_iter().find(|(program, _)| !installed(program))?;
    Some(format!("`{program}` is not installed; the package {package} has it"))
}

fn compiled(gcc: &mut Command, source: &[u8]) -> Result<()> {
    let mut child = gcc.stdin(Stdio::piped()).spawn().with_context(|| format!("cannot run {GCC}"))?;
    let mut stdin = child.stdin.take().context("the compiler has an input")?;
    std::io::Write::write_all(&mut stdin, source)?;
    drop(stdin);
    ensure!(child.wait()?.success(), "{GCC} cannot compile a library");
    Ok(())
}

/// Runs a command that must succeed.
fn done(command: &mut Command) -> Result<()> {
    let name = Path::new(command.get_program()).display().to_string();
    let status = command.status().with_context(|| format!("cannot run `{name}`"))?;
    ensure!(status.success(), "`{name}` ended with {status}");
    Ok(())
}
