//! An image's files in a folder of the root file system.
//!
//! What a container engine leaves in images is dropped, and what every container needs is there:
//!
//! ```text
//! dropped   .dockerenv Dockerfile dev/console dev/pts dev/shm etc/hostname
//! put       dev/ dev/pts/ dev/shm/ etc/ etc/hosts etc/resolv.conf proc/ sys/
//! put if there is none   etc/mtab -> /proc/mounts
//! ```

use super::{By, Composer, Error, Placed, T0, apk, is_implied};
use crate::oci::Reference;
use mkimage_formats::{Kind, Meta, Node, Tree, TreePath};

const DROPPED: [&str; 6] = [".dockerenv", "Dockerfile", "dev/console", "dev/pts", "dev/shm", "etc/hostname"];
const FOLDERS: [&str; 6] = ["dev", "dev/pts", "dev/shm", "etc", "proc", "sys"];

/// LinuxKit's etc/hosts.
const HOSTS: &str = "127.0.0.1       localhost
::1     localhost ip6-localhost ip6-loopback
fe00::0 ip6-localnet
ff00::0 ip6-mcastprefix
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
";

/// Where names are resolved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolver {
    /// By what the system finds out while it runs.
    System,
    /// Nowhere; a container binds a file over it if it needs to.
    None,
}

/// The images of `init` at the root, one on top of the other.
pub(super) fn put_init(to: &mut Composer<'_>) -> Result<(), Error> {
    let mut databases = Vec::new();
    for (number, name) in to.spec.init.iter().enumerate() {
        let (reference, image) = to.images.image(name)?;
        let location = format!("init[{number}]");
        let tree = to.flatten(&location, image)?;
        databases.extend(apk::database(&tree));
        let by = By { origin: to.origin(&reference, &location), location: &location };
        put(to, by, tree, &TreePath::root(), Resolver::System)?;
        to.place(reference, TreePath::root());
    }
    apk::put_merged(to, databases)
}

/// The files of an image, which `image` has by their paths in it, in the folder `prefix`.
pub(super) fn put(
    to: &mut Composer<'_>,
    by: By<'_>,
    image: Tree,
    prefix: &TreePath,
    resolver: Resolver,
) -> Result<(), Error> {
    to.put_folders(by, prefix)?;
    for (path, node) in filtered(image, resolver).into_iter().filter(|(_, node)| !is_implied(node)) {
        let kind = match node.kind {
            Kind::HardLink(first) => Kind::HardLink(prefix.join(&first)),
            other => other,
        };
        to.put(by, &prefix.join(&path), node.meta, kind)?;
    }
    Ok(())
}

/// The image as it is used.
fn filtered(mut image: Tree, resolver: Resolver) -> Tree {
    let path = |name: &str| TreePath::new(name).unwrap_or_default(); // names from here
    let mtab = match image.get(&path("etc/mtab")) {
        Some(Node { meta, kind, .. }) => (Meta { mtime: T0, ..meta.clone() }, kind.clone()),
        None => (Meta::new(0o755, T0), Kind::Symlink(b"/proc/mounts".as_slice().into())),
    };
    for name in DROPPED.map(path) {
        if image.below(&name).next().is_none() {
            image.remove(&name);
        }
    }
    let mut put = |name: &str, meta, kind| {
        let node = Node { meta, kind, origin: Default::default() };
        // A folder that something is in stays a folder, as everywhere.
        let _ = super::place::put(&mut image, &path(name), node);
    };
    for name in FOLDERS {
        put(name, Meta::new(0o755, T0), Kind::Dir);
    }
    let file = Meta::new(0o644, T0);
    put("etc/hosts", file.clone(), Kind::File(HOSTS.as_bytes().to_vec().into()));
    let resolv_conf = match resolver {
        Resolver::System => Kind::Symlink(b"/run/resolvconf/resolv.conf".as_slice().into()),
        Resolver::None => Kind::File(b"\n# no resolv.conf configured\n".to_vec().into()),
    };
    put("etc/resolv.conf", file, resolv_conf);
    let (meta, kind) = mtab;
    if !matches!(kind, Kind::HardLink(_)) {
        put("etc/mtab", meta, kind);
    }
    image
}

impl Composer<'_> {
    /// Notes where an image is, once for each folder.
    pub(super) fn place(&mut self, reference: Reference, folder: TreePath) {
        let placed = Placed { reference, folder };
        if !self.placed.contains(&placed) {
            self.placed.push(placed);
        }
    }
}
