//! Booting from CD: \[El Torito\].
//!
//! ```text
//! boot catalog 00 ValidationEntry: platform of the first entry, 16-bit words that add up to 0
//!              20 first entry     ─ place of its image, sectors to load
//!              40 SectionHeader, 60 entry    once for each further entry
//! ```

use super::mend::BLOCK;
use super::{Error, Iso};
use crate::emit::{Sink, Stream};
use crate::layout::Layout;
use crate::skeleton::Place;
use crate::tree::TreePath;
use zerocopy::little_endian::U32;
use zerocopy::{Immutable, IntoBytes};

/// \[El Torito\] Figure 2, "Platform ID".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform(pub u8);

impl Platform {
    /// A PC's BIOS.
    pub const BIOS: Self = Platform(0);
    /// \[UEFI\] §13.3.2.1: the image is a FAT file system.
    pub const EFI: Self = Platform(0xef);
}

/// A program for firmware to start, loaded as it is ("no emulation").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootEntry {
    /// Whose program it is.
    pub platform: Platform,
    /// The file in the tree.
    pub image: TreePath,
    /// How many 512-byte sectors the firmware loads, none for all of the image. A UEFI does not
    /// load but opens the image, and zero, which is written for 65,536 sectors and more, means
    /// "to the end of the medium" (\[UEFI\] §13.3.2.1).
    pub sectors: Option<u16>,
    /// Puts the table that isolinux looks for into bytes 8 to 64 of the image, as mkisofs' option
    /// `-boot-info-table` does.
    pub info_table: bool,
}

impl BootEntry {
    /// A BIOS loads the first 2 KiB of `image` to 0x7c00. Some load no more than that, whatever
    /// the entry says.
    #[must_use]
    pub fn bios(image: TreePath) -> Self {
        BootEntry { platform: Platform::BIOS, image, sectors: Some(4), info_table: false }
    }

    /// A UEFI opens the FAT file system in `image`, which may hold loaders for several
    /// architectures. An image of 32 MiB or more should be the last file: in the last folder.
    #[must_use]
    pub fn efi(image: TreePath) -> Self {
        BootEntry { platform: Platform::EFI, image, sectors: None, info_table: false }
    }

    fn text(path: &TreePath) -> Result<&str, Error> {
        std::str::from_utf8(path.as_bytes()).map_err(|source| Error::BootPath { path: path.clone(), source })
    }
}

/// The catalog that hadris is to write.
pub(super) fn catalog(entries: &[BootEntry], path: Option<&TreePath>) -> Result<hadris_iso::ElTorito, Error> {
    let mut catalog = hadris_iso::ElTorito::new();
    if let Some(path) = path {
        catalog = catalog.with_catalog_path(BootEntry::text(path)?);
    }
    for entry in entries {
        let mut theirs = hadris_iso::BootEntry::bios(BootEntry::text(&entry.image)?)
            .with_platform(hadris_iso::Platform::from_id(entry.platform.0));
        if let Some(sectors) = entry.sectors.filter(|n| *n > 0) {
            theirs = theirs.with_load_size(sectors);
        }
        catalog = catalog.with_entry(theirs);
    }
    Ok(catalog)
}

/// \[El Torito\] Figure 7: the boot record is the second volume descriptor, and the number of the
/// catalog's block is at this offset in it.
const CATALOG_POINTER: u64 = 17 * BLOCK + 0x47;
/// Bytes from one entry to the next, and to the count of sectors in the first.
const ENTRY: u64 = 0x40;
const SECTOR_COUNT: u64 = 0x26;

/// Sets each entry's count of sectors: hadris leaves 65,535 where it does not fit.
pub(super) fn set_sector_counts(iso: &mut Iso, entries: &[BootEntry]) {
    let catalog = u64::from(u32::from_le_bytes(iso.skeleton.record.array(CATALOG_POINTER))) * BLOCK;
    for (n, entry) in (0..).zip(entries) {
        let whole = iso.place(&entry.image).map_or(0, |place| place.len.div_ceil(512));
        let sectors = entry.sectors.unwrap_or(u16::try_from(whole).unwrap_or(0));
        iso.skeleton.record.put(catalog + n * ENTRY + SECTOR_COUNT, &sectors.to_le_bytes());
    }
}

/// mkisofs' boot information table, from byte 8 of the image.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct InfoTable {
    volume: U32,        // 08 block of the primary volume descriptor
    image: U32,         // 0c block of this image
    len: U32,           // 10 bytes of this image
    checksum: U32,      // 14 sum of its 32-bit words from byte 64
    reserved: [u8; 40], // 18
}

/// Bytes before the table, and with it.
const BEFORE: u64 = 8;
const TABLE_END: u64 = 64;
const _: () = assert!(size_of::<InfoTable>() == 64 - 8);
/// More than any boot image that wants a table; what is read into memory.
const MAX_IMAGE: u64 = 16 << 20;

/// The image at `place` with its boot information table.
pub(super) fn with_info_table(path: &TreePath, content: &Layout, place: Place) -> Result<Layout, Error> {
    let len = content.len();
    let fits = (TABLE_END..=MAX_IMAGE).contains(&len);
    let (true, Ok(len32), Ok(block)) = (fits, u32::try_from(len), u32::try_from(place.at / BLOCK)) else {
        return Err(Error::InfoTable { path: path.clone(), len, limit: MAX_IMAGE });
    };
    let mut bytes = Stream::new(Vec::new());
    let rest = content.window(TABLE_END, len - TABLE_END);
    bytes.layout(&rest).map_err(|source| Error::Read { path: path.clone(), source })?;
    let words = bytes.get_mut().chunks(4).map(|word| {
        // A last word that is not whole is filled with zeros.
        word.iter().rev().fold(0, |n, byte| n << 8 | u32::from(*byte))
    });
    let table = InfoTable {
        volume: 16.into(),
        image: block.into(),
        len: len32.into(),
        checksum: words.fold(0, u32::wrapping_add).into(),
        reserved: [0; 40],
    };
    let mut out = content.window(0, BEFORE);
    out.push(table.as_bytes().to_vec());
    out.append(rest);
    Ok(out)
}
