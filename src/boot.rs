//! What a medium starts: a kernel with its initrd and command line, and the loader that starts it.

pub mod bios;

use mkimage_formats::Layout;
use mkimage_formats::emit::{self, Sink, Stream};
use std::io::{self, Write};

/// Something that a boot loader loads and checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Its bytes.
    pub content: Layout,
    /// Their CRC-32C (Castagnoli).
    pub crc32c: u32,
}

impl Measured {
    /// Reads `content` once.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn new(content: Layout) -> Result<Self, emit::Error> {
        let crc32c = crc32c(0, &content)?;
        Ok(Measured { content, crc32c })
    }

    /// Nothing at all.
    #[must_use]
    pub fn empty() -> Self {
        Measured { content: Layout::default(), crc32c: 0 }
    }
}

/// The CRC-32C of `content` and of what is before it, of which it is `before`.
///
/// # Errors
/// It cannot be read.
pub fn crc32c(before: u32, content: &Layout) -> Result<u32, emit::Error> {
    let mut crc = Stream::new(Crc(before));
    crc.layout(content)?;
    Ok(crc.into_inner().0)
}

/// The CRC-32C of what is written.
struct Crc(u32);

impl Write for Crc {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = ::crc32c::crc32c_append(self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a medium starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The kernel as its loader takes it; for a BIOS, a `bzImage`.
    pub kernel: Measured,
    /// The first root file system; empty for none.
    pub initrd: Measured,
    /// The kernel's command line.
    pub cmdline: String,
}

/// `cmdline` for a root file system that is itself on the CD: LinuxKit's ` root=/dev/sr0`, unless
/// it says where the root is.
#[must_use]
pub fn with_cd_root(cmdline: &str) -> String {
    if cmdline.split_ascii_whitespace().any(|word| word.starts_with("root=")) {
        return cmdline.to_owned();
    }
    format!("{cmdline} root=/dev/sr0").trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_named_unless_it_is_named_already() {
        assert_eq!(with_cd_root("console=ttyS0"), "console=ttyS0 root=/dev/sr0");
        assert_eq!(with_cd_root("root=/dev/sda quiet"), "root=/dev/sda quiet");
        assert_eq!(with_cd_root("nfsroot=x"), "nfsroot=x root=/dev/sr0");
        assert_eq!(with_cd_root(""), "root=/dev/sr0");
    }

    #[test]
    fn the_checksum_is_castagnolis() {
        // RFC 3720 B.4: 32 bytes of zeros.
        let mut zeros = Layout::from(vec![0; 10]);
        zeros.push(mkimage_formats::Content::Hole(22));
        assert_eq!(Measured::new(zeros).unwrap().crc32c, 0x8a91_36aa);
    }
}
