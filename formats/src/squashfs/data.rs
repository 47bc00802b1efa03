//! Contents of files, as blocks and fragments.
//!
//! ```text
//! disk of units: ├ block ┼ block ┼ fragment ┼ block ┼ ...   a block's size each
//!                └── file ───────┘└ tails ──┘└ file
//! ```
//!
//! All that is compressed is one disk for the spool: a unit is a block of a file, or a fragment,
//! which comes when it is full of the tails of the files before it.

use super::error::{Error, MAX_BLOCKS};
use super::pack::{Compression, Packer};
use super::same;
use super::structs::{DATA_RAW, NONE};
use crate::layout::{Cursor, Layout};
use crate::spool::{Codec, Spool, Unit};
use std::io;

/// The contents of all files.
pub(super) struct Data {
    block_size: u64,
    /// Which of the places each file has.
    places: Vec<usize>,
    distinct: Vec<Place>,
    /// Units that are there, ascending.
    blocks: Vec<Block>,
    fragments: Vec<u64>,
    /// Where the first block is, bytes from the start.
    start: u64,
    /// All blocks.
    layout: Layout,
}

/// Where a content is.
struct Place {
    /// Its first unit, and how many it has.
    unit: u64,
    count: u64,
    tail: Option<Tail>,
}

/// The end of a file that does not fill a block.
#[derive(Clone, Copy)]
struct Tail {
    /// A number.
    fragment: u32,
    /// Where it is in the fragment, unpacked.
    offset: u32,
}

/// A unit on the disk.
#[derive(Clone, Copy)]
pub(super) struct Block {
    unit: u64,
    /// Bytes from the start.
    pub(super) start: u64,
    /// As inodes and the table of fragments have it: bytes, and [`DATA_RAW`].
    pub(super) size: u32,
}

/// A file as its inode tells it.
pub(super) struct Extent<'d> {
    /// Of the first block that is there.
    pub(super) start: u64,
    /// Bytes of blocks that are not there.
    pub(super) sparse: u64,
    /// Number of the fragment, and the tail's offset in it.
    pub(super) fragment: (u32, u32),
    place: &'d Place,
    blocks: &'d [Block],
}

impl Extent<'_> {
    /// The size of each block; none of one that is not there.
    pub(super) fn sizes(&self) -> impl Iterator<Item = u32> {
        let mut blocks = self.blocks.iter().peekable();
        (self.place.unit..self.place.unit + self.place.count)
            .map(move |unit| blocks.next_if(|block| block.unit == unit).map_or(0, |block| block.size))
    }
}

impl Data {
    /// Compresses all of `files`, whose blocks begin at byte `start`.
    pub(super) fn new(
        files: &[&Layout],
        block_size: u32,
        packer: &Packer,
        spool: &Spool,
        start: u64,
    ) -> Result<Self, Error> {
        let blocks = |sum: u64, file: &&Layout| sum.saturating_add(file.len() / u64::from(block_size));
        let count = files.iter().fold(0, blocks);
        if count > MAX_BLOCKS {
            return Err(Error::Blocks { count });
        }
        let mut disk = Disk::new(block_size.into());
        let (mut places, mut distinct) = (Vec::with_capacity(files.len()), Vec::new());
        for (n, first) in same::first_of_each(files, spool.threads)?.into_iter().enumerate() {
            if first == n {
                places.push(distinct.len());
                distinct.push(disk.add(files[n]));
            } else {
                places.push(places[first]);
            }
        }
        disk.end_fragment();
        let Disk { layout: disk, fragments, .. } = disk;
        let size = usize::try_from(block_size).expect("1 MiB at most");
        let spool = Spool { threads: packer.threads(spool.threads), ..spool.clone() };
        let (mut units, packed) = spool.pack(&disk, size, &Blocks { packer, fragments: &fragments })?;
        // A file says that its block of zeros is not there; a fragment cannot.
        for fragment in &fragments {
            if let Err(n) = units.binary_search_by_key(&fragment.unit, |unit| unit.number) {
                units.insert(n, Unit { number: fragment.unit, at: 0, len: 0 });
            }
        }
        let mut data = Data {
            block_size: block_size.into(),
            places,
            distinct,
            blocks: Vec::new(),
            fragments: fragments.iter().map(|fragment| fragment.unit).collect(),
            start,
            layout: Layout::default(),
        };
        data.place(units, &fragments, &disk, &packed);
        Ok(data)
    }

