//! A specification written out again: for `--dry-run`, and for files with `metadata`.
//!
//! Keys come in the order of LinuxKit's own types. In YAML everything is spelt so that it can be
//! read again.

use super::objects::{id_mapping_value, interface_value, mount_value, resources_value};
use super::value::{Map, Style, Value};
use super::{
    Container, ContainerConfig, Device, File, Id, IdMapping, Located, MetadataFormat, Mount, Runtime, Spec,
    Volume, VolumeFormat,
};

/// What differs between the two languages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Yaml,
    Json,
}

impl Spec {
    /// The whole as YAML, with a blank line at its end: what `--dry-run` prints.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut yaml = self.value(Language::Yaml, &str::to_owned).to_yaml(Style::Wide);
        yaml.push('\n');
        yaml
    }

    /// The content of a file with `metadata`.
    ///
    /// `expand` gives the full form of the references of images, but those of volumes stay as they
    /// were written.
    #[must_use]
    pub fn metadata(&self, format: MetadataFormat, expand: impl Fn(&str) -> String) -> String {
        match format {
            MetadataFormat::Yaml => self.value(Language::Yaml, &expand).to_yaml(Style::Narrow),
            MetadataFormat::Json => self.value(Language::Json, &expand).to_json(),
        }
    }

    fn value(&self, language: Language, expand: &dyn Fn(&str) -> String) -> Value {
        let list = |items: Vec<Value>| match items.is_empty() && language == Language::Json {
            true => Value::Null,
            false => Value::List(items),
        };
        let containers = |containers: &[Container]| {
            list(containers.iter().map(|item| container(item, language, expand).into()).collect())
        };
        let mut kernel = Map::default();
        kernel.put("image", self.kernel.image.as_ref().map(|image| expand(image)).unwrap_or_default());
        kernel.put_filled("cmdline", self.kernel.cmdline());
        kernel.put_filled("binary", self.kernel.binary.as_ref().map_or("", |binary| binary));
        kernel.put_some("tar", text(&self.kernel.tar));
        kernel.put_some("ucode", text(&self.kernel.ucode));

        let mut map = Map::default();
        map.put("kernel", kernel);
        map.put("init", list(self.init.iter().map(|image| expand(image).into()).collect()));
        map.put("onboot", containers(&self.onboot));
        map.put("onshutdown", containers(&self.onshutdown));
        map.put("services", containers(&self.services));
        map.put("files", list(self.files.iter().map(|item| file(item).into()).collect()));
        map.put("volumes", list(self.volumes.iter().map(|item| volume(item).into()).collect()));
        map.into()
    }
}

fn text(value: &Option<Located<String>>) -> Option<&str> {
    value.as_ref().map(|text| text.as_str())
}

/// A text that is left out when it is empty.
fn filled(value: &Option<Located<String>>) -> &str {
    text(value).unwrap_or_default()
}

fn texts(value: &Option<Vec<Located<String>>>) -> Option<Value> {
    value.as_ref().map(|texts| texts.iter().map(|text| text.as_str()).collect())
}

fn id(id: &Located<Id>) -> Value {
    match &id.value {
        Id::Number(number) => (*number).into(),
        Id::Name(name) => name.into(),
    }
}

fn file(file: &File) -> Map {
    let mut map = Map::default();
    map.put("path", file.path.as_str());
    map.put("directory", file.directory);
    map.put_filled("symlink", filled(&file.symlink));
    map.put_some("contents", text(&file.contents));
    map.put_filled("source", filled(&file.source));
    map.put_filled("metadata", filled(&file.metadata));
    map.put("optional", file.optional);
    map.put_filled("mode", filled(&file.mode));
    map.put_some("uid", file.uid.as_ref().map(id));
    map.put_some("gid", file.gid.as_ref().map(id));
    map
}

fn volume(volume: &Volume) -> Map {
    let mut map = Map::default();
    map.put("name", volume.name.as_str());
    map.put_filled("image", filled(&volume.image));
    map.put_filled("readonly", volume.readonly);
    map.put_some(
        "format",
        volume.format.map(|format| match format {
            VolumeFormat::Filesystem => "filesystem",
            VolumeFormat::Oci => "oci",
        }),
    );
    map.put_filled("platforms", volume.platforms.iter().map(|platform| platform.as_str()).collect::<Value>());
    map
}

fn container(container: &Container, language: Language, expand: &dyn Fn(&str) -> String) -> Map {
    let mut map = Map::default();
    map.put("name", container.name.as_str());
    map.put("image", expand(&container.image));
    put_config(&mut map, &container.config, language);
    map
}

