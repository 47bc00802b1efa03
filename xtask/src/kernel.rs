//! The distribution's kernel, and the few of its modules that the guests need.

use crate::debian::{Arch, Entry, Packages, unpack};
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, VecDeque};
use std::io::Read;

/// A kernel and modules.
pub(crate) struct Kernel {
    /// The bzImage or, of AArch64, the Image.
    pub(crate) image: Vec<u8>,
    /// `lib/modules/VERSION/…/NAME.ko`, uncompressed, by path.
    pub(crate) modules: BTreeMap<String, Vec<u8>>,
}

/// The kernel made for virtual machines: Debian's name, then Ubuntu's.
fn names(arch: Arch) -> [&'static str; 2] {
    match arch {
        Arch::Amd64 => ["linux-image-cloud-amd64", "linux-image-virtual"],
        Arch::Arm64 => ["linux-image-cloud-arm64", "linux-image-virtual"],
    }
}

/// Fetches the kernel, `modules`, and the modules that those need. A module that is built in is no
/// file, and none is asked for.
pub(crate) fn fetch(packages: &mut Packages, modules: &[&str]) -> Result<Kernel> {
    let package = packages.first(&names(packages.arch()))?;
    let mut image = None;
    let mut all = BTreeMap::new();
    let kept = |path: &str| path.starts_with("boot/vmlinuz") || path.starts_with("lib/modules/");
    for deb in packages.fetch(package, &["linux-image-", "linux-modules-"])? {
        unpack(&deb, kept, |path, entry| {
            let Entry::File { data, .. } = entry else { return Ok(()) };
            if path.starts_with("boot/") {
                image = Some(data);
            } else if let Some(name) = module_name(&path) {
                all.insert(name, (path, data));
            }
            Ok(())
        })?;
    }

    let mut queue: VecDeque<String> = modules.iter().map(|&name| name.to_owned()).collect();
    let mut modules = BTreeMap::new();
    while let Some(name) = queue.pop_front() {
        let Some((path, data)) = all.remove(&name) else { continue };
        let (path, data) = uncompressed(&path, data)?;
        queue.extend(needs(&data));
        modules.insert(path, data);
    }
    let image = image.with_context(|| format!("there is no kernel in `{package}`"))?;
    ensure!(!all.is_empty(), "there are no modules in `{package}`");
    Ok(Kernel { image, modules })
}

/// `overlay` of `lib/modules/6.1.0/kernel/fs/overlayfs/overlay.ko.xz`; the kernel takes `-` for `_`.
fn module_name(path: &str) -> Option<String> {
    let (name, _) = path.rsplit('/').next()?.split_once(".ko")?;
    Some(name.replace('-', "_"))
}

/// The module as the kernel loads it, and its path without the compression's suffix.
fn uncompressed(path: &str, data: Vec<u8>) -> Result<(String, Vec<u8>)> {
    let mut plain = Vec::new();
    if let Some(path) = path.strip_suffix(".xz") {
        lzma_rust2::XzReader::new(&data[..], true).read_to_end(&mut plain)?;
        Ok((path.to_owned(), plain))
    } else if let Some(path) = path.strip_suffix(".zst") {
        zstd::stream::copy_decode(&data[..], &mut plain)?;
        Ok((path.to_owned(), plain))
    } else {
        Ok((path.to_owned(), data))
    }
}

/// The modules that a module needs: `depends=a,b` among the strings of its section `.modinfo`.
fn needs(module: &[u8]) -> Vec<String> {
    let depends = module.split(|&b| b == 0).find_map(|s| s.strip_prefix(b"depends="));
    String::from_utf8_lossy(depends.unwrap_or_default())
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| name.replace('-', "_"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_names_what_it_needs() {
        assert_eq!(module_name("lib/modules/6/kernel/a/virtio-rng.ko.xz").unwrap(), "virtio_rng");
        assert_eq!(module_name("lib/modules/6/modules.order"), None);
        assert_eq!(
            needs(b"\x7fELF\0license=GPL\0depends=net_failover,virtio-ring\0"),
            ["net_failover", "virtio_ring"]
        );
        assert!(needs(b"depends=\0").is_empty());
    }
}
