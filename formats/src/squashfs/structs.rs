//! The structures of \[SQUASHFS\].

use zerocopy::little_endian::{I16, U16, U32, U64};
use zerocopy::{Immutable, IntoBytes};

/// `SQUASHFS_METADATA_SIZE`: bytes of a table that are compressed together.
pub(super) const METADATA: usize = 8 << 10;
/// Where something would be that is not there.
pub(super) const NOWHERE: u64 = u64::MAX;
/// The number of something that is not there.
pub(super) const NONE: u32 = u32::MAX;
/// `SQUASHFS_COMPRESSED_BIT`: a metadata block is as it was.
pub(super) const METADATA_RAW: u16 = 1 << 15;
/// `SQUASHFS_COMPRESSED_BIT_BLOCK`: a data block is as it was.
pub(super) const DATA_RAW: u32 = 1 << 24;

/// `flags`: contents that are the same are there once.
pub(super) const DUPLICATES: u16 = 1 << 6;
/// `flags`: inodes are found by their numbers.
pub(super) const EXPORTABLE: u16 = 1 << 7;
/// `flags`: the compressor's options follow the superblock.
pub(super) const COMPRESSOR_OPTIONS: u16 = 1 << 10;

/// `struct squashfs_super_block`. Offsets of tables are in bytes from the start.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct SuperBlock {
    pub(super) magic: [u8; 4],       // 00 "hsqs"
    pub(super) inodes: U32,          // 04
    pub(super) mkfs_time: U32,       // 08 seconds since 1970
    pub(super) block_size: U32,      // 0c bytes
    pub(super) fragments: U32,       // 10
    pub(super) compression: U16,     // 14
    pub(super) block_log: U16,       // 16
    pub(super) flags: U16,           // 18
    pub(super) ids: U16,             // 1a
    pub(super) major: U16,           // 1c
    pub(super) minor: U16,           // 1e
    pub(super) root: U64,            // 20 a reference
    pub(super) bytes_used: U64,      // 28
    pub(super) id_table: U64,        // 30
    pub(super) xattr_table: U64,     // 38
    pub(super) inode_table: U64,     // 40
    pub(super) directory_table: U64, // 48
    pub(super) fragment_table: U64,  // 50
    pub(super) export_table: U64,    // 58
}
const _: () = assert!(size_of::<SuperBlock>() == 96);

/// `struct lz4_comp_opts`, which has to be there.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Lz4Options {
    pub(super) version: U32, // 00 1: blocks without a frame
    pub(super) flags: U32,   // 04
}
const _: () = assert!(size_of::<Lz4Options>() == 8);

/// The type of an inode, and of an entry that names one.
pub(super) const DIR: u16 = 1;
pub(super) const FILE: u16 = 2;
pub(super) const SYMLINK: u16 = 3;
pub(super) const BLOCK_DEVICE: u16 = 4;
pub(super) const CHAR_DEVICE: u16 = 5;
pub(super) const FIFO: u16 = 6;
/// From the type of an inode to that of one with room for attributes, and for large numbers.
pub(super) const EXTENDED: u16 = 7;

/// `SQUASHFS_BASE_INODE`: what every inode begins with.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Base {
    pub(super) kind: U16,   // 00
    pub(super) mode: U16,   // 02 without the type
    pub(super) uid: U16,    // 04 an index into the table of ids
    pub(super) gid: U16,    // 06
    pub(super) mtime: U32,  // 08 seconds since 1970
    pub(super) number: U32, // 0c first is 1
}
const _: () = assert!(size_of::<Base>() == 16);

/// `struct squashfs_dir_inode`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Dir {
    pub(super) block: U32,  // 10 of the listing, bytes from the start of the table
    pub(super) nlink: U32,  // 14
    pub(super) size: U16,   // 18 of the listing, bytes, and three more
    pub(super) offset: U16, // 1a in the unpacked block
    pub(super) parent: U32, // 1c number of an inode
}
const _: () = assert!(size_of::<Dir>() == 16);

