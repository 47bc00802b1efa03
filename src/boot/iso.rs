//! ISOs: CDs that a BIOS or a UEFI boots, and sticks and disks that they are copied to.
//!
//! ```text
//! EFI/BOOT/BOOTX64.EFI  the loader, for who copies the files elsewhere, or reads ISO 9660 itself
//! boot/bios.bin         second stage, then the command line   | isolinux/  with `--bios-loader`
//! boot/boot.cat         the boot catalog
//! boot/efi.img          a FAT with the stub, which reads the kernel below
//! boot/initrd.img       the initrd
//! boot/kernel           the kernel
//! ```
//!
//! Files lie in this order, so a medium that was cut off still has who can say so. Kernel and
//! initrd are there once, whoever starts them; only a loader of somebody else's, which reads its
//! own volume, has copies in its `efi.img`.

use super::bios::{self, Loader, Places};
use super::draft::Draft;
use super::{AARCH64_FILES, BiosLoader, Error, FILES, Files, Firmware, Options, Payload, efi, isolinux};
use mkimage_formats::fat::{self, Fat};
use mkimage_formats::gpt::Guid;
use mkimage_formats::iso::{self, BootEntry, Hybrid, Iso, Profile};
use mkimage_formats::{Layout, Tree, TreePath};
use mkimage_loaders::bios::Medium;
use mkimage_loaders::uefi::Arch;
use std::path::Path;

const LOADER: &str = "boot/bios.bin";
/// Without a name it would lie behind all files, and a CD that was cut off would not start at all.
const CATALOG: &str = "boot/boot.cat";
const ESP: &str = "boot/efi.img";

/// An ISO with `payload`, and with `root`, a root file system, if there is one. A UEFI on another
/// processor starts `aarch64`.
///
/// # Errors
/// The firmware cannot boot a kernel, a payload does not fit, or a loader's files cannot be read.
pub fn iso(
    payload: &Payload,
    aarch64: Option<&Payload>,
    root: Option<&Tree>,
    firmware: Firmware,
    options: &Options,
) -> Result<Layout, Error> {
    let firmware = firmware.of(payload);
    let efi = match firmware.efi() {
        true => Some(EfiSide::new(payload, aarch64, options)?),
        false => None,
    };
    let mut medium = Draft::new(root, options.epoch);
    medium.payload(payload, FILES)?;
    let mut boot = Vec::new();
    let mut bios = None;
    if firmware.bios() {
        let side = BiosSide::new(payload, options)?;
        boot.push(side.add(&mut medium, payload)?);
        bios = Some(side);
    }
    if let Some(side) = &efi {
        boot.push(side.add(&mut medium)?);
    }
    let iso_options = iso::Options {
        epoch: options.epoch,
        volume: options.volume.clone(),
        boot,
        catalog: Some(TreePath::new(CATALOG)?),
        ..iso::Options::default()
    };
    let mut iso = Iso::new(&medium.tree, &iso_options)?;
    let code = match &bios {
        Some(side) => side.tell(&mut medium, &iso)?,
        None => Vec::new(),
    };
    if let Some(side) = &efi {
        medium.file(ESP, side.volume(Some(&iso))?)?;
    }
    if efi.is_some() || !code.is_empty() {
        let seed = payload.seed()?;
        iso.set_hybrid(&Hybrid {
            profile: if efi.is_some() { options.hybrid } else { Profile::MbrEf },
            code,
            signature: payload.signature()?,
            disk: options.disk_id.unwrap_or_else(|| Guid::derived(&seed, "disk")),
            esp: efi.map(|_| TreePath::new(ESP)).transpose()?,
        })?;
    }
    Ok(iso.layout(&medium.tree)?)
}

/// Where `path` is, in bytes from the start of the image. Files without content have no place,
/// and no loader reads them.
fn at(iso: &Iso, path: &str) -> Result<u64, Error> {
    Ok(iso.place(&TreePath::new(path)?).map_or(0, |place| place.at))
}

