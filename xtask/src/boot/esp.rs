//! The loader in the EFI system partition of a disk; and the same signed by the key that Debian's
//! UEFI for tests trusts.

use super::media::mtools;
use crate::product;
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of the package `ovmf`; everybody has the key, and its password.
const KEY: &str = "/usr/share/ovmf/PkKek-1-snakeoil.key";
const CERTIFICATE: &str = "/usr/share/ovmf/PkKek-1-snakeoil.pem";
const LOADER: &str = "::/EFI/BOOT/BOOTX64.EFI";

/// The loader of the disk `image`, as a file beside it.
pub(crate) fn loader(image: &Path) -> Result<PathBuf> {
    let loader = image.with_extension("efi");
    mtools(drive(image)?, "mcopy", &["-n", "-o", LOADER, &loader.display().to_string()])?;
    Ok(loader)
}

/// A copy of the disk `image` whose loader is signed.
pub(crate) fn signed(image: &Path) -> Result<PathBuf> {
    let [copy, key, signed] = ["signed.img", "key", "signed.efi"].map(|suffix| image.with_extension(suffix));
    let mut openssl = Command::new("openssl");
    product::run(openssl.args(["rsa", "-passin", "pass:snakeoil", "-in", KEY, "-out"]).arg(&key))?;
    let mut sbsign = Command::new("sbsign");
    sbsign.args(["--cert", CERTIFICATE, "--key"]).arg(&key).arg("--output").arg(&signed);
    product::run(sbsign.arg(loader(image)?))?;
    fs::copy(image, &copy)?;
    mtools(drive(&copy)?, "mcopy", &["-n", "-o", &signed.display().to_string(), LOADER])?;
    Ok(copy)
}

/// What mtools call the partition of the disk `image`.
fn drive(image: &Path) -> Result<String> {
    Ok(format!("{}@@{}", image.display(), first_partition(&mut File::open(image)?)?))
}

/// Byte at which the first partition of a GPT disk begins.
pub(crate) fn first_partition(disk: &mut File) -> Result<u64> {
    // [UEFI] "GPT Partition Entry": the first one's StartingLBA, in an array at block 2.
    let mut first = [0; 8];
    disk.seek(SeekFrom::Start(2 * 512 + 32))?;
    disk.read_exact(&mut first).context("the disk has no GPT")?;
    Ok(u64::from_le_bytes(first) * 512)
}
