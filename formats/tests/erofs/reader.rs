//! A strict reader of what images hold, attributes and holes too.

use crate::seen::{Groups, Nodes, Seen};
use mkimage_formats::TreePath;
use mkimage_formats::tree::{Time, Xattrs};
use std::collections::{BTreeMap, BTreeSet};

const BLOCK: usize = 4096;

pub(crate) struct Reader<'a> {
    image: &'a [u8],
    pub(crate) nodes: Nodes,
    names: BTreeMap<usize, BTreeSet<TreePath>>,
    /// Blocks that have contents, each once.
    blocks: BTreeSet<usize>,
    /// Chunks that are holes.
    pub(crate) holes: usize,
    pub(crate) compact: usize,
    pub(crate) inline: usize,
}

fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    bytes[at..at + len].iter().rev().fold(0, |n, &b| n << 8 | u64::from(b))
}

/// The part of an inode that both kinds have.
struct Inode {
    layout: u64,
    attributes: usize,
    size: usize,
    body: u64,
    /// Bytes of the inode.
    len: usize,
    seen: Seen,
}

impl<'a> Reader<'a> {
    /// Reads all of `image`, which is wholly accounted for.
    pub(crate) fn new(image: &'a [u8]) -> Self {
        let (inline, blocks, holes, compact) = (0, BTreeSet::new(), 0, 0);
        let mut reader =
            Reader { image, nodes: Nodes::new(), names: BTreeMap::new(), blocks, holes, compact, inline };
        let superblock = &image[1024..1152];
        assert_eq!(number(superblock, 0, 4), 0xe0f5_e1e2);
        assert_eq!(number(superblock, 0x24, 4), (image.len() / BLOCK) as u64);
        assert_eq!(image.len() % BLOCK, 0);
        let mut first = image[1024..4096].to_vec();
        first[4..8].fill(0);
        assert_eq!(number(superblock, 4, 4), u64::from(!crc32c::crc32c(&first)));
        let meta = usize::try_from(number(superblock, 0x28, 4)).unwrap() * BLOCK;
        assert_eq!(meta, 0);
        let root = usize::try_from(number(superblock, 0x0e, 2)).unwrap();
        let mut folders = vec![(TreePath::root(), root, root)];
        while let Some((path, number, parent)) = folders.pop() {
            reader.folder(&path, number, parent, &mut folders);
        }
        assert_eq!(number(superblock, 0x10, 8), reader.names.len() as u64);
        let first = reader.blocks.first().copied().unwrap_or(image.len() / BLOCK);
        assert!(reader.blocks.iter().copied().eq(first..image.len() / BLOCK), "blocks without a gap");
        let chunked = number(superblock, 0x50, 4);
        assert_eq!(chunked == 4, reader.holes > 0);
        reader
    }

    pub(crate) fn groups(&self) -> Groups {
        self.names.values().filter(|names| names.len() > 1).cloned().collect()
    }

    fn inode(&mut self, at: usize) -> Inode {
        let b = &self.image[at..];
        let (format, extended) = (number(b, 0, 2), number(b, 0, 2) & 1 == 1);
        self.compact += usize::from(!extended);
        let built = Time {
            seconds: i64::try_from(number(self.image, 1024 + 0x18, 8)).unwrap(),
            nanos: u32::try_from(number(self.image, 1024 + 0x20, 4)).unwrap(),
        };
        let field = |at, len| u32::try_from(number(b, at, len)).unwrap();
        let (size, uid, gid, nlink, mtime, len) = if extended {
            let seconds = number(b, 0x20, 8).cast_signed();
            let mtime = Time { seconds, nanos: field(0x28, 4) };
            (number(b, 8, 8), field(0x18, 4), field(0x1c, 4), field(0x2c, 4), mtime, 64)
        } else {
            (number(b, 8, 4), field(0x18, 2), field(0x1a, 2), field(0x06, 2), built, 32)
        };
        assert!(at % BLOCK + len <= BLOCK, "an inode is in one block");
        let mode = field(4, 2);
        let body = number(b, 0x10, 4);
        let device = matches!(mode >> 12, 2 | 6).then(|| {
            let n = u32::try_from(body).unwrap();
            (n >> 8 & 0xfff, n & 0xff | n >> 12 & !0xff)
        });
        let seen = Seen { mode, uid, gid, mtime, nlink, device, content: Vec::new(), xattrs: Xattrs::new() };
        Inode {
            layout: format >> 1,
            attributes: usize::try_from(number(b, 2, 2)).unwrap(),
            size: usize::try_from(size).unwrap(),
            body,
            len,
            seen,
        }
    }

