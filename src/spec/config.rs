//! The configuration of a container, as a YAML file or an image's label gives it.
//!
//! Nothing is filled in here: a field is absent until something was written for it, because an
//! absent one is taken from the label, and then from a default ([`crate::container`]).

use super::place::Located;
use std::collections::BTreeMap;

/// A list of strings, each where it was written.
pub type Strings = Vec<Located<String>>;

/// What an entry of `onboot`, `onshutdown` or `services` says beside its name and image, and what
/// the label `org.mobyproject.config` may say for it.
///
/// An empty string means the same as an absent one in `cwd`, `net`, `pid`, `ipc`, `uts`, `userns`
/// and `hostname`; an empty list is a value like any other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerConfig {
    /// Capabilities by name, or the single item `all` or `none`.
    pub capabilities: Option<Strings>,
    /// Capabilities on top of the label's.
    pub capabilities_add: Option<Strings>,
    /// Ambient capabilities.
    pub ambient: Option<Strings>,
    /// Mounts, in the terms of the OCI runtime specification.
    pub mounts: Option<Vec<Located<Mount>>>,
    /// Bind mounts `source:destination[:options]`.
    pub binds: Option<Strings>,
    /// Bind mounts on top of the label's.
    pub binds_add: Option<Strings>,
    /// Device nodes.
    pub devices: Option<Vec<Located<Device>>>,
    /// tmpfs mounts `destination[:options]`.
    pub tmpfs: Option<Strings>,
    /// The program and its arguments.
    pub command: Option<Strings>,
    /// Environment variables `NAME=value`.
    pub env: Option<Strings>,
    /// The working folder.
    pub cwd: Option<Located<String>>,
    /// The network namespace.
    pub net: Option<Located<String>>,
    /// The process namespace.
    pub pid: Option<Located<String>>,
    /// The System V IPC namespace.
    pub ipc: Option<Located<String>>,
    /// The host name's namespace.
    pub uts: Option<Located<String>>,
    /// The user namespace.
    pub userns: Option<Located<String>>,
    /// The host name.
    pub hostname: Option<Located<String>>,
    /// The root file system cannot be written.
    pub readonly: Option<bool>,
    /// Paths that the container cannot see.
    pub masked_paths: Option<Strings>,
    /// Paths that the container cannot write.
    pub readonly_paths: Option<Strings>,
    /// The user of the process.
    pub uid: Option<Located<Id>>,
    /// The group of the process.
    pub gid: Option<Located<Id>>,
    /// Further groups of the process.
    pub additional_gids: Option<Vec<Located<Id>>>,
    /// The process cannot gain privileges by `execve`.
    pub no_new_privileges: Option<bool>,
    /// The process' score for the kernel's out-of-memory killer.
    pub oom_score_adj: Option<i64>,
    /// How mounts propagate out of the root file system.
    pub rootfs_propagation: Option<Located<String>>,
    /// The path of the control group.
    pub cgroups_path: Option<Located<String>>,
    /// Limits of the control group.
    pub resources: Option<Resources>,
    /// Kernel parameters of the namespaces.
    pub sysctl: Option<BTreeMap<String, String>>,
    /// Limits `name,soft,hard`.
    pub rlimits: Option<Strings>,
    /// Ranges of user ids of the user namespace.
    pub uid_mappings: Option<Vec<IdMapping>>,
    /// Ranges of group ids of the user namespace.
    pub gid_mappings: Option<Vec<IdMapping>>,
    /// Annotations for the runtime.
    pub annotations: Option<BTreeMap<String, String>>,
    /// What is to be done on the host before the container starts.
    pub runtime: Option<Runtime>,
}

/// A user or group: a number, or the name of a container whose own id it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    /// The id itself.
    Number(u32),
    /// The name of an entry of `onboot`, `onshutdown` or `services`; empty and `root` mean 0.
    Name(String),
}

/// A mount. OCI runtime specification, "Mounts".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub destination: String,
    /// The type of the file system, or `bind`.
    pub kind: String,
    /// A device, a folder or a label; for `bind` also the name of a volume.
    pub source: String,
    /// Options of the mount.
    pub options: Vec<String>,
    /// Ranges of user ids as the mount shows them.
    pub uid_mappings: Vec<IdMapping>,
    /// Ranges of group ids as the mount shows them.
    pub gid_mappings: Vec<IdMapping>,
}

/// A range of ids. OCI runtime specification, "User namespace mappings".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdMapping {
    /// The first id in the container.
    pub container_id: u32,
    /// The first id on the host.
    pub host_id: u32,
    /// How many ids.
    pub size: u32,
}

/// A device node in the container, or (path `all`) only the permission to use a kind of device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// The path of the node.
    pub path: String,
    /// `c`, `b`, `u`, `p`, or `a` for every kind.
    pub kind: String,
    /// The major number.
    pub major: i64,
    /// The minor number.
    pub minor: i64,
    /// Permissions, octal.
    pub mode: Option<Located<String>>,
}

