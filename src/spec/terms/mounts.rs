//! `tmpfs`, `binds` and `mounts` as the mounts that they stand for.

use super::error::{ContainerProblem, at};
use crate::spec::{ContainerConfig, Error, Located, Mount};

/// Notes what is wrong in mounts that the label of the image cannot replace.
pub(super) fn check(config: &ContainerConfig, errors: &mut Vec<Error>) {
    given(config, errors);
    if config.binds.is_none() {
        errors.extend(config.binds_add.iter().flatten().filter_map(|text| bind(text).err()));
    }
}

/// The mounts of `tmpfs`, `binds` and `mounts`, in this order.
pub(crate) fn given(config: &ContainerConfig, errors: &mut Vec<Error>) -> Vec<Mount> {
    let tmpfs = config.tmpfs.iter().flatten().map(tmpfs);
    let binds = config.binds.iter().flatten().map(bind);
    let mounts = config.mounts.iter().flatten().map(mount);
    let all = tmpfs.chain(binds).chain(mounts);
    all.filter_map(|mount| mount.map_err(|error| errors.push(error)).ok()).collect()
}

fn options<'a>(list: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    list.into_iter().map(str::to_owned).collect()
}

/// `destination[:options]`
fn tmpfs(text: &Located<String>) -> Result<Mount, Error> {
    let parts: Vec<&str> = text.split(':').collect();
    let (destination, given) = match parts[..] {
        [destination] => (destination, None),
        [destination, given] => (destination, Some(given)),
        _ => return Err(at(text, ContainerProblem::Tmpfs { tmpfs: text.value.clone(), parts: parts.len() })),
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
        _ => return Err(at(text, ContainerProblem::Bind { bind: text.value.clone(), parts: parts.len() })),
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
            _ => return Err(at(given, ContainerProblem::MountType { destination: mount.destination })),
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
            _ => return Err(at(given, ContainerProblem::MountDestination { kind: mount.kind })),
        }
        .to_owned();
    }
    Ok(mount)
}
