//! What a Raspberry Pi starts, model 3 and its like: cards for its own firmware, and files for a
//! card with U-Boot.
//!
//! ```text
//! card   MBR │ FAT32 (active) │ free         firmware ─▶ kernel8.img, initrd.img, cmdline.txt, *.dtb
//!              1 MiB
//! files  firmware ─▶ u-boot.bin ─▶ boot.scr ─▶ kernel.uimg, initrd.uimg, dtb/broadcom/*.dtb
//! ```
//!
//! The firmware is not free, so it is never ours: it comes from a folder of the user's.
//!
//! \[ARM64\] *Booting AArch64 Linux*, `Documentation/arch/arm64/booting.rst` of Linux 6.12. \[CONFIG\]
//! Raspberry Pi Ltd, *The config.txt file*. \[DISTRO\] U-Boot, `doc/develop/distro.rst`: which script
//! is started, and the variables that it has.

use super::disk::{self, MIB};
use super::draft::Draft;
use super::{Error, Options, Payload, one_line};
use crate::kernel;
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::fat;
use mkimage_formats::mbr::{self, Geometry, PartitionType};
use mkimage_formats::sector::SectorSize;
use mkimage_formats::uboot::{self, Compression, Type};
use mkimage_formats::{Layout, Tree};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A device tree: its path below `dtb`, as `broadcom/bcm2837-rpi-3-b.dtb`, and its content.
pub type DeviceTree = (String, Layout);

/// The files of U-Boot's card.
const KERNEL: &str = "kernel.uimg";
const INITRD: &str = "initrd.uimg";
/// The model that stands in for others that U-Boot does not know.
const MODEL_3B: &str = "broadcom/bcm2837-rpi-3-b.dtb";

/// A card with `payload`, whose kernel is for AArch64, and the folder `--rpi-firmware`.
///
/// # Errors
/// The Raspberry Pi cannot boot the kernel, there is no firmware or no device tree for it, or the
/// payload does not fit.
pub fn rpi_card(payload: &Payload, trees: &[DeviceTree], options: &Options) -> Result<Layout, Error> {
    if options.sector_size != SectorSize::B512 {
        return Err(Error::CardSectors);
    }
    Image::of(&payload.kernel.content)?;
    let trees = of_board(trees, |path| path.rsplit('/').next().unwrap_or(path))?;
    let folder = options.rpi_firmware.as_deref().ok_or(Error::RpiFirmware)?;
    let mut draft = Draft::writable(options.epoch);
    firmware(&mut draft, folder, false)?;
    draft.file("kernel8.img", payload.kernel.content.clone())?;
    let mut config = String::from("arm_64bit=1\nenable_uart=1\nkernel=kernel8.img\n");
    if !payload.initrd.content.is_empty() {
        draft.file("initrd.img", payload.initrd.content.clone())?;
        config += "initramfs initrd.img followkernel\n";
    }
    // [CONFIG] "upstream_kernel": the names that Linux has for device trees, before the vendor's.
    if trees.keys().any(|name| name.contains("bcm2837")) {
        config += "upstream_kernel=1\n";
    }
    for (name, content) in trees {
        draft.file(name, content.clone())?;
    }
    draft.file("cmdline.txt", format!("{}\n", one_line(&payload.cmdline)).into_bytes())?;
    draft.file("config.txt", config.into_bytes())?;

    let fat = disk::volume(&draft, MIB, fat::Options::esp(SectorSize::B512, 0), payload, options)?;
    let size = disk::size(MIB + fat.len(), options)?;
    let partition = mbr::Partition {
        active: true,
        kind: PartitionType::FAT32_LBA,
        first: disk::sectors(MIB),
        sectors: disk::sectors(fat.len()),
    };
    let mut card =
        Layout::from(mbr::sector(&[], payload.signature()?, &[partition], Geometry::LARGE)?.to_vec());
    card.pad_to(MIB);
    card.append(fat.layout(&draft.tree)?);
    card.pad_to(size);
    Ok(card)
}