/// What a BIOS boots.
enum BiosSide<'a> {
    BuiltIn(Loader<'a>),
    Isolinux(&'a Path),
}

impl<'a> BiosSide<'a> {
    fn new(payload: &'a Payload, options: &'a Options) -> Result<Self, Error> {
        Ok(match &options.bios {
            BiosLoader::BuiltIn(serial) => BiosSide::BuiltIn(Loader::new(payload, *serial, options)?),
            BiosLoader::Isolinux(folder) => {
                bios::check(payload, options)?;
                BiosSide::Isolinux(folder)
            }
        })
    }

    /// Adds its files, which do not know places yet.
    fn add(&self, medium: &mut Draft, payload: &Payload) -> Result<BootEntry, Error> {
        match self {
            BiosSide::BuiltIn(loader) => {
                medium.file(LOADER, Layout::hole(loader.len()))?;
                Ok(BootEntry::bios(TreePath::new(LOADER)?))
            }
            BiosSide::Isolinux(folder) => {
                isolinux::add(medium, payload, folder)?;
                let image = TreePath::new(isolinux::IMAGE)?;
                Ok(BootEntry { info_table: true, ..BootEntry::bios(image) })
            }
        }
    }

    /// Tells it where everything is, and returns the code for a master boot record, empty for none.
    fn tell(&self, medium: &mut Draft, iso: &Iso) -> Result<Vec<u8>, Error> {
        match self {
            BiosSide::BuiltIn(loader) => {
                let (kernel, initrd) = (at(iso, FILES.kernel)?, at(iso, FILES.initrd)?);
                let places = Places { loader: at(iso, LOADER)?, kernel, initrd };
                medium.file(LOADER, loader.code(Medium::Cd, &places)?)?;
                Loader::mbr(places.loader)
            }
            BiosSide::Isolinux(folder) => {
                Ok(isolinux::mbr(folder, at(iso, isolinux::IMAGE)?)?.unwrap_or_default())
            }
        }
    }
}

/// What a UEFI boots.
struct EfiSide<'a> {
    payloads: Vec<(&'a Payload, Arch, Files)>,
    options: &'a Options,
}

impl<'a> EfiSide<'a> {
    fn new(first: &'a Payload, aarch64: Option<&'a Payload>, options: &'a Options) -> Result<Self, Error> {
        let mut payloads = vec![(first, efi::arch(&first.kernel.content)?, FILES)];
        if let Some(payload) = aarch64 {
            let arch = efi::arch(&payload.kernel.content)?;
            if (payloads[0].1, arch) != (Arch::X86_64, Arch::Aarch64) {
                return Err(Error::Architectures);
            }
            if let Some(path) = options.efi_loaders.first() {
                return Err(Error::OneLoader { path: path.clone() });
            }
            payloads.push((payload, arch, AARCH64_FILES));
        }
        Ok(EfiSide { payloads, options })
    }

    /// Adds its files, which do not know places yet.
    fn add(&self, medium: &mut Draft) -> Result<BootEntry, Error> {
        for &(payload, _, files) in &self.payloads {
            medium.payload(payload, files)?;
            efi::add_by_paths(medium, payload, files, self.options)?;
        }
        medium.file(ESP, Layout::hole(self.volume(None)?.len()))?;
        Ok(BootEntry::efi(TreePath::new(ESP)?))
    }

    /// The FAT that a UEFI sees, on `iso`. Its length is the same wherever everything is.
    fn volume(&self, iso: Option<&Iso>) -> Result<Layout, Error> {
        let at = |path| iso.map_or(Ok(0), |iso| at(iso, path));
        let mut volume = Draft::new(None, self.options.epoch);
        for &(payload, arch, files) in &self.payloads {
            if self.options.efi_loaders.is_empty() {
                let program = efi::by_extents(payload, at(files.kernel)?, at(files.initrd)?)?;
                volume.file(&efi::path(arch), program)?;
            } else {
                volume.payload(payload, files)?;
                efi::add_loaders(&mut volume, payload, self.options)?;
            }
        }
        let fat_options = fat::Options {
            hidden_sectors: u32::try_from(at(ESP)? / 512).unwrap_or(u32::MAX),
            label: "EFI".into(),
            serial: self.payloads[0].0.signature()?,
            epoch: self.options.epoch,
            // systemd-boot writes into what seems writable, and not every firmware expects that.
            read_only: true,
            ..fat::Options::default()
        };
        Ok(Fat::new(&volume.tree, &fat_options)?.layout(&volume.tree)?)
    }
}
