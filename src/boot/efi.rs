//! What a UEFI starts from a medium: an EFI system partition, and the programs on it.
//!
//! ```text
//! EFI/BOOT/BOOTX64.EFI    the stub, told where the kernel is   | with `--efi-loader`, that program,
//! EFI/BOOT/…              ─                                    | those that it starts,
//! loader/                 ─                                    | and entries for them
//! ```
//!
//! \[PE\] Microsoft, *PE Format* (2025). \[UEFI\] *UEFI Specification* 2.11. \[x86 boot protocol\]
//! *The Linux/x86 Boot Protocol*, `Documentation/arch/x86/boot.rst` of Linux 6.12.

use super::draft::Draft;
use super::{Error, Files, Options, Payload, entries};
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::pe::{self, Section};
use mkimage_formats::{Late, Layout};
use mkimage_loaders::uefi::{self, Arch, Extent, Extents, File, Paths};
use std::ffi::OsStr;

/// The architecture of an EFI program, by its header: \[PE\] §3.3.1 "Machine Types".
pub(super) fn arch(kernel: &Layout) -> Result<Arch, Error> {
    const HEAD: u64 = 4096;
    let head = read(kernel, HEAD)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        return Err(Error::EfiKernel("it is compressed as a whole"));
    }
    if !head.starts_with(b"MZ") {
        return Err(Error::EfiKernel(match is_kernel(&head) {
            true => "it was built without CONFIG_EFI_STUB",
            false => "the file is not a kernel for x86-64 or AArch64",
        }));
    }
    let pointer = head.get(0x3c..0x40).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
    let header = usize::try_from(pointer).ok().and_then(|at| head.get(at..)?.get(..6));
    match header {
        Some([b'P', b'E', 0, 0, 0x64, 0x86]) => Ok(Arch::X86_64),
        Some([b'P', b'E', 0, 0, 0x64, 0xaa]) => Ok(Arch::Aarch64),
        Some([b'P', b'E', 0, 0, ..]) => Err(Error::EfiKernel("it is for neither x86-64 nor AArch64")),
        _ => Err(Error::EfiKernel("its header is damaged")),
    }
}

/// \[x86 boot protocol\] `header`; Linux, *Documentation/arch/arm64/booting.rst*, `magic`.
fn is_kernel(head: &[u8]) -> bool {
    head.get(0x202..0x206) == Some(b"HdrS") || head.get(0x38..0x3c) == Some(b"ARM\x64")
}

/// The release of an x86 kernel, `uname -r`: \[x86 boot protocol\] `kernel_version`, a text that
/// begins with it. None of others, which do not say it.
pub(super) fn release(kernel: &Layout) -> Result<Option<Vec<u8>>, Error> {
    const POINTER: usize = 0x20e;
    const HEAD: u64 = 64 << 10;
    let head = read(kernel, HEAD)?;
    if head.get(0x202..0x206) != Some(b"HdrS") {
        return Ok(None);
    }
    let text = head.get(POINTER..POINTER + 2).map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])) + 0x200);
    let word = text.and_then(|at| head.get(at..)?.split(|b| matches!(b, 0 | b' ')).next());
    Ok(word.filter(|word| !word.is_empty() && word.len() < 65).map(<[u8]>::to_vec))
}

/// The first bytes of `content`, at most `len`.
fn read(content: &Layout, len: u64) -> Result<Vec<u8>, Error> {
    let mut head = Stream::new(Vec::new());
    head.layout(&content.window(0, content.len().min(len)))?;
    Ok(head.into_inner())
}

/// Where a UEFI looks on a medium: \[UEFI\] §3.5.1.1 "Removable Media Boot Behavior".
pub(super) fn path(arch: Arch) -> String {
    format!("EFI/BOOT/{}", arch.boot_file())
}

