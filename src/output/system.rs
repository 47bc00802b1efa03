//! What outputs are made of.

use super::Error;
use crate::boot::{DeviceTree, Measured, Payload, with_cd_root};
use crate::initrd::{self, Initrd};
use crate::kernel;
use mkimage_formats::emit::{self, Sink, Stream};
use mkimage_formats::{Kind, Layout, Tree, TreePath};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// What outputs are made of.
#[derive(Clone, Debug, Default)]
pub struct System {
    /// The root file system, if it is known.
    pub tree: Option<Tree>,
    /// The kernel, if there is one.
    pub kernel: Option<Kernel>,
    /// Descriptions of the boards that the kernel runs on, of those that do not describe themselves.
    pub device_trees: Vec<DeviceTree>,
    /// The kernel's command line.
    pub cmdline: String,
    /// Processor microcode, an archive that is part of the initrd too.
    pub microcode: Option<Layout>,
    /// The first root file system, where a format needs it.
    pub initrd: Option<Initrd>,
    /// The same system for AArch64, on the ISOs that have both.
    pub aarch64: Option<Box<System>>,
}

/// A kernel, as a file and as loaders take it.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The file, as it came.
    pub file: Layout,
    /// What loaders take, once it was asked for.
    image: Arc<OnceLock<Measured>>,
}

impl Kernel {
    /// The kernel in `file`.
    #[must_use]
    pub fn new(file: Layout) -> Self {
        Kernel { file, image: Arc::default() }
    }

    /// It is compressed as a whole, as `Image.gz` is: to boot, it is unpacked into
    /// [`Options::scratch`](super::Options::scratch).
    ///
    /// # Errors
    /// It cannot be read.
    pub fn is_packed(&self) -> Result<bool, emit::Error> {
        Ok(kernel::packed(&self.file)?.is_some())
    }

    /// The kernel as it boots: no BIOS loader and no UEFI unpacks one that is compressed as a whole.
    /// It is read when this is called first, here or on a clone.
    pub(super) fn image(&self, format: &'static str, scratch: Option<&Path>) -> Result<Measured, Error> {
        if let Some(known) = self.image.get() {
            return Ok(known.clone());
        }
        let file = match (self.is_packed()?, scratch) {
            (false, _) => self.file.clone(),
            (true, Some(scratch)) => kernel::unpacked("kernel", &self.file, scratch)?,
            (true, None) => return Err(Error::NoScratch { format }),
        };
        Ok(self.image.get_or_init(|| Measured::new(file)).clone())
    }
}

/// Which of the two a bootable medium carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadKind {
    /// The root file system as an initrd: any kernel boots it.
    #[default]
    Initrd,
    /// The root file system itself; the kernel must know the medium and its file system.
    Rootfs,
}

/// More than the command line of any platform's Linux, bytes (`COMMAND_LINE_SIZE`, 4096 on s390).
const MAX_CMDLINE: u64 = 64 << 10;

impl System {
    /// The system in `tree`, as [`compose`](crate::rootfs::compose) leaves it: `boot/kernel`,
    /// `boot/cmdline`, `boot/ucode.cpio` and `boot/dtb` are taken from it, and it is made an initrd as
    /// `initrd` says, if it says so.
    ///
    /// # Errors
    /// The command line is none, or the initrd cannot be made.
    pub fn of_tree(tree: Tree, initrd: Option<&initrd::Options>) -> Result<Self, Error> {
        let file = |name: &str| match &tree.get(&TreePath::new(name).ok()?)?.kind {
            Kind::File(content) if !content.is_empty() => Some(content.clone()),
            _ => None,
        };
        let cmdline = file("boot/cmdline").unwrap_or_default();
        if cmdline.len() > MAX_CMDLINE {
            return Err(Error::CmdlineLen { len: cmdline.len() });
        }
        let mut text = Stream::new(Vec::new());
        text.layout(&cmdline)?;
        let cmdline = String::from_utf8(text.into_inner()).map_err(|e| Error::Cmdline(e.utf8_error()))?;
        let microcode = file("boot/ucode.cpio");
        let initrd = match initrd {
            Some(options) => Some(initrd::build(&tree, microcode.as_ref(), options)?),
            None => None,
        };
        let kernel = file("boot/kernel").map(Kernel::new);
        let device_trees = device_trees(&tree)?;
        Ok(System { tree: Some(tree), kernel, device_trees, cmdline, microcode, initrd, aarch64: None })
    }

    pub(super) fn tree(&self, format: &'static str) -> Result<&Tree, Error> {
        self.tree.as_ref().ok_or(Error::NoTree { format })
    }

    /// What a bootable medium starts, and the root file system that it carries itself.
    pub(super) fn medium(
        &self,
        format: &'static str,
        kind: PayloadKind,
        scratch: Option<&Path>,
    ) -> Result<(Payload, Option<&Tree>), Error> {
        let kernel = self.kernel.as_ref().ok_or(Error::NoKernel { format })?.image(format, scratch)?;
        let initrd = || self.initrd.as_ref().map_or_else(Measured::default, |i| i.whole.clone());
        Ok(match kind {
            PayloadKind::Initrd => {
                (Payload { kernel, initrd: initrd(), cmdline: self.cmdline.clone() }, None)
            }
            PayloadKind::Rootfs => {
                let cmdline = with_cd_root(&self.cmdline);
                (Payload { kernel, initrd: Measured::default(), cmdline }, Some(self.tree(format)?))
            }
        })
    }
}

/// What LinuxKit's kernels have in `boot/dtb`.
fn device_trees(tree: &Tree) -> Result<Vec<DeviceTree>, Error> {
    let folder = TreePath::new("boot/dtb")?;
    let inside = tree.below(&folder).filter_map(|(path, node)| {
        let first = if let Kind::HardLink(first) = &node.kind { tree.get(first)? } else { node };
        let Kind::File(content) = &first.kind else { return None };
        let path = str::from_utf8(path.as_bytes()).ok()?.strip_prefix("boot/dtb/")?;
        path.ends_with(".dtb").then(|| (path.to_owned(), content.clone()))
    });
    Ok(inside.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mkimage_formats::{Meta, Node, OriginId};

    #[test]
    fn device_trees_may_be_links_to_each_other() {
        let mut tree = Tree::new();
        let mut put = |path: &str, kind| {
            let node = Node { meta: Meta::new(0o644, crate::rootfs::T0), kind, origin: OriginId::default() };
            tree.insert(TreePath::new(path).unwrap(), node).unwrap();
        };
        put("boot", Kind::Dir);
        put("boot/dtb", Kind::Dir);
        put("boot/dtb/a.dtb", Kind::File(b"tree".to_vec().into()));
        put("boot/dtb/b.dtb", Kind::HardLink(TreePath::new("boot/dtb/a.dtb").unwrap()));
        put("boot/dtb/c.txt", Kind::File(Layout::default()));
        let content = Layout::from(b"tree".to_vec());
        let found = device_trees(&tree).unwrap();
        assert_eq!(found, [("a.dtb".to_owned(), content.clone()), ("b.dtb".to_owned(), content)]);
    }
}
