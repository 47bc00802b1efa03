//! Volume descriptors: \[ECMA-119\] §8.
//!
//! ```text
//! block 16  primary volume descriptor
//!       17  boot record                  if something boots
//!           supplementary, for Joliet
//!           terminator
//! ```

use super::records::{self, Extent};
use super::structs::{BLOCK, BootRecord, Both16, Both32, Head, VolumeDescriptor};
use super::{Error, Options, View, date};
use crate::layout::Layout;
use crate::tree::Meta;
use zerocopy::IntoBytes;

/// \[ECMA-119\] §6.2.1: the first descriptor's block.
pub(super) const FIRST: u32 = 16;
/// \[Joliet\] "Escape Sequence": UCS-2, level 3.
const UCS_2: &[u8] = b"%/E";
/// \[El Torito\] Figure 7.
const EL_TORITO: &[u8] = b"EL TORITO SPECIFICATION";

/// Checks that the texts fit.
pub(super) fn check(options: &Options) -> Result<(), Error> {
    let texts = [
        ("volume", &options.volume, 32),
        ("volume set", &options.volume_set, 128),
        ("publisher", &options.publisher, 128),
        ("preparer", &options.preparer, 128),
        ("application", &options.application, 128),
        ("system", &options.system, 32),
    ];
    for (field, value, limit) in texts {
        if value.len() > limit || !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return Err(Error::Text { field, value: value.clone(), limit });
        }
    }
    Ok(())
}

/// How many descriptors there are.
pub(super) fn count(options: &Options) -> u64 {
    if options.boot.is_empty() { 3 } else { 4 }
}

/// What a descriptor says of its tree.
pub(super) struct Root<'t> {
    pub(super) view: View,
    /// The root folder.
    pub(super) extent: Extent,
    pub(super) meta: &'t Meta,
    /// The path tables' blocks, and the bytes of each.
    pub(super) little: u32,
    pub(super) big: u32,
    pub(super) table_len: u32,
}

/// All descriptors, of a volume of `blocks` blocks, whose boot catalog is in the block `catalog`.
pub(super) fn descriptors(options: &Options, roots: &[Root], blocks: u32, catalog: Option<u32>) -> Layout {
    let mut out = Layout::default();
    for root in roots {
        out.push(descriptor(options, root, blocks).as_bytes().to_vec());
        // The boot record is the second.
        if let (View::Primary, Some(catalog)) = (root.view, catalog) {
            let record = BootRecord {
                head: Head::BOOT_RECORD,
                system: padded(EL_TORITO, 0),
                unused: [0; 32],
                catalog: catalog.into(),
            };
            out.push(record.as_bytes().to_vec());
            out.pad_to_multiple(BLOCK);
        }
    }
    out.push(Head::TERMINATOR.as_bytes().to_vec());
    out.pad_to_multiple(BLOCK);
    out
}

fn descriptor(options: &Options, root: &Root, blocks: u32) -> VolumeDescriptor {
    let view = root.view;
    VolumeDescriptor {
        head: if view == View::Primary { Head::PRIMARY } else { Head::SUPPLEMENTARY },
        flags: 0,
        system: view.text(&options.system),
        volume: view.text(&options.volume),
        unused: [0; 8],
        blocks: Both32::new(blocks),
        escapes: if view == View::Primary { [0; 32] } else { padded(UCS_2, 0) },
        set_size: Both16::new(1),
        sequence: Both16::new(1),
        block_size: Both16::new(2048),
        path_table_len: Both32::new(root.table_len),
        path_table_l: root.little.into(),
        other_path_table_l: 0.into(),
        path_table_m: root.big.into(),
        other_path_table_m: 0.into(),
        root: records::root(root.extent, root.meta),
        root_identifier: 0,
        volume_set: view.text(&options.volume_set),
        publisher: view.text(&options.publisher),
        preparer: view.text(&options.preparer),
        application: view.text(&options.application),
        copyright: view.text(""),
        summary: view.text(""),
        bibliography: view.text(""),
        created: date::digits(options.epoch),
        modified: date::digits(options.epoch),
        expires: date::UNSPECIFIED,
        effective: date::UNSPECIFIED,
        structure: 1,
        reserved: [0; 1166],
    }
}

impl View {
    /// `text`, which is ASCII, with spaces after it, as far as there is room.
    fn text<const N: usize>(self, text: &str) -> [u8; N] {
        if self == View::Primary {
            return padded(text.as_bytes(), b' ');
        }
        // A last byte that is no whole character is zero.
        let mut out = [0; N];
        let characters = text.bytes().chain(std::iter::repeat(b' '));
        for (unit, character) in out.chunks_exact_mut(2).zip(characters) {
            unit[1] = character;
        }
        out
    }
}

fn padded<const N: usize>(text: &[u8], with: u8) -> [u8; N] {
    let mut out = [with; N];
    out[..text.len()].copy_from_slice(text);
    out
}
