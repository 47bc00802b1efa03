//! CDs that a BIOS boots, and disks that they are copied to.
//!
//! ```text
//! boot/bios.bin    second stage, then    | isolinux/isolinux.bin   with `--bios-loader`
//!                  the command line      | isolinux/ldlinux.c32
//! boot/initrd.img  the initrd            | isolinux/isolinux.cfg
//! boot/kernel      the kernel            |
//! ```

use super::Payload;
use crate::rootfs::T0;
use mkimage_formats::emit::{self, Sink, Stream};
use mkimage_formats::gpt::Guid;
use mkimage_formats::iso::{self, BootEntry, Hybrid, Iso, Profile};
use mkimage_formats::tree::{self, Time};
use mkimage_formats::{Kind, Layout, Meta, Node, OriginId, Tree, TreePath};
use mkimage_loaders::bios::{self, Extent, Medium, Serial};
use mkimage_loaders::bzimage::{self, Header};
use sha2::{Digest, Sha256};
use std::io;
use std::path::{Path, PathBuf};

/// The program between the BIOS and the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loader {
    /// mkimage's own, which repeats its words on the serial port, if one is given.
    BuiltIn(Option<Serial>),
    /// `isolinux.bin` and `ldlinux.c32` of this folder; with an `isohdpfx.bin` beside them, disks
    /// boot too.
    Isolinux(PathBuf),
}

/// What an ISO has beside its payload.
#[derive(Clone, Debug)]
pub struct IsoOptions {
    /// Starts the kernel.
    pub loader: Loader,
    /// The volume's name.
    pub volume: String,
    /// The time of everything that mkimage makes.
    pub epoch: Time,
    /// Is told what may be wrong, and need not be.
    pub doubt: fn(&dyn std::error::Error),
}

impl Default for IsoOptions {
    /// The built-in loader on the screen alone, and LinuxKit's name and date.
    fn default() -> Self {
        IsoOptions { loader: Loader::BuiltIn(None), volume: "LinuxKit".into(), epoch: T0, doubt: |_| () }
    }
}

/// An ISO with `payload`, and with `root`, a root file system, if there is one.
///
/// # Errors
/// The kernel is none for a BIOS, the payload does not fit, or the loader's files cannot be read.
pub fn iso(payload: &Payload, root: Option<&Tree>, options: &IsoOptions) -> Result<Layout, Error> {
    let header = header(&payload.kernel.content)?;
    if let Err(doubt) = header.check_len(payload.kernel.content.len()) {
        (options.doubt)(&doubt);
    }
    header.check_cmdline(payload.cmdline.as_bytes())?;
    let mut medium = Draft { tree: root.cloned().unwrap_or_default(), epoch: options.epoch };
    medium.dir("boot")?;
    medium.file(KERNEL, payload.kernel.content.clone())?;
    if !payload.initrd.content.is_empty() {
        medium.file(INITRD, payload.initrd.content.clone())?;
    }
    match &options.loader {
        Loader::BuiltIn(serial) => built_in(medium, payload, header, *serial, options),
        Loader::Isolinux(folder) => isolinux(medium, payload, folder, options),
    }
}

const KERNEL: &str = "boot/kernel";
const INITRD: &str = "boot/initrd.img";
/// Files lie in the order of their names: a medium that was cut off still has who can say so.
const LOADER: &str = "boot/bios.bin";
/// Without a name it would lie behind all files, and a CD that was cut off would not start at all.
const CATALOG: &str = "boot/bios.cat";
const ISOLINUX: &str = "isolinux/isolinux.bin";

/// The start of the kernel, as the boot protocol describes it.
fn header(kernel: &Layout) -> Result<Header, Error> {
    let len = kernel.len().min(bzimage::HEAD_LEN as u64);
    let mut head = Stream::new(Vec::new());
    head.layout(&kernel.window(0, len))?;
    Ok(Header::parse(&head.into_inner(), kernel.len())?)
}

/// The tree of an ISO on its way.
struct Draft {
    tree: Tree,
    epoch: Time,
}

impl Draft {
    fn dir(&mut self, path: &str) -> Result<(), Error> {
        let path = TreePath::new(path)?;
        if self.tree.get(&path).is_none_or(|n| !n.is_dir()) {
            self.insert(path, 0o755, Kind::Dir)?;
        }
        Ok(())
    }

    fn file(&mut self, path: &str, content: Layout) -> Result<(), Error> {
        self.insert(TreePath::new(path)?, 0o444, Kind::File(content))
    }

    fn insert(&mut self, path: TreePath, mode: u16, kind: Kind) -> Result<(), Error> {
        let node = Node { meta: Meta::new(mode, self.epoch), kind, origin: OriginId::default() };
        self.tree.insert(path, node)?;
        Ok(())
    }

    fn plan(&self, boot: BootEntry, catalog: Option<&str>, options: &IsoOptions) -> Result<Iso, Error> {
        let options = iso::Options {
            epoch: options.epoch,
            volume: options.volume.clone(),
            boot: vec![boot],
            catalog: catalog.map(TreePath::new).transpose()?,
            ..iso::Options::default()
        };
        Ok(Iso::new(&self.tree, &options)?)
    }
}

