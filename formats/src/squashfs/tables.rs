//! The tables, in the order that Linux wants them in.
//!
//! A listing has the places of inodes, and a folder's inode has the place of its listing. So
//! folders are written when all that is in them is.

use super::data::{Block, Data};
use super::error::Error;
use super::folder::{self, Entry, Listing};
use super::inode::{Body, Inode, Inodes, number};
use super::metadata::{Metadata, Reference, lookup};
use super::pack::Packer;
use super::structs::{
    Base, Device, Dir, EXTENDED, ExtendedDir, ExtendedFile, File, Fragment, Link, NONE, NOWHERE, Sets,
};
use super::{attributes, seconds};
use crate::tree::Kind;
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

/// All tables one after the other, and where each is, bytes from the start of the file system.
pub(super) struct Tables {
    pub(super) bytes: Vec<u8>,
    /// A reference to the inode of the root.
    pub(super) root: u64,
    pub(super) inodes: u64,
    pub(super) folders: u64,
    pub(super) fragments: u64,
    pub(super) export: u64,
    pub(super) ids: u64,
    pub(super) xattrs: u64,
    /// Where the last ends.
    pub(super) end: u64,
}

impl Tables {
    /// The tables that follow `data`.
    pub(super) fn new(inodes: &Inodes, data: &Data, packer: &Packer) -> Result<Self, Error> {
        let start = data.end();
        let mut writer = Writer {
            inodes,
            data,
            table: Metadata::new("inodes", packer),
            listings: Metadata::new("names", packer),
            places: vec![None; inodes.list.len()],
        };
        writer.all()?;
        let Writer { table, listings, places, .. } = writer;
        let mut bytes = table.finish()?;
        let folders = start + bytes.len() as u64;
        bytes.extend(listings.finish()?);
        let mut entries = Vec::new();
        for Block { start, size, .. } in data.fragments() {
            let fragment = Fragment { start: U64::new(start), size: U32::new(size), unused: U32::ZERO };
            entries.extend(fragment.as_bytes());
        }
        let fragments = lookup(&entries, &[], &mut bytes, start, packer)?;
        let references: Vec<u64> = places.into_iter().flatten().map(Reference::number).collect();
        let entries: Vec<u8> = references.iter().flat_map(|reference| reference.to_le_bytes()).collect();
        let export = lookup(&entries, &[], &mut bytes, start, packer)?;
        let entries: Vec<u8> = inodes.ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        let ids = lookup(&entries, &[], &mut bytes, start, packer)?;
        let xattrs = xattrs(inodes, &mut bytes, start, packer)?;
        let end = start + bytes.len() as u64;
        Ok(Tables { root: references[0], inodes: start, folders, fragments, export, ids, xattrs, end, bytes })
    }
}

/// Adds sets of attributes and their table to `out`, which begins at byte `start`.
fn xattrs(inodes: &Inodes, out: &mut Vec<u8>, start: u64, packer: &Packer) -> Result<u64, Error> {
    if inodes.sets.is_empty() {
        return Ok(NOWHERE);
    }
    let at = start + out.len() as u64;
    let mut table = Metadata::new("attributes", packer);
    let mut sets = Vec::new();
    for xattrs in &inodes.sets {
        sets.extend(attributes::write(xattrs, &mut table)?.as_bytes());
    }
    out.extend(table.finish()?);
    let count = u32::try_from(inodes.sets.len()).expect("nodes are counted in memory");
    let header = Sets { attributes: U64::new(at), count: U32::new(count), unused: U32::ZERO };
    lookup(&sets, header.as_bytes(), out, start, packer)
}

/// Inodes and listings on their way.
struct Writer<'a, 't> {
    inodes: &'a Inodes<'t>,
    data: &'a Data,
    table: Metadata<'a>,
    listings: Metadata<'a>,
    /// Where inodes are, as far as they are written.
    places: Vec<Option<Reference>>,
}

impl Writer<'_, '_> {
    fn all(&mut self) -> Result<(), Error> {
        // The folders that are open, and how many of their entries are written.
        let mut open = vec![(0, 0)];
        while let Some((folder, done)) = open.last_mut() {
            let inode = &self.inodes.list[*folder];
            let Body::Folder(entries) = &inode.body else { unreachable!("only folders are opened") };
            let Some(&(_, index)) = entries.get(*done) else {
                let folder = *folder;
                self.folder(folder, inode, entries)?;
                open.pop();
                continue;
            };
            *done += 1;
            if let Body::Folder(_) = self.inodes.list[index].body {
                open.push((index, 0));
            } else if self.places[index].is_none() {
                self.node(index)?;
            }
        }
        Ok(())
    }

