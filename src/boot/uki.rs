//! Unified kernel images: one EFI program with all that it starts.
//!
//! The sections are those of the UAPI Group's *Unified Kernel Image (UKI)* specification. \[SBAT\] is
//! shim's *SBAT.md*.

use super::{Error, Options, Payload, efi};
use mkimage_formats::Layout;
use mkimage_formats::pe::{self, Section};
use mkimage_loaders::uefi;
use std::borrow::Cow;

/// What systemd-boot calls the image in its menu.
const OS_RELEASE: &[u8] = b"ID=linuxkit\nNAME=\"LinuxKit\"\nPRETTY_NAME=\"LinuxKit\"\n";

/// shim's generation check: \[SBAT\]. A component's first number counts its security fixes.
const SBAT: &str = concat!(
    "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n",
    "mkimage,1,mkimage,mkimage,",
    env!("CARGO_PKG_VERSION"),
    ",https://docs.rs/mkimage\n"
);

/// `payload` as one EFI program.
///
/// # Errors
/// A UEFI cannot boot the kernel, or the stub has no room for the sections.
pub fn uki(payload: &Payload, options: &Options) -> Result<Layout, Error> {
    let arch = efi::arch(&payload.kernel.content)?;
    let stub: Cow<'_, [u8]> = match &options.efi_stub {
        Some(path) => {
            Cow::Owned(std::fs::read(path).map_err(|source| Error::EfiFile { path: path.clone(), source })?)
        }
        None => Cow::Borrowed(arch.stub()),
    };
    let section = |name, content: Layout| Section { name, content };
    let mut sections = vec![section(".osrel", OS_RELEASE.to_vec().into())];
    sections.extend(efi::cmdline(payload));
    if let Some(release) = efi::release(&payload.kernel.content)? {
        sections.push(section(".uname", release.into()));
    }
    if !payload.initrd.content.is_empty() {
        sections.push(section(uefi::INITRD, payload.initrd.content.clone()));
    }
    sections.push(section(uefi::LINUX, payload.kernel.content.clone()));
    // Another's stub says of itself what it is.
    if options.efi_stub.is_none() {
        sections.push(section(".sbat", SBAT.as_bytes().to_vec().into()));
    }
    pe::append(&stub, &sections).map_err(|source| match &options.efi_stub {
        Some(path) => Error::EfiStub { path: path.clone(), source },
        None => source.into(),
    })
}
