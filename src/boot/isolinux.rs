//! isolinux from its own files, which are on the host.

use super::draft::Draft;
use super::{Error, FILES, Payload, one_line};
use mkimage_formats::Layout;
use mkimage_loaders::bios::MBR_LEN;
use std::io;
use std::path::Path;

/// Where it is on the medium.
pub(super) const IMAGE: &str = "isolinux/isolinux.bin";

/// Adds isolinux' files and a configuration that starts `payload`.
pub(super) fn add(medium: &mut Draft, payload: &Payload, folder: &Path) -> Result<(), Error> {
    let open = |name: &str| {
        let path = folder.join(name);
        Layout::file(&path).map_err(|source| Error::LoaderFile { path, source })
    };
    let initrd =
        if payload.initrd.content.is_empty() { String::new() } else { format!("initrd=/{} ", FILES.initrd) };
    let config = format!(
        "DEFAULT linux\nLABEL linux\n    KERNEL /{}\n    APPEND {initrd}{}\n",
        FILES.kernel,
        one_line(&payload.cmdline)
    );
    medium.file(IMAGE, open("isolinux.bin")?)?;
    medium.file("isolinux/ldlinux.c32", open("ldlinux.c32")?)?;
    medium.file("isolinux/isolinux.cfg", config.into_bytes())
}

/// syslinux's boot sector for hybrid images, `isohdpfx.bin`, told as `isohybrid` does where
/// isolinux.bin is: in 512-byte sectors, at byte 432. None if there is no such file.
pub(super) fn mbr(folder: &Path, image_at: u64) -> Result<Option<Vec<u8>>, Error> {
    const PLACE: usize = 432;
    let path = folder.join("isohdpfx.bin");
    let mut mbr = match std::fs::read(&path) {
        Ok(mbr) => mbr,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::LoaderFile { path, source }),
    };
    if mbr.len() > MBR_LEN {
        return Err(Error::HybridMbr { path, len: mbr.len() });
    }
    mbr.resize(MBR_LEN, 0);
    mbr[PLACE..].copy_from_slice(&(image_at / 512).to_le_bytes());
    Ok(Some(mbr))
}
