//! Namespaces of a container. \[OCI\] "Namespaces".

use crate::spec::{ContainerConfig, Located, Map, Value};

/// The namespaces, in LinuxKit's order: those that are the container's own, or another's by its
/// path. What is not in the list is shared with the host.
pub(super) fn list(config: &ContainerConfig) -> Value {
    let text = |value: &Option<Located<String>>| value.as_ref().map_or("", |text| text.as_str()).to_owned();
    let mut list = Vec::new();
    // `none` is another word for `new`, but only here: elsewhere LinuxKit takes it for a path.
    let net = text(&config.net);
    add(&mut list, "network", if net == "none" { "new" } else { or_root(&net) });
    add(&mut list, "ipc", or_root(&text(&config.ipc)));
    add(&mut list, "uts", or_root(&text(&config.uts)));
    // Processes cannot see the host's unless they ask to.
    let pid = text(&config.pid);
    add(&mut list, "pid", if pid.is_empty() { "new" } else { &pid });
    add(&mut list, "user", or_root(&text(&config.userns)));
    add(&mut list, "mount", "new");
    list.into_iter().collect()
}

/// The container has ids of its own.
pub(super) fn has_user(config: &ContainerConfig) -> bool {
    config.userns.as_ref().is_some_and(|userns| !matches!(userns.as_str(), "" | "host" | "root"))
}

fn or_root(value: &str) -> &str {
    if value.is_empty() { "root" } else { value }
}

fn add(list: &mut Vec<Map>, kind: &str, value: &str) {
    if matches!(value, "host" | "root") {
        return;
    }
    let mut namespace = Map::default();
    namespace.put("type", kind);
    namespace.put_filled("path", if value == "new" { "" } else { value });
    list.push(namespace);
}