    /// Puts the units one after the other: what was packed, or what is on `disk`.
    fn place(&mut self, units: Vec<Unit>, fragments: &[Fragment], disk: &Layout, packed: &Layout) {
        let (mut disk, mut packed) = (Cursor::new(disk), Cursor::new(packed));
        let mut fragments = fragments.iter().peekable();
        let block = |Unit { number: unit, at, len }| {
            let start = self.end();
            let fragment = fragments.next_if(|fragment| fragment.unit == unit);
            let (content, raw) = if len > 0 {
                (packed.window(at, len as u64), 0)
            } else {
                let len = fragment.map_or(self.block_size, |fragment| fragment.len as u64);
                (disk.window(unit * self.block_size, len), DATA_RAW)
            };
            let size = u32::try_from(content.len()).expect("1 MiB at most") | raw;
            self.layout.append(content);
            Block { unit, start, size }
        };
        // Of the same size, so that they take the memory of the units: small blocks may be millions.
        self.blocks = units.into_iter().map(block).collect();
    }

    /// The `file`-th content.
    pub(super) fn extent(&self, file: usize) -> Extent<'_> {
        let place = &self.distinct[self.places[file]];
        let first = self.blocks.partition_point(|block| block.unit < place.unit);
        let blocks = &self.blocks[first..];
        let blocks = &blocks[..blocks.partition_point(|block| block.unit < place.unit + place.count)];
        Extent {
            start: blocks.first().map_or(0, |block| block.start),
            sparse: (place.count - blocks.len() as u64) * self.block_size,
            fragment: place.tail.map_or((NONE, 0), |tail| (tail.fragment, tail.offset)),
            place,
            blocks,
        }
    }

    /// The fragments in the order of their numbers.
    pub(super) fn fragments(&self) -> impl Iterator<Item = Block> {
        let mut blocks = self.blocks.iter();
        self.fragments.iter().map(move |&unit| {
            *blocks.find(|block| block.unit == unit).expect("every fragment is there, in order")
        })
    }

    pub(super) fn fragment_count(&self) -> u32 {
        fragment_number(self.fragments.len())
    }

    /// Where the last block ends, bytes from the start.
    pub(super) fn end(&self) -> u64 {
        self.start + self.layout.len()
    }

    /// All blocks.
    pub(super) fn into_layout(self) -> Layout {
        self.layout
    }
}

/// How units are compressed.
struct Blocks<'d> {
    packer: &'d Packer,
    fragments: &'d [Fragment],
}

impl Codec for Blocks<'_> {
    fn name(&self) -> &'static str {
        match self.packer.compression() {
            Compression::Gzip => "squashfs-gzip",
            Compression::Xz => "squashfs-xz",
            Compression::Lz4 => "squashfs-lz4",
            Compression::Zstd => "squashfs-zstd",
        }
    }

    /// LZ4 takes as long as a digest.
    fn is_slow(&self) -> bool {
        self.packer.compression() != Compression::Lz4
    }

    fn trim<'b>(&self, unit: u64, bytes: &'b [u8]) -> &'b [u8] {
        let fragment = self.fragments.binary_search_by_key(&unit, |fragment| fragment.unit);
        fragment.map_or(bytes, |n| &bytes[..self.fragments[n].len])
    }

    fn pack(&self, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.packer.pack(bytes)
    }
}

fn fragment_number(n: usize) -> u32 {
    u32::try_from(n).expect("a fragment is more than half full, and takes a place in memory")
}

/// What is to be compressed.
struct Disk {
    block_size: u64,
    layout: Layout,
    /// Those that are in the layout.
    fragments: Vec<Fragment>,
    /// The fragment that is being filled.
    tails: Layout,
}

struct Fragment {
    unit: u64,
    /// Bytes of tails.
    len: usize,
}

impl Disk {
    fn new(block_size: u64) -> Self {
        Disk { block_size, layout: Layout::default(), fragments: Vec::new(), tails: Layout::default() }
    }

    fn unit(&self) -> u64 {
        self.layout.len() / self.block_size
    }

    /// Adds a content that is not there yet.
    fn add(&mut self, file: &Layout) -> Place {
        let tail = file.len() % self.block_size;
        let whole = file.len() - tail;
        if self.tails.len() + tail > self.block_size {
            self.end_fragment();
        }
        let (unit, count) = (self.unit(), whole / self.block_size);
        self.layout.append(file.window(0, whole));
        let tail = (tail > 0).then(|| {
            let fragment = fragment_number(self.fragments.len());
            let offset = u32::try_from(self.tails.len()).expect("less than a block");
            self.tails.append(file.window(whole, tail));
            Tail { fragment, offset }
        });
        Place { unit, count, tail }
    }

    fn end_fragment(&mut self) {
        let tails = std::mem::take(&mut self.tails);
        if !tails.is_empty() {
            let len = usize::try_from(tails.len()).expect("a block at most");
            self.fragments.push(Fragment { unit: self.unit(), len });
            self.layout.append(tails);
            self.layout.pad_to_multiple(self.block_size);
        }
    }
}
