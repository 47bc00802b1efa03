//! Media with a fault, of which the loader must say what it is.

use super::guest::Payload;
use super::mtools::{drive, mtools};
use super::recipe::{Fault, Recipe};
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What is wrong with the drive.
#[derive(Clone, Copy)]
pub(crate) enum Drive {
    /// Nothing.
    Good,
    /// It cannot read the byte at this offset.
    Unreadable(u64),
    /// It reads 65,000 bytes in a second.
    Slow,
}

/// A copy of `image` with the recipe's fault. The image itself where the fault is the drive's.
pub(crate) fn spoil(image: &Path, folder: &Path, recipe: &Recipe) -> Result<(PathBuf, Drive)> {
    let fault = recipe.fault;
    let kernel = || in_kernel(image, folder);
    match fault {
        Fault::None => return Ok((image.to_owned(), Drive::Good)),
        Fault::BadRead => return Ok((image.to_owned(), Drive::Unreadable(kernel()?))),
        Fault::Slow => return Ok((image.to_owned(), Drive::Slow)),
        _ => {}
    }
    let copy = beside(image, fault)?;
    fs::copy(image, &copy)?;
    let file = File::options().read(true).write(true).open(&copy)?;
    match fault {
        Fault::Truncated => file.set_len(kernel()? / 2048 * 2048)?,
        Fault::Kernel => flip(file, kernel()?)?,
        Fault::Initrd => flip(file, in_initrd(image, folder, recipe.payload)?)?,
        Fault::NoKernel => delete(&copy, "::/boot/kernel")?,
        Fault::NoInitrd => delete(&copy, "::/boot/initrd.img")?,
        Fault::None | Fault::BadRead | Fault::Slow => {}
    }
    Ok((copy, Drive::Good))
}

/// The copy of `image` that has a fault.
fn beside(image: &Path, fault: Fault) -> Result<PathBuf> {
    let stem = image.file_stem().context("an image has a name")?.to_string_lossy();
    let extension = image.extension().context("an image has a suffix")?.to_string_lossy();
    Ok(image.with_file_name(format!("{stem}{}.{extension}", fault.suffix())))
}

/// Offset in `image` of a sector in the middle of the kernel. It is searched for: this suite knows
/// nothing of file systems.
fn in_kernel(image: &Path, folder: &Path) -> Result<u64> {
    let kernel = fs::read(folder.join("kernel"))?;
    find(image, &kernel, kernel.len() / 2).context("the kernel is not in the image")
}

/// Offset in `image` of a sector of the initrd's payload.
fn in_initrd(image: &Path, folder: &Path, payload: Payload) -> Result<u64> {
    let mut initrd = fs::read(folder.join("guest.cpio"))?;
    initrd.resize(initrd.len().next_multiple_of(4), 0);
    let in_payload = initrd.len() + 100_000;
    initrd.extend(fs::read(folder.join(format!("../{}.cpio", payload.name())))?);
    find(image, &initrd, in_payload).context("the initrd is not in the image")
}

/// Offset in `image` of a sector at or after the byte at `at` of a file, which begins at a sector.
/// Zeros would be found elsewhere.
fn find(image: &Path, file: &[u8], at: usize) -> Result<u64> {
    let mut sectors = file[at / 512 * 512..].chunks_exact(512);
    let sector = sectors.find(|sector| sector.iter().any(|byte| *byte != 0)).context("it ends in zeros")?;
    let found = fs::read(image)?.chunks_exact(512).position(|other| other == sector);
    Ok(u64::try_from(found.context("no sector is like it")?)? * 512)
}

/// Inverts the lowest bit of the byte at `at`.
fn flip(mut file: File, at: u64) -> Result<()> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut byte)?;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(&[byte[0] ^ 1])?;
    Ok(())
}

/// Deletes a file of the first partition's file system.
fn delete(image: &Path, name: &str) -> Result<()> {
    mtools(drive(image)?, "mdel", &[name])
}