/// Actions on the host around the start of the container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runtime {
    /// Control groups to make.
    pub cgroups: Option<Vec<String>>,
    /// Mounts to make.
    pub mounts: Option<Vec<Mount>>,
    /// Folders to make.
    pub mkdir: Option<Vec<String>>,
    /// Network interfaces to move or make.
    pub interfaces: Option<Vec<Interface>>,
    /// Where to bind the container's namespaces.
    pub bind_ns: BindNs,
    /// The containerd namespace.
    pub namespace: Option<String>,
}

/// A path for each namespace of the container that is to outlive it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindNs {
    /// The control group namespace.
    pub cgroup: Option<String>,
    /// The System V IPC namespace.
    pub ipc: Option<String>,
    /// The mount namespace.
    pub mnt: Option<String>,
    /// The network namespace.
    pub net: Option<String>,
    /// The process namespace.
    pub pid: Option<String>,
    /// The user namespace.
    pub user: Option<String>,
    /// The host name's namespace.
    pub uts: Option<String>,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// The name in the container.
    pub name: String,
    /// The type of the interface to make.
    pub add: String,
    /// The other end of a veth pair.
    pub peer: String,
    /// It is made in the root namespace, then moved.
    pub create_in_root: bool,
}

/// Limits of a control group. OCI runtime specification, "Control groups".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Devices that may or may not be used.
    pub devices: Vec<DeviceRule>,
    /// Memory, in bytes.
    pub memory: Option<Memory>,
    /// Processors.
    pub cpu: Option<Cpu>,
    /// The number of processes.
    pub pids: Option<Pids>,
    /// Block devices.
    pub block_io: Option<BlockIo>,
    /// Huge pages.
    pub hugepage_limits: Vec<HugepageLimit>,
    /// Network classes and priorities.
    pub network: Option<Network>,
}

/// A rule of the device control group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceRule {
    /// The devices may be used.
    pub allow: bool,
    /// `a`, `b` or `c`.
    pub kind: String,
    /// The major number; every one if absent.
    pub major: Option<i64>,
    /// The minor number; every one if absent.
    pub minor: Option<i64>,
    /// Some of `r`, `w` and `m`.
    pub access: String,
}

/// Limits of memory, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The hard limit.
    pub limit: Option<i64>,
    /// The soft limit.
    pub reservation: Option<i64>,
    /// Memory and swap together.
    pub swap: Option<i64>,
    /// Kernel memory.
    pub kernel: Option<i64>,
    /// Kernel memory of TCP.
    pub kernel_tcp: Option<i64>,
    /// 0 to 100.
    pub swappiness: Option<u64>,
    /// Processes wait for memory instead of being killed.
    pub disable_oom_killer: Option<bool>,
}

/// Shares of processors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// The weight relative to other groups.
    pub shares: Option<u64>,
    /// Microseconds of each period.
    pub quota: Option<i64>,
    /// The period, in microseconds.
    pub period: Option<u64>,
    /// Microseconds of each real-time period.
    pub realtime_runtime: Option<i64>,
    /// The real-time period, in microseconds.
    pub realtime_period: Option<u64>,
    /// Processors, as `0-2,7`.
    pub cpus: String,
    /// Memory nodes, as `0-1`.
    pub mems: String,
}

/// The number of processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pids {
    /// At most this many.
    pub limit: i64,
}

/// Weights and rates of block devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockIo {
    /// The weight relative to other groups.
    pub weight: Option<u16>,
    /// The weight relative to child groups.
    pub leaf_weight: Option<u16>,
    /// Weights for single devices.
    pub weight_device: Vec<WeightDevice>,
    /// Bytes read in a second.
    pub throttle_read_bps_device: Vec<ThrottleDevice>,
    /// Bytes written in a second.
    pub throttle_write_bps_device: Vec<ThrottleDevice>,
    /// Reads in a second.
    pub throttle_read_iops_device: Vec<ThrottleDevice>,
    /// Writes in a second.
    pub throttle_write_iops_device: Vec<ThrottleDevice>,
}

/// Weights of one block device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeightDevice {
    /// The major number.
    pub major: i64,
    /// The minor number.
    pub minor: i64,
    /// The weight relative to other groups.
    pub weight: Option<u16>,
    /// The weight relative to child groups.
    pub leaf_weight: Option<u16>,
}

/// The rate of one block device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThrottleDevice {
    /// The major number.
    pub major: i64,
    /// The minor number.
    pub minor: i64,
    /// Per second.
    pub rate: u64,
}

/// A limit of huge pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HugepageLimit {
    /// The size of a page with its unit, as `2MB`.
    pub page_size: String,
    /// At most this many bytes.
    pub limit: u64,
}

/// Network classes and priorities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The class of the group's packets.
    pub class_id: Option<u32>,
    /// Priorities of interfaces.
    pub priorities: Vec<InterfacePriority>,
}

/// The priority of one interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfacePriority {
    /// The interface.
    pub name: String,
    /// Its priority.
    pub priority: u32,
}
