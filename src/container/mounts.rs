//! Mounts of a container. \[OCI\] "Mounts".

use crate::spec::objects::mount_value;
use crate::spec::terms::mounts::given;
use crate::spec::{ContainerConfig, Error, Mount, Value};
use std::collections::BTreeMap;

/// The mounts, sorted by their place, so that `/dev` is mounted before `/dev/pts`: the usual ones,
/// then `tmpfs`, `binds` and `mounts`, the later in place of an earlier one.
pub(super) fn list(config: &ContainerConfig, errors: &mut Vec<Error>) -> Value {
    let readonly = config.readonly.unwrap_or_default();
    let given = given(config, errors);
    let all = usual(readonly).into_iter().chain(given).map(|mount| (mount.destination.clone(), mount));
    let by_place: BTreeMap<String, Mount> = all.collect();
    by_place.values().map(mount_value).collect()
}

fn options<'a>(list: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    list.into_iter().map(str::to_owned).collect()
}

/// What every container has.
fn usual(readonly: bool) -> [Mount; 5] {
    let ro = readonly.then_some("ro");
    let mount = |destination: &str, kind: &str, options| Mount {
        destination: destination.to_owned(),
        kind: kind.to_owned(),
        source: kind.to_owned(),
        options,
        ..Mount::default()
    };
    let dev = ["nosuid", "strictatime", "mode=755", "size=65536k"].into_iter().chain(ro);
    let sys = ["nosuid", "noexec", "nodev"].into_iter().chain(ro);
    [
        mount("/proc", "proc", options(["nosuid", "nodev", "noexec", "relatime"])),
        mount("/dev", "tmpfs", options(dev)),
        mount(
            "/dev/pts",
            "devpts",
            options(["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
        ),
        mount("/sys", "sysfs", options(sys)),
        mount("/sys/fs/cgroup", "cgroup", options(["nosuid", "noexec", "nodev", "relatime", "ro"])),
    ]
}