/// The files of a card whose U-Boot starts `payload`. `file` is the kernel as it came: U-Boot
/// unpacks gzip.
///
/// # Errors
/// The Raspberry Pi cannot boot the kernel, there is no device tree for it, or something is missing
/// in the folder `--rpi-firmware`.
pub fn rpi_files(
    payload: &Payload,
    file: &Layout,
    trees: &[DeviceTree],
    options: &Options,
) -> Result<Tree, Error> {
    let image = Image::of(&payload.kernel.content)?;
    let trees = of_board(trees, |path| path)?;
    let mut draft = Draft::writable(options.epoch);
    match &options.rpi_firmware {
        Some(folder) => firmware(&mut draft, folder, true)?,
        None => (options.doubt)(&NoFirmware),
    }
    draft.file("config.txt", b"arm_64bit=1\nenable_uart=1\nkernel=u-boot.bin\n".to_vec())?;
    for (path, content) in trees {
        draft.file(&format!("dtb/{path}"), content.clone())?;
    }
    let (content, compression) = match kernel::packed(file)? {
        Some(kernel::Payload::Gzip) => (file, Compression::GZIP),
        _ => (&payload.kernel.content, Compression::NONE),
    };
    let has_initrd = !payload.initrd.content.is_empty();
    let places = Places::new(&image, content.len(), payload.initrd.content.len())?;
    let of = |content: &Layout, kind, compression, load| {
        let options = uboot::Options { kind, compression, name: String::new(), load, epoch: options.epoch };
        uboot::image(content.clone(), &options)
    };
    draft.file(KERNEL, of(content, Type::KERNEL, compression, places.load)?)?;
    if has_initrd {
        draft.file(INITRD, of(&payload.initrd.content, Type::RAMDISK, Compression::NONE, 0)?)?;
    }
    let script = script(&payload.cmdline, &places, has_initrd);
    draft.file("boot.scr", uboot::script(&script, "mkimage", options.epoch)?)?;
    // What LinuxKit's has too: the script for people to read.
    draft.file("boot.script", script.into_bytes())?;
    Ok(draft.tree)
}

/// Those of `trees` that are for a Raspberry Pi, by the name that `name` gives each.
fn of_board(trees: &[DeviceTree], name: fn(&str) -> &str) -> Result<BTreeMap<&str, &Layout>, Error> {
    let mut found = BTreeMap::new();
    for (path, content) in trees.iter().filter(|(path, _)| path.contains("bcm2") && path.contains("-rpi-")) {
        let name = name(path);
        if found.insert(name, content).is_some_and(|other| other != content) {
            return Err(Error::SameDeviceTree { name: name.to_owned() });
        }
    }
    if found.is_empty() { Err(Error::DeviceTree) } else { Ok(found) }
}

/// Adds the Raspberry Pi's own files to a card, and U-Boot if it is wanted.
fn firmware(card: &mut Draft, folder: &Path, u_boot: bool) -> Result<(), Error> {
    let failed = |source| Error::RpiFolder { path: folder.into(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        // All that are wanted have names in ASCII.
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    let needed = ["bootcode.bin", "start.elf", "fixup.dat"].into_iter().chain(u_boot.then_some("u-boot.bin"));
    for name in needed {
        if !names.iter().any(|found| found == name) {
            return Err(Error::RpiFile { path: folder.into(), name });
        }
    }
    let is = |name: &str, head, tail| name.starts_with(head) && name.ends_with(tail);
    names.retain(|name| {
        name == "bootcode.bin"
            || name == "LICENCE.broadcom"
            || (u_boot && name == "u-boot.bin")
            || is(name, "start", ".elf")
            || is(name, "fixup", ".dat")
    });
    for name in names {
        let path = folder.join(&name);
        card.file(&name, Layout::file(&path).map_err(|source| Error::RpiFolder { path, source })?)?;
    }
    Ok(())
}

/// There is nothing that would start U-Boot.
#[derive(Debug, thiserror::Error)]
#[error(
    "`rpi3` has neither firmware nor U-Boot: it is for a card that has them, unless --rpi-firmware names a folder \
     with them"
)]
struct NoFirmware;

