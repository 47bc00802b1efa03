//! The limits of a control group.

use crate::spec::config::{
    BlockIo, Cpu, DeviceRule, HugepageLimit, InterfacePriority, Memory, Network, Pids, Resources,
    ThrottleDevice, WeightDevice,
};
use crate::spec::error::Log;
use crate::spec::fields::{Fields, NodeRef};

/// Reads `resources`. LinuxKit takes its keys in small letters only, and drops what its own schema
/// spells otherwise (`kernelTCP`); here both are taken.
pub(super) fn read(fields: Fields<'_>, log: &mut Log) -> Resources {
    let mut fields = fields.in_any_case();
    let resources = Resources {
        devices: fields.list("devices", log, device_rule).unwrap_or_default(),
        memory: fields.fields("memory", log).map(|fields| memory(fields, log)),
        cpu: fields.fields("cpu", log).map(|fields| cpu(fields, log)),
        pids: fields.fields("pids", log).map(|fields| pids(fields, log)),
        block_io: fields.fields("blockio", log).map(|fields| block_io(fields, log)),
        hugepage_limits: fields.list("hugepageLimits", log, hugepage_limit).unwrap_or_default(),
        network: fields.fields("network", log).map(|fields| network(fields, log)),
    };
    fields.finish(log);
    resources
}

fn device_rule(node: NodeRef<'_>, log: &mut Log) -> Option<DeviceRule> {
    let mut fields = node.fields("an entry of `devices`", log)?.in_any_case();
    let rule = DeviceRule {
        allow: fields.boolean("allow", log).unwrap_or_default(),
        kind: fields.plain("type", log),
        major: fields.integer("major", log),
        minor: fields.integer("minor", log),
        access: fields.plain("access", log),
    };
    fields.finish(log);
    Some(rule)
}

fn memory(fields: Fields<'_>, log: &mut Log) -> Memory {
    let mut fields = fields.in_any_case();
    let memory = Memory {
        limit: fields.integer("limit", log),
        reservation: fields.integer("reservation", log),
        swap: fields.integer("swap", log),
        kernel: fields.integer("kernel", log),
        kernel_tcp: fields.integer("kernelTCP", log),
        swappiness: fields.integer("swappiness", log),
        disable_oom_killer: fields.boolean("disableOOMKiller", log),
    };
    fields.finish(log);
    memory
}

fn cpu(fields: Fields<'_>, log: &mut Log) -> Cpu {
    let mut fields = fields.in_any_case();
    let cpu = Cpu {
        shares: fields.integer("shares", log),
        quota: fields.integer("quota", log),
        period: fields.integer("period", log),
        realtime_runtime: fields.integer("realtimeRuntime", log),
        realtime_period: fields.integer("realtimePeriod", log),
        cpus: fields.plain("cpus", log),
        mems: fields.plain("mems", log),
    };
    fields.finish(log);
    cpu
}

fn pids(fields: Fields<'_>, log: &mut Log) -> Pids {
    let mut fields = fields.in_any_case();
    let pids = Pids { limit: fields.integer("limit", log).unwrap_or_default() };
    fields.finish(log);
    pids
}

fn block_io(fields: Fields<'_>, log: &mut Log) -> BlockIo {
    let mut fields = fields.in_any_case();
    let mut rates = |fields: &mut Fields<'_>, key| fields.list(key, log, throttle_device).unwrap_or_default();
    let throttle_read_bps_device = rates(&mut fields, "throttleReadBpsDevice");
    let throttle_write_bps_device = rates(&mut fields, "throttleWriteBpsDevice");
    let throttle_read_iops_device = rates(&mut fields, "throttleReadIOPSDevice");
    let throttle_write_iops_device = rates(&mut fields, "throttleWriteIOPSDevice");
    let block_io = BlockIo {
        weight: fields.integer("weight", log),
        leaf_weight: fields.integer("leafWeight", log),
        weight_device: fields.list("weightDevice", log, weight_device).unwrap_or_default(),
        throttle_read_bps_device,
        throttle_write_bps_device,
        throttle_read_iops_device,
        throttle_write_iops_device,
    };
    fields.finish(log);
    block_io
}

fn weight_device(node: NodeRef<'_>, log: &mut Log) -> Option<WeightDevice> {
    let mut fields = node.fields("an entry of `weightDevice`", log)?.in_any_case();
    let device = WeightDevice {
        major: fields.integer("major", log).unwrap_or_default(),
        minor: fields.integer("minor", log).unwrap_or_default(),
        weight: fields.integer("weight", log),
        leaf_weight: fields.integer("leafWeight", log),
    };
    fields.finish(log);
    Some(device)
}

fn throttle_device(node: NodeRef<'_>, log: &mut Log) -> Option<ThrottleDevice> {
    let mut fields = node.fields("the rate of a device", log)?.in_any_case();
    let device = ThrottleDevice {
        major: fields.integer("major", log).unwrap_or_default(),
        minor: fields.integer("minor", log).unwrap_or_default(),
        rate: fields.integer("rate", log).unwrap_or_default(),
    };
    fields.finish(log);
    Some(device)
}

fn hugepage_limit(node: NodeRef<'_>, log: &mut Log) -> Option<HugepageLimit> {
    let mut fields = node.fields("an entry of `hugepageLimits`", log)?.in_any_case();
    let limit = HugepageLimit {
        page_size: fields.take("pageSize", log).and_then(|node| page_size(node, log)).unwrap_or_default(),
        limit: fields.integer("limit", log).unwrap_or_default(),
    };
    fields.finish(log);
    Some(limit)
}

/// The kernel's name for a page size. LinuxKit's schema wants a number, which can only be bytes;
/// the runtime wants a name.
fn page_size(node: NodeRef<'_>, log: &mut Log) -> Option<String> {
    let Some(bytes) = node.number() else {
        return node.text("`pageSize`", log).map(|size| size.value);
    };
    Some(match bytes {
        bytes if bytes % (1 << 30) == 0 => format!("{}GB", bytes >> 30),
        bytes if bytes % (1 << 20) == 0 => format!("{}MB", bytes >> 20),
        bytes => format!("{}KB", bytes >> 10),
    })
}

fn network(fields: Fields<'_>, log: &mut Log) -> Network {
    let mut fields = fields.in_any_case();
    let network = Network {
        class_id: fields.integer("classID", log),
        priorities: fields.list("priorities", log, interface_priority).unwrap_or_default(),
    };
    fields.finish(log);
    network
}

fn interface_priority(node: NodeRef<'_>, log: &mut Log) -> Option<InterfacePriority> {
    let mut fields = node.fields("an entry of `priorities`", log)?.in_any_case();
    let priority = InterfacePriority {
        name: fields.plain("name", log),
        priority: fields.integer("priority", log).unwrap_or_default(),
    };
    fields.finish(log);
    Some(priority)
}
