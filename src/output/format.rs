//! The table of formats.

use super::{Body, Error, Options, PayloadKind, Product, System};
use crate::boot::bios;
use crate::rootfs::T0;
use mkimage_formats::{Kind, Layout, Meta, Node, OriginId, Tree, TreePath};
use std::borrow::Cow;

/// A kind of output.
pub struct Format {
    /// LinuxKit's name for it, or ours.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// It is one archive, which can go to standard output.
    pub streamable: bool,
    carries: Carries,
    make: for<'a> fn(&'a System, &Options) -> Result<Vec<Product<'a>>, Error>,
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

/// All of them, by name.
pub static FORMATS: &[Format] = &[
    Format {
        name: "docker",
        about: "the root file system as a tar archive with a Dockerfile",
        streamable: true,
        carries: Carries::Tree,
        make: docker,
    },
    Format {
        name: "iso-bios",
        about: "a CD that a BIOS boots, also when it is copied to a stick or a disk",
        streamable: false,
        carries: Carries::Payload,
        make: iso_bios,
    },
    Format {
        name: "kernel+initrd",
        about: "kernel, initrd and command line as files",
        streamable: false,
        carries: Carries::Initrd,
        make: kernel_initrd,
    },
    Format {
        name: "tar",
        about: "the root file system as a tar archive",
        streamable: true,
        carries: Carries::Tree,
        make: |system, _| {
            Ok(vec![Product { suffix: ".tar", body: Body::Tar(Cow::Borrowed(system.tree("tar")?)) }])
        },
    },
    Format {
        name: "tar-kernel-initrd",
        about: "kernel, initrd and command line in a tar archive",
        streamable: false,
        carries: Carries::Initrd,
        make: tar_kernel_initrd,
    },
];

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

    pub(super) fn products<'a>(
        &self,
        system: &'a System,
        options: &Options,
    ) -> Result<Vec<Product<'a>>, Error> {
        (self.make)(system, options)
    }
}

fn iso_bios<'a>(system: &'a System, options: &Options) -> Result<Vec<Product<'a>>, Error> {
    let (payload, root) = system.medium("iso-bios", options.payload)?;
    let iso = bios::iso(&payload, root, &options.iso)?;
    Ok(vec![Product { suffix: ".iso", body: Body::Layout(iso) }])
}

fn kernel_initrd<'a>(system: &'a System, _: &Options) -> Result<Vec<Product<'a>>, Error> {
    let file = |suffix, content: Layout| Product { suffix, body: Body::Layout(content) };
    let mut files = Vec::new();
    if let Some(kernel) = &system.kernel {
        files.push(file("-kernel", kernel.clone()));
    }
    if let Some(initrd) = &system.initrd {
        files.push(file("-initrd.img", initrd.whole.content.clone()));
    }
    if !system.cmdline.is_empty() {
        files.push(file("-cmdline", system.cmdline.clone().into_bytes().into()));
    }
    Ok(files)
}

fn tar_kernel_initrd<'a>(system: &'a System, _: &Options) -> Result<Vec<Product<'a>>, Error> {
    let mut tree = Tree::new();
    let files = [
        ("kernel", system.kernel.clone()),
        ("initrd.img", system.initrd.as_ref().map(|i| i.segments.clone())),
        ("cmdline", Some(system.cmdline.clone().into_bytes().into())),
        ("ucode.cpio", system.microcode.clone()),
    ];
    for (name, content) in files {
        if let Some(content) = content.filter(|c| !c.is_empty()) {
            add(&mut tree, name, content)?;
        }
    }
    Ok(vec![Product { suffix: "-initrd.tar", body: Body::Tar(Cow::Owned(tree)) }])
}

/// LinuxKit's recipe for an image of the root file system.
const DOCKERFILE: &[u8] = b"\nFROM scratch\n\nCOPY . ./\n\nENTRYPOINT [\"/bin/rc.init\"]\n";

fn docker<'a>(system: &'a System, _: &Options) -> Result<Vec<Product<'a>>, Error> {
    let mut tree = system.tree("docker")?.clone();
    add(&mut tree, "Dockerfile", DOCKERFILE.to_vec().into())?;
    Ok(vec![Product { suffix: ".docker", body: Body::Tar(Cow::Owned(tree)) }])
}

fn add(tree: &mut Tree, name: &str, content: Layout) -> Result<(), Error> {
    let node = Node { meta: Meta::new(0o644, T0), kind: Kind::File(content), origin: OriginId::default() };
    tree.insert(TreePath::new(name)?, node)?;
    Ok(())
}
