//! OVA, a virtual machine in one file: a tar archive with its description, digests and media.
//!
//! ```text
//! ├─ NAME.ovf ──┼─ NAME.mf ──┼─ disk or ISO ... ──┼─ zeros ─┤
//!   description    digests        as they are         1024
//! ```
//!
//! The description comes first and the digests second, so that an importer knows what is coming
//! before it is there (\[OVF\] §5.3 "Distribution as a single file" demands the order, and ustar, whose
//! files end at 8 GiB).
//!
//! ```
//! use mkimage_formats::ova::{self, Firmware, Medium, MediumKind};
//! use mkimage_formats::{Layout, emit, spool::Spool, vmdk};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let (path, out) = (dir.path().join("spool"), dir.path().join("demo.ova"));
//! let mut disk = Layout::from(vec![1; 512]);
//! disk.pad_to(64 << 20);
//! let kind = MediumKind::Disk { size: disk.len() };
//! let spool = Spool { path, threads: std::thread::available_parallelism()?, memo: None, cache: None };
//! let file = vmdk::stream_optimized(&disk, &vmdk::Options::new("disk.vmdk", 0x2bad_cafe), &spool)?;
//! let media = vec![Medium { name: "disk.vmdk".into(), file, kind }];
//! let machine = ova::layout(media, &ova::Options::new("demo", Firmware::Efi))?;
//! emit::emit(&machine, &out)?;
//! std::fs::remove_file(&spool.path)?;
//! # assert!(std::fs::read(&out)?.starts_with(b"demo.ovf\0"));
//! # Ok(())
//! # }
//! ```
//!
//! \[OVF\] DMTF DSP0243 1.1.1, *Open Virtualization Format Specification*.

use crate::emit::{self, Sink, Stream};
use crate::layout::Layout;
use crate::sum::Sum;
use crate::tar;
use crate::vmdk::Adapter;
use sha1::Sha1;
use sha2::Sha256;
use std::fmt::Write as _;

mod descriptor;

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Of the machine: what its user sees. Files in the archive are named by its [`stem`].
    pub name: String,
    /// Virtual CPUs.
    pub cpus: u32,
    /// MiB.
    pub memory: u32,
    /// What boots it.
    pub firmware: Firmware,
    /// What its disks are attached to.
    pub adapter: Adapter,
    /// Virtual hardware version: hosts that do not know it refuse the machine.
    pub hardware_version: u32,
    /// The guest, in VMware's terms. [`Options::new`] has what fits any Linux.
    pub guest: String,
    /// How files are summed.
    pub digest: Digest,
    /// When the files were modified, seconds since 1970.
    pub modified: u64,
}

impl Options {
    /// A machine with two CPUs and 2 GiB of memory, for vSphere 6.7 U2 and later.
    #[must_use]
    pub fn new(name: impl Into<String>, firmware: Firmware) -> Self {
        Options {
            name: name.into(),
            cpus: 2,
            memory: 2048,
            firmware,
            adapter: Adapter::LsiLogic,
            hardware_version: 15,
            guest: "other3xLinux64Guest".into(),
            digest: Digest::Sha256,
            modified: 0,
        }
    }
}

/// What boots a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// PC BIOS.
    Bios,
    /// UEFI.
    Efi,
}

/// What the manifest sums files with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// vSphere 6.0 and later.
    Sha256,
    /// All there was for vSphere 5.5.
    Sha1,
}

/// What a machine boots from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    /// Its file's name in the archive.
    pub name: String,
    /// The file.
    pub file: Layout,
    /// What it is attached as.
    pub kind: MediumKind,
}

/// What a medium is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediumKind {
    /// A streamOptimized VMDK.
    Disk {
        /// Of the disk that is in it, bytes. The description has the VMDK's capacity: whole grains.
        size: u64,
    },
    /// An ISO image.
    Cdrom,
}

