//! The structures of an image, as \[PE\] has them.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// \[PE\] §2.1 "MS-DOS Stub (Image Only)": where the offset of the signature is.
pub(super) const SIGNATURE_AT: usize = 0x3c;
/// \[PE\] §2.2 "Signature (Image Only)".
pub(super) const SIGNATURE: [u8; 4] = *b"PE\0\0";

/// \[PE\] §2.3 "COFF File Header".
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct FileHeader {
    pub(super) machine: U16,         // 00
    pub(super) sections: U16,        // 02 how many
    pub(super) timestamp: U32,       // 04
    pub(super) symbols_at: U32,      // 08 in the file
    pub(super) symbols: U32,         // 0c how many
    pub(super) optional_len: U16,    // 10 bytes of the optional header, with the directories
    pub(super) characteristics: U16, // 12
}
const _: () = assert!(size_of::<FileHeader>() == 20);

/// \[PE\] §2.4 "Optional Header (Image Only)" in its form for 64 bits, up to the directories.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct OptionalHeader {
    pub(super) magic: U16,               // 00 PE32_PLUS
    pub(super) linker: [u8; 2],          // 02
    pub(super) code_len: U32,            // 04
    pub(super) initialized_len: U32,     // 08 bytes of all sections with initialized data
    pub(super) uninitialized_len: U32,   // 0c
    pub(super) entry: U32,               // 10 in memory
    pub(super) code_base: U32,           // 14
    pub(super) image_base: U64,          // 18
    pub(super) section_alignment: U32,   // 20 in memory
    pub(super) file_alignment: U32,      // 24 in the file
    pub(super) versions: [U16; 6],       // 28
    pub(super) win32_version: U32,       // 34
    pub(super) image_len: U32,           // 38 in memory
    pub(super) headers_len: U32,         // 3c in the file
    pub(super) checksum: U32,            // 40 zero: none
    pub(super) subsystem: U16,           // 44
    pub(super) dll_characteristics: U16, // 46
    pub(super) stack_and_heap: [U64; 4], // 48
    pub(super) loader_flags: U32,        // 68
    pub(super) directories: U32,         // 6c how many
}
const _: () = assert!(size_of::<OptionalHeader>() == 112);

/// [`OptionalHeader::magic`]: an image for 64 bits.
pub(super) const PE32_PLUS: u16 = 0x20b;

/// \[PE\] §2.4.3 "Optional Header Data Directories (Image Only)".
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Directory {
    pub(super) at: U32,  // 00 in memory; of certificates, in the file
    pub(super) len: U32, // 04
}

/// The directory of certificates.
pub(super) const CERTIFICATES: usize = 4;

/// Bytes of the name of a section.
pub(super) const NAME: usize = 8;

/// \[PE\] §3 "Section Table (Section Headers)".
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct SectionHeader {
    pub(super) name: [u8; NAME],     // 00 padded with NUL
    pub(super) memory_len: U32,      // 08 VirtualSize
    pub(super) memory_at: U32,       // 0c VirtualAddress
    pub(super) file_len: U32,        // 10 SizeOfRawData
    pub(super) file_at: U32,         // 14 PointerToRawData
    pub(super) relocations_at: U32,  // 18 of object files, as the next three
    pub(super) lines_at: U32,        // 1c
    pub(super) relocations: U16,     // 20
    pub(super) lines: U16,           // 22
    pub(super) characteristics: U32, // 24
}
const _: () = assert!(size_of::<SectionHeader>() == 40);

/// [`SectionHeader::characteristics`]: initialized data.
pub(super) const INITIALIZED_DATA: u32 = 0x40;
/// [`SectionHeader::characteristics`]: can be read; as nothing else is set, only that.
pub(super) const READ: u32 = 0x4000_0000;
