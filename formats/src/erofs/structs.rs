//! The structures of \[EROFS\].

use super::Options;
use std::mem::offset_of;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{Immutable, IntoBytes};

/// Bytes: what every Linux mounts, whatever the size of its pages.
pub(super) const BLOCK: u64 = 1 << BLOCK_BITS;
pub(super) const BLOCK_BITS: u8 = 12;
/// Bytes: inodes are numbered by slots from the start, so that none has the number 0, which
/// programs take for no file.
pub(super) const SLOT: u64 = 32;
/// A block that is not there.
pub(super) const NO_BLOCK: u32 = u32::MAX;

/// `feature_compat`: the superblock has a checksum.
const SB_CHKSUM: u32 = 1;
/// `feature_compat`: the time in an inode is that of modification.
const MTIME: u32 = 2;
/// `feature_incompat`: there are files in chunks.
const CHUNKED_FILE: u32 = 4;

/// `struct erofs_super_block`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct SuperBlock {
    magic: U32,            // 00
    checksum: U32,         // 04 CRC-32C to the end of the block, itself taken as zero
    feature_compat: U32,   // 08
    block_bits: u8,        // 0c
    ext_slots: u8,         // 0d
    root: U16,             // 0e its number
    inodes: U64,           // 10
    build_time: U64,       // 18 seconds since 1970
    build_nanos: U32,      // 20
    blocks: U32,           // 24
    meta_block: U32,       // 28 where inode 0 would be
    xattr_block: U32,      // 2c of shared attributes
    uuid: [u8; 16],        // 30
    volume: [u8; 16],      // 40
    feature_incompat: U32, // 50
    algorithms: U16,       // 54 of compression
    extra_devices: U16,    // 56
    devices_at: U16,       // 58
    dir_block_bits: u8,    // 5a more than block_bits
    prefixes: u8,          // 5b of attributes' names
    prefixes_at: U32,      // 5c
    packed: U64,           // 60 an inode
    reserved: [u8; 24],    // 68
}
const _: () = assert!(size_of::<SuperBlock>() == 128);

/// Where the superblock is, bytes: before it is room for a boot loader.
const SUPER_OFFSET: usize = 1024;

impl SuperBlock {
    pub(super) fn new(options: &Options, volume: [u8; 16], inodes: u64, blocks: u32, chunked: bool) -> Self {
        SuperBlock {
            magic: U32::new(0xe0f5_e1e2),
            checksum: U32::ZERO,
            feature_compat: U32::new(SB_CHKSUM | MTIME),
            block_bits: BLOCK_BITS,
            ext_slots: 0,
            root: U16::from_bytes([128, 0]), // the first slot after this block
            inodes: U64::new(inodes),
            build_time: seconds(options.epoch.seconds),
            build_nanos: U32::new(options.epoch.nanos),
            blocks: U32::new(blocks),
            meta_block: U32::ZERO,
            xattr_block: U32::ZERO,
            uuid: options.uuid.0,
            volume,
            feature_incompat: U32::new(if chunked { CHUNKED_FILE } else { 0 }),
            algorithms: U16::ZERO,
            extra_devices: U16::ZERO,
            devices_at: U16::ZERO,
            dir_block_bits: 0,
            prefixes: 0,
            prefixes_at: U32::ZERO,
            packed: U64::ZERO,
            reserved: [0; 24],
        }
    }

    /// The first block, with this in it. Linux does not complement the checksum at the end, as
    /// others do.
    pub(super) fn sealed_block(&self) -> Vec<u8> {
        let mut block = vec![0; 1 << BLOCK_BITS];
        let rest = &mut block[SUPER_OFFSET..];
        rest[..size_of::<Self>()].copy_from_slice(self.as_bytes());
        let checksum = !crc32c::crc32c(rest);
        rest[offset_of!(SuperBlock, checksum)..][..4].copy_from_slice(&checksum.to_le_bytes());
        block
    }
}

/// Linux reads the field as signed.
pub(super) fn seconds(seconds: i64) -> U64 {
    U64::from_bytes(seconds.to_le_bytes())
}

/// `i_format`: bit 0 is for [`Extended`], above it one of these.
pub(super) const FLAT_PLAIN: u16 = 0;
/// The last bytes follow the inode, in the same block.
pub(super) const FLAT_INLINE: u16 = 2;
/// The blocks of chunks follow the inode.
pub(super) const CHUNK_BASED: u16 = 4;

/// `struct erofs_inode_compact`, modified at the superblock's `build_time`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Compact {
    pub(super) format: U16,     // 00
    pub(super) attributes: U16, // 02 see `attributes::count`
    pub(super) mode: U16,       // 04
    pub(super) nlink: U16,      // 06
    pub(super) size: U32,       // 08 bytes
    pub(super) reserved: U32,   // 0c
    pub(super) body: U32,       // 10 first block, device number, or chunk format
    pub(super) ino: U32,        // 14 for people
    pub(super) uid: U16,        // 18
    pub(super) gid: U16,        // 1a
    pub(super) reserved2: U32,  // 1c
}
const _: () = assert!(size_of::<Compact>() as u64 == SLOT);

/// `struct erofs_inode_extended`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Extended {
    pub(super) format: U16,         // 00
    pub(super) attributes: U16,     // 02
    pub(super) mode: U16,           // 04
    pub(super) reserved: U16,       // 06
    pub(super) size: U64,           // 08 bytes
    pub(super) body: U32,           // 10
    pub(super) ino: U32,            // 14
    pub(super) uid: U32,            // 18
    pub(super) gid: U32,            // 1c
    pub(super) mtime: U64,          // 20 seconds since 1970
    pub(super) nanos: U32,          // 28
    pub(super) nlink: U32,          // 2c
    pub(super) reserved2: [u8; 16], // 30
}
const _: () = assert!(size_of::<Extended>() as u64 == 2 * SLOT);

/// `struct erofs_dirent`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Dirent {
    pub(super) inode: U64,   // 00 its number
    pub(super) name_at: U16, // 08 bytes from the block's start
    pub(super) kind: u8,     // 0a as in Linux's directory entries, from 1
    pub(super) reserved: u8, // 0b
}
const _: () = assert!(size_of::<Dirent>() == 12);

/// `struct erofs_xattr_entry`; name and value follow, and zeros up to a multiple of four.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct XattrEntry {
    pub(super) name_len: u8,    // 00
    pub(super) name_index: u8,  // 01 what the name begins with
    pub(super) value_size: U16, // 02
}
const _: () = assert!(size_of::<XattrEntry>() == 4);
