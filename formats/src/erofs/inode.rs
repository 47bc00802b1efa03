//! Inodes, and where each of them and its content is.

use super::attributes;
use super::content::{Chunks, Writer};
use super::error::Error;
use super::folder::{self, Entry};
use super::structs::{
    BLOCK, CHUNK_BASED, Compact, Extended, FLAT_INLINE, FLAT_PLAIN, NO_BLOCK, SLOT, seconds,
};
use crate::layout::Layout;
use crate::tree::{Kind, Meta, Node, Time, TreePath, limits};
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

/// The longest tail that follows its inode, bytes: of a longer one, a block of its own wastes
/// less than a gap between inodes would.
const MAX_TAIL: u64 = BLOCK / 2;

/// A node, and what is known of it from all of the tree.
pub(super) struct Inode<'t> {
    meta: &'t Meta,
    kind: &'t Kind,
    nlink: u32,
    /// Which of the inodes its folder is; the root is in itself.
    parent: usize,
    attributes: Vec<u8>,
    /// Of a folder.
    entries: Vec<Entry<'t>>,
}

impl<'t> Inode<'t> {
    /// The node at `path`, which has so many further names.
    pub(super) fn new(path: &TreePath, node: &'t Node, parent: usize, links: usize) -> Result<Self, Error> {
        limits::check_target(path, &node.kind)?;
        limits::check_device(path, &node.kind)?;
        let attributes = match &node.meta.xattrs {
            Some(xattrs) => attributes::encode(path, xattrs)?,
            None => Vec::new(),
        };
        let names = if node.is_dir() { 2 } else { 1 + links };
        Ok(Inode {
            meta: &node.meta,
            kind: &node.kind,
            nlink: u32::try_from(names).expect("nodes are counted in memory"),
            parent,
            attributes,
            entries: Vec::new(),
        })
    }

    /// Adds the name of the node at `path` to this folder.
    pub(super) fn add(&mut self, path: &'t TreePath, index: usize, folder: bool) -> Result<(), Error> {
        limits::check_name(path)?;
        self.entries.push(Entry { name: path.name(), index });
        self.nlink += u32::from(folder);
        Ok(())
    }

    /// Bytes of the content.
    fn size(&self) -> u64 {
        match self.kind {
            Kind::Dir => folder::len(&folder::all(&self.entries, 0, 0)),
            Kind::File(layout) => layout.len(),
            Kind::Symlink(target) => target.len() as u64,
            _ => 0,
        }
    }

    /// `FT_*` and the type in `i_mode`.
    fn types(&self) -> (u8, u16) {
        match self.kind {
            Kind::File(_) | Kind::HardLink(_) => (1, 0o100_000),
            Kind::Dir => (2, 0o040_000),
            Kind::Char { .. } => (3, 0o020_000),
            Kind::Block { .. } => (4, 0o060_000),
            Kind::Fifo => (5, 0o010_000),
            Kind::Symlink(_) => (7, 0o120_000),
        }
    }

    /// What the inode, the `own`-th of `places`, is about.
    fn content(&self, own: usize, places: &[Place]) -> Layout {
        match self.kind {
            Kind::Dir => {
                let all = folder::all(&self.entries, own, self.parent);
                folder::encode(&all, |n| (places[n].at / SLOT, places[n].file_type)).into()
            }
            Kind::File(layout) => layout.clone(),
            Kind::Symlink(target) => target.to_vec().into(),
            _ => Layout::default(),
        }
    }

    /// Adds the inode, the `own`-th of `places`, to `out`, and what is not beside it to `data`, which
    /// begins at the block `first`.
    pub(super) fn write(
        &self,
        own: usize,
        places: &[Place],
        first: u64,
        out: &mut Writer,
        data: &mut Layout,
    ) {
        let place = &places[own];
        let block = |n: u64| u32::try_from(first + n).expect("all blocks were counted");
        let body = match place.body {
            Body::Device(number) => number,
            Body::Flat { .. } if place.blocks == 0 => NO_BLOCK,
            Body::Flat { .. } => block(place.block),
            Body::Chunks(chunks) => chunks.format(),
        };
        out.pad_to(place.at);
        self.header(place, u32::try_from(own + 1).unwrap_or(u32::MAX), body, out);
        out.bytes(&self.attributes);
        let content = self.content(own, places);
        match place.body {
            Body::Device(_) => {}
            Body::Flat { tail } => {
                data.append(content.window(0, content.len() - tail));
                data.pad_to_multiple(BLOCK);
                out.layout(content.window(content.len() - tail, tail));
            }
            Body::Chunks(chunks) => {
                for chunk in chunks.cut(&content) {
                    let Some(chunk) = chunk else {
                        out.bytes(&NO_BLOCK.to_le_bytes());
                        continue;
                    };
                    out.bytes(&block(data.len() / BLOCK).to_le_bytes());
                    data.append(chunk);
                    data.pad_to_multiple(BLOCK);
                }
            }
        }
    }

