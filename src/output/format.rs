//! What a format is made of, and how.

mod table;
mod uses;

pub use table::FORMATS;
pub(crate) use uses::Topic;

use super::cut::cuts;
use super::disk::{Container, Disk};
use super::{Body, Error, Options, OvaMedium, PayloadKind, Product, System, VmdkKind};
use crate::boot::{self, Firmware};
use crate::rootfs::T0;
use mkimage_formats::gpt::Guid;
use mkimage_formats::sector::SectorSize;
use mkimage_formats::{Kind, Layout, Meta, Node, OriginId, Tree, TreePath, erofs, iso, squashfs};
use std::borrow::Cow;

/// A kind of output.
pub struct Format {
    /// LinuxKit's name for it, or ours.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    recipe: Recipe,
    carries: Carries,
    /// What its file's name ends with.
    suffix: &'static str,
}

/// How a format is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recipe {
    /// A tar archive of the root file system.
    Tar,
    /// The same for Docker.
    Docker,
    /// Three files, each with a suffix of its own.
    Files,
    /// The three files in an archive.
    TarOfFiles,
    /// A CD and a stick.
    Iso(Firmware),
    /// A disk and a stick.
    Disk {
        boots: Boots,
        container: Container,
        /// It is for machines that are sold with disks of whole GiB.
        whole_gib: bool,
    },
    /// Kernel, command line, and the root file system as a read-only image.
    Root(RootImage),
    /// An EFI program.
    Uki,
    /// A card for the Raspberry Pi's firmware.
    RpiCard,
    /// The files of one with U-Boot, in an archive.
    RpiFiles,
}

/// What a disk boots from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Boots {
    /// This, as the format's name says.
    By(Firmware),
    /// What is asked for, or else this.
    Usually(Firmware),
}

/// A read-only file system.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RootImage {
    Erofs,
    Iso,
    Squashfs,
}

/// The form in which a format has the root file system.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carries {
    /// As files.
    Tree,
    /// As an initrd.
    Initrd,
    /// As what media are asked to carry.
    Payload,
}

impl Boots {
    fn firmware(self, options: &Options) -> Firmware {
        match self {
            Boots::By(firmware) => firmware,
            Boots::Usually(firmware) => options.firmware.unwrap_or(firmware),
        }
    }
}

impl Recipe {
    /// A disk whose name says what it boots from.
    const fn disk(firmware: Firmware, container: Container) -> Self {
        Recipe::Disk { boots: Boots::By(firmware), container, whole_gib: false }
    }

    /// A disk for whichever firmware is asked for.
    const fn any_disk(firmware: Firmware, container: Container) -> Self {
        Recipe::Disk { boots: Boots::Usually(firmware), container, whole_gib: false }
    }

    /// The same, for one provider's machines.
    const fn cloud_disk(firmware: Firmware, container: Container) -> Self {
        Recipe::Disk { boots: Boots::Usually(firmware), container, whole_gib: true }
    }

    fn is_disk(self) -> bool {
        matches!(self, Recipe::Disk { .. })
    }
}