/// Why there is no OVA.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine's name.
    #[error(
        "the name `{name}`; a virtual machine's has 1 to {MAX_NAME} characters, none of them a control character"
    )]
    MachineName {
        /// The name.
        name: String,
    },
    /// A name that is also a URL, or in the manifest, or that VMware knows.
    #[error("the name `{name}`; in an OVA it has 1 to 96 letters, digits, `.`, `-`, `_` and `+`")]
    Name {
        /// The name.
        name: String,
    },
    /// Two files of one name.
    #[error("two files are named `{name}`")]
    Twice {
        /// The name.
        name: String,
    },
    /// More media than controllers take.
    #[error("{count} media; a machine here has up to {disks} disks and {} ISO images", descriptor::CDROMS)]
    Media {
        /// How many.
        count: usize,
        /// Disks that the adapter takes.
        disks: usize,
    },
    /// Longer than the header of the archive can say.
    #[error(
        "`{name}` has {len} bytes; an OVA is a ustar archive, whose files have at most {}",
        tar::MAX_USTAR
    )]
    Size {
        /// The file.
        name: String,
        /// Bytes.
        len: u64,
    },
    /// A medium cannot be read.
    #[error(transparent)]
    Read(#[from] emit::Error),
}

/// The machine with `media`, attached in this order. Reads all of them, to sum them.
///
/// # Errors
/// A name or a size that the archive cannot have, or a medium cannot be read.
pub fn layout(media: Vec<Medium>, options: &Options) -> Result<Layout, Error> {
    check(&media, options)?;
    let mut files = Vec::new();
    let description = descriptor::text(&media, options);
    let stem = stem(&options.name);
    files.push((format!("{stem}.ovf"), description.into_bytes().into()));
    files.extend(media.into_iter().map(|medium| (medium.name, medium.file)));
    let manifest = manifest(&files, options.digest)?;
    files.insert(1, (format!("{stem}.mf"), manifest.into_bytes().into()));

    let mut out = Layout::default();
    for (name, file) in files {
        let len = file.len();
        let Some(header) = tar::ustar_header(&name, len, options.modified) else {
            return Err(Error::Size { name, len });
        };
        out.push(header);
        out.append(file);
        out.pad_to_multiple(512);
    }
    out.push(vec![0; 1024]);
    Ok(out)
}

/// What the files of a machine called `name` are called: what cannot be in a URL and in a manifest as
/// it is becomes `_`.
#[must_use]
pub fn stem(name: &str) -> String {
    name.chars().map(|c| if is_special(c) { '_' } else { c }).collect()
}

fn is_special(c: char) -> bool {
    !c.is_ascii_alphanumeric() && !".-_+".contains(c)
}

/// Characters of a machine's name, in vSphere.
const MAX_NAME: usize = 80;

fn check(media: &[Medium], options: &Options) -> Result<(), Error> {
    let name = &options.name;
    if !(1..=MAX_NAME).contains(&name.chars().count()) || name.contains(char::is_control) {
        return Err(Error::MachineName { name: name.clone() });
    }
    let names = media.iter().map(|medium| &medium.name).chain([&options.guest]);
    let bad = |name: &&String| name.is_empty() || name.len() > 96 || name.contains(is_special);
    if let Some(name) = names.into_iter().find(bad) {
        return Err(Error::Name { name: name.clone() });
    }
    let stem = stem(name);
    let own = [format!("{stem}.ovf"), format!("{stem}.mf")];
    let mut seen: Vec<_> = own.iter().collect();
    for medium in media {
        if seen.contains(&&medium.name) {
            return Err(Error::Twice { name: medium.name.clone() });
        }
        seen.push(&medium.name);
    }
    if let Some(medium) = media.iter().find(|medium| medium.file.len() > tar::MAX_USTAR) {
        return Err(Error::Size { name: medium.name.clone(), len: medium.file.len() });
    }
    let cdroms = media.iter().filter(|medium| medium.kind == MediumKind::Cdrom).count();
    let disks = descriptor::disks_of(options.adapter);
    if cdroms > descriptor::CDROMS || media.len() - cdroms > disks {
        return Err(Error::Media { count: media.len(), disks });
    }
    Ok(())
}

/// \[OVF\] §5.1 "Virtual machine package structure": a line for each file.
fn manifest(files: &[(String, Layout)], digest: Digest) -> Result<String, Error> {
    let mut text = String::new();
    for (name, file) in files {
        let (kind, sum) = match digest {
            Digest::Sha256 => ("SHA256", sum::<Sha256>(file)?),
            Digest::Sha1 => ("SHA1", sum::<Sha1>(file)?),
        };
        // Importers know no other spacing.
        writeln!(text, "{kind}({name})= {sum}").expect("a string takes all");
    }
    Ok(text)
}

/// The digest of a file, in hexadecimal.
fn sum<D: sha2::Digest>(file: &Layout) -> Result<String, emit::Error> {
    let mut stream = Stream::new(Sum(D::new()));
    stream.layout(file)?;
    let digest = stream.into_inner().0.finalize();
    Ok(digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")))
}
