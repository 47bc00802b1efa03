//! A specification with everything: how it is dumped, and how its containers run.

use super::{folder, golden};
use crate::container::{Configuration, ImageDefaults};
use crate::spec::{Ids, MetadataFormat, Spec};

fn complete() -> Spec {
    let path = folder("complete").join("complete.yml");
    let spec = Spec::parse_bytes("complete.yml", &std::fs::read(path).unwrap()).unwrap();
    spec.check().unwrap();
    spec
}

/// The label of every image.
const LABEL: &str = r#"{
    "capabilities": ["CAP_SETUID"],
    "binds": ["/dev:/dev", "data:/not/a/volume"],
    "tmpfs": ["/scratch:"],
    "command": ["/label"],
    "cwd": "",
    "hostname": "label",
    "rlimits": ["nproc,1,2"],
    "mounts": [{"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid"]}],
    "runtime": {"mkdir": ["/label"], "namespace": "label", "bindNS": {"ipc": "/label/ipc", "net": "/label/net"}}
}"#;

fn image() -> ImageDefaults {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    ImageDefaults {
        entrypoint: texts(&["/entry"]),
        cmd: texts(&["one", "two"]),
        env: texts(&["PATH=/usr/bin:/bin"]),
        working_dir: "/image".to_owned(),
        label: Some(LABEL.to_owned()),
    }
}

#[test]
fn dumps_are_as_before() {
    let spec = complete();
    let expand = |reference: &str| format!("docker.io/{reference}");
    for (name, found) in [
        ("dry-run.yml", spec.to_yaml()),
        ("metadata.yml", spec.metadata(MetadataFormat::Yaml, expand)),
        ("metadata.json", spec.metadata(MetadataFormat::Json, expand)),
    ] {
        golden(&folder("complete").join(name), &found).unwrap();
    }
}

#[test]
fn an_empty_specification_is_dumped_with_all_its_sections() {
    let spec = Spec::parse("empty.yml", "kernel: {}").unwrap();
    let yaml = "kernel:\n    image: \"\"\ninit: []\nonboot: []\nonshutdown: []\nservices: []\nfiles: []\nvolumes: []\n\n";
    assert_eq!(spec.to_yaml(), yaml);
    let json = spec.metadata(MetadataFormat::Json, str::to_owned);
    assert!(json.contains("\"image\": \"\"") && json.ends_with("\"volumes\": null\n}"), "{json}");
}

#[test]
fn containers_run_as_before() {
    let spec = complete();
    let ids = Ids::of(&spec);
    let image = image();
    for (i, container) in spec.containers().enumerate() {
        let configuration = Configuration::new(container, &image, &ids, &spec.volumes).unwrap();
        let bundle = format!("containers/services/{}", *container.name);
        let stem = format!("{i}-{}", *container.name);
        golden(&folder("complete").join(format!("{stem}.config.json")), configuration.config_json()).unwrap();
        let runtime = configuration.runtime_json(&bundle, "containers/onboot/000-first/lower");
        golden(&folder("complete").join(format!("{stem}.runtime.json")), &runtime).unwrap();
    }
}
