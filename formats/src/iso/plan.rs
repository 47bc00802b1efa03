//! Places, and the structures that tell them.
//!
//! Folders are written twice: once to see how long each is, while all places are zero, and once more
//! when they are known. So what is measured is what is written.

use super::names::Names;
use super::nodes::{Added, Nodes, ROOT};
use super::path_table::PathTable;
use super::records::{Extent, Places, Records};
use super::structs::{BLOCK, BLOCK_LEN};
use super::volume::{self, Root};
use super::{Error, Options, View, boot, hybrid};
use crate::layout::Layout;
use crate::record::Record;
use crate::skeleton::{Place, Skeleton};
use crate::tree::{Kind, Meta, Node, OriginId, Tree, TreePath};
use hadris_storage::BlockSize;
use std::collections::BTreeMap;

/// Blocks of zeros after everything, as mkisofs and xorriso write them: readers read ahead, and
/// drives fail at the end of the medium.
const PADDING: u64 = 150;
/// Images are whole MiB: cylinders for those who count them.
const UNIT: u64 = 1 << 20;

/// Contents of so many bytes begin at a whole block of most file systems, so that an image may share
/// those of a payload.
const LARGE: u64 = 64 << 10;
/// Bytes of such a block.
const SHARED: u64 = 4 << 10;

/// Everything but the contents of files.
pub(super) fn skeleton(tree: &Tree, options: &Options) -> Result<Skeleton, Error> {
    let added = added(options);
    let nodes = Nodes::new(tree, &added)?;
    let names = View::BOTH.map(|view| Names::new(&nodes, view));

    let mut free = Free(u64::from(volume::FIRST) + volume::count(options));
    let mut places = Places::unknown(&nodes);
    let folders_at = free.0;
    places.folders = folder_places(&nodes, &names, &places, &mut free)?;
    place_files(&nodes, &mut places, &mut free)?;
    let files = files(&nodes, &places);

    let mut structures = vec![(folders_at, folders(&nodes, &names, &places))];
    let mut roots = Vec::with_capacity(2);
    for (view, names) in View::BOTH.into_iter().zip(&names) {
        let PathTable { little, big } = PathTable::new(names, &places, view);
        let table_len = u32::try_from(little.len()).expect("65,535 identifiers of up to 128 bytes");
        let mut put = |table: Vec<u8>| {
            let block = free.take(table.len().div_ceil(BLOCK_LEN) as u64)?;
            structures.push((block.into(), table.into()));
            Ok::<_, Error>(block)
        };
        roots.push(Root {
            view,
            extent: places.folder(ROOT, view),
            meta: nodes.folders[ROOT].meta,
            little: put(little)?,
            big: put(big)?,
            table_len,
        });
    }
    let mut catalog = None;
    if !options.boot.is_empty() {
        let block = match nodes.catalog {
            Some(file) => places.files[file],
            None => free.take(boot::catalog_len(&options.boot) / BLOCK)?,
        };
        structures.push((block.into(), boot::catalog(&options.boot, |path| files.get(path).copied()).into()));
        catalog = Some(block);
    }
    free.take(PADDING)?;
    // The copy of a GPT comes after the zeros.
    let len = (free.0 * BLOCK + hybrid::TAIL).next_multiple_of(UNIT);
    let blocks = number(len / BLOCK)?;
    let descriptors = volume::descriptors(options, &roots, blocks, catalog);
    structures.push((volume::FIRST.into(), descriptors));

    let structures = structures.into_iter().map(|(block, layout)| (block * BLOCK, layout)).collect();
    let record = Record::new(len, BlockSize::new(512).expect("a power of two"));
    Ok(Skeleton { record, structures, places: files })
}

/// Blocks that nothing is in, from this number on.
struct Free(u64);

impl Free {
    /// The first of `blocks` blocks.
    fn take(&mut self, blocks: u64) -> Result<u32, Error> {
        let first = self.0;
        self.0 += blocks;
        number(self.0)?;
        number(first)
    }

    /// Leaves out blocks up to a multiple of `blocks`.
    fn align(&mut self, blocks: u64) {
        self.0 = self.0.next_multiple_of(blocks);
    }
}

/// \[ECMA-119\] §8.4.8: blocks are counted in 32 bits.
fn number(blocks: u64) -> Result<u32, Error> {
    u32::try_from(blocks).map_err(|source| Error::Blocks { blocks, source })
}

fn added(options: &Options) -> Added<'_> {
    let meta = |mode| Meta::new(mode, options.epoch);
    let catalog = options.catalog.as_ref().filter(|_| !options.boot.is_empty()).map(|path| {
        let kind = Kind::File(Layout::hole(boot::catalog_len(&options.boot)));
        (path, Node { meta: meta(0o644), kind, origin: OriginId::default() })
    });
    Added { folder: meta(0o755), catalog }
}

/// Gives each folder blocks, those of the two trees side by side.
fn folder_places(
    nodes: &Nodes,
    names: &[Names; 2],
    unknown: &Places,
    free: &mut Free,
) -> Result<[Vec<Extent>; 2], Error> {
    let mut extents = unknown.folders.clone();
    let mut bytes = Vec::new();
    for (records, folder) in in_order(nodes, names, unknown) {
        bytes.clear();
        let len = records.write(folder, &mut bytes);
        let block = free.take((bytes.len() / BLOCK_LEN) as u64)?;
        let len = u32::try_from(len).map_err(|source| Error::Folder { len, source })?;
        extents[records.view.index()][folder] = Extent { block, len };
    }
    Ok(extents)
}

/// All folders. The zeros at the end of a block are most of it, and take no memory.
fn folders(nodes: &Nodes, names: &[Names; 2], places: &Places) -> Layout {
    let (mut out, mut bytes) = (Layout::default(), Vec::new());
    for (records, folder) in in_order(nodes, names, places) {
        bytes.clear();
        records.write(folder, &mut bytes);
        for block in bytes.chunks(BLOCK_LEN) {
            let used = block.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            out.push(block[..used].to_vec());
            out.pad_to_multiple(BLOCK);
        }
    }
    out
}

/// Each folder of each tree, in the order in which they lie.
fn in_order<'p, 't>(
    nodes: &'p Nodes<'t>,
    names: &'p [Names; 2],
    places: &'p Places,
) -> impl Iterator<Item = (Records<'p, 't>, usize)> {
    nodes.order.iter().flat_map(move |&folder| {
        let views = View::BOTH.into_iter().zip(names);
        let there = views.filter(move |(view, _)| nodes.has(folder, *view));
        there.map(move |(view, names)| (Records { nodes, names, places, view }, folder))
    })
}

/// Gives each content blocks.
fn place_files(nodes: &Nodes, places: &mut Places, free: &mut Free) -> Result<(), Error> {
    for name in nodes.files_in_order() {
        let file = &nodes.files[name];
        let Some(content) = file.content() else { continue };
        let place = &mut places.files[file.first];
        if *place == 0 {
            if content.len() >= LARGE {
                free.align(SHARED / BLOCK);
            }
            *place = free.take(content.len().div_ceil(BLOCK))?;
        }
    }
    Ok(())
}

/// The files that have content, without their other names and the boot catalog.
fn files(nodes: &Nodes, places: &Places) -> BTreeMap<TreePath, Place> {
    let files = nodes.files.iter().zip(&places.files).enumerate();
    files
        .filter(|(number, (file, _))| file.first == *number && nodes.catalog != Some(*number))
        .filter_map(|(_, (file, block))| {
            let len = file.content()?.len();
            Some((file.path.clone(), Place { at: u64::from(*block) * BLOCK, len }))
        })
        .collect()
}
