//! Reading a stub: every number is checked before it is used.

use super::Error;
use super::structs::{
    CERTIFICATES, Directory, FileHeader, OptionalHeader, PE32_PLUS, SIGNATURE, SIGNATURE_AT, SectionHeader,
};
use std::ops::Range;
use zerocopy::FromBytes;
use zerocopy::little_endian::U32;

/// An image that sections can be added to.
#[derive(Clone, Debug)]
pub(super) struct Stub {
    /// Where the file header is.
    pub(super) file_header_at: usize,
    pub(super) file_header: FileHeader,
    /// Where the optional header is.
    pub(super) optional_at: usize,
    pub(super) optional: OptionalHeader,
    /// Where the section table is.
    pub(super) table_at: usize,
    /// In the order of the table, which is that in memory.
    pub(super) sections: Vec<SectionHeader>,
    /// Where the last section ends in the file: what is after it belongs to no section.
    pub(super) end: usize,
}

/// A number in a header, as a place in the file.
fn wide(n: U32) -> u64 {
    n.get().into()
}

/// The `len` bytes at `at`, a `structure`.
fn range(stub: &[u8], structure: &'static str, at: u64, len: u64) -> Result<Range<usize>, Error> {
    let end = at.saturating_add(len);
    match (usize::try_from(at), usize::try_from(end)) {
        (Ok(from), Ok(to)) if to <= stub.len() => Ok(from..to),
        _ => Err(Error::Truncated { structure, at, end, len: stub.len() as u64 }),
    }
}

fn read<T: FromBytes>(stub: &[u8], structure: &'static str, at: u64) -> Result<T, Error> {
    let range = range(stub, structure, at, size_of::<T>() as u64)?;
    Ok(T::read_from_bytes(&stub[range]).expect("of its length"))
}

fn magic(stub: &[u8], at: usize, expected: &'static [u8]) -> Result<(), Error> {
    let range = range(stub, "signature", at as u64, expected.len() as u64)?;
    match &stub[range] {
        found if found == expected => Ok(()),
        found => Err(Error::Magic { at, expected, found: found.to_vec() }),
    }
}

impl SectionHeader {
    /// Its name without the padding.
    pub(super) fn name(&self) -> &[u8] {
        let len = self.name.iter().position(|&b| b == 0).unwrap_or(self.name.len());
        &self.name[..len]
    }

    /// Its name, for messages.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(self.name()).into_owned()
    }

    /// The byte after its last in memory. Zero stands for the length in the file.
    pub(super) fn memory_end(&self) -> u64 {
        let len = if self.memory_len.get() == 0 { self.file_len } else { self.memory_len };
        wide(self.memory_at) + wide(len)
    }
}

impl Stub {
    pub(super) fn read(stub: &[u8]) -> Result<Self, Error> {
        magic(stub, 0, b"MZ")?;
        let signature: U32 = read(stub, "MS-DOS header", SIGNATURE_AT as u64)?;
        let signature_at = range(stub, "signature", wide(signature), 4)?.start;
        magic(stub, signature_at, &SIGNATURE)?;
        let file_header_at = signature_at + SIGNATURE.len();
        let file_header: FileHeader = read(stub, "file header", file_header_at as u64)?;

        let optional_at = file_header_at + size_of::<FileHeader>();
        let optional: OptionalHeader = read(stub, "optional header", optional_at as u64)?;
        if optional.magic.get() != PE32_PLUS {
            return Err(Error::Optional { found: optional.magic.get() });
        }
        let directories_at = (optional_at + size_of::<OptionalHeader>()) as u64;
        let directories = optional.directories.get();
        let needed =
            size_of::<OptionalHeader>() as u64 + u64::from(directories) * size_of::<Directory>() as u64;
        let len = file_header.optional_len.get().into();
        if len < needed {
            return Err(Error::OptionalLen { len, directories, needed });
        }
        if usize::try_from(directories).is_ok_and(|n| n > CERTIFICATES) {
            let at = directories_at + (CERTIFICATES * size_of::<Directory>()) as u64;
            let certificates: Directory = read(stub, "certificate directory", at)?;
            if certificates.at.get() != 0 || certificates.len.get() != 0 {
                return Err(Error::Signed { at: certificates.at.get(), len: certificates.len.get() });
            }
        }
        alignment("the file", optional.file_alignment, 1 << 16)?;
        alignment("memory", optional.section_alignment, 1 << 21)?;

        let count = u64::from(file_header.sections.get());
        let table = range(
            stub,
            "section table",
            optional_at as u64 + len,
            count * size_of::<SectionHeader>() as u64,
        )?;
        let sections: Vec<SectionHeader> = stub[table.clone()]
            .chunks_exact(size_of::<SectionHeader>())
            .map(|header| SectionHeader::read_from_bytes(header).expect("of its length"))
            .collect();
        let headers = range(stub, "headers", 0, wide(optional.headers_len))?;
        if headers.end < table.end {
            return Err(Error::Headers { len: headers.end, end: table.end });
        }
        let end = check_sections(stub, &sections, headers.end)?;
        Ok(Stub { file_header_at, file_header, optional_at, optional, table_at: table.start, sections, end })
    }

    /// Where the headers end in the file.
    pub(super) fn headers_end(&self) -> usize {
        in_file(&self.sections).first().map_or(self.end, |&first| {
            usize::try_from(self.sections[first].file_at.get()).expect("checked to be in the stub")
        })
    }
}

fn alignment(place: &'static str, found: U32, limit: u32) -> Result<(), Error> {
    match found.get() {
        n if n.is_power_of_two() && n <= limit => Ok(()),
        found => Err(Error::Alignment { place, found, limit }),
    }
}

/// Sections are in ascending order and apart, in memory and in the file, after `headers` bytes.
/// Gives the end of the last one in the file.
fn check_sections(stub: &[u8], sections: &[SectionHeader], headers: usize) -> Result<usize, Error> {
    let mut end = headers as u64;
    for section in sections {
        let at = wide(section.memory_at);
        if at < end {
            return Err(Error::Order { section: section.shown(), place: "memory", at, end });
        }
        end = section.memory_end();
    }
    let mut end = headers;
    for index in in_file(sections) {
        let section = &sections[index];
        let bytes = range(stub, "section", wide(section.file_at), wide(section.file_len))?;
        if bytes.start < end {
            let (at, end) = (bytes.start as u64, end as u64);
            return Err(Error::Order { section: section.shown(), place: "the file", at, end });
        }
        end = bytes.end;
    }
    Ok(end)
}

/// The indices of the sections that have bytes in the file, in the order that they have there.
pub(super) fn in_file(sections: &[SectionHeader]) -> Vec<usize> {
    let mut order: Vec<_> = (0..sections.len()).filter(|&n| sections[n].file_len.get() != 0).collect();
    order.sort_by_key(|&n| sections[n].file_at.get());
    order
}