fn built_in(
    mut medium: Draft,
    payload: &Payload,
    header: Header,
    serial: Option<Serial>,
    options: &IsoOptions,
) -> Result<Layout, Error> {
    // The second stage holds places, so it comes after them; its length is known before.
    let cmdline = payload.cmdline.as_bytes();
    let len = (bios::STAGE2_LEN + cmdline.len()) as u64;
    medium.file(LOADER, Layout::hole(len))?;
    let mut iso = medium.plan(BootEntry::bios(TreePath::new(LOADER)?), Some(CATALOG), options)?;

    let at = |path: &str| -> Result<u64, Error> {
        // Files without content have no place, and the loader does not read them.
        Ok(iso.place(&TreePath::new(path)?).map_or(0, |place| place.at))
    };
    let extent = |path, content: &Layout| -> Result<Extent, Error> {
        Ok(Extent { at: at(path)?, len: content.len() })
    };
    let stage2_at = at(LOADER)?;
    let params = bios::Params {
        medium: Medium::Cd,
        at: stage2_at,
        kernel: bios::Payload {
            extent: extent(KERNEL, &payload.kernel.content)?,
            crc32c: payload.kernel.crc32c,
        },
        header,
        initrd: bios::Payload {
            extent: extent(INITRD, &payload.initrd.content)?,
            crc32c: payload.initrd.crc32c,
        },
        cmdline: bios::Payload {
            extent: Extent { at: stage2_at + bios::STAGE2_LEN as u64, len: cmdline.len() as u64 },
            crc32c: crc32c::crc32c(cmdline),
        },
        serial,
    };
    let mut loader = bios::stage2(&params)?;
    loader.extend_from_slice(cmdline);
    medium.file(LOADER, loader.into())?;
    iso.set_hybrid(&hybrid(bios::mbr(&bios::Mbr { stage2_at })?.to_vec(), payload))?;
    Ok(iso.layout(&medium.tree)?)
}

fn isolinux(
    mut medium: Draft,
    payload: &Payload,
    folder: &Path,
    options: &IsoOptions,
) -> Result<Layout, Error> {
    let open = |name: &str| {
        let path = folder.join(name);
        Layout::file(&path).map_err(|source| Error::LoaderFile { path, source })
    };
    let initrd = if payload.initrd.content.is_empty() { String::new() } else { format!("initrd=/{INITRD} ") };
    let config =
        format!("DEFAULT linux\nLABEL linux\n    KERNEL /{KERNEL}\n    APPEND {initrd}{}\n", payload.cmdline);
    medium.dir("isolinux")?;
    medium.file(ISOLINUX, open("isolinux.bin")?)?;
    medium.file("isolinux/ldlinux.c32", open("ldlinux.c32")?)?;
    medium.file("isolinux/isolinux.cfg", config.into_bytes().into())?;
    let boot = BootEntry { info_table: true, ..BootEntry::bios(TreePath::new(ISOLINUX)?) };
    let mut iso = medium.plan(boot, None, options)?;
    let place = iso.place(&TreePath::new(ISOLINUX)?);
    if let Some(mbr) = hybrid_mbr(&folder.join("isohdpfx.bin"), place.map_or(0, |p| p.at))? {
        iso.set_hybrid(&hybrid(mbr, payload))?;
    }
    Ok(iso.layout(&medium.tree)?)
}

/// syslinux's boot sector for hybrid images, told as `isohybrid` does where isolinux.bin is: in
/// 512-byte sectors, at byte 432. None if there is no such file.
fn hybrid_mbr(path: &Path, isolinux_at: u64) -> Result<Option<Vec<u8>>, Error> {
    const PLACE: usize = 432;
    let mut mbr = match std::fs::read(path) {
        Ok(mbr) => mbr,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::LoaderFile { path: path.into(), source }),
    };
    if mbr.len() > bios::MBR_LEN {
        return Err(Error::HybridMbr { path: path.into(), len: mbr.len() });
    }
    mbr.resize(bios::MBR_LEN, 0);
    mbr[PLACE..].copy_from_slice(&(isolinux_at / 512).to_le_bytes());
    Ok(Some(mbr))
}

/// The image as a disk that a BIOS boots.
fn hybrid(code: Vec<u8>, payload: &Payload) -> Hybrid {
    let signature = signature(payload);
    let disk = Guid::derived(&signature.to_le_bytes(), "disk");
    Hybrid { profile: Profile::MbrEf, code, signature, disk, esp: None }
}

/// A disk signature that differs where the payload does.
fn signature(payload: &Payload) -> u32 {
    let mut hash = Sha256::new();
    for part in [&payload.kernel, &payload.initrd] {
        hash.update(part.content.len().to_le_bytes());
        hash.update(part.crc32c.to_le_bytes());
    }
    hash.update(&payload.cmdline);
    let hash = hash.finalize();
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// Why an ISO cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel, or its command line.
    #[error("a BIOS cannot boot this kernel")]
    Kernel(#[from] bzimage::Error),
    /// The loader has no room for something.
    #[error(transparent)]
    Loader(#[from] bios::Error),
    /// A file of `--bios-loader`.
    #[error("cannot read `{path}` of the BIOS loader")]
    LoaderFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not a master boot record.
    #[error("`{path}` has {len} bytes; the code of a master boot record has {limit}", limit = bios::MBR_LEN)]
    HybridMbr {
        /// The file.
        path: PathBuf,
        /// Its length, bytes.
        len: usize,
    },
    /// The file system.
    #[error(transparent)]
    Iso(#[from] iso::Error),
    /// Something in the root file system is where the loader's files go.
    #[error(transparent)]
    Tree(#[from] tree::Error),
    /// The payload cannot be read.
    #[error(transparent)]
    Read(#[from] emit::Error),
}
