//! Parts of the specification as the objects of JSON that runc and LinuxKit's init read: control
//! groups, mounts, mappings of ids, interfaces.
//!
//! \[OCI\] *Open Container Initiative Runtime Specification*, version 1.2.1.

use super::config::{
    BlockIo, Cpu, DeviceRule, IdMapping, Interface, Memory, Mount, Network, Resources, ThrottleDevice,
    WeightDevice,
};
use super::value::{Map, Value};

/// \[OCI\] "Control groups", with further rules for devices.
pub(crate) fn resources_value(resources: &Resources, further_rules: Vec<Map>) -> Map {
    let mut map = Map::default();
    let rules = resources.devices.iter().map(device_rule).chain(further_rules);
    map.put_filled("devices", rules.collect::<Value>());
    map.put_some("memory", resources.memory.as_ref().map(memory));
    map.put_some("cpu", resources.cpu.as_ref().map(cpu));
    map.put_some("pids", resources.pids.as_ref().map(|pids| Map::from_iter([("limit", pids.limit)])));
    map.put_some("blockIO", resources.block_io.as_ref().map(block_io));
    let hugepages = resources.hugepage_limits.iter().map(|limit| {
        let mut map = Map::default();
        map.put("pageSize", &limit.page_size);
        map.put("limit", limit.limit);
        map
    });
    map.put_filled("hugepageLimits", hugepages.collect::<Value>());
    map.put_some("network", resources.network.as_ref().map(network));
    map
}

fn device_rule(rule: &DeviceRule) -> Map {
    let mut map = Map::default();
    map.put("allow", rule.allow);
    map.put_filled("type", &rule.kind);
    map.put_some("major", rule.major);
    map.put_some("minor", rule.minor);
    map.put_filled("access", &rule.access);
    map
}

fn memory(memory: &Memory) -> Map {
    let mut map = Map::default();
    map.put_some("limit", memory.limit);
    map.put_some("reservation", memory.reservation);
    map.put_some("swap", memory.swap);
    map.put_some("kernel", memory.kernel);
    map.put_some("kernelTCP", memory.kernel_tcp);
    map.put_some("swappiness", memory.swappiness);
    map.put_some("disableOOMKiller", memory.disable_oom_killer);
    map
}

fn cpu(cpu: &Cpu) -> Map {
    let mut map = Map::default();
    map.put_some("shares", cpu.shares);
    map.put_some("quota", cpu.quota);
    map.put_some("period", cpu.period);
    map.put_some("realtimeRuntime", cpu.realtime_runtime);
    map.put_some("realtimePeriod", cpu.realtime_period);
    map.put_filled("cpus", &cpu.cpus);
    map.put_filled("mems", &cpu.mems);
    map
}

fn block_io(block_io: &BlockIo) -> Map {
    let rates = |devices: &[ThrottleDevice]| devices.iter().map(throttle_device).collect::<Value>();
    let mut map = Map::default();
    map.put_some("weight", block_io.weight);
    map.put_some("leafWeight", block_io.leaf_weight);
    map.put_filled("weightDevice", block_io.weight_device.iter().map(weight_device).collect::<Value>());
    map.put_filled("throttleReadBpsDevice", rates(&block_io.throttle_read_bps_device));
    map.put_filled("throttleWriteBpsDevice", rates(&block_io.throttle_write_bps_device));
    map.put_filled("throttleReadIOPSDevice", rates(&block_io.throttle_read_iops_device));
    map.put_filled("throttleWriteIOPSDevice", rates(&block_io.throttle_write_iops_device));
    map
}

fn weight_device(device: &WeightDevice) -> Map {
    let mut map = Map::default();
    map.put("major", device.major);
    map.put("minor", device.minor);
    map.put_some("weight", device.weight);
    map.put_some("leafWeight", device.leaf_weight);
    map
}

fn throttle_device(device: &ThrottleDevice) -> Map {
    let mut map = Map::default();
    map.put("major", device.major);
    map.put("minor", device.minor);
    map.put("rate", device.rate);
    map
}

fn network(network: &Network) -> Map {
    let mut map = Map::default();
    map.put_some("classID", network.class_id);
    let priorities = network.priorities.iter().map(|priority| {
        let mut map = Map::default();
        map.put("name", &priority.name);
        map.put("priority", priority.priority);
        map
    });
    map.put_filled("priorities", priorities.collect::<Value>());
    map
}

/// \[OCI\] "Mounts".
pub(crate) fn mount_value(mount: &Mount) -> Map {
    let mut map = Map::default();
    map.put("destination", &mount.destination);
    map.put_filled("type", &mount.kind);
    map.put_filled("source", &mount.source);
    map.put_filled("options", mount.options.iter().collect::<Value>());
    map.put_filled("uidMappings", mount.uid_mappings.iter().map(id_mapping_value).collect::<Value>());
    map.put_filled("gidMappings", mount.gid_mappings.iter().map(id_mapping_value).collect::<Value>());
    map
}

/// \[OCI\] "User namespace mappings".
pub(crate) fn id_mapping_value(mapping: &IdMapping) -> Map {
    let mut map = Map::default();
    map.put("containerID", mapping.container_id);
    map.put("hostID", mapping.host_id);
    map.put("size", mapping.size);
    map
}

/// A network interface in LinuxKit's terms.
pub(crate) fn interface_value(interface: &Interface) -> Map {
    let mut map = Map::default();
    map.put_filled("name", &interface.name);
    map.put_filled("add", &interface.add);
    map.put_filled("peer", &interface.peer);
    map.put("createInRoot", interface.create_in_root);
    map
}
