//! The configuration of a container, from YAML or from a label.

use super::resources;
use crate::spec::config::{BindNs, ContainerConfig, Device, IdMapping, Interface, Mount, Runtime};
use crate::spec::error::Log;
use crate::spec::fields::{Fields, NodeRef};
use crate::spec::place::Located;

/// Reads all keys of a container but its name and image.
pub(super) fn read(fields: &mut Fields<'_>, log: &mut Log) -> ContainerConfig {
    ContainerConfig {
        capabilities: fields.texts("capabilities", log),
        capabilities_add: fields.texts("capabilities.add", log),
        ambient: fields.texts("ambient", log),
        mounts: fields.list("mounts", log, located_mount),
        binds: fields.texts("binds", log),
        binds_add: fields.texts("binds.add", log),
        devices: fields.list("devices", log, device),
        tmpfs: fields.texts("tmpfs", log),
        command: fields.texts("command", log),
        env: fields.texts("env", log),
        cwd: fields.text("cwd", log),
        net: fields.text("net", log),
        pid: fields.text("pid", log),
        ipc: fields.text("ipc", log),
        uts: fields.text("uts", log),
        userns: fields.text("userns", log),
        hostname: fields.text("hostname", log),
        readonly: fields.boolean("readonly", log),
        masked_paths: fields.texts("maskedPaths", log),
        readonly_paths: fields.texts("readonlyPaths", log),
        uid: fields.id("uid", log),
        gid: fields.id("gid", log),
        additional_gids: fields
            .list("additionalGids", log, |item, log| item.id("an item of `additionalGids`", log)),
        no_new_privileges: fields.boolean("noNewPrivileges", log),
        oom_score_adj: fields.integer("oomScoreAdj", log),
        rootfs_propagation: fields.text("rootfsPropagation", log),
        cgroups_path: fields.text("cgroupsPath", log),
        resources: fields.fields("resources", log).map(|fields| resources::read(fields, log)),
        sysctl: fields.text_map("sysctl", log),
        rlimits: fields.texts("rlimits", log),
        uid_mappings: fields.list("uidMappings", log, id_mapping),
        gid_mappings: fields.list("gidMappings", log, id_mapping),
        annotations: fields.text_map("annotations", log),
        runtime: fields.fields("runtime", log).map(|fields| runtime(fields, log)),
    }
}

fn mount(node: NodeRef<'_>, log: &mut Log) -> Option<Mount> {
    let mut fields = node.fields("an entry of `mounts`", log)?.in_any_case();
    let mount = Mount {
        destination: fields.plain("destination", log),
        kind: fields.plain("type", log),
        source: fields.plain("source", log),
        options: fields.plain_texts("options", log).unwrap_or_default(),
        uid_mappings: fields.list("uidMappings", log, id_mapping).unwrap_or_default(),
        gid_mappings: fields.list("gidMappings", log, id_mapping).unwrap_or_default(),
    };
    fields.finish(log);
    Some(mount)
}

fn located_mount(node: NodeRef<'_>, log: &mut Log) -> Option<Located<Mount>> {
    Some(Located::new(mount(node, log)?, node.place().clone()))
}

fn id_mapping(node: NodeRef<'_>, log: &mut Log) -> Option<IdMapping> {
    let mut fields = node.fields("an id mapping", log)?.in_any_case();
    let mapping = IdMapping {
        container_id: fields.integer("containerID", log).unwrap_or_default(),
        host_id: fields.integer("hostID", log).unwrap_or_default(),
        size: fields.integer("size", log).unwrap_or_default(),
    };
    fields.finish(log);
    Some(mapping)
}

fn device(node: NodeRef<'_>, log: &mut Log) -> Option<Located<Device>> {
    let mut fields = node.fields("an entry of `devices`", log)?;
    let device = Device {
        path: fields.plain("path", log),
        kind: fields.plain("type", log),
        major: fields.integer("major", log).unwrap_or_default(),
        minor: fields.integer("minor", log).unwrap_or_default(),
        mode: fields.text("mode", log),
    };
    fields.finish(log);
    Some(Located::new(device, node.place().clone()))
}

fn runtime(mut fields: Fields<'_>, log: &mut Log) -> Runtime {
    let runtime = Runtime {
        cgroups: fields.plain_texts("cgroups", log),
        mounts: fields.list("mounts", log, mount),
        mkdir: fields.plain_texts("mkdir", log),
        interfaces: fields.list("interfaces", log, interface),
        bind_ns: fields.fields("bindNS", log).map(|fields| bind_ns(fields, log)).unwrap_or_default(),
        namespace: fields.text("namespace", log).map(|namespace| namespace.value),
    };
    fields.finish(log);
    runtime
}

fn interface(node: NodeRef<'_>, log: &mut Log) -> Option<Interface> {
    let mut fields = node.fields("an entry of `interfaces`", log)?;
    let interface = Interface {
        name: fields.plain("name", log),
        add: fields.plain("add", log),
        peer: fields.plain("peer", log),
        create_in_root: fields.boolean("createInRoot", log).unwrap_or_default(),
    };
    fields.finish(log);
    Some(interface)
}

fn bind_ns(mut fields: Fields<'_>, log: &mut Log) -> BindNs {
    let mut path = |key| fields.text(key, log).map(|path| path.value);
    let bind_ns = BindNs {
        cgroup: path("cgroup"),
        ipc: path("ipc"),
        mnt: path("mnt"),
        net: path("net"),
        pid: path("pid"),
        user: path("user"),
        uts: path("uts"),
    };
    fields.finish(log);
    bind_ns
}
