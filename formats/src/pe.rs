//! Sections added to a PE image: how a boot stub, a kernel and an initrd become one file.
//!
//! ```text
//! 0         headers                          whole pages
//! ├ MZ … PE ┼ section table ┼ stub's sections ┼ content ┼ 0 ─┼ content ┼ 0 ─┤
//!                + 1 each      + zeros
//! ```
//!
//! A unified kernel image is a stub for UEFI with sections that it knows by their names
//! (`.linux`, `.initrd`, `.cmdline`). Firmware loads all of it and checks one signature over all
//! of it. The added sections are read-only data, each of whole pages in memory and in the file.
//!
//! \[PE\] Microsoft, *PE Format* (2025), for which §2.1 is "MS-DOS Stub". \[UEFI\] *UEFI
//! Specification* 2.11. \[UKI\] UAPI group, *UAPI.5 Unified Kernel Image*.
//!
//! # No gap in the file
//!
//! A signature covers the headers and the sections in the file's order, and then as many bytes
//! from the end as have not been counted yet (\[PE\] Appendix A, "Calculating the PE Image Hash").
//! With a gap between sections that is not the whole file, and tools differ on it. So a section of
//! the stub that ends before the next one starts gets the zeros up to there.
//!
//! # Pages of 4 KiB, for every machine
//!
//! Firmware protects memory by pages of 4 KiB (\[UEFI\] §2.3), and EDK II stops at an image whose
//! data does not end with one. A larger unit is the stub's to ask for, in its own headers. arm64
//! kernels have to start at 64 KiB, but not in here: firmware gives the whole image any page, so
//! that the stub has to copy the kernel whatever its place.
//!
//! # A kernel and an initrd
//!
//! ```
//! use mkimage_formats::pe::{self, Section};
//! use mkimage_formats::{Layout, emit};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let [initrd, kernel, out] = ["initrd.img", "vmlinuz", "linux.efi"].map(|name| dir.path().join(name));
//! # std::fs::write(&initrd, [1; 5000])?;
//! # std::fs::write(&kernel, [2; 9000])?;
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/loaders/uefi/x86_64.efi");
//! let stub = std::fs::read(path)?; // `mkimage-loaders` has one
//! let sections = [
//!     Section { name: ".cmdline", content: b"console=ttyS0".to_vec().into() },
//!     Section { name: ".initrd", content: Layout::file(&initrd)? },
//!     Section { name: ".linux", content: Layout::file(&kernel)? },
//! ];
//! emit::emit(&pe::append(&stub, &sections)?, &out)?;
//! # assert!(std::fs::read(&out)?.starts_with(b"MZ"));
//! # Ok(())
//! # }
//! ```

mod error;
mod structs;
mod stub;

pub use error::Error;

use crate::layout::Layout;
use structs::{INITIALIZED_DATA, NAME, READ, SectionHeader};
use stub::{Stub, in_file};
use zerocopy::little_endian::U32;
use zerocopy::{FromZeros, IntoBytes};

/// Bytes of a page.
const PAGE: u64 = 4096;
/// Bytes that an image has less than, in the file and in memory.
pub const LIMIT: u64 = 1 << 31;

/// What is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// 1 to 8 bytes; by convention with a dot before them.
    pub name: &'static str,
    /// Its bytes. Their number is the section's length in memory, by which stubs know it.
    pub content: Layout,
}

/// `stub` with more sections, in their order. Contents are not read.
///
/// # Errors
/// The stub is no 64-bit PE image, or is signed, or has no room in its headers; or a section has a
/// name or a length that cannot be.
pub fn append(stub: &[u8], added: &[Section]) -> Result<Layout, Error> {
    let mut image = Stub::read(stub)?;
    check_names(&image, added)?;
    drop_symbols(&mut image, stub)?;
    let in_file = PAGE.max(image.optional.file_alignment.get().into());
    let in_memory = PAGE.max(image.optional.section_alignment.get().into());
    let mut file_at = close_gaps(&mut image, in_file)?;
    check_room(&image, stub, added.len())?;

    // The table is in the order of the memory.
    let mut memory_at =
        image.sections.last().map_or(0, SectionHeader::memory_end).next_multiple_of(in_memory);
    let mut initialized = u64::from(image.optional.initialized_len.get());
    let own = file_at;
    for Section { name, content } in added {
        let len = below_limit(content.len())?.get();
        let file_len = u64::from(len).next_multiple_of(in_file);
        let mut header = SectionHeader::new_zeroed();
        header.name[..name.len()].copy_from_slice(name.as_bytes());
        header.memory_len = len.into();
        header.memory_at = below_limit(memory_at)?;
        header.file_len = below_limit(file_len)?;
        header.file_at = below_limit(file_at)?;
        header.characteristics = (INITIALIZED_DATA | READ).into();
        image.sections.push(header);
        memory_at = (memory_at + u64::from(len)).next_multiple_of(in_memory);
        file_at += file_len;
        initialized += file_len;
    }
    below_limit(file_at)?;
    image.optional.image_len = below_limit(memory_at)?;
    image.optional.initialized_len = below_limit(initialized)?;
    // Firmware does not look at it, and it would take reading all of the image.
    image.optional.checksum = 0.into();
    let count = image.sections.len();
    image.file_header.sections =
        u16::try_from(count).map_err(|source| Error::Count { count, source })?.into();

    let mut out = Layout::from(written(&image, stub));
    out.pad_to(own);
    for section in added {
        out.append(section.content.clone());
        out.pad_to_multiple(in_file);
    }
    Ok(out)
}

