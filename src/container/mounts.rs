//! Mounts of a container. \[OCI\] "Mounts".

use super::error::{Problem, at};
use super::resources::mount_value;
use crate::spec::{ContainerConfig, Error, Located, Mount, Value};
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

/// Notes what is wrong in mounts that the label of the image cannot replace.
pub(super) fn check(config: &ContainerConfig, errors: &mut Vec<Error>) {
    given(config, errors);
    if config.binds.is_none() {
        errors.extend(config.binds_add.iter().flatten().filter_map(|text| bind(text).err()));
    }
}

fn given(config: &ContainerConfig, errors: &mut Vec<Error>) -> Vec<Mount> {
    let tmpfs = config.tmpfs.iter().flatten().map(tmpfs);
    let binds = config.binds.iter().flatten().map(bind);
    let mounts = config.mounts.iter().flatten().map(mount);
    let all = tmpfs.chain(binds).chain(mounts);
    all.filter_map(|mount| mount.map_err(|error| errors.push(error)).ok()).collect()
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

/// `destination[:options]`
fn tmpfs(text: &Located<String>) -> Result<Mount, Error> {
    let parts: Vec<&str> = text.split(':').collect();
    let (destination, given) = match parts[..] {
        [destination] => (destination, None),
        [destination, given] => (destination, Some(given)),
        _ => return Err(at(text, Problem::Tmpfs { tmpfs: text.value.clone(), parts: parts.len() })),
    };
    Ok(Mount {
        destination: destination.to_owned(),
        kind: "tmpfs".to_owned(),
        source: "tmpfs".to_owned(),
        options: options(given.into_iter().flat_map(|given| given.split(','))),
        ..Mount::default()
    })
}

/// `source:destination[:options]`
fn bind(text: &Located<String>) -> Result<Mount, Error> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, destination, options) = match parts[..] {
        [source, destination] => (source, destination, options(["rw", "rbind", "rshared"])),
        [source, destination, given] => (source, destination, options(given.split(',').chain(["rbind"]))),
        _ => return Err(at(text, Problem::Bind { bind: text.value.clone(), parts: parts.len() })),
    };
    Ok(Mount {
        destination: destination.to_owned(),
        kind: "bind".to_owned(),
        source: source.to_owned(),
        options,
        ..Mount::default()
    })
}

/// A mount whose type, source and place may follow from each other.
fn mount(given: &Located<Mount>) -> Result<Mount, Error> {
    let mut mount = given.value.clone();
    if mount.kind.is_empty() {
        mount.kind = match (mount.source.as_str(), mount.destination.as_str()) {
            (source @ ("mqueue" | "devpts" | "proc" | "sysfs" | "cgroup"), _) => source.to_owned(),
            (_, "/dev") => "tmpfs".to_owned(),
            _ => return Err(at(given, Problem::MountType { destination: mount.destination })),
        };
    }
    if mount.source.is_empty() {
        mount.source.clone_from(&mount.kind);
    }
    if mount.destination.is_empty() {
        mount.destination = match mount.kind.as_str() {
            "proc" => "/proc",
            "devpts" => "/dev/pts",
            "sysfs" => "/sys",
            "cgroup" => "/sys/fs/cgroup",
            "mqueue" => "/dev/mqueue",
            _ => return Err(at(given, Problem::MountDestination { kind: mount.kind })),
        }
        .to_owned();
    }
    Ok(mount)
}