    /// The inode at `at` with its content and its attributes.
    fn node(&mut self, at: usize) -> Seen {
        let mut inode = self.inode(at);
        let mut end = at + inode.len;
        if inode.attributes > 0 {
            let area = &self.image[end..end + 12 + 4 * (inode.attributes - 1)];
            end += area.len();
            inode.seen.xattrs = attributes(area);
        }
        let image = self.image;
        let mut take = |block: usize, len: usize| {
            for n in block..block + len.div_ceil(BLOCK) {
                assert!(self.blocks.insert(n), "block {n} is used twice");
            }
            &image[block * BLOCK..block * BLOCK + len]
        };
        let block = usize::try_from(inode.body).unwrap();
        inode.seen.content = match inode.layout {
            _ if inode.size == 0 => Vec::new(),
            0 => take(block, inode.size).to_vec(),
            2 => {
                let tail = inode.size % BLOCK;
                let whole = inode.size - tail;
                let mut content = if whole > 0 { take(block, whole).to_vec() } else { Vec::new() };
                assert!(tail > 0 && at / BLOCK == (end + tail - 1) / BLOCK, "a tail is in its inode's block");
                content.extend(&image[end..end + tail]);
                self.inline += 1;
                content
            }
            4 => {
                assert_eq!(block & !0x1f, 0, "a table of blocks, without devices");
                let chunk = BLOCK << block;
                let mut content = Vec::new();
                for n in 0..inode.size.div_ceil(chunk) {
                    let len = chunk.min(inode.size - n * chunk);
                    match number(image, end + 4 * n, 4) {
                        0xffff_ffff => {
                            self.holes += 1;
                            content.resize(content.len() + len, 0);
                        }
                        block => content.extend(take(usize::try_from(block).unwrap(), len)),
                    }
                }
                content
            }
            other => panic!("layout {other}"),
        };
        inode.seen
    }

    fn folder(
        &mut self,
        path: &TreePath,
        own: usize,
        parent: usize,
        folders: &mut Vec<(TreePath, usize, usize)>,
    ) {
        let mut seen = self.node(own * 32);
        let mut last = Vec::new();
        for block in std::mem::take(&mut seen.content).chunks(BLOCK) {
            let count = usize::try_from(number(block, 8, 2)).unwrap() / 12;
            for n in 0..count {
                let entry = &block[12 * n..];
                let start = usize::try_from(number(entry, 8, 2)).unwrap();
                let end =
                    if n + 1 == count { block.len() } else { usize::try_from(number(entry, 20, 2)).unwrap() };
                let name = block[start..end].split(|&b| b == 0).next().unwrap();
                assert!(last.as_slice() < name, "names ascend");
                last = name.to_vec();
                let inode = usize::try_from(number(entry, 0, 8)).unwrap();
                match name {
                    b"." => assert_eq!(inode, own),
                    b".." => assert_eq!(inode, parent),
                    _ => {
                        let path = path.join(&TreePath::new(name).unwrap());
                        let kind = self.image[inode * 32 + 5] >> 4;
                        let types = [0, 5, 3, 0, 2, 0, 4, 0, 1, 0, 7];
                        assert_eq!(entry[10], types[usize::from(kind)], "{path}");
                        if kind == 4 {
                            folders.push((path, inode, own));
                            continue;
                        }
                        let known = self.names.get(&inode).and_then(|names| names.first()).cloned();
                        let seen = match known {
                            Some(other) => self.nodes[&other].clone(),
                            None => self.node(inode * 32),
                        };
                        self.nodes.insert(path.clone(), seen);
                        self.names.entry(inode).or_default().insert(path);
                    }
                }
            }
        }
        self.nodes.insert(path.clone(), seen);
        self.names.entry(own).or_default().insert(path.clone());
    }
}

fn attributes(area: &[u8]) -> Xattrs {
    assert_eq!(area[..12], [0; 12], "none is shared");
    let prefixes =
        ["", "user.", "system.posix_acl_access", "system.posix_acl_default", "trusted.", "", "security."];
    let (mut xattrs, mut at) = (Xattrs::new(), 12);
    while at < area.len() {
        let (name_len, prefix) = (usize::from(area[at]), prefixes[usize::from(area[at + 1])]);
        let name = &area[at + 4..at + 4 + name_len];
        let value = at + 4 + name_len;
        let end = value + usize::try_from(number(area, at + 2, 2)).unwrap();
        xattrs.insert([prefix.as_bytes(), name].concat(), area[value..end].to_vec());
        at = end.next_multiple_of(4);
    }
    xattrs
}
