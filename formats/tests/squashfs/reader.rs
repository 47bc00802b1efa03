//! A strict reader of what images hold.

use crate::seen::{Groups, Nodes, Seen};
use crate::tables::{Table, number, unpack};
use mkimage_formats::TreePath;
use mkimage_formats::tree::{Time, Xattrs};
use std::collections::{BTreeMap, BTreeSet};

const NONE: usize = 0xffff_ffff;

/// An image, all of it read and accounted for.
pub(crate) struct Reader<'a> {
    image: &'a [u8],
    inodes: Table,
    listings: Table,
    fragments: Table,
    ids: Table,
    attributes: Option<(Table, Table)>,
    pub(crate) nodes: Nodes,
    names: BTreeMap<usize, BTreeSet<TreePath>>,
    /// Where data blocks are, and how many bytes they have.
    blocks: BTreeMap<usize, usize>,
    /// Runs that are found by an index.
    pub(crate) indexed: usize,
    /// Blocks that are not there.
    pub(crate) holes: usize,
    /// Blocks that are as they were.
    pub(crate) raw: usize,
}

/// Where a reference leads in a table.
fn place(table: &Table, block: usize, offset: usize) -> usize {
    let start = table.blocks[0].0;
    let block = table.blocks.iter().find(|(at, _, _)| *at == start + block);
    block.expect("a block is there").2 + offset
}

/// Fields of an inode, as far as it has them.
struct Inode {
    seen: Seen,
    number: usize,
    extended: bool,
    /// What follows the fields that all inodes have.
    body: usize,
    xattr: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(image: &'a [u8]) -> Self {
        let field = |at, len| number(image, at, len);
        assert_eq!((&image[..4], field(0x1c, 4)), (&b"hsqs"[..], 4));
        assert_eq!(1 << field(0x16, 2), field(0x0c, 4));
        let (inode_start, listing_start, end) = (field(0x40, 8), field(0x48, 8), field(0x28, 8));
        let (fragments, fragment_start) = Table::lookup(image, field(0x50, 8), 0, 16 * field(0x10, 4));
        let (export, export_start) = Table::lookup(image, field(0x58, 8), 0, 8 * field(4, 4));
        let (ids, id_start) = Table::lookup(image, field(0x30, 8), 0, 4 * field(0x1a, 2));
        let index_end = |index: usize, table: &Table| index + 8 * table.blocks.len();
        assert_eq!(index_end(field(0x50, 8), &fragments), export_start);
        assert_eq!(index_end(field(0x58, 8), &export), id_start);
        let mut last = index_end(field(0x30, 8), &ids);
        let attributes = (image[0x38..0x40] != [0xff; 8]).then(|| {
            let header = field(0x38, 8);
            let count = number(image, header + 8, 4);
            let (sets, sets_start) = Table::lookup(image, header, 16, 16 * count);
            assert_eq!(number(image, header, 8), last);
            let all = Table::new(image, last, sets_start);
            last = index_end(header + 16, &sets);
            (all, sets)
        });
        assert_eq!(last, end);
        assert!(image.len() == end.next_multiple_of(4096) && image[end..].iter().all(|&b| b == 0));
        let mut reader = Reader {
            image,
            inodes: Table::new(image, inode_start, listing_start),
            listings: Table::new(image, listing_start, fragment_start),
            fragments,
            ids,
            attributes,
            nodes: Nodes::new(),
            names: BTreeMap::new(),
            blocks: BTreeMap::new(),
            indexed: 0,
            holes: 0,
            raw: 0,
        };
        reader.walk(&export);
        reader.account(inode_start);
        reader
    }

    pub(crate) fn groups(&self) -> Groups {
        self.names.values().filter(|names| names.len() > 1).cloned().collect()
    }

    /// Between the superblock and the inodes is nothing but data.
    fn account(&self, end: usize) {
        let options = if number(self.image, 0x18, 2) & 0x400 != 0 { 2 + 8 } else { 0 };
        let mut at = 96 + options;
        for (start, len) in &self.blocks {
            assert_eq!(*start, at);
            at += len;
        }
        assert_eq!(at, end);
    }

