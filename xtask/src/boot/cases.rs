//! The table of boots: which firmware starts what, from where.

mod rows;

use super::device::Device;
use super::firmware::Firmware::{self, SeaBios};
use super::format::{Format, ISO_BIOS};
use super::guest::Payload;
use super::recipe::{Fault, Recipe};
use rows::ROWS;
use std::cmp::Reverse;

/// One boot.
pub(crate) struct Case {
    /// Unique; what a filter is compared with.
    pub(crate) name: String,
    pub(crate) firmware: Firmware,
    pub(crate) memory_mib: u32,
    pub(crate) recipe: Recipe,
    pub(crate) device: Device,
    pub(crate) expect: Expect,
    /// After these seconds the boot has failed.
    pub(crate) limit_seconds: u64,
    /// It takes longer than all that it shows beyond the others is worth every time.
    pub(crate) slow: bool,
}

/// What must be on the serial port.
#[derive(Clone, Copy)]
pub(crate) enum Expect {
    /// The guest's report.
    Guest,
    /// The same, after what a loader of somebody else's does to each line.
    GuestBy(fn(&str) -> String),
    /// The same, and in the TPM what follows from these sections of the program.
    Measured(&'static [&'static str]),
    /// Words of the loader.
    Words(&'static str),
}

/// Boots that differ in where the medium is.
struct Row {
    format: Format,
    firmware: Firmware,
    devices: &'static [Device],
    /// What is peculiar.
    about: &'static str,
    /// 0 for what is usual.
    memory_mib: u32,
    payload: Payload,
    fault: Fault,
    expect: Expect,
    slow: bool,
}

const ROW: Row = Row {
    format: ISO_BIOS,
    firmware: SeaBios,
    devices: &[],
    about: "",
    memory_mib: 0,
    payload: Payload::Small,
    fault: Fault::None,
    expect: Expect::Guest,
    slow: false,
};

/// All of them, the longest first: two run at a time, and none should be left alone at the end.
pub(crate) fn all() -> Vec<Case> {
    let mut all: Vec<Case> =
        ROWS.iter().flat_map(|row| row.devices.iter().map(|device| row.case(*device))).collect();
    all.sort_by_key(|case| Reverse(case.limit_seconds));
    all
}

impl Row {
    fn case(&self, device: Device) -> Case {
        let &Row { format, firmware, about, payload, fault, expect, slow, .. } = self;
        let mut name = format!("{}: {}, {}", format.label, firmware.name(), device.name());
        if !about.is_empty() {
            name += ", ";
            name += about;
        }
        let usual_mib = if firmware.is_uefi() { 1024 } else { 512 };
        Case {
            name,
            firmware,
            memory_mib: if self.memory_mib == 0 { usual_mib } else { self.memory_mib },
            recipe: Recipe { arch: firmware.arch(), format, payload, fault },
            device,
            expect,
            limit_seconds: firmware.patience() * payload.patience() * fault.patience(),
            slow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_case_has_a_name_of_its_own() {
        let all = all();
        assert_eq!(all.iter().map(|case| &case.name).collect::<BTreeSet<_>>().len(), all.len());
    }
}
