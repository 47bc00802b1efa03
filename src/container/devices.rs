//! Device nodes of a container, and the permission to use them. \[OCI\] "Devices".

use crate::spec::terms::devices::mode;
use crate::spec::{ContainerConfig, Device, Error, Map};

/// The device nodes, and a rule of the device control group for each.
#[derive(Default)]
pub(super) struct Devices {
    pub(super) nodes: Vec<Map>,
    pub(super) rules: Vec<Map>,
}

/// Reads the devices; the path `all` is no node, but a rule for every device of a type.
pub(super) fn read(config: &ContainerConfig, errors: &mut Vec<Error>) -> Devices {
    let mut devices = Devices::default();
    for device in config.devices.iter().flatten() {
        let mut rule = Map::default();
        rule.put("allow", true);
        rule.put_filled("type", &device.kind);
        if device.path != "all" {
            rule.put("major", device.major);
            rule.put("minor", device.minor);
            match mode(device) {
                Ok(mode) => devices.nodes.push(node(device, mode)),
                Err(error) => errors.push(error),
            }
        }
        rule.put("access", "rwm");
        devices.rules.push(rule);
    }
    devices
}

fn node(device: &Device, mode: u32) -> Map {
    let mut node = Map::default();
    node.put("path", &device.path);
    node.put("type", &device.kind);
    node.put("major", device.major);
    node.put("minor", device.minor);
    node.put("fileMode", mode);
    node
}