    fn header(&self, place: &Place, ino: u32, body: u32, out: &mut Writer) {
        let Meta { mode, uid, gid, mtime, .. } = *self.meta;
        let mode = U16::new(self.types().1 | mode & 0o7777);
        let attributes = attributes::count(self.attributes.len());
        let (ino, body) = (U32::new(ino), U32::new(body));
        let format = U16::new(place.body.layout() << 1 | u16::from(place.short.is_none()));
        let Some(Short { nlink, size, uid: short_uid, gid: short_gid }) = place.short else {
            let inode = Extended {
                format,
                attributes,
                mode,
                reserved: U16::ZERO,
                size: U64::new(place.size),
                body,
                ino,
                uid: U32::new(uid),
                gid: U32::new(gid),
                mtime: seconds(mtime.seconds),
                nanos: U32::new(mtime.nanos),
                nlink: U32::new(self.nlink),
                reserved2: [0; 16],
            };
            return out.bytes(inode.as_bytes());
        };
        let inode = Compact {
            format,
            attributes,
            mode,
            nlink: U16::new(nlink),
            size: U32::new(size),
            reserved: U32::ZERO,
            body,
            ino,
            uid: U16::new(short_uid),
            gid: U16::new(short_gid),
            reserved2: U32::ZERO,
        };
        out.bytes(inode.as_bytes());
    }
}

/// What does not fit into every [`Compact`] inode.
#[derive(Clone, Copy)]
struct Short {
    nlink: u16,
    size: u32,
    uid: u16,
    gid: u16,
}

impl Short {
    /// Of an inode with a content of `size` bytes, if it needs no [`Extended`] one.
    fn of(inode: &Inode, size: u64, epoch: Time) -> Option<Self> {
        if inode.meta.mtime != epoch {
            return None;
        }
        Some(Short {
            nlink: inode.nlink.try_into().ok()?,
            size: size.try_into().ok()?,
            uid: inode.meta.uid.try_into().ok()?,
            gid: inode.meta.gid.try_into().ok()?,
        })
    }
}

/// What follows an inode and its attributes.
#[derive(Clone, Copy)]
enum Body {
    /// Nothing; the inode has the device's number.
    Device(u32),
    /// The last `tail` bytes of the content; what comes before is in blocks.
    Flat { tail: u64 },
    /// A table of the content's chunks.
    Chunks(Chunks),
}

impl Body {
    fn layout(self) -> u16 {
        match self {
            Body::Device(_) | Body::Flat { tail: 0 } => FLAT_PLAIN,
            Body::Flat { .. } => FLAT_INLINE,
            Body::Chunks(_) => CHUNK_BASED,
        }
    }
}

/// Where an inode and its content are.
pub(super) struct Place {
    /// Bytes from the start.
    at: u64,
    /// Where what follows it ends.
    pub(super) end: u64,
    /// The content's first block, of all that contents have.
    block: u64,
    /// How many there are.
    pub(super) blocks: u64,
    /// Bytes of the content.
    size: u64,
    /// None for an extended inode.
    short: Option<Short>,
    body: Body,
    file_type: u8,
}

impl Place {
    /// The first place for `inode` from byte `end` on. So many `blocks` have contents already.
    pub(super) fn new(inode: &Inode, epoch: Time, end: u64, blocks: u64) -> Self {
        let size = inode.size();
        let short = Short::of(inode, size, epoch);
        let fixed = if short.is_some() { size_of::<Compact>() } else { size_of::<Extended>() } as u64;
        let head = fixed + inode.attributes.len() as u64;
        let mut at = end.next_multiple_of(SLOT);
        if at % BLOCK + fixed > BLOCK {
            at = at.next_multiple_of(BLOCK);
        }
        let chunks = match inode.kind {
            Kind::File(file) => Chunks::of(file).map(|chunks| (chunks, file)),
            _ => None,
        };
        let (body, own_blocks, len) = match (inode.kind, chunks) {
            (&Kind::Char { major, minor } | &Kind::Block { major, minor }, _) => {
                // Linux's `new_encode_dev`.
                (Body::Device((minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)), 0, 0)
            }
            (_, Some((chunks, file))) => {
                let blocks = chunks.cut(file).flatten().map(|chunk| chunk.len().div_ceil(BLOCK)).sum();
                (Body::Chunks(chunks), blocks, 4 * chunks.count)
            }
            _ => {
                let tail = size % BLOCK;
                // Linux reads a symbolic link's target from the very block that the inode is in.
                let fits = |at: &u64| tail == 0 || tail <= MAX_TAIL && at % BLOCK + head + tail <= BLOCK;
                match [at, at.next_multiple_of(BLOCK)].into_iter().find(fits) {
                    Some(place) => {
                        at = place;
                        (Body::Flat { tail }, size / BLOCK, tail)
                    }
                    None => (Body::Flat { tail: 0 }, size.div_ceil(BLOCK), 0),
                }
            }
        };
        Place {
            at,
            end: at + head + len,
            block: blocks,
            blocks: own_blocks,
            size,
            short,
            body,
            file_type: inode.types().0,
        }
    }

    pub(super) fn is_chunked(&self) -> bool {
        matches!(self.body, Body::Chunks(_))
    }
}
