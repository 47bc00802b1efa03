//! Sections of programs: \[PE\] "Section Table".

/// A section's name, and where it is.
pub(crate) struct Section {
    name: [u8; 8],
    /// VirtualSize, bytes when loaded.
    pub(crate) len: usize,
    /// VirtualAddress, from the start of the loaded program.
    pub(crate) at: usize,
    /// SizeOfRawData.
    pub(crate) file_len: usize,
    /// PointerToRawData.
    pub(crate) file_at: usize,
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(field.try_into().ok()?).into())
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(field.try_into().ok()?)).ok()
}

/// The offset of the signature `PE`, from which the header's fields count.
pub(crate) fn header(program: &[u8]) -> Option<usize> {
    u32_at(program, 0x3c).filter(|at| program.get(*at..at + 4) == Some(b"PE\0\0"))
}

/// The sections of `program`, as far as they are there.
pub(crate) fn sections(program: &[u8]) -> impl Iterator<Item = Section> + '_ {
    let header = header(program);
    let count = header.and_then(|at| u16_at(program, at + 6)).unwrap_or(0);
    let table = header.and_then(|at| Some(at + 24 + u16_at(program, at + 20)?)).unwrap_or(0);
    (0..count).map_while(move |n| {
        let entry = program.get(table + n * 40..table + n * 40 + 40)?;
        Some(Section {
            name: entry[..8].try_into().ok()?,
            len: u32_at(entry, 8)?,
            at: u32_at(entry, 12)?,
            file_len: u32_at(entry, 16)?,
            file_at: u32_at(entry, 20)?,
        })
    })
}

/// What the loaded `program` has in the section `name`.
pub(crate) fn section<'a>(program: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut padded = [0; 8];
    padded.get_mut(..name.len())?.copy_from_slice(name);
    let section = sections(program).find(|section| section.name == padded)?;
    program.get(section.at..section.at.checked_add(section.len)?)
}
