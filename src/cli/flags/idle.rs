//! Flags that change nothing, since none of the formats knows what they are about.

use crate::output::{Format, Options, Topic};
use clap::ArgMatches;
use clap::parser::ValueSource;

/// The flags that are not for all formats, by their names as fields.
const FLAGS: [(&str, Topic); 26] = [
    ("payload", Topic::Payload),
    ("initrd_compression", Topic::Initrd),
    ("bios_loader", Topic::Bios),
    ("boot_serial", Topic::Bios),
    ("efi_loader", Topic::Efi),
    ("disk_id", Topic::Efi),
    ("hybrid", Topic::Hybrid),
    ("size", Topic::Disk),
    ("sector_size", Topic::Disk),
    ("firmware", Topic::Firmware),
    ("volume_label", Topic::Volume),
    ("squashfs_compression", Topic::Squashfs),
    ("squashfs_block_size", Topic::Squashfs),
    ("efi_stub", Topic::Uki),
    ("rpi_firmware", Topic::Rpi),
    ("qcow2_compression", Topic::Qcow2),
    ("qcow2_cluster_size", Topic::Qcow2),
    ("vmdk_kind", Topic::Vmdk),
    ("vm_adapter", Topic::Machine),
    ("vm_hardware_version", Topic::Machine),
    ("vm_tools_version", Topic::Machine),
    ("vm_guest_id", Topic::Ova),
    ("vm_cpus", Topic::Ova),
    ("vm_memory", Topic::Ova),
    ("ova_medium", Topic::Ova),
    ("ova_digest", Topic::Ova),
];

/// Those of [`FLAGS`] that the command line of a verb has.
pub(crate) fn given(verb: &ArgMatches) -> Vec<(&'static str, Topic)> {
    let is_given = |flag: &str| verb.value_source(flag) == Some(ValueSource::CommandLine);
    FLAGS.into_iter().filter(|(flag, _)| is_given(flag)).collect()
}

/// What is to be said of flags that change nothing in `formats`.
pub(super) fn notes(given: &[(&'static str, Topic)], formats: &[&Format], options: &Options) -> Vec<String> {
    let idle = given.iter().filter(|(_, topic)| formats.iter().all(|format| !format.uses(*topic, options)));
    let names: Vec<String> = formats.iter().map(|format| format!("`{}`", format.name)).collect();
    idle.map(|(flag, _)| format!("--{} changes nothing in {}", flag.replace('_', "-"), names.join(", ")))
        .collect()
}
