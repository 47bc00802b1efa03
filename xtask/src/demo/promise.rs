//! What the YAML file and an image's label promise a container, read without any of mkimage's code.
//!
//! The rules are the ones that users of LinuxKit know: a value in the YAML file wins over the
//! label's, `capabilities.add` and `binds.add` add to the label's, and user ids start at 100.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The parts of a YAML file that the demo uses.
#[derive(Deserialize)]
pub(crate) struct Spec {
    onboot: Vec<Container>,
    services: Vec<Container>,
}

/// One container's entry, or its image's label.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Container {
    name: String,
    image: String,
    capabilities: Option<Vec<String>>,
    #[serde(rename = "capabilities.add")]
    more_capabilities: Vec<String>,
    ambient: Option<Vec<String>>,
    binds: Option<Vec<String>>,
    #[serde(rename = "binds.add")]
    more_binds: Vec<String>,
    tmpfs: Option<Vec<String>>,
    mounts: Option<Vec<Mount>>,
    readonly: Option<bool>,
    uid: Option<String>,
    gid: Option<String>,
    #[serde(rename = "additionalGids")]
    additional_gids: Option<Vec<u32>>,
    net: Option<String>,
    ipc: Option<String>,
    uts: Option<String>,
    hostname: Option<String>,
    #[serde(rename = "noNewPrivileges")]
    no_new_privileges: Option<bool>,
    #[serde(rename = "oomScoreAdj")]
    oom_score_adj: Option<i32>,
    rlimits: Option<Vec<String>>,
}

#[derive(Clone, Deserialize)]
struct Mount {
    r#type: String,
    destination: String,
    #[serde(default)]
    options: Vec<String>,
}

/// What must be true inside a container: the fields of its report.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Promise {
    /// The container's name.
    pub(crate) name: String,
    /// Fields of `/proc/self/status`, and others that have one value, as the report writes them.
    pub(crate) values: BTreeMap<String, String>,
    /// The namespaces that must not be the host's.
    pub(crate) own_namespaces: Vec<&'static str>,
    /// By destination: the type (none for a bind), and options that must be among those in force.
    pub(crate) mounts: BTreeMap<String, (Option<String>, Vec<String>)>,
}

/// A promise for each container of `spec`; `labels` by image.
pub(crate) fn promises(spec: &Spec, labels: &BTreeMap<String, String>) -> Result<Vec<Promise>> {
    let all: Vec<&Container> = spec.onboot.iter().chain(&spec.services).collect();
    let ids: BTreeMap<&str, u32> = all.iter().map(|c| c.name.as_str()).zip(100..).collect();
    all.iter()
        .map(|c| {
            let label = match labels.get(&c.image) {
                Some(text) => {
                    serde_json::from_str(text).with_context(|| format!("the label of `{}`", c.image))?
                }
                None => Container::default(),
            };
            promise(c, &label, &ids)
        })
        .collect()
}

fn promise(yaml: &Container, label: &Container, ids: &BTreeMap<&str, u32>) -> Result<Promise> {
    let capabilities = added(&yaml.capabilities, &label.capabilities, &yaml.more_capabilities);
    let ambient = yaml.ambient.as_ref().or(label.ambient.as_ref()).map_or(&[][..], Vec::as_slice);
    let (granted, ambient) = (mask(&capabilities)?, mask(ambient)?);
    let bounding = granted | ambient;
    let id = |value: &Option<String>| match value.as_deref() {
        None => Ok(0),
        Some(text) => match (text.parse(), ids.get(text)) {
            (Ok(number), _) => Ok(number),
            (_, Some(&number)) => Ok(number),
            _ => bail!("`{text}` is no container of the demo"),
        },
    };
    let (uid, gid) = (id(&yaml.uid)?, id(&yaml.gid)?);
    // capabilities(7), "Transformation of capabilities during execve()": root gets the bounding set,
    // everyone else of a program without file capabilities the ambient one.
    let effective = if uid == 0 { bounding } else { ambient };

    let four = |n: u32| [n; 4].map(|n| n.to_string()).join(" ");
    let groups: Vec<u32> = yaml.additional_gids.clone().unwrap_or_default();
    let mut values = BTreeMap::from([
        ("pid".into(), "1".into()),
        ("status Uid".into(), four(uid)),
        ("status Gid".into(), four(gid)),
        ("status NoNewPrivs".into(), u8::from(yaml.no_new_privileges == Some(true)).to_string()),
        ("oom".into(), yaml.oom_score_adj.unwrap_or(0).to_string()),
    ]);
    if !groups.is_empty() {
        let groups: Vec<_> = groups.iter().map(u32::to_string).collect();
        values.insert("status Groups".into(), groups.join(" "));
    }
    for (key, set) in [
        ("CapInh", bounding),
        ("CapPrm", effective),
        ("CapEff", effective),
        ("CapBnd", bounding),
        ("CapAmb", ambient),
    ] {
        values.insert(format!("status {key}"), format!("{set:016x}"));
    }
    if let Some(hostname) = &yaml.hostname {
        values.insert("hostname".into(), hostname.clone());
    }
    for limit in yaml.rlimits.iter().flatten() {
        if let Some(numbers) = limit.strip_prefix("nofile,") {
            values.insert("nofile".into(), numbers.replace(',', " "));
        }
    }

    let mut own_namespaces = vec!["mnt", "pid"];
    for (name, value) in [("net", &yaml.net), ("ipc", &yaml.ipc), ("uts", &yaml.uts)] {
        if value.as_deref() == Some("new") {
            own_namespaces.push(name);
        }
    }
    Ok(Promise { name: yaml.name.clone(), values, own_namespaces, mounts: mounts(yaml, label) })
}