/// A length or place of the image, if the image may be that long.
fn below_limit(len: u64) -> Result<U32, Error> {
    match u32::try_from(len) {
        Ok(n) if len < LIMIT => Ok(n.into()),
        _ => Err(Error::Size { len }),
    }
}

fn check_names(image: &Stub, added: &[Section]) -> Result<(), Error> {
    for (n, Section { name, content }) in added.iter().enumerate() {
        let name = *name;
        if name.is_empty() || name.len() > NAME {
            return Err(Error::Name { name });
        }
        let taken = image.sections.iter().any(|section| section.name() == name.as_bytes());
        if taken || added[..n].iter().any(|other| other.name == name) {
            return Err(Error::Duplicate { name });
        }
        if content.is_empty() {
            return Err(Error::Empty { name });
        }
    }
    Ok(())
}

/// The symbol table and its strings are after the sections, where they would become a gap. Only
/// debuggers read them.
fn drop_symbols(image: &mut Stub, stub: &[u8]) -> Result<(), Error> {
    let trailing = &stub[image.end..];
    let symbols_at = u64::from(image.file_header.symbols_at.get());
    image.file_header.symbols_at = 0.into();
    image.file_header.symbols = 0.into();
    let at = image.end as u64;
    if symbols_at < at && trailing.iter().any(|&b| b != 0) {
        return Err(Error::Trailing { at, len: trailing.len() as u64 });
    }
    Ok(())
}

/// Lets the headers and each section end in the file where the next section begins, and the last
/// one at a multiple of `unit`. Gives the place of that.
fn close_gaps(image: &mut Stub, unit: u64) -> Result<u64, Error> {
    let order = in_file(&image.sections);
    let [first, ..] = order[..] else { return Err(Error::NoSections) };
    let headers = image.sections[first].file_at;
    let memory_at = image.sections[0].memory_at.get().into();
    if u64::from(headers.get()) > memory_at {
        let (section, place) = (image.sections[0].shown(), "memory");
        return Err(Error::Order { section, place, at: memory_at, end: headers.get().into() });
    }
    image.optional.headers_len = headers;
    let end = (image.end as u64).next_multiple_of(unit);
    let ends = order[1..].iter().map(|&next| image.sections[next].file_at.get().into()).chain([end]);
    for (index, end) in order.iter().zip(ends.collect::<Vec<u64>>()) {
        let section = &mut image.sections[*index];
        if section.memory_len.get() == 0 {
            section.memory_len = section.file_len; // what it stood for
        }
        section.file_len = below_limit(end - u64::from(section.file_at.get()))?;
    }
    Ok(end)
}

/// The section table grows into zeros before the first section.
fn check_room(image: &Stub, stub: &[u8], sections: usize) -> Result<(), Error> {
    let entry = size_of::<SectionHeader>();
    let table_end = image.table_at + image.sections.len() * entry;
    let free = stub[table_end..image.headers_end()].iter().take_while(|&&b| b == 0).count();
    let needed = sections * entry;
    if needed > free {
        return Err(Error::Room { sections, needed, room: free });
    }
    Ok(())
}

/// The stub's bytes with the headers that it has now.
fn written(image: &Stub, stub: &[u8]) -> Vec<u8> {
    let mut bytes = stub[..image.end].to_vec();
    let mut put = |at: usize, structure: &[u8]| bytes[at..at + structure.len()].copy_from_slice(structure);
    put(image.file_header_at, image.file_header.as_bytes());
    put(image.optional_at, image.optional.as_bytes());
    put(image.table_at, image.sections.as_bytes());
    bytes
}