/// `struct squashfs_ldir_inode`; `count` of [`Index`] follow.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct ExtendedDir {
    pub(super) nlink: U32,  // 10
    pub(super) size: U32,   // 14
    pub(super) block: U32,  // 18
    pub(super) parent: U32, // 1c
    pub(super) count: U16,  // 20
    pub(super) offset: U16, // 22
    pub(super) xattr: U32,  // 24 a set of attributes
}
const _: () = assert!(size_of::<ExtendedDir>() == 24);

/// `struct squashfs_dir_index`; the first name of a run follows.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Index {
    pub(super) index: U32, // 00 where the run is in the listing, bytes
    pub(super) block: U32, // 04 and in the table
    pub(super) size: U32,  // 08 of the name, less one
}
const _: () = assert!(size_of::<Index>() == 12);

/// `struct squashfs_reg_inode`; the sizes of blocks follow.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct File {
    pub(super) start: U32,    // 10 of the first block, bytes from the start
    pub(super) fragment: U32, // 14 the block with the tail
    pub(super) offset: U32,   // 18 of the tail in it, unpacked
    pub(super) size: U32,     // 1c
}
const _: () = assert!(size_of::<File>() == 16);

/// `struct squashfs_lreg_inode`; the sizes of blocks follow.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct ExtendedFile {
    pub(super) start: U64,    // 10
    pub(super) size: U64,     // 18
    pub(super) sparse: U64,   // 20 bytes in blocks that are not there
    pub(super) nlink: U32,    // 28
    pub(super) fragment: U32, // 2c
    pub(super) offset: U32,   // 30
    pub(super) xattr: U32,    // 34
}
const _: () = assert!(size_of::<ExtendedFile>() == 40);

/// `struct squashfs_symlink_inode`; the target follows. An extended inode of this kind and the next
/// ends with a set of attributes, as one of a FIFO, which has a count of links alone.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Link {
    pub(super) nlink: U32, // 10
    pub(super) size: U32,  // 14 of the target, bytes
}
const _: () = assert!(size_of::<Link>() == 8);

/// `struct squashfs_dev_inode`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Device {
    pub(super) nlink: U32, // 10
    pub(super) rdev: U32,  // 14
}
const _: () = assert!(size_of::<Device>() == 8);

/// `struct squashfs_dir_header`: before a run of entries whose inodes are in one metadata block.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Header {
    pub(super) count: U32,  // 00 of entries, less one
    pub(super) block: U32,  // 04 bytes from the start of the inode table
    pub(super) number: U32, // 08 of the first inode
}
const _: () = assert!(size_of::<Header>() == 12);

/// `struct squashfs_dir_entry`; the name follows.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Dirent {
    pub(super) offset: U16, // 00 of the inode in its unpacked block
    pub(super) number: I16, // 02 more than the header's
    pub(super) kind: U16,   // 04
    pub(super) size: U16,   // 06 of the name, less one
}
const _: () = assert!(size_of::<Dirent>() == 8);

/// `struct squashfs_fragment_entry`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Fragment {
    pub(super) start: U64,  // 00 bytes from the start
    pub(super) size: U32,   // 08 as in the list of a file's blocks
    pub(super) unused: U32, // 0c
}
const _: () = assert!(size_of::<Fragment>() == 16);

/// `struct squashfs_xattr_entry`; the rest of the name follows, and its value.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Attribute {
    pub(super) kind: U16, // 00 what the name begins with
    pub(super) size: U16, // 02 of the rest of the name, bytes
}
const _: () = assert!(size_of::<Attribute>() == 4);

/// `struct squashfs_xattr_id`: a set of attributes.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Set {
    pub(super) attributes: U64, // 00 a reference
    pub(super) count: U32,      // 08
    pub(super) size: U32,       // 0c of names with what they begin with and a NUL, and of values
}
const _: () = assert!(size_of::<Set>() == 16);

/// `struct squashfs_xattr_id_table`; where the blocks of [`Set`]s are follows.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Sets {
    pub(super) attributes: U64, // 00 of all sets, bytes from the start
    pub(super) count: U32,      // 08
    pub(super) unused: U32,     // 0c
}
const _: () = assert!(size_of::<Sets>() == 16);
