//! Disks and sticks: a boot partition with kernel and initrd as files, and loaders.
//!
//! ```text
//! BIOS   MBR │ second stage, cmdline │ FAT (active)              │ free
//!        0     512                     1 MiB
//! UEFI   PMBR, GPT                   │ EFI system partition      │ free │ GPT
//!                                      1 MiB                             last MiB
//! both   PMBR, GPT    │ BIOS boot    │ EFI system partition      │ free │ GPT
//!                       1 MiB          2 MiB                             last MiB
//! ```
//!
//! The partition is as small as the rules for it allow. What `--size` leaves is free, for
//! partitions of the system's own.

use super::bios::{Loader, Places};
use super::draft::Draft;
use super::{BiosLoader, Error, FILES, Firmware, Options, Payload, efi};
use mkimage_formats::fat::{self, Fat};
use mkimage_formats::gpt::{self, Active, Guid, Partition, Type};
use mkimage_formats::mbr::{self, Geometry, PartitionType};
use mkimage_formats::sector::SectorSize;
use mkimage_formats::{Layout, TreePath};
use mkimage_loaders::bios::Medium;

/// Partitions begin and end at its multiples: flash and RAID have blocks of it.
pub(super) const MIB: u64 = 1 << 20;
/// Of the second stage on a disk without GPT.
const STAGE2_AT: u64 = 512;

/// A disk with `payload`.
///
/// # Errors
/// The firmware cannot boot the kernel, the payload does not fit, or a loader's files cannot be read.
pub fn disk(payload: &Payload, firmware: Firmware, options: &Options) -> Result<Layout, Error> {
    let firmware = firmware.of(payload);
    if firmware.bios() && options.sector_size != SectorSize::B512 {
        return Err(Error::SectorSize);
    }
    match firmware {
        Firmware::Bios => bios(payload, options),
        Firmware::Efi => efi(payload, None, options),
        Firmware::Both => efi(payload, Some(&loader(payload, options)?), options),
    }
}

fn loader<'a>(payload: &'a Payload, options: &Options) -> Result<Loader<'a>, Error> {
    match &options.bios {
        BiosLoader::BuiltIn(serial) => Loader::new(payload, *serial, options),
        BiosLoader::Isolinux(path) => Err(Error::NotAnIso { path: path.clone() }),
    }
}

fn bios(payload: &Payload, options: &Options) -> Result<Layout, Error> {
    let loader = loader(payload, options)?;
    let mut draft = Draft::new(None, options.epoch);
    draft.payload(payload, FILES)?;
    let fat = volume(&draft, MIB, fat::Options::default(), payload, options)?;
    let size = size(MIB + fat.len(), options)?;
    let partition = mbr::Partition {
        active: true,
        kind: PartitionType::FAT32_LBA,
        first: sectors(MIB),
        sectors: sectors(fat.len()),
    };
    let code = Loader::mbr(STAGE2_AT)?;
    let mbr = mbr::sector(&code, payload.signature()?, &[partition], Geometry::LARGE)?;
    let mut disk = Layout::from(mbr.to_vec());
    disk.append(second_stage(&loader, STAGE2_AT, MIB, &fat)?.into());
    disk.pad_to(MIB);
    disk.append(fat.layout(&draft.tree)?);
    disk.pad_to(size);
    Ok(disk)
}

fn efi(payload: &Payload, loader: Option<&Loader<'_>>, options: &Options) -> Result<Layout, Error> {
    let mut draft = Draft::new(None, options.epoch);
    draft.payload(payload, FILES)?;
    efi::add_by_paths(&mut draft, payload, FILES, options)?;
    let at = if loader.is_some() { 2 * MIB } else { MIB };
    let fat = volume(&draft, at, fat::Options::esp(options.sector_size, 0), payload, options)?;
    let size = size(at + fat.len() + MIB, options)?;

    let seed = payload.seed()?;
    let partition = |name: &str, kind, first, len| {
        let guid = Guid::derived(&seed, name);
        Partition { kind, guid, name: name.into(), first, len, attributes: 0 }
    };
    let mut partitions = Vec::new();
    let mut boot_code = Vec::new();
    if let Some(loader) = loader {
        let mut stage = Layout::from(second_stage(loader, MIB, at, &fat)?);
        stage.pad_to(MIB);
        partitions.push((partition("BIOS boot", Type::BIOS_BOOT, MIB, MIB), stage));
        boot_code = Loader::mbr(MIB)?;
    }
    let len = fat.len();
    partitions.push((partition("EFI System", Type::EFI_SYSTEM, at, len), fat.layout(&draft.tree)?));
    let table = gpt::Options {
        sector_size: options.sector_size,
        disk: options.disk_id.unwrap_or_else(|| Guid::derived(&seed, "disk")),
        active: if loader.is_some() { Active::Entry } else { Active::None },
        boot_code,
        signature: payload.signature()?,
    };
    Ok(gpt::layout(size, &table, &partitions)?)
}

/// The file system of a partition at byte `at`: as small as `kind` allows, in whole MiB.
pub(super) fn volume(
    draft: &Draft,
    at: u64,
    kind: fat::Options,
    payload: &Payload,
    options: &Options,
) -> Result<Fat, Error> {
    let mut fat = fat::Options {
        hidden_sectors: u32::try_from(at / options.sector_size.bytes()).unwrap_or(u32::MAX),
        label: label(&options.volume),
        serial: payload.signature()?,
        epoch: options.epoch,
        ..kind
    };
    let least = Fat::new(&draft.tree, &fat)?.len();
    fat.len = Some(least.next_multiple_of(MIB));
    Ok(Fat::new(&draft.tree, &fat)?)
}

/// The built-in BIOS loader at byte `at` of a disk, whose files are in `fat`, which begins at
/// byte `volume`.
fn second_stage(loader: &Loader<'_>, at: u64, volume: u64, fat: &Fat) -> Result<Vec<u8>, Error> {
    let place = |path: &str| -> Result<u64, Error> {
        Ok(fat.place(&TreePath::new(path)?).map_or(0, |place| volume + place.at))
    };
    let places = Places { loader: at, kernel: place(FILES.kernel)?, initrd: place(FILES.initrd)? };
    loader.code(Medium::Disk, &places)
}

/// The disk's length: `needed` bytes, or as many as were asked for.
pub(super) fn size(needed: u64, options: &Options) -> Result<u64, Error> {
    match options.size {
        Some(size) if size < needed => Err(Error::Size { needed, size }),
        Some(size) if size % MIB != 0 => Err(Error::Unaligned { size }),
        Some(size) => Ok(size),
        None => Ok(needed),
    }
}

/// As much of a volume's name as a FAT has room for.
fn label(volume: &str) -> String {
    volume.chars().take(11).collect()
}

/// 512-byte sectors. What does not fit is refused with the partition that it belongs to.
pub(super) fn sectors(bytes: u64) -> u32 {
    u32::try_from(bytes / 512).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_at_least_what_is_needed() {
        let asked = |size| Options { size, ..Options::default() };
        assert_eq!(size(3 * MIB, &asked(None)).unwrap(), 3 * MIB);
        assert_eq!(size(3 * MIB, &asked(Some(8 * MIB))).unwrap(), 8 * MIB);
        let small = size(3 * MIB, &asked(Some(2 * MIB))).unwrap_err();
        assert_eq!(small.to_string(), "a disk of 3 MiB is needed, and `--size` says 2 MiB");
    }
}
