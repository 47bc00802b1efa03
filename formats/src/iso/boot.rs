//! Booting from CD: \[El Torito\].
//!
//! ```text
//! boot catalog 00 ValidationEntry: platform of the first entry, 16-bit words that add up to 0
//!              20 first entry     ─ place of its image, sectors to load
//!              40 SectionHeader, 60 entry    once for each further entry
//! ```

use super::Error;
use super::structs::{BLOCK, CATALOG_ENTRY, SectionEntry, SectionHeader, ValidationEntry};
use crate::emit::{Sink, Stream};
use crate::layout::Layout;
use crate::skeleton::Place;
use crate::tree::{Kind, Tree, TreePath};
use zerocopy::little_endian::U32;
use zerocopy::{Immutable, IntoBytes};

/// [`SectionEntry::bootable`].
const BOOTABLE: u8 = 0x88;
/// [`SectionHeader::kind`].
const HEADER: u8 = 0x90;
const LAST_HEADER: u8 = 0x91;

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
}

/// Checks that there is something to boot.
pub(super) fn check(tree: &Tree, entries: &[BootEntry]) -> Result<(), Error> {
    for entry in entries {
        match tree.get(&entry.image).map(|node| &node.kind) {
            Some(Kind::File(content)) if !content.is_empty() => {}
            _ => return Err(Error::BootImage { path: entry.image.clone() }),
        }
    }
    Ok(())
}

/// Bytes of the catalog, whole blocks.
pub(super) fn catalog_len(entries: &[BootEntry]) -> u64 {
    // A validation entry before the first, headers before the others, and zeros after the last.
    (CATALOG_ENTRY * (2 * entries.len() as u64 + 1)).next_multiple_of(BLOCK)
}

/// The catalog of images that are at `place`.
pub(super) fn catalog(entries: &[BootEntry], place: impl Fn(&TreePath) -> Option<Place>) -> Vec<u8> {
    let mut out = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        if n == 0 {
            out.extend(validation(entry.platform).as_bytes());
        } else {
            let kind = if n + 1 == entries.len() { LAST_HEADER } else { HEADER };
            let header = SectionHeader { kind, platform: entry.platform.0, entries: 1.into(), id: [0; 28] };
            out.extend(header.as_bytes());
        }
        let Place { at, len } = place(&entry.image).unwrap_or(Place { at: 0, len: 0 });
        let whole = u16::try_from(len.div_ceil(512)).unwrap_or(0);
        let section = SectionEntry {
            bootable: BOOTABLE,
            medium: 0,
            segment: 0.into(),
            system: 0,
            unused: 0,
            sectors: entry.sectors.unwrap_or(whole).into(),
            image: u32::try_from(at / BLOCK).expect("within the volume").into(),
            criteria: [0; 20],
        };
        out.extend(section.as_bytes());
    }
    out
}

fn validation(platform: Platform) -> ValidationEntry {
    let checksum = 0u16.wrapping_sub(0x0001 + (u16::from(platform.0) << 8)).wrapping_sub(0xaa55);
    ValidationEntry {
        id: 1,
        platform: platform.0,
        reserved: [0; 2],
        maker: [0; 24],
        checksum: checksum.to_le_bytes(),
        signature: [0x55, 0xaa],
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