/// The stub for a medium that has kernel and initrd at these offsets, in bytes from its start. Its
/// length is the same whatever they are.
pub(super) fn by_extents(payload: &Payload, kernel: u64, initrd: u64) -> Result<Layout, Error> {
    let (kernel_len, initrd_len) = (payload.kernel.content.len(), payload.initrd.content.len());
    let section = move |kernel_sum, initrd_sum| {
        let file = |at, len, sha256| Extent { at, len, sha256 };
        let initrd = (initrd_len > 0).then(|| file(initrd, initrd_len, initrd_sum));
        Extents { kernel: file(kernel, kernel_len, kernel_sum), initrd }.section()
    };
    stub(payload, Section { name: uefi::EXTENTS, content: with_sums(payload, section) })
}

/// Adds what a UEFI starts to a volume with `files`.
pub(super) fn add_by_paths(
    volume: &mut Draft,
    payload: &Payload,
    files: Files,
    options: &Options,
) -> Result<(), Error> {
    if options.efi_loaders.is_empty() {
        volume.file(&path(arch(&payload.kernel.content)?), by_paths(payload, files)?)
    } else {
        add_loaders(volume, payload, options)
    }
}

/// The stub for a volume with `files`.
fn by_paths(payload: &Payload, files: Files) -> Result<Layout, Error> {
    let (kernel_len, initrd_len) = (payload.kernel.content.len(), payload.initrd.content.len());
    let section = move |kernel_sum, initrd_sum| {
        let file = |path: &str, len, sha256| File { path: path.into(), len, sha256 };
        let initrd = (initrd_len > 0).then(|| file(files.initrd, initrd_len, initrd_sum));
        Paths { kernel: file(files.kernel, kernel_len, kernel_sum), initrd }.section()
    };
    stub(payload, Section { name: uefi::PATHS, content: with_sums(payload, section) })
}

/// What `section` makes of the digests of kernel and initrd, whose length does not depend on them:
/// they are computed from now on, while the rest is planned and written.
fn with_sums(
    payload: &Payload,
    section: impl Fn([u8; 32], [u8; 32]) -> Vec<u8> + Send + Sync + 'static,
) -> Layout {
    let len = section([0; 32], [0; 32]).len();
    let (kernel, initrd) = (payload.kernel.clone(), payload.initrd.clone());
    kernel.begin_sha256();
    initrd.begin_sha256();
    Late::new(len, move || Ok(section(kernel.sha256()?, initrd.sha256()?))).into()
}

fn stub(payload: &Payload, places: Section) -> Result<Layout, Error> {
    let sections: Vec<Section> = cmdline(payload).into_iter().chain([places]).collect();
    Ok(pe::append(arch(&payload.kernel.content)?.stub(), &sections)?)
}

/// The section of the command line, if there is one: a PE has no empty sections.
pub(super) fn cmdline(payload: &Payload) -> Option<Section> {
    let content = payload.cmdline.clone().into_bytes().into();
    (!payload.cmdline.is_empty()).then_some(Section { name: uefi::CMDLINE, content })
}

/// Adds other people's programs to a volume with kernel and initrd, and what they look for there.
pub(super) fn add_loaders(volume: &mut Draft, payload: &Payload, options: &Options) -> Result<(), Error> {
    let folder = |name| format!("EFI/BOOT/{name}");
    let first = arch(&payload.kernel.content)?.boot_file();
    let mut names = vec![first.to_owned()];
    for (i, path) in options.efi_loaders.iter().enumerate() {
        let program = Layout::file(path).map_err(|source| Error::EfiFile { path: path.clone(), source })?;
        if i == 0 {
            volume.file(&folder(first), program)?;
            continue;
        }
        let name = path.file_name().and_then(OsStr::to_str);
        let name = name.ok_or_else(|| Error::LoaderName { path: path.clone() })?;
        // Debian's packages have signed programs under such names, and nobody looks for those.
        let name = name.strip_suffix(".signed").unwrap_or(name);
        if names.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(Error::SameLoader { path: path.clone(), name: name.to_owned() });
        }
        volume.file(&folder(name), program)?;
        names.push(name.to_owned());
    }
    entries::add(volume, payload)
}
