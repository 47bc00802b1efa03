//! `config.json`, which runc reads. \[OCI\] "Configuration"; keys in the order of its Go types.

use super::{ImageDefaults, capabilities, devices, mounts, namespaces};
use crate::spec::objects::{id_mapping_value, resources_value};
use crate::spec::terms::rlimits::{self, Rlimit};
use crate::spec::{ContainerConfig, Error, Id, IdMapping, Ids, Located, Map, Strings, Value};

/// \[OCI\] "Specification version".
const OCI_VERSION: &str = "1.2.1";

/// The file's value; what is wrong on the way goes to `errors`.
pub(super) fn write(
    config: &ContainerConfig,
    image: &ImageDefaults,
    ids: &Ids,
    errors: &mut Vec<Error>,
) -> Value {
    let mut file = Map::default();
    file.put("ociVersion", OCI_VERSION);
    file.put("process", process(config, image, ids, errors));
    file.put("root", root(config));
    file.put_filled("hostname", text(&config.hostname));
    file.put("mounts", mounts::list(config, errors));
    file.put_filled("annotations", config.annotations.iter().flatten().collect::<Map>());
    file.put("linux", linux(config, errors));
    file.into()
}

fn text(value: &Option<Located<String>>) -> &str {
    value.as_ref().map_or("", |text| text.as_str())
}

fn texts(list: Option<&Strings>) -> Value {
    list.into_iter().flatten().map(|text| text.as_str()).collect()
}

fn root(config: &ContainerConfig) -> Map {
    let mut root = Map::default();
    root.put("path", "rootfs");
    root.put_filled("readonly", config.readonly.unwrap_or_default());
    root
}

fn process(config: &ContainerConfig, image: &ImageDefaults, ids: &Ids, errors: &mut Vec<Error>) -> Map {
    let mut id =
        |id: Option<&Located<Id>>| ids.resolve(id).map_err(|error| errors.push(error)).unwrap_or_default();
    let mut user = Map::default();
    user.put("uid", id(config.uid.as_ref()));
    user.put("gid", id(config.gid.as_ref()));
    let gids = config.additional_gids.iter().flatten();
    user.put_filled("additionalGids", gids.map(|gid| id(Some(gid))).collect::<Value>());
    let args = match &config.command {
        Some(command) => texts(Some(command)),
        None => image.entrypoint.iter().chain(&image.cmd).collect(),
    };
    let env = match &config.env {
        Some(env) => texts(Some(env)),
        None => image.env.iter().collect(),
    };
    let folders = [text(&config.cwd), &image.working_dir, "/"];
    let cwd = folders.into_iter().find(|folder| !folder.is_empty()).unwrap_or_default();

    let mut process = Map::default();
    process.put("user", user);
    process.put_filled("args", args);
    process.put_filled("env", env);
    process.put("cwd", cwd);
    process.put("capabilities", capabilities::sets(config, errors));
    process.put_filled("rlimits", rlimits::read(config, errors).iter().map(rlimit).collect::<Value>());
    process.put_filled("noNewPrivileges", config.no_new_privileges.unwrap_or_default());
    process.put_some("oomScoreAdj", config.oom_score_adj);
    process
}

/// \[OCI\] "POSIX process", `rlimits`.
fn rlimit(limit: &Rlimit) -> Map {
    let mut map = Map::default();
    map.put("type", &limit.name);
    map.put("hard", limit.hard);
    map.put("soft", limit.soft);
    map
}

fn linux(config: &ContainerConfig, errors: &mut Vec<Error>) -> Map {
    let devices = devices::read(config, errors);
    let mut linux = Map::default();
    linux.put_filled("uidMappings", id_mappings(config, config.uid_mappings.as_ref()));
    linux.put_filled("gidMappings", id_mappings(config, config.gid_mappings.as_ref()));
    linux.put_filled("sysctl", config.sysctl.iter().flatten().collect::<Map>());
    let resources = config.resources.clone().unwrap_or_default();
    linux.put("resources", resources_value(&resources, devices.rules));
    linux.put_filled("cgroupsPath", text(&config.cgroups_path));
    linux.put("namespaces", namespaces::list(config));
    linux.put_filled("devices", devices.nodes.into_iter().collect::<Value>());
    linux.put_filled("rootfsPropagation", text(&config.rootfs_propagation));
    linux.put_filled("maskedPaths", texts(config.masked_paths.as_ref()));
    linux.put_filled("readonlyPaths", texts(config.readonly_paths.as_ref()));
    linux
}

/// Without a user namespace an id is the same inside and outside, and so says the mapping.
fn id_mappings(config: &ContainerConfig, mappings: Option<&Vec<IdMapping>>) -> Value {
    let own = namespaces::has_user(config);
    let mappings = mappings.into_iter().flatten().map(|mapping| IdMapping {
        host_id: if own { mapping.host_id } else { mapping.container_id },
        ..*mapping
    });
    mappings.map(|mapping| id_mapping_value(&mapping)).collect()
}