/// The YAML's list, or the label's with what the YAML adds to it.
fn added(yaml: &Option<Vec<String>>, label: &Option<Vec<String>>, more: &[String]) -> Vec<String> {
    yaml.clone().unwrap_or_else(|| label.iter().flatten().chain(more).cloned().collect())
}

fn mounts(yaml: &Container, label: &Container) -> BTreeMap<String, (Option<String>, Vec<String>)> {
    let readonly = yaml.readonly.or(label.readonly) == Some(true);
    let access = if readonly { "ro" } else { "rw" };
    let mut all = BTreeMap::new();
    let mut add = |destination: &str, kind: Option<&str>, options: &str| {
        let options = options.split(',').filter(|o| !o.is_empty()).map(str::to_owned).collect();
        all.insert(destination.to_owned(), (kind.map(str::to_owned), options));
    };
    add("/", None, access);
    add("/proc", Some("proc"), "nosuid,nodev,noexec,relatime");
    add("/dev", Some("tmpfs"), &format!("nosuid,{access}"));
    add("/dev/pts", Some("devpts"), "nosuid,noexec");
    add("/sys", Some("sysfs"), &format!("nosuid,noexec,nodev,{access}"));
    add("/sys/fs/cgroup", Some("cgroup2"), "nosuid,noexec,nodev,relatime,ro");
    for tmpfs in yaml.tmpfs.as_ref().or(label.tmpfs.as_ref()).into_iter().flatten() {
        let (destination, options) = tmpfs.split_once(':').unwrap_or((tmpfs, ""));
        add(destination, Some("tmpfs"), &shown(options.split(',')));
    }
    for bind in added(&yaml.binds, &label.binds, &yaml.more_binds) {
        let mut parts = bind.split(':').skip(1);
        let destination = parts.next().unwrap_or_default();
        add(destination, None, parts.next().unwrap_or("rw"));
    }
    for mount in yaml.mounts.as_ref().or(label.mounts.as_ref()).into_iter().flatten() {
        let options = shown(mount.options.iter().map(String::as_str));
        add(&mount.destination, Some(&mount.r#type), &options);
    }
    all
}

/// Options as the kernel shows them: sizes in KiB.
fn shown<'a>(options: impl Iterator<Item = &'a str>) -> String {
    let options =
        options.map(|option| match option.strip_prefix("size=").and_then(|s| s.strip_suffix('m')) {
            Some(mib) => format!("size={}k", mib.parse::<u32>().map_or(0, |n| n * 1024)),
            None => option.to_owned(),
        });
    options.collect::<Vec<_>>().join(",")
}

/// Capabilities as the bits that the kernel shows; numbers of linux/capability.h.
fn mask(names: &[String]) -> Result<u64> {
    names.iter().try_fold(0, |set, name| {
        let bit = match name.as_str() {
            "none" => return Ok(set),
            "CAP_SETGID" => 6,
            "CAP_NET_BIND_SERVICE" => 10,
            "CAP_NET_ADMIN" => 12,
            "CAP_NET_RAW" => 13,
            other => bail!("the demo does not know the number of {other}"),
        };
        Ok(set | 1 << bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_fills_what_the_yaml_leaves_open() {
        let spec: Spec = serde_json::from_value(serde_json::json!({
            "onboot": [{ "name": "first", "image": "i" }],
            "services": [{ "name": "web", "image": "j", "uid": "web", "capabilities.add": ["CAP_SETGID"] }],
        }))
        .unwrap();
        let label = r#"{"capabilities": ["CAP_NET_RAW"], "ambient": ["CAP_NET_RAW"], "binds": ["/a:/b:ro"], "readonly": true}"#;
        let all = promises(&spec, &BTreeMap::from([("j".into(), label.into())])).unwrap();
        assert_eq!(all[0].values["status CapEff"], "0000000000000000");
        assert_eq!(all[0].mounts["/"], (None, vec!["rw".into()]));
        let web = &all[1];
        assert_eq!(web.values["status Uid"], "101 101 101 101");
        assert_eq!(web.values["status CapBnd"], "0000000000002040");
        assert_eq!(web.values["status CapEff"], "0000000000002000");
        assert_eq!(web.mounts["/b"], (None, vec!["ro".into()]));
        assert_eq!(web.mounts["/"], (None, vec!["ro".into()]));
    }
}