    /// Begins the inode: adds what all have.
    fn base(&mut self, index: usize, extended: bool) -> Result<(), Error> {
        let inode = &self.inodes.list[index];
        self.places[index] = Some(self.table.position()?);
        let base = Base {
            kind: U16::new(inode.file_type() + if extended { EXTENDED } else { 0 }),
            mode: U16::new(inode.meta.mode & 0o7777),
            uid: U16::new(self.inodes.id(inode.meta.uid)),
            gid: U16::new(self.inodes.id(inode.meta.gid)),
            mtime: seconds(inode.meta.mtime),
            number: U32::new(number(index)),
        };
        self.table.write(base.as_bytes())
    }

    /// A folder whose entries are all written.
    fn folder(&mut self, index: usize, inode: &Inode, entries: &[(&[u8], usize)]) -> Result<(), Error> {
        let entries = entries.iter().map(|&(name, index)| Entry {
            name,
            kind: self.inodes.list[index].file_type(),
            number: number(index),
            at: self.places[index].expect("it is written"),
        });
        let Listing { at, len, index: runs, index_count } =
            folder::write(inode.path, entries, &mut self.listings)?;
        let size = len + 3;
        let short = u16::try_from(size).ok().filter(|_| runs.is_empty() && inode.xattr == NONE);
        // The root's is the number after the last.
        let parent = if index == 0 { self.inodes.count() + 1 } else { number(inode.parent) };
        let (block, nlink) = (U32::new(at.block), U32::new(inode.nlink));
        let (offset, parent) = (U16::new(at.offset), U32::new(parent));
        self.base(index, short.is_none())?;
        if let Some(size) = short {
            return self.table.write(Dir { block, nlink, size: U16::new(size), offset, parent }.as_bytes());
        }
        let (size, count) = (U32::new(size), U16::new(index_count));
        let xattr = U32::new(inode.xattr);
        let dir = ExtendedDir { nlink, size, block, parent, count, offset, xattr };
        self.table.write(dir.as_bytes())?;
        self.table.write(&runs)
    }

    /// What is not a folder.
    fn node(&mut self, index: usize) -> Result<(), Error> {
        let inode = &self.inodes.list[index];
        let xattr = (inode.xattr != NONE).then(|| inode.xattr.to_le_bytes());
        if let (Body::File(file), Kind::File(content)) = (&inode.body, inode.kind) {
            return self.file(index, inode, *file, content.len());
        }
        self.base(index, xattr.is_some())?;
        let nlink = U32::new(inode.nlink);
        match inode.kind {
            Kind::Symlink(target) => {
                let size = U32::new(u32::try_from(target.len()).expect("it was checked"));
                self.table.write(Link { nlink, size }.as_bytes())?;
                self.table.write(target)?;
            }
            &Kind::Char { major, minor } | &Kind::Block { major, minor } => {
                // Linux's `new_encode_dev`.
                let rdev = U32::new((minor & 0xff) | (major << 8) | ((minor & !0xff) << 12));
                self.table.write(Device { nlink, rdev }.as_bytes())?;
            }
            _ => self.table.write(nlink.as_bytes())?,
        }
        self.table.write(xattr.as_ref().map_or(&[], |xattr| xattr))
    }

    fn file(&mut self, index: usize, inode: &Inode, file: usize, size: u64) -> Result<(), Error> {
        let extent = self.data.extent(file);
        let (fragment, offset) = (U32::new(extent.fragment.0), U32::new(extent.fragment.1));
        let short = (u32::try_from(extent.start), u32::try_from(size));
        let plain = inode.nlink == 1 && inode.xattr == NONE && extent.sparse == 0;
        match short {
            (Ok(start), Ok(size)) if plain => {
                self.base(index, false)?;
                let file = File { start: U32::new(start), fragment, offset, size: U32::new(size) };
                self.table.write(file.as_bytes())?;
            }
            _ => {
                self.base(index, true)?;
                let file = ExtendedFile {
                    start: U64::new(extent.start),
                    size: U64::new(size),
                    sparse: U64::new(extent.sparse),
                    nlink: U32::new(inode.nlink),
                    fragment,
                    offset,
                    xattr: U32::new(inode.xattr),
                };
                self.table.write(file.as_bytes())?;
            }
        }
        extent.sizes().try_for_each(|size| self.table.write(&size.to_le_bytes()))
    }
}