fn put_config(map: &mut Map, config: &ContainerConfig, language: Language) {
    let mappings = |list: &Option<Vec<IdMapping>>| {
        list.as_ref().map(|list| list.iter().map(id_mapping_value).collect::<Value>())
    };
    map.put_some("capabilities", texts(&config.capabilities));
    map.put_some("capabilities.add", texts(&config.capabilities_add));
    map.put_some("ambient", texts(&config.ambient));
    let mounts = config.mounts.as_ref();
    map.put_some(
        "mounts",
        mounts.map(|list| list.iter().map(|item| mount(item, language)).collect::<Value>()),
    );
    map.put_some("binds", texts(&config.binds));
    map.put_some("binds.add", texts(&config.binds_add));
    map.put_some(
        "devices",
        config.devices.as_ref().map(|list| list.iter().map(|item| device(item)).collect::<Value>()),
    );
    map.put_some("tmpfs", texts(&config.tmpfs));
    map.put_some("command", texts(&config.command));
    map.put_some("env", texts(&config.env));
    map.put_filled("cwd", filled(&config.cwd));
    map.put_filled("net", filled(&config.net));
    map.put_filled("pid", filled(&config.pid));
    map.put_filled("ipc", filled(&config.ipc));
    map.put_filled("uts", filled(&config.uts));
    map.put_filled("userns", filled(&config.userns));
    map.put_filled("hostname", filled(&config.hostname));
    map.put_some("readonly", config.readonly);
    map.put_some("maskedPaths", texts(&config.masked_paths));
    map.put_some("readonlyPaths", texts(&config.readonly_paths));
    map.put_some("uid", config.uid.as_ref().map(id));
    map.put_some("gid", config.gid.as_ref().map(id));
    map.put_some(
        "additionalGids",
        config.additional_gids.as_ref().map(|gids| gids.iter().map(id).collect::<Value>()),
    );
    map.put_some("noNewPrivileges", config.no_new_privileges);
    map.put_some("oomScoreAdj", config.oom_score_adj);
    map.put_some("rootfsPropagation", text(&config.rootfs_propagation));
    map.put_some("cgroupsPath", text(&config.cgroups_path));
    map.put_some(
        "resources",
        config.resources.as_ref().map(|resources| resources_value(resources, Vec::new())),
    );
    map.put_some("sysctl", config.sysctl.as_ref().map(Map::from_iter));
    map.put_some("rlimits", texts(&config.rlimits));
    map.put_some("uidMappings", mappings(&config.uid_mappings));
    map.put_some("gidMappings", mappings(&config.gid_mappings));
    map.put_some("annotations", config.annotations.as_ref().map(Map::from_iter));
    map.put_some("runtime", config.runtime.as_ref().map(|item| runtime(item, language)));
}

/// A mount; LinuxKit's YAML has all keys.
fn mount(mount: &Mount, language: Language) -> Map {
    if language == Language::Json {
        return mount_value(mount);
    }
    let mut map = Map::default();
    map.put("destination", &mount.destination);
    map.put("type", &mount.kind);
    map.put("source", &mount.source);
    map.put("options", mount.options.iter().collect::<Value>());
    map.put("uidmappings", mount.uid_mappings.iter().map(id_mapping_value).collect::<Value>());
    map.put("gidmappings", mount.gid_mappings.iter().map(id_mapping_value).collect::<Value>());
    map
}

fn device(device: &Device) -> Map {
    let mut map = Map::default();
    map.put("path", &device.path);
    map.put("type", &device.kind);
    map.put("major", device.major);
    map.put("minor", device.minor);
    map.put_filled("mode", filled(&device.mode));
    map
}

fn runtime(runtime: &Runtime, language: Language) -> Map {
    let texts = |list: &Option<Vec<String>>| list.as_ref().map(|list| list.iter().collect::<Value>());
    let bind_ns = &runtime.bind_ns;
    let mut paths = Map::default();
    paths.put_some("cgroup", bind_ns.cgroup.as_ref());
    paths.put_some("ipc", bind_ns.ipc.as_ref());
    paths.put_some("mnt", bind_ns.mnt.as_ref());
    paths.put_some("net", bind_ns.net.as_ref());
    paths.put_some("pid", bind_ns.pid.as_ref());
    paths.put_some("user", bind_ns.user.as_ref());
    paths.put_some("uts", bind_ns.uts.as_ref());

    let mut map = Map::default();
    map.put_some("cgroups", texts(&runtime.cgroups));
    let mounts =
        runtime.mounts.as_ref().map(|list| list.iter().map(|item| mount(item, language)).collect::<Value>());
    map.put_some("mounts", mounts);
    map.put_some("mkdir", texts(&runtime.mkdir));
    let interfaces =
        runtime.interfaces.as_ref().map(|list| list.iter().map(interface_value).collect::<Value>());
    map.put_some("interfaces", interfaces);
    match language {
        Language::Yaml => map.put_filled("bindNS", paths),
        Language::Json => map.put("bindNS", paths),
    }
    map.put_some("namespace", runtime.namespace.as_ref());
    map
}
