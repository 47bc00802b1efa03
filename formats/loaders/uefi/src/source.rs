//! Where kernel and initrd are, and how they are read.

use crate::firmware::{Failure, Firmware, Pages, check};
use crate::medium::Medium;
use crate::pe;
use crate::sha256::Sha256;
use core::ops::Deref;
use core::ptr;
use r_efi::efi::{self, Handle, Status};
use r_efi::protocols::{file, simple_file_system};

/// Bytes that are read at once. There are drivers that fail at very large reads.
const STEP: usize = 1 << 20;

/// A run of bytes.
pub(crate) enum Source<'a> {
    /// In memory already.
    Section(&'a [u8]),
    /// On the medium.
    Extent { medium: Medium, at: u64, len: usize, sha256: [u8; 32] },
    /// On the volume.
    File { file: File, len: usize, sha256: [u8; 32] },
}

/// What is started.
pub(crate) struct Payload<'a> {
    pub(crate) kernel: Source<'a>,
    pub(crate) initrd: Option<Source<'a>>,
}

/// Bytes in memory.
pub(crate) enum Loaded<'a> {
    /// Of this program.
    Section(&'a [u8]),
    /// Read into it.
    Pages(Pages<'a>),
}

impl Deref for Loaded<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Loaded::Section(bytes) => bytes,
            Loaded::Pages(pages) => pages,
        }
    }
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
    let (path_len, rest) = rest.split_first_chunk::<2>().ok_or(DAMAGED)?;
    let (path, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*path_len))).ok_or(DAMAGED)?;
    let mut name = [0u16; 128];
    if path.len() / 2 >= name.len() {
        return Err(DAMAGED);
    }
    for (unit, bytes) in name.iter_mut().zip(path.chunks_exact(2)) {
        *unit = u16::from_le_bytes([bytes[0], bytes[1]]);
    }
    let file = File::open(firmware, device, &mut name)
        .map_err(|status| Failure::new(what, " is missing on the boot volume", status))?;
    Ok((Source::File { file, len, sha256 }, rest))
}

fn len_and_digest(record: &[u8]) -> Result<(usize, [u8; 32], &[u8]), Failure> {
    let (len, rest) = record.split_first_chunk::<8>().ok_or(DAMAGED)?;
    let (sha256, rest) = rest.split_first_chunk::<32>().ok_or(DAMAGED)?;
    let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| DAMAGED)?;
    Ok((len, *sha256, rest))
}

/// An open file, closed at the end.
pub(crate) struct File(*mut file::Protocol);

impl File {
    /// The file `name`, which ends with NUL, on the volume of `device`.
    fn open(firmware: &Firmware, device: Handle, name: &mut [u16]) -> Result<Self, Status> {
        let volume: *mut simple_file_system::Protocol =
            firmware.protocol(device, &simple_file_system::PROTOCOL_GUID)?;
        let (mut root, mut file) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the interface is the firmware's; what it writes is a local of ours.
        check(unsafe { ((*volume).open_volume)(volume, &mut root) })?;
        let root = File(root);
        // SAFETY: as above, and the name ends with NUL.
        check(unsafe { ((*root.0).open)(root.0, &mut file, name.as_mut_ptr(), file::MODE_READ, 0) })?;
        Ok(File(file))
    }

    /// Fills `chunk` from byte `at` on.
    fn read(&self, at: u64, mut chunk: &mut [u8]) -> Result<(), Status> {
        // SAFETY: the interface is the firmware's, and open.
        check(unsafe { ((*self.0).set_position)(self.0, at) })?;
        while !chunk.is_empty() {
            let mut len = chunk.len();
            // SAFETY: as above, and it writes no more than `len` bytes.
            check(unsafe { ((*self.0).read)(self.0, &mut len, chunk.as_mut_ptr().cast()) })?;
            if len == 0 {
                return Err(Status::END_OF_FILE);
            }
            chunk = chunk.get_mut(len..).ok_or(Status::DEVICE_ERROR)?;
        }
        Ok(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the interface is the firmware's, open, and not used again.
        let _ = unsafe { ((*self.0).close)(self.0) };
    }
}

impl<'a> Source<'a> {
    pub(crate) fn len(&self) -> usize {
        match *self {
            Source::Section(bytes) => bytes.len(),
            Source::Extent { len, .. } | Source::File { len, .. } => len,
        }
    }

    /// The whole of it in memory.
    pub(crate) fn load(&self, firmware: &'a Firmware, what: &'static str) -> Result<Loaded<'a>, Failure> {
        if let Source::Section(bytes) = *self {
            return Ok(Loaded::Section(bytes));
        }
        let no_room = |status| Failure::new(what, " has no room in memory", status);
        let mut pages = firmware.pages(self.len(), efi::LOADER_DATA).map_err(no_room)?;
        self.read(firmware, &mut pages, what)?;
        Ok(Loaded::Pages(pages))
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
            match self {
                Source::Extent { medium, at, .. } => {
                    medium.read(firmware, at + done, chunk).map_err(unreadable)?;
                }
                Source::File { file, .. } => file.read(done, chunk).map_err(unreadable)?,
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
