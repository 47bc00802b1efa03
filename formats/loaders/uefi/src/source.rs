//! Where kernel and initrd are, and how they are read.

use crate::firmware::{Failure, Firmware, check};
use crate::medium::Medium;
use crate::pe;
use crate::sha256::Sha256;
use core::slice;
use r_efi::efi::{self, Handle, Status};
use r_efi::protocols::{file, simple_file_system};

/// Bytes that are read at once. There are drivers that fail at very large reads.
const STEP: usize = 1 << 20;

/// A run of bytes.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// In memory already.
    Section(&'a [u8]),
    /// On the medium.
    Extent { medium: Medium, at: u64, len: usize, sha256: [u8; 32] },
    /// A file, open.
    File { file: *mut file::Protocol, len: usize, sha256: [u8; 32] },
}

/// What is started.
pub(crate) struct Payload<'a> {
    pub(crate) kernel: Source<'a>,
    pub(crate) initrd: Option<Source<'a>>,
}

/// Bytes in memory; pages of our own, or not.
pub(crate) struct Loaded<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) owned: bool,
}

impl<'a> Payload<'a> {
    /// What `program`'s sections say.
    pub(crate) fn find(firmware: &Firmware, program: &'a [u8], device: Handle) -> Result<Self, Failure> {
        if let Some(kernel) = pe::section(program, b".linux") {
            let initrd = pe::section(program, b".initrd").map(Source::Section);
            return Ok(Payload { kernel: Source::Section(kernel), initrd });
        }
        if let Some(extents) = pe::section(program, b".extents") {
            let medium = Medium::of(firmware, device)?;
            let (kernel, rest) = extent(medium, extents)?;
            let initrd = if rest.is_empty() { None } else { Some(extent(medium, rest)?.0) };
            return Ok(Payload { kernel, initrd });
        }
        if let Some(paths) = pe::section(program, b".paths") {
            let (kernel, rest) = path(firmware, device, "the kernel", paths)?;
            let initrd = match rest {
                [] => None,
                rest => Some(path(firmware, device, "the initrd", rest)?.0),
            };
            return Ok(Payload { kernel, initrd });
        }
        Err(Failure::new("this loader", " was not told what to start", Status::NOT_FOUND))
    }
}

const DAMAGED: Failure = Failure::new("this loader", " is damaged", Status::LOAD_ERROR);

/// u64 offset, u64 length, SHA-256.
fn extent(medium: Medium, record: &[u8]) -> Result<(Source<'static>, &[u8]), Failure> {
    let (at, rest) = record.split_first_chunk::<8>().ok_or(DAMAGED)?;
    let (len, sha256, rest) = len_and_digest(rest)?;
    Ok((Source::Extent { medium, at: u64::from_le_bytes(*at), len, sha256 }, rest))
}

/// u64 length, SHA-256, u16 bytes of the path, the path in UTF-16 with the NUL that ends it.
fn path<'a>(
    firmware: &Firmware,
    device: Handle,
    what: &'static str,
    record: &'a [u8],
) -> Result<(Source<'static>, &'a [u8]), Failure> {
    let (len, sha256, rest) = len_and_digest(record)?;
    let (units, rest) = rest.split_first_chunk::<2>().ok_or(DAMAGED)?;
    let (path, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*units))).ok_or(DAMAGED)?;
    let mut name = [0u16; 128];
    if path.len() / 2 >= name.len() {
        return Err(DAMAGED);
    }
    for (unit, bytes) in name.iter_mut().zip(path.chunks_exact(2)) {
        *unit = u16::from_le_bytes([bytes[0], bytes[1]]);
    }
    let file = open(firmware, device, &mut name)
        .map_err(|status| Failure::new(what, " is missing on the boot volume", status))?;
    Ok((Source::File { file, len, sha256 }, rest))
}