    /// All nodes from the root on. `export` has the place of each.
    fn walk(&mut self, export: &Table) {
        let count = number(self.image, 4, 4);
        let root = number(self.image, 0x20, 8);
        let mut left = vec![(TreePath::root(), root, count + 1, 1)];
        while let Some((path, reference, parent, kind)) = left.pop() {
            let mut inode = self.inode(place(&self.inodes, reference >> 16, reference & 0xffff), kind);
            assert_eq!(number(&export.bytes, 8 * (inode.number - 1), 8), reference, "{path}");
            self.names.entry(inode.number).or_default().insert(path.clone());
            match kind {
                1 => left.extend(self.folder(&mut inode, &path, parent)),
                2 => self.file(&mut inode),
                _ => self.other(&mut inode, kind),
            }
            inode.seen.xattrs = self.xattrs(inode.xattr);
            self.nodes.insert(path, inode.seen);
        }
        assert!(self.names.keys().copied().eq(1..=count), "every inode has a name");
    }

    fn inode(&self, at: usize, kind: usize) -> Inode {
        let field = |offset, len| number(&self.inodes.bytes, at + offset, len);
        let own = field(0, 2);
        assert!(own == kind || own == kind + 7);
        let letter = [0, 0o04, 0o10, 0o12, 0o06, 0o02, 0o01][kind];
        let small = |n: usize| u32::try_from(n).unwrap();
        let id = |n: usize| small(number(&self.ids.bytes, 4 * n, 4));
        let seen = Seen {
            mode: letter << 12 | small(field(2, 2)),
            uid: id(field(4, 2)),
            gid: id(field(6, 2)),
            mtime: Time::from_unix(i64::from(small(field(8, 4)))),
            nlink: 1,
            device: None,
            content: Vec::new(),
            xattrs: Xattrs::new(),
        };
        Inode { seen, number: field(12, 4), extended: own != kind, body: at + 16, xattr: NONE }
    }

    /// What is in the folder: paths, references, the folder's number and types.
    fn folder(
        &mut self,
        inode: &mut Inode,
        path: &TreePath,
        parent: usize,
    ) -> Vec<(TreePath, usize, usize, usize)> {
        let field = |offset, len| number(&self.inodes.bytes, inode.body + offset, len);
        let (block, offset, size, nlink, above, count) = if inode.extended {
            (field(8, 4), field(18, 2), field(4, 4), field(0, 4), field(12, 4), field(16, 2))
        } else {
            (field(0, 4), field(10, 2), field(8, 2), field(4, 4), field(12, 4), 0)
        };
        assert_eq!(above, parent, "{path}");
        inode.seen.nlink = u32::try_from(nlink).unwrap();
        if inode.extended {
            inode.xattr = field(20, 4);
        }
        let mut indexes = BTreeMap::new();
        let mut at = inode.body + 24;
        for _ in 0..count {
            let field = |offset, len| number(&self.inodes.bytes, at + offset, len);
            let end = at + 12 + field(8, 4) + 1;
            indexes.insert(field(0, 4), (field(4, 4), self.inodes.bytes[at + 12..end].to_vec()));
            at = end;
        }
        if size == 3 {
            return Vec::new();
        }
        let start = place(&self.listings, block, offset);
        let listing = &self.listings.bytes[start..start + size - 3];
        let (mut at, mut last, mut found) = (0, Vec::new(), Vec::new());
        let mut metadata = start / 8192;
        while at < listing.len() {
            let (count, block, first) =
                (number(listing, at, 4) + 1, number(listing, at + 4, 4), number(listing, at + 8, 4));
            assert!(count <= 256);
            let run = at;
            at += 12;
            for n in 0..count {
                let (offset, delta, kind) =
                    (number(listing, at, 2), number(listing, at + 2, 2), number(listing, at + 4, 2));
                let end = at + 8 + number(listing, at + 6, 2) + 1;
                let name = &listing[at + 8..end];
                assert!(last.as_slice() < name, "names ascend");
                last = name.to_vec();
                let named = place(&self.inodes, block, offset);
                let delta = isize::from(u16::try_from(delta).unwrap().cast_signed());
                let wanted = first.checked_add_signed(delta).unwrap();
                assert_eq!(number(&self.inodes.bytes, named + 12, 4), wanted);
                if n == 0 && (start + run) / 8192 != metadata {
                    // A run that begins a metadata block is the one that the index leads to.
                    metadata = (start + run) / 8192;
                    let (at, first) = indexes.remove(&run).expect("an index");
                    assert_eq!(first, name);
                    assert_eq!(place(&self.listings, at, 0), metadata * 8192);
                    self.indexed += 1;
                }
                found.push((
                    path.join(&TreePath::new(name).unwrap()),
                    block << 16 | offset,
                    inode.number,
                    kind,
                ));
                at = end;
            }
        }
        assert!(at == listing.len() && indexes.is_empty());
        found
    }

