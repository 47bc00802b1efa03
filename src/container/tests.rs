//! The rules of bundles, each as a claim.

use super::{Configuration, ImageDefaults};
use crate::spec::{Ids, Spec};
use serde_json::{Value, json};

/// The image of every test, with that label.
fn image(label: &str) -> ImageDefaults {
    ImageDefaults {
        entrypoint: vec!["/entry".to_owned()],
        cmd: vec!["arg".to_owned()],
        env: vec!["FROM=image".to_owned()],
        working_dir: "/image".to_owned(),
        label: (!label.is_empty()).then(|| label.to_owned()),
    }
}

/// The configuration of a service with these keys beside name and image.
fn configuration(keys: &str, label: &str) -> Result<Configuration, String> {
    let volumes = "volumes: [{name: data}, {name: fixed, readonly: true}]";
    let text = format!(
        "{volumes}\nonboot: [{{name: first, image: i}}]\nservices: [{{name: web, image: i, {keys}}}]"
    );
    let spec = Spec::parse("test.yml", &text).map_err(|errors| errors.to_string())?;
    Configuration::new(&spec.services[0], &image(label), &Ids::of(&spec), &spec.volumes)
        .map_err(|errors| errors.to_string())
}

/// Its `config.json`.
fn config(keys: &str, label: &str) -> Value {
    serde_json::from_str(configuration(keys, label).unwrap().config_json()).unwrap()
}

/// Its `runtime.json`.
fn runtime(keys: &str, label: &str) -> Value {
    let configuration = configuration(keys, label).unwrap();
    serde_json::from_str(&configuration.runtime_json("b", "i/lower")).unwrap()
}

fn refusal(keys: &str, label: &str) -> String {
    configuration(keys, label).unwrap_err()
}

/// The mount at a place, without the place.
fn mount(config: &Value, place: &str) -> Value {
    let mounts = config["mounts"].as_array().unwrap();
    let mut at = mounts.iter().filter(|mount| mount["destination"] == place);
    let mut mount = at.next().cloned().unwrap_or(Value::Null);
    assert!(at.next().is_none(), "{place} is mounted twice");
    if let Some(mount) = mount.as_object_mut() {
        mount.remove("destination");
    }
    mount
}

