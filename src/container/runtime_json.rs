//! `runtime.json`, which LinuxKit's init reads before it starts the container.
//!
//! ```text
//!            writable                          read-only
//! rootfs     overlay of image and tmp/upper    bind mount of the image
//! tmp        tmpfs
//! ```

use crate::spec::objects::{interface_value, mount_value};
use crate::spec::{Map, Mount, Runtime, Value};

/// The file's value; every key is there.
pub(super) fn write(runtime: &Runtime, readonly: bool, bundle: &str, image: &str) -> Value {
    let mounts = root_mounts(readonly, bundle, image);
    let mounts = mounts.iter().chain(runtime.mounts.iter().flatten()).map(mount_value);
    let bind_ns = &runtime.bind_ns;
    let paths = [
        ("cgroup", &bind_ns.cgroup),
        ("ipc", &bind_ns.ipc),
        ("mnt", &bind_ns.mnt),
        ("net", &bind_ns.net),
        ("pid", &bind_ns.pid),
        ("user", &bind_ns.user),
        ("uts", &bind_ns.uts),
    ];
    let mut file = Map::default();
    file.put("cgroups", runtime.cgroups.iter().flatten().collect::<Value>());
    file.put("mounts", mounts.collect::<Value>());
    file.put("mkdir", runtime.mkdir.iter().flatten().collect::<Value>());
    file.put("interfaces", runtime.interfaces.iter().flatten().map(interface_value).collect::<Value>());
    file.put("bindNS", Map::from_iter(paths.map(|(kind, path)| (kind, path.as_deref().unwrap_or_default()))));
    file.put("namespace", runtime.namespace.as_deref().unwrap_or_default());
    file.into()
}

/// The mounts that make the root file system of the container.
fn root_mounts(readonly: bool, bundle: &str, image: &str) -> Vec<Mount> {
    let mount = |destination: &str, kind: &str, source: &str, options: Vec<String>| Mount {
        destination: format!("/{bundle}/{destination}"),
        kind: kind.to_owned(),
        source: source.to_owned(),
        options,
        ..Mount::default()
    };
    if readonly {
        return vec![mount("rootfs", "", &format!("/{image}"), vec!["bind".to_owned()])];
    }
    let overlay = vec![
        format!("lowerdir=/{image}"),
        format!("upperdir=/{bundle}/tmp/upper"),
        format!("workdir=/{bundle}/tmp/work"),
    ];
    vec![
        mount("tmp", "tmpfs", "tmpfs", Vec::new()),
        // A shared tmpfs would be seen, and kept busy, by every container that comes later.
        mount("tmp", "", "", vec!["remount".to_owned(), "private".to_owned()]),
        mount("rootfs", "overlay", "overlay", overlay),
    ]
}
