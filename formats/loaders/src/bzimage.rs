//! The setup header of an x86 Linux kernel (`bzImage`). Integers are little-endian.
//!
//! ```text
//! 0          1f1        268          setup_len            file
//! ├─ (boot) ──┼─ Header ─┼─ real-mode ──┼── protected-mode ──┤
//!             at 0x10000 when loaded      at 0x100000
//! ```
//!
//! \[BOOT\] *The Linux/x86 Boot Protocol*, `Documentation/arch/x86/boot.rst` of Linux 6.12.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Bytes of a file that [`Header::parse`] looks at.
pub const HEAD_LEN: usize = HEADER_AT + size_of::<SetupHeader>();

/// Where the protected-mode part is loaded. \[BOOT\] "Loading The Rest of The Kernel".
pub(crate) const LOAD_ADDRESS: u32 = 0x10_0000;

const HEADER_AT: usize = 0x1f1;

/// \[BOOT\] "The Real-Mode Kernel Header".
#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct SetupHeader {
    setup_sects: u8,            // 1f1 512-byte sectors after the first; 0 means 4
    root_flags: U16,            // 1f2
    syssize: U32,               // 1f4 protected-mode part, in 16-byte units
    ram_size: U16,              // 1f8
    vid_mode: U16,              // 1fa
    root_dev: U16,              // 1fc
    boot_flag: U16,             // 1fe 0xaa55
    jump: U16,                  // 200
    header: [u8; 4],            // 202 "HdrS"
    version: U16,               // 206 major in the high byte
    realmode_swtch: U32,        // 208
    start_sys_seg: U16,         // 20c
    kernel_version: U16,        // 20e
    type_of_loader: u8,         // 210
    loadflags: u8,              // 211 bit 0 is LOADED_HIGH
    setup_move_size: U16,       // 212
    code32_start: U32,          // 214
    ramdisk_image: U32,         // 218
    ramdisk_size: U32,          // 21c
    bootsect_kludge: U32,       // 220
    heap_end_ptr: U16,          // 224
    ext_loader_ver: u8,         // 226
    ext_loader_type: u8,        // 227
    cmd_line_ptr: U32,          // 228
    initrd_addr_max: U32,       // 22c highest address of the last byte; since 2.03
    kernel_alignment: U32,      // 230
    relocatable_kernel: u8,     // 234 since 2.05
    min_alignment: u8,          // 235
    xloadflags: U16,            // 236 since 2.12
    cmdline_size: U32,          // 238 bytes without the final zero; since 2.06
    hardware_subarch: U32,      // 23c
    hardware_subarch_data: U64, // 240
    payload_offset: U32,        // 248
    payload_length: U32,        // 24c
    setup_data: U64,            // 250
    pref_address: U64,          // 258 since 2.10
    init_size: U32,             // 260 bytes from where it runs; since 2.10
    handover_offset: U32,       // 264
}
const _: () = assert!(HEAD_LEN == 0x268);

/// What a loader must know of a kernel, as [`Header::parse`] has checked it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Boot protocol: the major number in the high byte, the minor in the low one.
    pub version: u16,
    /// Bytes of the real-mode part, a multiple of 512.
    pub setup_len: u32,
    /// Bytes that the file has at least, if `syssize` is right.
    pub told_len: u64,
    /// Longest command line in bytes, without its final zero.
    pub cmdline_size: u32,
    /// Highest address that the last byte of the initrd may have.
    pub initrd_addr_max: u32,
    /// The protected-mode part runs at any aligned address.
    pub relocatable: bool,
    /// \[BOOT\] `xloadflags`: bit 0 is a 64-bit entry, bits 2 and 3 the EFI handover entries.
    pub xloadflags: u16,
    /// First address above which the kernel needs no memory before it reads the memory map:
    /// the higher end of where it is loaded and of where it unpacks itself.
    pub run_end: u64,
}

impl Header {
    /// Reads the header from `head`, the first [`HEAD_LEN`] bytes (or more) of a file of `len`
    /// bytes.
    ///
    /// # Errors
    /// The file is not a kernel that the x86 boot protocol can load high.
    pub fn parse(head: &[u8], len: u64) -> Result<Self, Error> {
        let raw = head.get(HEADER_AT..HEAD_LEN).and_then(|b| SetupHeader::read_from_bytes(b).ok());
        let Some(raw) = raw.filter(|h| h.header == *b"HdrS" && h.boot_flag.get() == 0xaa55) else {
            return Err(foreign(head));
        };
        let version = raw.version.get();
        if version < 0x203 {
            return Err(Error::Protocol { major: version >> 8, minor: version & 0xff });
        }
        if raw.loadflags & 1 == 0 {
            return Err(Error::LoadedLow);
        }
        // [BOOT] "for backwards compatibility": 0 is what the field had before it was one.
        let sects = if raw.setup_sects == 0 { 4 } else { u32::from(raw.setup_sects) };
        let setup_len = (sects + 1) * 512;
        if setup_len > MAX_SETUP_LEN {
            return Err(Error::SetupLength { len: setup_len });
        }
        // Only since 2.04 are the upper 16 bits of the field its own.
        let syssize = if version < 0x204 { 0 } else { u64::from(raw.syssize.get()) };
        let least = u64::from(setup_len) + 1;
        if len < least {
            return Err(Error::Truncated { len, whole: least });
        }
        let loaded_end = u64::from(LOAD_ADDRESS) + (len - u64::from(setup_len));
        let unpacked_end = match version {
            0x20a.. => raw.pref_address.get().saturating_add(raw.init_size.get().into()),
            _ => 0,
        };
        // A kernel that a BIOS starts is below 4 GiB: what is not is no wish that can be granted.
        let unpacked_end = if unpacked_end > u64::from(u32::MAX) { 0 } else { unpacked_end };
        Ok(Header {
            version,
            setup_len,
            told_len: least.max(u64::from(setup_len) + syssize * 16),
            cmdline_size: if version < 0x206 { 255 } else { raw.cmdline_size.get() },
            initrd_addr_max: raw.initrd_addr_max.get(),
            relocatable: version >= 0x205 && raw.relocatable_kernel != 0,
            xloadflags: if version < 0x20c { 0 } else { raw.xloadflags.get() },
            run_end: loaded_end.max(unpacked_end),
        })
    }

