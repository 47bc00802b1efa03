//! Names of capabilities.

use super::error::{ContainerProblem, at};
use crate::spec::{ContainerConfig, Error, Located, Strings, nearest};

/// All capabilities, as `linux/capability.h` numbers them.
const ALL: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// Notes names that no capability has. What is added to a label's capabilities can be `all` only
/// if the label has none: that is seen when the label is there.
pub(super) fn check(config: &ContainerConfig, errors: &mut Vec<Error>) {
    names(config.capabilities.as_ref(), errors);
    names(config.ambient.as_ref(), errors);
    if config.capabilities.is_none() {
        let added = config.capabilities_add.iter().flatten();
        errors.extend(added.filter(|name| single(name).is_none()).filter_map(|name| known(name).err()));
    }
}

/// The capabilities of a list in its order, names that come twice too.
pub(crate) fn names(list: Option<&Strings>, errors: &mut Vec<Error>) -> Vec<&'static str> {
    let list = list.map_or(&[][..], Vec::as_slice);
    if let [only] = list
        && let Some(names) = single(only)
    {
        return names;
    }
    list.iter().filter_map(|name| known(name).map_err(|error| errors.push(error)).ok()).collect()
}

/// What a name means that stands for several, or for none.
fn single(name: &str) -> Option<Vec<&'static str>> {
    match name.to_ascii_lowercase().as_str() {
        "all" => Some(ALL.to_vec()),
        "none" => Some(Vec::new()),
        _ => None,
    }
}

fn known(name: &Located<String>) -> Result<&'static str, Error> {
    let found = ALL.into_iter().find(|known| *known == name.as_str());
    found.ok_or_else(|| {
        if single(name).is_some() {
            return at(name, ContainerProblem::NotAlone { word: name.value.clone() });
        }
        let full = format!("CAP_{}", name.to_ascii_uppercase());
        let guess = ALL.into_iter().find(|known| *known == full).or_else(|| nearest(name, &ALL));
        at(name, ContainerProblem::Capability { name: name.value.clone(), nearest: guess.map(str::to_owned) })
    })
}
