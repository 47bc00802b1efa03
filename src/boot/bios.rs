//! The built-in BIOS loader, told where a medium has its payload.
//!
//! ```text
//! ├ second stage ┼ command line ┤    one run of bytes, by the loader's own places
//! ```

use super::{Error, Options, Payload};
use mkimage_formats::Layout;
use mkimage_formats::emit::{Sink, Stream};
use mkimage_loaders::bios::{self, Extent, Medium, Serial};
use mkimage_loaders::bzimage::{self, Header};

/// The offsets, in bytes from the start of the medium, that the loader reads from.
pub(super) struct Places {
    /// Of the loader itself.
    pub(super) loader: u64,
    pub(super) kernel: u64,
    /// Any, if the initrd is empty.
    pub(super) initrd: u64,
}

/// The loader of one payload. Its length is known before the places are.
pub(super) struct Loader<'a> {
    payload: &'a Payload,
    header: Header,
    serial: Option<Serial>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(
        payload: &'a Payload,
        serial: Option<Serial>,
        options: &Options,
    ) -> Result<Self, Error> {
        Ok(Loader { payload, header: check(payload, options)?, serial })
    }

    /// Bytes of [`Loader::code`].
    pub(super) fn len(&self) -> u64 {
        (bios::STAGE2_LEN + self.payload.cmdline.len()) as u64
    }

    /// The second stage and the command line.
    pub(super) fn code(&self, medium: Medium, places: &Places) -> Result<Vec<u8>, Error> {
        let Payload { kernel, initrd, cmdline } = self.payload;
        let extent = |at, content: &Layout| Extent { at, len: content.len() };
        let text = Extent { at: places.loader + bios::STAGE2_LEN as u64, len: cmdline.len() as u64 };
        let params = bios::Params {
            medium,
            at: places.loader,
            kernel: bios::Payload {
                extent: extent(places.kernel, &kernel.content),
                crc32c: kernel.crc32c()?,
            },
            header: self.header,
            initrd: bios::Payload {
                extent: extent(places.initrd, &initrd.content),
                crc32c: initrd.crc32c()?,
            },
            cmdline: bios::Payload { extent: text, crc32c: crc32c::crc32c(cmdline.as_bytes()) },
            serial: self.serial,
        };
        let mut code = bios::stage2(&params)?;
        code.extend_from_slice(cmdline.as_bytes());
        Ok(code)
    }

    /// Code of a master boot record that starts the second stage at byte `stage2_at` of a disk.
    pub(super) fn mbr(stage2_at: u64) -> Result<Vec<u8>, Error> {
        Ok(bios::mbr(&bios::Mbr { stage2_at })?.to_vec())
    }
}

/// The start of the kernel as the boot protocol describes it, if a BIOS can boot the payload.
pub(super) fn check(payload: &Payload, options: &Options) -> Result<Header, Error> {
    let kernel = &payload.kernel.content;
    let mut head = Stream::new(Vec::new());
    head.layout(&kernel.window(0, kernel.len().min(bzimage::HEAD_LEN as u64)))?;
    let header = Header::parse(&head.into_inner(), kernel.len())?;
    if let Err(doubt) = header.check_len(kernel.len()) {
        (options.doubt)(&doubt);
    }
    header.check_cmdline(payload.cmdline.as_bytes())?;
    Ok(header)
}
