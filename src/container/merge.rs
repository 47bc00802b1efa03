//! The entry of the specification over the label of the image.

use crate::spec::{BindNs, ContainerConfig, Located, Runtime, Strings};

/// What counts of the two.
///
/// A value that is there counts, even an empty list, and replaces the label's whole; but `runtime`
/// is taken together field by field, what is in `capabilities.add` and `binds.add` comes after the
/// label's, and empty text counts as absent where a namespace, a folder or a host name is meant.
pub(super) fn over(entry: &ContainerConfig, label: &ContainerConfig) -> ContainerConfig {
    ContainerConfig {
        capabilities: added(&entry.capabilities, &label.capabilities, &entry.capabilities_add),
        capabilities_add: None,
        ambient: either(&entry.ambient, &label.ambient),
        mounts: either(&entry.mounts, &label.mounts),
        binds: added(&entry.binds, &label.binds, &entry.binds_add),
        binds_add: None,
        devices: either(&entry.devices, &label.devices),
        tmpfs: either(&entry.tmpfs, &label.tmpfs),
        command: either(&entry.command, &label.command),
        env: either(&entry.env, &label.env),
        cwd: filled(&entry.cwd, &label.cwd),
        net: filled(&entry.net, &label.net),
        pid: filled(&entry.pid, &label.pid),
        ipc: filled(&entry.ipc, &label.ipc),
        uts: filled(&entry.uts, &label.uts),
        userns: filled(&entry.userns, &label.userns),
        hostname: filled(&entry.hostname, &label.hostname),
        readonly: either(&entry.readonly, &label.readonly),
        masked_paths: either(&entry.masked_paths, &label.masked_paths),
        readonly_paths: either(&entry.readonly_paths, &label.readonly_paths),
        uid: either(&entry.uid, &label.uid),
        gid: either(&entry.gid, &label.gid),
        additional_gids: either(&entry.additional_gids, &label.additional_gids),
        no_new_privileges: either(&entry.no_new_privileges, &label.no_new_privileges),
        oom_score_adj: either(&entry.oom_score_adj, &label.oom_score_adj),
        rootfs_propagation: either(&entry.rootfs_propagation, &label.rootfs_propagation),
        cgroups_path: either(&entry.cgroups_path, &label.cgroups_path),
        resources: either(&entry.resources, &label.resources),
        sysctl: either(&entry.sysctl, &label.sysctl),
        rlimits: either(&entry.rlimits, &label.rlimits),
        uid_mappings: either(&entry.uid_mappings, &label.uid_mappings),
        gid_mappings: either(&entry.gid_mappings, &label.gid_mappings),
        annotations: either(&entry.annotations, &label.annotations),
        runtime: Some(runtime(entry.runtime.as_ref(), label.runtime.as_ref())),
    }
}

fn either<T: Clone>(entry: &Option<T>, label: &Option<T>) -> Option<T> {
    entry.as_ref().or(label.as_ref()).cloned()
}

fn filled(entry: &Option<Located<String>>, label: &Option<Located<String>>) -> Option<Located<String>> {
    let is_filled = |text: &&Located<String>| !text.is_empty();
    entry.as_ref().filter(is_filled).or(label.as_ref().filter(is_filled)).cloned()
}

/// The entry's list, or the label's with more after it.
fn added(entry: &Option<Strings>, label: &Option<Strings>, more: &Option<Strings>) -> Option<Strings> {
    match (entry, label, more) {
        (Some(list), ..) => Some(list.clone()),
        (None, None, None) => None,
        (None, label, more) => Some(label.iter().chain(more).flatten().cloned().collect()),
    }
}

fn runtime(entry: Option<&Runtime>, label: Option<&Runtime>) -> Runtime {
    let none = Runtime::default();
    let (entry, label) = (entry.unwrap_or(&none), label.unwrap_or(&none));
    Runtime {
        cgroups: either(&entry.cgroups, &label.cgroups),
        mounts: either(&entry.mounts, &label.mounts),
        mkdir: either(&entry.mkdir, &label.mkdir),
        interfaces: either(&entry.interfaces, &label.interfaces),
        bind_ns: BindNs {
            cgroup: either(&entry.bind_ns.cgroup, &label.bind_ns.cgroup),
            ipc: either(&entry.bind_ns.ipc, &label.bind_ns.ipc),
            mnt: either(&entry.bind_ns.mnt, &label.bind_ns.mnt),
            net: either(&entry.bind_ns.net, &label.bind_ns.net),
            pid: either(&entry.bind_ns.pid, &label.bind_ns.pid),
            user: either(&entry.bind_ns.user, &label.bind_ns.user),
            uts: either(&entry.bind_ns.uts, &label.bind_ns.uts),
        },
        namespace: either(&entry.namespace, &label.namespace),
    }
}