impl Format {
    /// The format called `name`.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<&'static Format, Error> {
        FORMATS.iter().find(|f| f.name == name).ok_or_else(|| Error::Unknown { name: name.to_owned() })
    }

    /// It needs [`System::initrd`] when media carry `payload`.
    #[must_use]
    pub fn needs_initrd(&self, payload: PayloadKind) -> bool {
        match self.carries {
            Carries::Tree => false,
            Carries::Initrd => true,
            Carries::Payload => payload == PayloadKind::Initrd,
        }
    }

    /// It is one archive, which can go to standard output.
    #[must_use]
    pub fn is_streamable(&self) -> bool {
        matches!(self.recipe, Recipe::Tar | Recipe::Docker)
    }

    pub(super) fn products<'a>(
        &self,
        system: &'a System,
        options: &Options,
        name: &str,
    ) -> Result<Vec<Product<'a>>, Error> {
        let kind = if self.carries == Carries::Initrd { PayloadKind::Initrd } else { options.payload };
        let medium = || system.medium(self.name, kind, options.scratch.as_deref());
        if system.aarch64.is_some() && !self.holds_two(kind) {
            return Err(Error::OneArchitecture { format: self.name });
        }
        let body = match self.recipe {
            Recipe::Files => return Ok(files(system, true)),
            Recipe::Tar => Body::Tar(Cow::Borrowed(system.tree(self.name)?)),
            Recipe::Docker => Body::Tar(Cow::Owned(docker(system.tree(self.name)?)?)),
            Recipe::TarOfFiles => Body::Tar(Cow::Owned(tar_of_files(system)?)),
            Recipe::Iso(firmware) => {
                let (payload, root) = medium()?;
                root.into_iter().flat_map(cuts).for_each(|cut| (options.boot.doubt)(&cut));
                let other = |other: &'a System| other.medium(self.name, kind, options.scratch.as_deref());
                let aarch64 = system.aarch64.as_deref().map(other).transpose()?;
                let aarch64 = aarch64.as_ref().map(|(payload, _)| payload);
                Body::Layout(boot::iso(&payload, aarch64, root, firmware, &options.boot)?)
            }
            Recipe::Disk { boots, container, whole_gib } => {
                let (payload, _) = medium()?;
                let disk = Disk {
                    payload: &payload,
                    firmware: boots.firmware(options),
                    whole_gib,
                    format: self.name,
                    name,
                    suffix: self.suffix(options),
                    options,
                };
                return disk.products(container);
            }
            Recipe::Root(image) => return self.root(system, image, options),
            Recipe::RpiCard => {
                Body::Layout(boot::rpi_card(&medium()?.0, &system.device_trees, &options.boot)?)
            }
            Recipe::RpiFiles => {
                let (payload, _) = medium()?;
                let file = system.kernel.as_ref().map_or(&payload.kernel.content, |kernel| &kernel.file);
                Body::Tar(Cow::Owned(boot::rpi_files(&payload, file, &system.device_trees, &options.boot)?))
            }
            Recipe::Uki => Body::Layout(boot::uki(&medium()?.0, &options.boot)?),
        };
        Ok(vec![Product { suffix: self.suffix(options), body }])
    }

    /// What to do before its files boot, where nothing in them can say it. An OVA says it itself.
    #[must_use]
    pub fn advice(&self, options: &Options) -> Option<String> {
        let Recipe::Disk { boots, container, whole_gib: false } = self.recipe else { return None };
        let of_machines =
            matches!(container, Container::Qcow2 | Container::Vmdk | Container::Vhd | Container::DynamicVhd);
        (of_machines && boots.firmware(options) == Firmware::Efi).then(|| {
            format!(
                "`{}` boots by UEFI alone, which many virtual machines have to be set to (VMware: firmware = \"efi\"; \
                 Parallels: vm.bios.efi=64; UTM: UEFI boot)",
                self.name
            )
        })
    }

    /// Kernel and command line, and the root file system without them.
    fn root<'a>(
        &self,
        system: &'a System,
        image: RootImage,
        options: &Options,
    ) -> Result<Vec<Product<'a>>, Error> {
        let mut root = system.tree(self.name)?.clone();
        let boot = TreePath::new("boot")?;
        let inside: Vec<TreePath> = root.below(&boot).map(|(path, _)| path.clone()).collect();
        inside.iter().rev().for_each(|path| root.remove(path));
        let (epoch, volume) = (options.boot.epoch, &options.boot.volume);
        let image = match image {
            RootImage::Erofs => {
                let label = volume.chars().take(16).collect();
                let uuid = Guid::derived(system.cmdline.as_bytes(), "erofs");
                erofs::layout(&root, &erofs::Options { label, uuid, epoch })?
            }
            RootImage::Iso => {
                cuts(&root).for_each(|cut| (options.boot.doubt)(&cut));
                let options = iso::Options { epoch, volume: volume.clone(), ..iso::Options::default() };
                iso::layout(&root, &options)?
            }
            RootImage::Squashfs => {
                let spool = options.spool(self.name)?;
                let (compression, block_size) = (options.squashfs, options.squashfs_block_size);
                squashfs::layout(&root, &squashfs::Options { compression, block_size, epoch }, &spool)?
            }
        };
        let mut files = files(system, false);
        files.push(Product { suffix: self.suffix.into(), body: Body::Layout(image) });
        Ok(files)
    }

    /// Parts of it are compressed before their places are known: it needs [`Options::scratch`].
    #[must_use]
    pub fn needs_scratch(&self, options: &Options) -> bool {
        match self.recipe {
            Recipe::Root(image) => image == RootImage::Squashfs,
            Recipe::Disk { container, .. } => match container {
                Container::Ova => options.machine.medium == OvaMedium::Disk,
                Container::Vmdk => options.vmdk == VmdkKind::StreamOptimized,
                Container::Qcow2 => options.qcow2.is_some(),
                _ => false,
            },
            _ => false,
        }
    }

    /// Two architectures have room on it.
    fn holds_two(&self, kind: PayloadKind) -> bool {
        let firmware = matches!(self.recipe, Recipe::Iso(Firmware::Both | Firmware::Efi));
        firmware && kind == PayloadKind::Initrd
    }

    /// No disk image is right for both sizes of sectors, so the name says which it is.
    pub(super) fn suffix(&self, options: &Options) -> String {
        match (self.recipe, options.boot.sector_size, self.suffix.rsplit_once('.')) {
            (recipe, SectorSize::B4096, Some((stem, extension))) if recipe.is_disk() => {
                format!("{stem}-4k.{extension}")
            }
            _ => self.suffix.to_owned(),
        }
    }
}