#[test]
fn command_is_the_entrys_then_the_labels_then_entrypoint_and_cmd() {
    let args = |keys, label| config(keys, label)["process"]["args"].clone();
    assert_eq!(args("", ""), json!(["/entry", "arg"]));
    assert_eq!(args("", r#"{"command": ["/label"]}"#), json!(["/label"]));
    assert_eq!(args("command: [/yaml]", r#"{"command": ["/label"]}"#), json!(["/yaml"]));
    assert_eq!(args("command: []", r#"{"command": ["/label"]}"#), Value::Null);
}

#[test]
fn environment_is_replaced_and_never_merged() {
    let env = |keys, label| config(keys, label)["process"]["env"].clone();
    assert_eq!(env("", ""), json!(["FROM=image"]));
    assert_eq!(env("env: [A=1]", r#"{"env": ["B=2"]}"#), json!(["A=1"]));
    assert_eq!(env("env: []", r#"{"env": ["B=2"]}"#), Value::Null);
}

#[test]
fn an_empty_folder_is_no_folder() {
    let cwd = |keys, label| config(keys, label)["process"]["cwd"].clone();
    assert_eq!(cwd("", ""), "/image");
    assert_eq!(cwd("cwd: ''", r#"{"cwd": "/label"}"#), "/label");
    assert_eq!(cwd("cwd: /yaml", r#"{"cwd": "/label"}"#), "/yaml");
    let bare = ImageDefaults::default();
    let spec = Spec::parse("test.yml", "services: [{name: web, image: i}]").unwrap();
    let configuration = Configuration::new(&spec.services[0], &bare, &Ids::default(), &[]).unwrap();
    assert!(configuration.config_json().contains("\"cwd\": \"/\""));
}

#[test]
fn added_capabilities_follow_the_labels_and_given_ones_replace_all() {
    let label = r#"{"capabilities": ["CAP_KILL"]}"#;
    let effective = |keys, label| config(keys, label)["process"]["capabilities"]["effective"].clone();
    assert_eq!(
        effective("capabilities.add: [CAP_CHOWN, CAP_KILL]", label),
        json!(["CAP_KILL", "CAP_CHOWN", "CAP_KILL"])
    );
    assert_eq!(
        effective("capabilities: [CAP_FOWNER], capabilities.add: [CAP_CHOWN]", label),
        json!(["CAP_FOWNER"])
    );
    assert_eq!(effective("capabilities.add: [CAP_CHOWN]", ""), json!(["CAP_CHOWN"]));
    assert_eq!(effective("capabilities: []", label), Value::Null);
}

#[test]
fn all_and_none_stand_for_the_whole_list_and_only_alone() {
    let sets = |keys| config(keys, "")["process"]["capabilities"].clone();
    let all = sets("capabilities: [All]");
    assert_eq!(all["effective"].as_array().unwrap().len(), 41);
    assert_eq!(all["effective"][0], "CAP_CHOWN");
    assert_eq!(all["bounding"][0], "CAP_AUDIT_CONTROL");
    assert_eq!(sets("capabilities: [none]"), json!({}));
    assert_eq!(sets("ambient: [CAP_KILL]")["bounding"], json!(["CAP_KILL"]));
    let error = refusal("capabilities.add: [all]", r#"{"capabilities": ["CAP_KILL"]}"#);
    assert!(error.contains("`all` must be the only item"), "{error}");
}

#[test]
fn namespaces_are_the_hosts_but_for_processes_and_mounts() {
    let kinds = |keys: &str| {
        let namespaces = config(keys, "")["linux"]["namespaces"].clone();
        let list = namespaces.as_array().unwrap().iter().map(|namespace| {
            let path = namespace["path"].as_str().unwrap_or("");
            format!("{}{path}", namespace["type"].as_str().unwrap())
        });
        list.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(kinds(""), "pid mount");
    assert_eq!(kinds("net: host, ipc: root, uts: host, pid: host, userns: root"), "mount");
    assert_eq!(
        kinds("net: new, ipc: new, uts: new, pid: new, userns: new"),
        "network ipc uts pid user mount"
    );
    assert_eq!(kinds("net: none, ipc: none, uts: none"), "network ipcnone utsnone pid mount");
    assert_eq!(kinds("net: /n, pid: /p"), "network/n pid/p mount");
}

#[test]
fn later_kinds_of_mounts_replace_earlier_ones_at_the_same_place() {
    let keys = "tmpfs: [/a, '/b:size=1m,noexec', '/t:'], binds: ['/x:/b', '/x:/c:ro,rw'], mounts: [{destination: /c, type: ext4}]";
    let config = config(keys, "");
    assert_eq!(mount(&config, "/a"), json!({"type": "tmpfs", "source": "tmpfs"}));
    assert_eq!(
        mount(&config, "/b"),
        json!({"type": "bind", "source": "/x", "options": ["rw", "rbind", "rshared"]})
    );
    assert_eq!(mount(&config, "/c"), json!({"type": "ext4", "source": "ext4"}));
    assert_eq!(mount(&config, "/t")["options"], json!([""]));
}

#[test]
fn given_options_of_a_bind_get_rbind_and_no_propagation() {
    let config = config("binds: ['/a:/b:ro,rw,rbind']", "");
    assert_eq!(mount(&config, "/b")["options"], json!(["ro", "rw", "rbind", "rbind"]));
}

#[test]
fn types_sources_and_places_of_mounts_follow_from_each_other() {
    let config = config("mounts: [{source: mqueue}, {type: proc}, {destination: /dev}]", "");
    assert_eq!(mount(&config, "/dev/mqueue"), json!({"type": "mqueue", "source": "mqueue"}));
    assert_eq!(mount(&config, "/proc"), json!({"type": "proc", "source": "proc"}));
    assert_eq!(mount(&config, "/dev"), json!({"type": "tmpfs", "source": "tmpfs"}));
}

#[test]
fn readonly_reaches_the_root_dev_and_sys() {
    let config = config("readonly: true", r#"{"readonly": false}"#);
    assert_eq!(config["root"], json!({"path": "rootfs", "readonly": true}));
    for place in ["/dev", "/sys"] {
        assert_eq!(mount(&config, place)["options"].as_array().unwrap().last().unwrap(), "ro");
    }
}

#[test]
fn volumes_are_named_in_binds_and_in_mounts() {
    let keys = "binds: ['data:/a', 'fixed:/b:ro'], binds.add: ['data:/no'], mounts: [{type: bind, source: data, destination: /c, options: [rw]}]";
    let config = config(keys, "");
    assert_eq!(mount(&config, "/a")["source"], "/containers/volumes/data/merged");
    assert_eq!(mount(&config, "/b")["source"], "/containers/volumes/fixed/merged");
    assert_eq!(mount(&config, "/c")["source"], "/containers/volumes/data/merged");
    assert_eq!(mount(&config, "/no"), Value::Null);
}

#[test]
fn a_label_cannot_name_a_volume() {
    let config = config("", r#"{"binds": ["data:/a"]}"#);
    assert_eq!(mount(&config, "/a")["source"], "data");
}

#[test]
fn a_readonly_volume_is_mounted_by_ro_and_nothing_else() {
    for keys in [
        "binds: ['fixed:/b']",
        "binds: ['fixed:/b:ro,noexec']",
        "mounts: [{type: bind, source: fixed, destination: /b}]",
        "mounts: [{type: bind, source: fixed, destination: /b, options: [rw, ro]}]",
    ] {
        let error = refusal(keys, "");
        assert!(error.contains("volume `fixed` is read-only"), "{keys}: {error}");
    }
}

#[test]
fn ids_are_numbers_or_names_of_containers() {
    let user = |keys| config(keys, r#"{"uid": 5}"#)["process"]["user"].clone();
    assert_eq!(user(""), json!({"uid": 5, "gid": 0}));
    assert_eq!(
        user("uid: web, gid: first, additionalGids: [root, 7, first]"),
        json!({"uid": 101, "gid": 100, "additionalGids": [0, 7, 100]})
    );
    assert!(refusal("", r#"{"uid": "nobody"}"#).contains("no container is named `nobody`"));
}

#[test]
fn limits_take_any_case_spaces_and_unlimited() {
    let limits = config("rlimits: [' rlimit_NoFile , 1 , UNLIMITED ']", "")["process"]["rlimits"].clone();
    assert_eq!(limits, json!([{"type": "RLIMIT_NOFILE", "hard": u64::MAX, "soft": 1}]));
}

#[test]
fn a_device_is_a_node_and_a_rule_and_all_is_a_rule() {
    let keys = "devices: [{path: /dev/x, type: c, major: 1, minor: 0, mode: '0640'}, {path: all, type: b, major: 8}], resources: {devices: [{allow: false}]}";
    let linux = config(keys, "")["linux"].clone();
    assert_eq!(
        linux["devices"],
        json!([{"path": "/dev/x", "type": "c", "major": 1, "minor": 0, "fileMode": 0o640}])
    );
    let rules = json!([
        {"allow": false},
        {"allow": true, "type": "c", "major": 1, "minor": 0, "access": "rwm"},
        {"allow": true, "type": "b", "access": "rwm"},
    ]);
    assert_eq!(linux["resources"]["devices"], rules);
}

#[test]
fn keys_of_the_oci_specification_are_kept_in_both_spellings() {
    for (memory, blockio) in [("kernelTCP: 3", "leafWeight: 4"), ("kerneltcp: 3", "leafweight: 4")] {
        let resources = config(&format!("resources: {{memory: {{{memory}}}, blockio: {{{blockio}}}}}"), "")["linux"]["resources"].clone();
        assert_eq!(resources, json!({"memory": {"kernelTCP": 3}, "blockIO": {"leafWeight": 4}}));
    }
}

#[test]
fn id_mappings_count_in_a_user_namespace_and_are_the_identity_without() {
    let mapping = "uidMappings: [{containerID: 1, hostID: 1000, size: 10}]";
    let mapped = |keys: &str| config(keys, "")["linux"]["uidMappings"][0]["hostID"].clone();
    assert_eq!(mapped(&format!("{mapping}, userns: new")), 1000);
    assert_eq!(mapped(mapping), 1);
}

#[test]
fn a_score_of_zero_is_written_when_it_was_given() {
    assert_eq!(config("oomScoreAdj: 0", "")["process"]["oomScoreAdj"], 0);
    assert_eq!(config("", "")["process"].get("oomScoreAdj"), None);
}

#[test]
fn runtime_is_merged_field_by_field() {
    let label = r#"{"runtime": {"mkdir": ["/label"], "cgroups": ["label"], "bindNS": {"net": "/label", "uts": "/label"}}}"#;
    let runtime = runtime("runtime: {mkdir: [], bindNS: {net: /yaml}}, readonly: true", label);
    assert_eq!(runtime["mkdir"], json!([]));
    assert_eq!(runtime["cgroups"], json!(["label"]));
    let ns =
        json!({"cgroup": "", "ipc": "", "mnt": "", "net": "/yaml", "pid": "", "user": "", "uts": "/label"});
    assert_eq!(runtime["bindNS"], ns);
    assert_eq!((&runtime["interfaces"], &runtime["namespace"]), (&json!([]), &json!("")));
}

#[test]
fn a_writable_root_is_an_overlay_and_a_readonly_one_the_image_itself() {
    let writable = json!([
        {"destination": "/b/tmp", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/b/tmp", "options": ["remount", "private"]},
        {
            "destination": "/b/rootfs", "type": "overlay", "source": "overlay",
            "options": ["lowerdir=/i/lower", "upperdir=/b/tmp/upper", "workdir=/b/tmp/work"]
        },
    ]);
    assert_eq!(runtime("", "")["mounts"], writable);
    let readonly = json!([{"destination": "/b/rootfs", "source": "/i/lower", "options": ["bind"]}]);
    assert_eq!(runtime("readonly: true", "")["mounts"], readonly);
}

#[test]
fn what_the_entry_replaces_in_a_label_may_be_wrong() {
    let label = r#"{"capabilities": ["CAP_OLD"], "binds": ["x"], "rlimits": ["x"]}"#;
    configuration("capabilities: [], binds: [], rlimits: []", label).unwrap();
    let error = refusal("", label);
    assert!(error.starts_with("i org.mobyproject.config:1:19: unknown capability `CAP_OLD`"), "{error}");
    assert_eq!(error.matches("i org.mobyproject.config:1:").count(), 3, "{error}");
}