fn len_and_digest(record: &[u8]) -> Result<(usize, [u8; 32], &[u8]), Failure> {
    let (len, rest) = record.split_first_chunk::<8>().ok_or(DAMAGED)?;
    let (sha256, rest) = rest.split_first_chunk::<32>().ok_or(DAMAGED)?;
    let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| DAMAGED)?;
    Ok((len, *sha256, rest))
}

/// The file `name`, which ends with NUL, on the volume of `device`.
fn open(firmware: &Firmware, device: Handle, name: &mut [u16]) -> Result<*mut file::Protocol, Status> {
    let volume: *mut simple_file_system::Protocol =
        firmware.protocol(device, &simple_file_system::PROTOCOL_GUID)?;
    let (mut root, mut file) = (core::ptr::null_mut(), core::ptr::null_mut());
    // SAFETY: the interfaces are the firmware's, each checked before the next is asked of it.
    unsafe {
        check(((*volume).open_volume)(volume, &mut root))?;
        check(((*root).open)(root, &mut file, name.as_mut_ptr(), file::MODE_READ, 0))?;
    }
    Ok(file)
}

impl<'a> Source<'a> {
    pub(crate) fn len(&self) -> usize {
        match *self {
            Source::Section(bytes) => bytes.len(),
            Source::Extent { len, .. } | Source::File { len, .. } => len,
        }
    }

    /// The whole of it in memory.
    pub(crate) fn load(&self, firmware: &Firmware, what: &'static str) -> Result<Loaded<'a>, Failure> {
        if let Source::Section(bytes) = *self {
            return Ok(Loaded { bytes, owned: false });
        }
        let len = self.len();
        let no_room = |status| Failure::new(what, " has no room in memory", status);
        let at = firmware.pages(len, efi::LOADER_DATA).map_err(no_room)?;
        // SAFETY: memory that the firmware just gave, that long, and to nobody else. What is in it
        // does not matter: bytes are valid whatever they are.
        let bytes = unsafe { slice::from_raw_parts_mut(at, len) };
        self.read(firmware, bytes, what)?;
        Ok(Loaded { bytes, owned: true })
    }

    /// Reads it into `into`, which has its length, and checks it.
    pub(crate) fn read(
        &self,
        firmware: &Firmware,
        into: &mut [u8],
        what: &'static str,
    ) -> Result<(), Failure> {
        let unreadable = |status| Failure::new(what, ": cannot read the medium", status);
        let want = match self {
            Source::Section(bytes) => {
                into.copy_from_slice(bytes);
                return Ok(());
            }
            Source::Extent { sha256, .. } | Source::File { sha256, .. } => sha256,
        };
        let mut hash = Sha256::new();
        let mut done = 0;
        for chunk in into.chunks_mut(STEP) {
            match *self {
                Source::Extent { ref medium, at, .. } => {
                    medium.read(firmware, at + done, chunk).map_err(unreadable)?;
                }
                Source::File { file, .. } => read_file(file, done, chunk).map_err(unreadable)?,
                Source::Section(_) => {}
            }
            hash.add(chunk);
            done += chunk.len() as u64;
        }
        if hash.finish() != *want {
            return Err(Failure::new(
                what,
                " on this medium is damaged (SHA-256)",
                Status::SECURITY_VIOLATION,
            ));
        }
        Ok(())
    }
}

/// Fills `chunk` from byte `at` of `file` on.
fn read_file(file: *mut file::Protocol, at: u64, mut chunk: &mut [u8]) -> Result<(), Status> {
    // SAFETY: the interface is the firmware's.
    check(unsafe { ((*file).set_position)(file, at) })?;
    while !chunk.is_empty() {
        let mut len = chunk.len();
        // SAFETY: the interface is the firmware's, and writes no more than `len` bytes.
        check(unsafe { ((*file).read)(file, &mut len, chunk.as_mut_ptr().cast()) })?;
        if len == 0 {
            return Err(Status::END_OF_FILE);
        }
        chunk = &mut chunk[len..];
    }
    Ok(())
}