fn files(system: &System, with_initrd: bool) -> Vec<Product<'_>> {
    let file = |suffix: &str, content: Layout| Product { suffix: suffix.into(), body: Body::Layout(content) };
    let mut files = Vec::new();
    if let Some(kernel) = &system.kernel {
        files.push(file("-kernel", kernel.file.clone()));
    }
    if let Some(initrd) = system.initrd.as_ref().filter(|_| with_initrd) {
        files.push(file("-initrd.img", initrd.whole.content.clone()));
    }
    if !system.cmdline.is_empty() {
        files.push(file("-cmdline", system.cmdline.clone().into_bytes().into()));
    }
    files
}

fn tar_of_files(system: &System) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    let files = [
        ("kernel", system.kernel.as_ref().map(|k| k.file.clone())),
        ("initrd.img", system.initrd.as_ref().map(|i| i.segments.clone())),
        ("cmdline", Some(system.cmdline.clone().into_bytes().into())),
        ("ucode.cpio", system.microcode.clone()),
    ];
    for (name, content) in files {
        if let Some(content) = content.filter(|c| !c.is_empty()) {
            add(&mut tree, name, content)?;
        }
    }
    Ok(tree)
}

/// LinuxKit's recipe for an image of the root file system.
const DOCKERFILE: &[u8] = b"\nFROM scratch\n\nCOPY . ./\n\nENTRYPOINT [\"/bin/rc.init\"]\n";

fn docker(root: &Tree) -> Result<Tree, Error> {
    let mut tree = root.clone();
    add(&mut tree, "Dockerfile", DOCKERFILE.to_vec().into())?;
    Ok(tree)
}

fn add(tree: &mut Tree, name: &str, content: Layout) -> Result<(), Error> {
    let node = Node { meta: Meta::new(0o644, T0), kind: Kind::File(content), origin: OriginId::default() };
    tree.insert(TreePath::new(name)?, node)?;
    Ok(())
}
