//! Capabilities of a process. \[OCI\] "Linux Process", `capabilities`.

use crate::spec::terms::capabilities::names;
use crate::spec::{ContainerConfig, Error, Map, Value};
use std::collections::BTreeSet;

/// The five sets of a process.
///
/// The effective set keeps the order that was given, and names that come twice; the others are the
/// kernel's business, and sorted.
pub(super) fn sets(config: &ContainerConfig, errors: &mut Vec<Error>) -> Map {
    let effective = names(config.capabilities.as_ref(), errors);
    let ambient = names(config.ambient.as_ref(), errors);
    let bounding: BTreeSet<&str> = effective.iter().chain(&ambient).copied().collect();
    let bounding: Value = bounding.into_iter().collect();
    let mut sets = Map::default();
    sets.put_filled("bounding", bounding.clone());
    sets.put_filled("effective", effective.into_iter().collect::<Value>());
    sets.put_filled("inheritable", bounding.clone());
    sets.put_filled("permitted", bounding);
    sets.put_filled("ambient", ambient.into_iter().collect::<Value>());
    sets
}