/// What a kernel says about itself, bytes.
struct Image {
    /// From 2 MiB, where it has to be.
    offset: u32,
    /// Of memory that it needs from there.
    len: u64,
}

impl Image {
    /// \[ARM64\] "4. Call the kernel image".
    fn of(kernel: &Layout) -> Result<Self, Error> {
        let mut head = Stream::new(Vec::new());
        head.layout(&kernel.window(0, kernel.len().min(64)))?;
        let head = head.into_inner();
        if head.get(4..8) == Some(b"zimg") {
            return Err(Error::RpiKernel(
                "it is an EFI program that unpacks itself; the kernel in it is wanted",
            ));
        }
        let number = |at: usize| head.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        let (Some(b"ARM\x64"), Some(offset), Some(len)) = (head.get(0x38..0x3c), number(8), number(16))
        else {
            return Err(Error::RpiKernel("it is no `Image` for arm64"));
        };
        match (u32::try_from(offset), u32::try_from(len)) {
            (Ok(offset), Ok(len @ 1..)) if u64::from(offset) < ALIGNMENT => {
                Ok(Image { offset, len: u64::from(len).max(kernel.len()) })
            }
            _ => Err(Error::RpiKernel("it was made before Linux 3.17, or its header is damaged")),
        }
    }
}

/// Bytes. A kernel is placed from its multiples on, and a device tree is in one of them.
const ALIGNMENT: u64 = 2 * MIB;
/// The memory that we use of the smallest model's 1 GiB, bytes: at its end are U-Boot and what the
/// graphics processor has.
const MEMORY: u64 = 880 * MIB;

/// Addresses in memory. The usual variables of U-Boot's have a kernel unpacked onto itself.
#[derive(Debug, PartialEq)]
struct Places {
    load: u32,
    tree: u32,
    kernel: u32,
    initrd: u32,
}

impl Places {
    /// For a kernel and an initrd with files of these lengths.
    fn new(image: &Image, kernel: u64, initrd: u64) -> Result<Self, Error> {
        // What is below is the firmware's.
        let load = ALIGNMENT + u64::from(image.offset);
        let tree = (load + image.len).next_multiple_of(ALIGNMENT);
        let file = tree + ALIGNMENT;
        // Their headers fit into the gaps.
        let ramdisk = (file + kernel + 512).next_multiple_of(ALIGNMENT);
        let end = ramdisk + initrd + 512;
        let address = |at| u32::try_from(at).map_err(|_| Error::RpiMemory { needed: end, limit: MEMORY });
        if end > MEMORY {
            return Err(Error::RpiMemory { needed: end, limit: MEMORY });
        }
        Ok(Places {
            load: address(load)?,
            tree: address(tree)?,
            kernel: address(file)?,
            initrd: address(ramdisk)?,
        })
    }
}

/// Commands for U-Boot, \[DISTRO\] "Boot scripts".
fn script(cmdline: &str, places: &Places, has_initrd: bool) -> String {
    let Places { tree, kernel, initrd, .. } = places;
    // Quotes keep everything but themselves, and a backslash is taken for a sign all the same.
    let cmdline = one_line(cmdline).replace('\\', "\\\\").replace('\'', "'\\''");
    let load =
        |at: u32, path: &str| format!("load ${{devtype}} ${{devnum}}:${{distro_bootpart}} {at:#x} {path}");
    let tree_file =
        format!("{} || {}", load(*tree, "dtb/${fdtfile}"), load(*tree, &format!("dtb/{MODEL_3B}")));
    let kernel_file = load(*kernel, KERNEL);
    let start = match has_initrd {
        true => format!("{} && bootm {kernel:#x} {initrd:#x} {tree:#x}", load(*initrd, INITRD)),
        false => format!("bootm {kernel:#x} - {tree:#x}"),
    };
    format!("setenv bootargs '{cmdline}'\n{tree_file}\n{kernel_file} && {start}\n")
}

#[cfg(test)]
mod tests;
