//! Permissions of device nodes.

use super::error::{ContainerProblem, at};
use crate::spec::{ContainerConfig, Device, Error, Located, octal};

/// Notes device nodes without permissions, or with such as none can have. The path `all` is no node.
pub(super) fn check(config: &ContainerConfig, errors: &mut Vec<Error>) {
    let nodes = config.devices.iter().flatten().filter(|device| device.path != "all");
    errors.extend(nodes.filter_map(|device| mode(device).err()));
}

/// The permissions of a device's node.
pub(crate) fn mode(device: &Located<Device>) -> Result<u32, Error> {
    let path = || device.path.clone();
    let Some(mode) = device.mode.as_ref().filter(|mode| !mode.is_empty()) else {
        return Err(at(device, ContainerProblem::NoDeviceMode { path: path() }));
    };
    let problem = || ContainerProblem::DeviceMode { path: path(), mode: mode.value.clone() };
    octal(mode).ok_or_else(|| at(mode, problem()))
}
