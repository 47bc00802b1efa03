//! A loader for UEFI: a stub that becomes a loader by the sections that are added to it.
//!
//! ```text
//! stub │ .cmdline │ .linux │ .initrd     starts what is in it: a unified kernel image
//! stub │ .cmdline │ .extents             starts runs of bytes of the medium that it came from
//! stub │ .cmdline │ .paths               starts files of the volume that it came from
//! ```
//!
//! With [`Extents`] a medium has kernel and initrd once, for BIOS and UEFI; with [`Paths`] it may
//! be copied file by file. Both have a SHA-256 of what is started: it ends in words on the console
//! if it is not that, and a signature on the program covers all of it. The command line is UTF-8.
//!
//! `formats/loaders/uefi` is the stub's source, and `cargo xtask stub --check` compares it with
//! what is here.
//!
//! ```
//! use mkimage_loaders::uefi::{Arch, Extent, Extents};
//!
//! let kernel = Extent { at: 1 << 20, len: 9_000_000, sha256: [0; 32] };
//! let section = Extents { kernel, initrd: None }.section(); // to be added as `uefi::EXTENTS`
//! assert!(Arch::X86_64.stub().starts_with(b"MZ") && !section.is_empty());
//! ```
//!
//! \[UEFI\] *UEFI Specification* 2.11.

/// The command line, UTF-8.
pub const CMDLINE: &str = ".cmdline";
/// The kernel, an EFI program.
pub const LINUX: &str = ".linux";
/// The first root file system.
pub const INITRD: &str = ".initrd";
/// [`Extents::section`].
pub const EXTENTS: &str = ".extents";
/// [`Paths::section`].
pub const PATHS: &str = ".paths";

/// A processor's architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arch {
    /// PCs of 64 bits.
    X86_64,
    /// 64-bit Arm.
    Aarch64,
}

impl Arch {
    /// The program that sections are added to.
    #[must_use]
    pub fn stub(self) -> &'static [u8] {
        match self {
            Arch::X86_64 => include_bytes!("../uefi/x86_64.efi"),
            Arch::Aarch64 => include_bytes!("../uefi/aarch64.efi"),
        }
    }

    /// What a UEFI starts from a medium that it does not know, in `EFI/BOOT`: \[UEFI\] Table 3.2.
    #[must_use]
    pub fn boot_file(self) -> &'static str {
        match self {
            Arch::X86_64 => "BOOTX64.EFI",
            Arch::Aarch64 => "BOOTAA64.EFI",
        }
    }
}

/// A run of bytes of the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Offset of the first byte from the start of the whole medium.
    pub at: u64,
    /// Bytes.
    pub len: u64,
    /// Of the bytes.
    pub sha256: [u8; 32],
}

/// What is started, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extents {
    /// The kernel.
    pub kernel: Extent,
    /// The initrd, if there is one.
    pub initrd: Option<Extent>,
}

impl Extents {
    /// The section [`EXTENTS`]: for each a u64 offset, a u64 length and a SHA-256, little-endian.
    #[must_use]
    pub fn section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for extent in [Some(&self.kernel), self.initrd.as_ref()].into_iter().flatten() {
            out.extend(extent.at.to_le_bytes());
            out.extend(extent.len.to_le_bytes());
            out.extend(extent.sha256);
        }
        out
    }
}

/// A file of the volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// From the volume's root, with `/` between names: at most 126 UTF-16 units.
    pub path: String,
    /// Bytes.
    pub len: u64,
    /// Of the bytes.
    pub sha256: [u8; 32],
}

/// What is started, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The kernel.
    pub kernel: File,
    /// The initrd, if there is one.
    pub initrd: Option<File>,
}

impl Paths {
    /// The section [`PATHS`]: for each a u64 length, a SHA-256, a u16 count of the bytes of the
    /// path, and the path as UEFI writes it (UTF-16, `\`, NUL at the end), little-endian.
    ///
    /// # Panics
    /// A path is longer than it may be.
    #[must_use]
    pub fn section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for file in [Some(&self.kernel), self.initrd.as_ref()].into_iter().flatten() {
            let path = format!("\\{}\0", file.path.trim_start_matches('/').replace('/', "\\"));
            let path: Vec<u8> = path.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert!(path.len() <= 2 * 127, "a path of {} bytes", path.len());
            out.extend(file.len.to_le_bytes());
            out.extend(file.sha256);
            out.extend(u16::try_from(path.len()).expect("checked above").to_le_bytes());
            out.extend(path);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_48_bytes_each() {
        let kernel = Extent { at: 2048, len: 5, sha256: [7; 32] };
        let section = Extents { kernel, initrd: None }.section();
        assert_eq!(section.len(), 48);
        assert_eq!(section[..17], [0, 8, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 7]);
        assert_eq!(Extents { kernel, initrd: Some(kernel) }.section(), [&section[..], &section].concat());
    }

    #[test]
    fn paths_are_as_uefi_writes_them() {
        let kernel = File { path: "a/b".into(), len: 5, sha256: [7; 32] };
        let section = Paths { kernel, initrd: None }.section();
        assert_eq!(section[40..], [10, 0, b'\\', 0, b'a', 0, b'\\', 0, b'b', 0, 0, 0]);
    }

    #[test]
    fn stubs_are_programs_for_their_architectures() {
        for (arch, machine) in [(Arch::X86_64, 0x8664u16), (Arch::Aarch64, 0xaa64)] {
            let stub = arch.stub();
            let at = usize::try_from(u32::from_le_bytes(stub[0x3c..0x40].try_into().unwrap())).unwrap();
            assert_eq!(stub[at..at + 4], *b"PE\0\0");
            assert_eq!(stub[at + 4..at + 6], machine.to_le_bytes());
        }
    }
}
