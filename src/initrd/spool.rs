//! The temporary file that compressed segments are in.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that is written once, and the checksum of what is in it.
pub(super) struct Spool {
    out: BufWriter<File>,
    path: PathBuf,
    crc32c: u32,
    len: u64,
}

impl Spool {
    /// A new file in `folder`. Its name is nothing that an output could have in it.
    pub(super) fn create(folder: &Path, crc32c: u32) -> io::Result<Self> {
        let file = tempfile::Builder::new().prefix("initrd-").tempfile_in(folder)?;
        let (file, path) = file.keep()?;
        Ok(Spool { out: BufWriter::with_capacity(256 << 10, file), path, crc32c, len: 0 })
    }

    pub(super) fn pad_to_multiple(&mut self, unit: u64) -> io::Result<()> {
        while !self.len.is_multiple_of(unit) {
            self.write_all(&[0])?;
        }
        Ok(())
    }

    /// The file and the checksum.
    pub(super) fn finish(mut self) -> io::Result<(PathBuf, u32)> {
        self.out.flush()?;
        Ok((self.path, self.crc32c))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.crc32c = crc32c::crc32c_append(self.crc32c, &bytes[..n]);
        self.len += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
