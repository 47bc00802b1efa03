//! What the commands are given. Each input is made when it is first asked for.

use crate::{Result, kernel, noise};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Files of the large root file system.
pub(crate) const FILES: usize = 50_000;
/// The longest file that is taken into it, bytes.
const FILE: u64 = 128 << 10;
/// What is taken of `/usr/bin`, bytes.
const PROGRAMS: u64 = 256 << 20;

/// The folder that inputs and outputs are in.
pub(crate) struct Inputs {
    dir: TempDir,
}

impl Inputs {
    pub(crate) fn new() -> Result<Self> {
        // Temporary folders elsewhere are in memory on many systems.
        Ok(Inputs { dir: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))? })
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The file called `name`, which `make` makes if it is not there.
    pub(crate) fn once(
        &self,
        name: &str,
        make: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<PathBuf> {
        let path = self.at(name);
        if !path.exists() {
            let mut out = BufWriter::new(File::create(&path)?);
            make(&mut out)?;
            out.flush()?;
        }
        Ok(path)
    }

    /// A kernel that ends the machine.
    pub(crate) fn kernel(&self) -> Result<PathBuf> {
        self.once("kernel", |out| Ok(out.write_all(&kernel::kernel())?))
    }

    /// A gibibyte, every other 256 KiB of it noise, the rest text.
    pub(crate) fn half_random(&self) -> Result<PathBuf> {
        self.once("half-random", |out| Ok(noise::half_random(1, 2048, out)?))
    }

    /// An archive of the first programs of this machine.
    pub(crate) fn programs(&self) -> Result<PathBuf> {
        let mut left = PROGRAMS;
        let mut files = Vec::new();
        for path in sorted(Path::new("/usr/bin"))? {
            let meta = path.symlink_metadata()?;
            if meta.is_file() && meta.len() <= left {
                left -= meta.len();
                files.push(path);
            }
        }
        self.once("programs.tar", |out| {
            let mut tar = tar::Builder::new(out);
            for path in files {
                tar.append_path_with_name(&path, path.strip_prefix("/")?)?;
            }
            Ok(tar.finish()?)
        })
    }

    /// A folder with the first small files of this machine's `/usr`, as many as [`FILES`].
    pub(crate) fn root(&self) -> Result<PathBuf> {
        let root = self.at("root");
        if !root.exists() {
            fs::create_dir_all(root.join("boot"))?;
            fs::copy(self.kernel()?, root.join("boot/kernel"))?;
            let copied = copy(Path::new("/usr"), &root.join("usr"), FILES)?;
            if copied < FILES {
                eprintln!("this machine has {copied} small files in /usr");
            }
        }
        Ok(root)
    }

    /// An archive of [`Inputs::root`].
    pub(crate) fn root_tar(&self) -> Result<PathBuf> {
        let root = self.root()?;
        self.once("root.tar", |out| {
            let mut tar = tar::Builder::new(out);
            tar.append_dir_all(".", root)?;
            Ok(tar.finish()?)
        })
    }
}

/// What is in a folder, in the order of names.
fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Copies up to `most` small files of `from` and its folders to `to`, and says how many.
fn copy(from: &Path, to: &Path, most: usize) -> Result<usize> {
    fs::create_dir(to)?;
    let mut copied = 0;
    for path in sorted(from)? {
        let meta = path.symlink_metadata()?;
        let name = to.join(path.file_name().unwrap_or_default());
        if meta.is_dir() {
            copied += copy(&path, &name, most - copied)?;
        } else if meta.is_file() && meta.len() <= FILE {
            fs::copy(&path, name)?;
            copied += 1;
        }
        if copied == most {
            break;
        }
    }
    Ok(copied)
}
