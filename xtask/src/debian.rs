//! Files out of the distribution's packages: fetched by apt without root, unpacked without
//! installing.
//!
//! apt is given package lists of its own under `target`, so nothing on the machine changes and
//! nobody needs to be root; only the system's sources and keys are used. The architecture is the
//! guest's, whatever the machine is.

use crate::product;

use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a guest runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Arch {
    /// x86-64.
    Amd64,
    /// AArch64.
    Arm64,
}

impl Arch {
    /// Debian's name for it, which is LinuxKit's too.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Arch::Amd64 => "amd64",
            Arch::Arm64 => "arm64",
        }
    }
}

/// Packages, each set of them in a folder that is there only when it is complete.
pub(crate) struct Packages {
    arch: Arch,
    dir: PathBuf,
    refreshed: bool,
}

impl Packages {
    /// The packages of `arch`, kept beside what cargo builds.
    pub(crate) fn of(arch: Arch) -> Self {
        let folder = match arch {
            Arch::Amd64 => "debian",
            Arch::Arm64 => "debian-arm64",
        };
        Packages { arch, dir: product::target().join(folder), refreshed: false }
    }

    /// What all of them are for.
    pub(crate) fn arch(&self) -> Arch {
        self.arch
    }

    /// Package `name` and those of its dependencies whose names start with one of `prefixes`.
    /// The network is needed only the first time.
    pub(crate) fn fetch(&mut self, name: &str, prefixes: &[&str]) -> Result<Vec<PathBuf>> {
        let folder = self.dir.join(name);
        if !folder.exists() {
            self.refresh()?;
            let names = self.closure(name, prefixes)?;
            println!("fetching {}", names.join(" "));
            let partial = self.dir.join(format!("{name}.partial"));
            // What a run that was interrupted left there.
            let _ = fs::remove_dir_all(&partial);
            fs::create_dir_all(&partial)?;
            let mut apt = self.apt("apt-get")?;
            apt.args(["-qq", "download"]).args(names).current_dir(&partial);
            ensure!(apt.status()?.success(), "apt cannot download `{name}`: is there a network?");
            fs::rename(&partial, &folder)?;
        }
        let mut debs = fs::read_dir(&folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()
            .with_context(|| format!("cannot read `{}`", folder.display()))?;
        debs.sort();
        Ok(debs)
    }

    /// The first of `names` that the distribution has.
    pub(crate) fn first(&mut self, names: &[&'static str]) -> Result<&'static str> {
        if let Some(name) = names.iter().find(|name| self.dir.join(name).exists()) {
            return Ok(name);
        }
        self.refresh()?;
        for &name in names {
            let shown = self.apt("apt-cache")?.args(["-q", "show", name]).output()?;
            if shown.status.success() && !shown.stdout.is_empty() {
                return Ok(name);
            }
        }
        bail!("none of the packages {} is in the lists of apt's sources", names.join(", "))
    }

    /// Fetches the package lists, once in a run.
    fn refresh(&mut self) -> Result<()> {
        if self.refreshed {
            return Ok(());
        }
        println!("refreshing the package lists");
        fs::create_dir_all(self.dir.join("apt/lists/partial"))?;
        fs::create_dir_all(self.dir.join("apt/archives/partial"))?;
        File::create(self.dir.join("apt/status"))?;
        let updated = self.apt("apt-get")?.args(["-qq", "update"]).status()?;
        ensure!(
            updated.success(),
            "`apt-get update` ended with {updated}: the package lists come from the sources in /etc/apt, \
             over the network; once fetched, packages stay in `{}`",
            self.dir.display()
        );
        self.refreshed = true;
        Ok(())
    }

    /// `name`, and its dependencies with the wanted prefixes, and theirs.
    fn closure(&self, name: &str, prefixes: &[&str]) -> Result<Vec<String>> {
        let mut found = BTreeSet::from([name.to_owned()]);
        let mut queue = VecDeque::from([name.to_owned()]);
        while let Some(name) = queue.pop_front() {
            let output = self.apt("apt-cache")?.args(["depends", "--important", &name]).output()?;
            ensure!(output.status.success(), "apt knows no package `{name}`");
            for line in String::from_utf8(output.stdout)?.lines() {
                let Some((kind, other)) = line.trim().split_once(": ") else { continue };
                let wanted = matches!(kind, "Depends" | "PreDepends")
                    && prefixes.iter().any(|prefix| other.starts_with(prefix));
                if wanted && found.insert(other.to_owned()) {
                    queue.push_back(other.to_owned());
                }
            }
        }
        Ok(found.into_iter().collect())
    }

    /// A program of apt's, on lists of its own.
    fn apt(&self, program: &str) -> Result<Command> {
        ensure!(
            Path::new("/usr/bin/apt-get").exists(),
            "there is no apt-get: the kernel, runc and the other parts come from Debian's or Ubuntu's packages"
        );
        let mut command = Command::new(program);
        for (option, path) in [
            ("State", "apt"),
            ("State::lists", "apt/lists"),
            ("State::status", "apt/status"),
            ("Cache", "apt"),
        ] {
            let path = std::path::absolute(self.dir.join(path))?;
            command.arg("-o").arg(format!("Dir::{option}={}", path.display()));
        }
        for option in ["APT::Architecture", "APT::Architectures"] {
            command.arg("-o").arg(format!("{option}={}", self.arch.name()));
        }
        for option in [
            // As root, apt would download as a user who cannot write here.
            "APT::Sandbox::User=root",
            "Acquire::Languages=none",
            "Acquire::Retries=3",
        ] {
            command.args(["-o", option]);
        }
        command.env("LC_ALL", "C");
        Ok(command)
    }
}

/// One path of a package.
pub(crate) enum Entry {
    /// A regular file.
    File {
        /// Permission bits.
        mode: u32,
        /// Its bytes.
        data: Vec<u8>,
    },
    /// A symbolic link.
    Link(String),
}

/// Gives `take` every file and link of a package that `want` says yes to. Paths start without `/`,
/// and without `usr/` where the distribution has merged that folder into the root.
pub(crate) fn unpack(
    deb: &Path,
    want: impl Fn(&str) -> bool,
    mut take: impl FnMut(String, Entry) -> Result<()>,
) -> Result<()> {
    let mut child = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run dpkg-deb")?;
    let mut archive = tar::Archive::new(child.stdout.take().context("dpkg-deb has an output")?);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = String::from_utf8(entry.path_bytes().into_owned())?;
        let path = merged(path.trim_start_matches("./").trim_end_matches('/')).to_owned();
        if !want(&path) {
            continue;
        }
        match entry.header().entry_type() {
            tar::EntryType::Regular => {
                let mode = entry.header().mode()?;
                let mut data = Vec::new();
                entry.read_to_end(&mut data)?;
                take(path, Entry::File { mode, data })?;
            }
            tar::EntryType::Symlink => {
                let target = entry.link_name_bytes().context("a symbolic link has a target")?;
                take(path, Entry::Link(String::from_utf8(target.into_owned())?))?;
            }
            _ => {}
        }
    }
    let status = child.wait()?;
    ensure!(status.success(), "dpkg-deb cannot read `{}`", deb.display());
    Ok(())
}

/// `usr/lib/x` is `lib/x`, and so are the other folders that distributions merge one by one.
fn merged(path: &str) -> &str {
    match path.strip_prefix("usr/") {
        Some(rest) if ["bin", "sbin", "lib", "lib64"].contains(&rest.split('/').next().unwrap_or(rest)) => {
            rest
        }
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folders_that_distributions_merge_move_to_the_root() {
        for (path, want) in [
            ("usr/lib/x86_64-linux-gnu/libc.so.6", "lib/x86_64-linux-gnu/libc.so.6"),
            ("usr/sbin/runc", "sbin/runc"),
            ("usr/lib64/ld-linux-x86-64.so.2", "lib64/ld-linux-x86-64.so.2"),
            ("usr/libexec/x", "usr/libexec/x"),
            ("usr/share/x", "usr/share/x"),
            ("bin/busybox", "bin/busybox"),
        ] {
            assert_eq!(merged(path), want);
        }
    }
}
