//! The second stage's routines, in their order.
//!
//! ```text
//! head  protected  entry console checksum disk chs │ a20 memory kernel  zeros
//! 7c00                                           8400                   8c00
//! ├──── in memory when it begins ──────────────────┼─── loaded by it ───────┤
//! ```

use super::map::ORIGIN;
use super::routines::Routines;
use super::{
    RESIDENT_LEN, STAGE2_LEN, a20, checksum, chs, console, disk, entry, head, kernel, memory, protected,
};
use iced_x86::code_asm::CodeAssembler;
use iced_x86::{BlockEncoderOptions, IcedError};

/// What is the same for all media.
pub(super) struct Code {
    /// From [`head::CODE`] to the end of the second stage.
    pub(super) bytes: Vec<u8>,
    /// Where to begin.
    pub(super) entry: u16,
}

/// Bytes before [`Code::bytes`].
const HEAD_LEN: usize = (head::CODE - ORIGIN) as usize;

impl Code {
    pub(super) fn assemble() -> Result<Self, IcedError> {
        let protected = protected::assemble(head::CODE)?;
        let entry_at = HEAD_LEN + protected.code.len();
        let entry = u16::try_from(ORIGIN as usize + entry_at).unwrap_or(u16::MAX);
        let mut a = CodeAssembler::new(16)?;
        let r = &mut Routines::new(&mut a);
        entry::emit(&mut a, r)?;
        protected::emit(&mut a, r, &protected)?;
        console::emit(&mut a, r)?;
        checksum::emit(&mut a, r)?;
        disk::emit(&mut a, r)?;
        chs::emit(&mut a, r)?;
        a20::emit(&mut a, r)?;
        memory::emit(&mut a, r)?;
        kernel::emit(&mut a, r)?;
        let options = BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS;
        let result = a.assemble_options(entry.into(), options)?;
        let resident_len = result.label_ip(&r.a20)? - u64::from(ORIGIN);
        let resident_len = usize::try_from(resident_len).unwrap_or(usize::MAX);
        let mut bytes = protected.code;
        bytes.extend(result.inner.code_buffer);
        assert!(resident_len <= RESIDENT_LEN as usize, "what loads the rest is in memory");
        assert!(HEAD_LEN + bytes.len() <= STAGE2_LEN, "the routines fit");
        bytes.resize(STAGE2_LEN - HEAD_LEN, 0);
        Ok(Code { bytes, entry })
    }

    /// The part that a BIOS may have left out.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[RESIDENT_LEN as usize - HEAD_LEN..]
    }
}