    /// Checks a file's length against what its header tells. \[BOOT\] `syssize`: the field is not
    /// to be relied upon where a boot loader put it there, so a mismatch is a doubt, no proof.
    ///
    /// # Errors
    /// The file has probably lost its end.
    pub fn check_len(&self, len: u64) -> Result<(), Error> {
        if len < self.told_len {
            return Err(Error::Truncated { len, whole: self.told_len });
        }
        Ok(())
    }

    /// Checks a command line against what this kernel takes.
    ///
    /// # Errors
    /// It is too long, or contains a zero, which would end it.
    pub fn check_cmdline(&self, cmdline: &[u8]) -> Result<(), Error> {
        if let Some(at) = cmdline.iter().position(|&b| b == 0) {
            return Err(Error::CmdlineZero { at });
        }
        if cmdline.len() as u64 > u64::from(self.cmdline_size) {
            return Err(Error::CmdlineLength { len: cmdline.len(), limit: self.cmdline_size });
        }
        Ok(())
    }
}

/// \[BOOT\] "Memory Layout": the real-mode part keeps to its first 32 KiB and a boot sector.
const MAX_SETUP_LEN: u32 = 0x8000 + 512;

/// Says what a file is that has no setup header.
fn foreign(head: &[u8]) -> Error {
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|b| b.starts_with(magic));
    let found = if at(0x38, b"ARM\x64") {
        "an arm64 kernel"
    } else if at(0x38, b"RSC\x05") {
        "a RISC-V kernel"
    } else if at(0, b"MZ\0\0zimg") {
        "a compressed EFI kernel (zboot), which only UEFI starts"
    } else if at(0, b"MZ") {
        "an EFI program without a BIOS entry"
    } else if at(0, b"\x7fELF") {
        "an ELF file (`vmlinux`); the kernel's `bzImage` is wanted"
    } else if at(0, &[0x1f, 0x8b]) {
        "gzip; decompress it first"
    } else if at(0, &[0x28, 0xb5, 0x2f, 0xfd]) {
        "zstd; decompress it first"
    } else if at(0, b"\xfd7zXZ\0") {
        "xz; decompress it first"
    } else if at(0, &[0x27, 0x05, 0x19, 0x56]) {
        "a U-Boot image (`uImage`)"
    } else if head.len() < HEAD_LEN {
        "shorter than a kernel's header"
    } else {
        "not a kernel"
    };
    Error::NotBzImage { found }
}

/// Why a file is no kernel for this loader, or a command line not for this kernel.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The setup header is missing.
    #[error("the file is {found}; a BIOS starts an x86 `bzImage`")]
    NotBzImage {
        /// What it seems to be.
        found: &'static str,
    },
    /// Kernels before 2.4.18.
    #[error("the kernel has boot protocol {major}.{minor:02}; 2.03 is the oldest supported")]
    Protocol {
        /// Of the version.
        major: u16,
        /// Of the version.
        minor: u16,
    },
    /// A `zImage`.
    #[error("the kernel is a `zImage`, which is loaded below 1 MiB; a `bzImage` is wanted")]
    LoadedLow,
    /// `setup_sects` beyond what the protocol has room for.
    #[error("the kernel's real-mode part has {len} bytes; the boot protocol allows {MAX_SETUP_LEN}")]
    SetupLength {
        /// Bytes.
        len: u32,
    },
    /// The file ends before the kernel does.
    #[error("the kernel file has {len} bytes, but its header tells of {whole}")]
    Truncated {
        /// Bytes of the file.
        len: u64,
        /// Bytes it should have at least.
        whole: u64,
    },
    /// Longer than the kernel copies.
    #[error("the command line has {len} bytes; this kernel takes {limit}")]
    CmdlineLength {
        /// Bytes.
        len: usize,
        /// The kernel's `cmdline_size`.
        limit: u32,
    },
    /// A zero would hide what follows it.
    #[error("the command line has a zero byte at offset {at}")]
    CmdlineZero {
        /// Offset of the first.
        at: usize,
    },
}

#[cfg(test)]
mod tests;
