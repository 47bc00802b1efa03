//! The loader in the EFI system partition of a disk; and the same signed by the key that Debian's
//! UEFI for tests trusts.

use super::mtools::{drive, mtools};
use crate::product;
use anyhow::Result;
use std::fs;
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