    /// `len` bytes of a data block, of which the list has `size`.
    fn block(&mut self, at: usize, size: usize, len: usize) -> Vec<u8> {
        let (stored, raw) = (size & 0xff_ffff, size >> 24 == 1);
        self.raw += usize::from(raw);
        let known = self.blocks.insert(at, stored);
        assert!(known.is_none_or(|known| known == stored));
        let bytes = &self.image[at..at + stored];
        if raw { bytes.to_vec() } else { unpack(number(self.image, 0x14, 2), bytes, len) }
    }

    fn file(&mut self, inode: &mut Inode) {
        let block_size = number(self.image, 0x0c, 4);
        let field = |offset, len| number(&self.inodes.bytes, inode.body + offset, len);
        let (mut start, size, sparse, fragment, offset, list) = if inode.extended {
            inode.seen.nlink = u32::try_from(field(24, 4)).unwrap();
            inode.xattr = field(36, 4);
            (field(0, 8), field(8, 8), field(16, 8), field(28, 4), field(32, 4), inode.body + 40)
        } else {
            (field(0, 4), field(12, 4), 0, field(4, 4), field(8, 4), inode.body + 16)
        };
        let mut content = Vec::new();
        let mut holes = 0;
        for n in 0..size / block_size {
            match number(&self.inodes.bytes, list + 4 * n, 4) {
                0 => {
                    holes += 1;
                    content.resize(content.len() + block_size, 0);
                }
                len => {
                    content.extend(self.block(start, len, block_size));
                    start += len & 0xff_ffff;
                }
            }
        }
        assert_eq!(sparse, holes * block_size);
        self.holes += holes;
        let tail = size % block_size;
        assert_eq!(tail > 0, fragment != NONE);
        if tail > 0 {
            let entry = &self.fragments.bytes[16 * fragment..];
            let (start, len) = (number(entry, 0, 8), number(entry, 8, 4));
            let tails = self.block(start, len, block_size);
            content.extend(&tails[offset..offset + tail]);
        }
        inode.seen.content = content;
    }

    /// A symbolic link, a device or a FIFO.
    fn other(&self, inode: &mut Inode, kind: usize) {
        let field = |offset, len| number(&self.inodes.bytes, inode.body + offset, len);
        inode.seen.nlink = u32::try_from(field(0, 4)).unwrap();
        let mut end = 4;
        if kind == 3 {
            end = 8 + field(4, 4);
            inode.seen.content = self.inodes.bytes[inode.body + 8..inode.body + end].to_vec();
        } else if kind != 6 {
            end = 8;
            let n = u32::try_from(field(4, 4)).unwrap();
            inode.seen.device = Some((n >> 8 & 0xfff, n & 0xff | n >> 12 & !0xff));
        }
        if inode.extended {
            inode.xattr = field(end, 4);
        }
    }

    fn xattrs(&self, set: usize) -> Xattrs {
        let mut xattrs = Xattrs::new();
        if set == NONE {
            return xattrs;
        }
        let (all, sets) = self.attributes.as_ref().unwrap();
        let set = &sets.bytes[16 * set..];
        let mut at = place(all, number(set, 0, 6) >> 16, number(set, 0, 2));
        let mut size = 0;
        for _ in 0..number(set, 8, 4) {
            let prefix = [&b"user."[..], b"trusted.", b"security."][number(&all.bytes, at, 2)];
            let end = at + 4 + number(&all.bytes, at + 2, 2);
            let name = [prefix, &all.bytes[at + 4..end]].concat();
            at = end + 4 + number(&all.bytes, end, 4);
            let value = all.bytes[end + 4..at].to_vec();
            size += name.len() + 1 + value.len();
            xattrs.insert(name, value);
        }
        assert_eq!(number(set, 12, 4), size);
        xattrs
    }
}
