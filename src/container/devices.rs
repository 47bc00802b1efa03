//! Device nodes of a container, and the permission to use them. \[OCI\] "Devices".

use super::error::{Problem, at};
use crate::spec::{ContainerConfig, Device, Error, Located, Map, octal};

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
            match node(device) {
                Ok(node) => devices.nodes.push(node),
                Err(error) => errors.push(error),
            }
        }
        rule.put("access", "rwm");
        devices.rules.push(rule);
    }
    devices
}

fn node(device: &Located<Device>) -> Result<Map, Error> {
    let path = || device.path.clone();
    let Some(mode) = device.mode.as_ref().filter(|mode| !mode.is_empty()) else {
        return Err(at(device, Problem::NoDeviceMode { path: path() }));
    };
    let problem = || Problem::DeviceMode { path: path(), mode: mode.value.clone() };
    let mode = octal(mode).ok_or_else(|| at(mode, problem()))?;
    let mut node = Map::default();
    node.put("path", &device.path);
    node.put("type", &device.kind);
    node.put("major", device.major);
    node.put("minor", device.minor);
    node.put("fileMode", mode);
    Ok(node)
}
