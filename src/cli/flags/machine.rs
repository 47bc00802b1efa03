//! Flags about virtual machines and their disks.

use super::number;
use crate::output::{Machine, Options, OvaMedium, Qcow2Compression, VmdkKind};
use clap::Args;
use mkimage_formats::ova::Digest;
use mkimage_formats::qcow2;
use mkimage_formats::vmdk::Adapter;

/// Not `next_help_heading`, which would have the flags after these too.
const HEADING: &str = "Virtual machines";

/// What the containers of disks say, and how they are made.
#[derive(Debug, Args)]
pub(super) struct MachineFlags {
    /// Which of VMware's disks `vmdk` is
    #[arg(long, help_heading = HEADING, value_enum, default_value_t, value_name = "KIND")]
    vmdk_kind: VmdkFlag,
    /// What a disk of `vmdk` and `ova` is attached to
    #[arg(long, help_heading = HEADING, value_enum, default_value_t, value_name = "ADAPTER")]
    vm_adapter: AdapterFlag,
    /// The virtual hardware's version in `vmdk` and `ova` [default: 6 for a disk, 15 for a machine]
    #[arg(long, help_heading = HEADING, value_name = "N", value_parser = number::<u32>(3..=99))]
    vm_hardware_version: Option<u32>,
    /// The version of VMware's tools that a disk of `vmdk` and `ova` tells of [default: that of
    /// tools that the guest updates itself]
    #[arg(long, help_heading = HEADING, value_name = "N", value_parser = number(0..=u32::MAX))]
    vm_tools_version: Option<u32>,
    /// The guest of an `ova`, in VMware's terms
    #[arg(long, help_heading = HEADING, value_name = "ID", default_value_t = Machine::default().guest)]
    vm_guest_id: String,
    /// Virtual CPUs of an `ova`
    #[arg(long, help_heading = HEADING, value_name = "N", default_value_t = Machine::default().cpus, value_parser = number::<u32>(1..=768))]
    vm_cpus: u32,
    /// Memory of an `ova`: 512M, 2G, or a bare number of MiB
    #[arg(long, help_heading = HEADING, value_name = "SIZE", default_value_t = Machine::default().memory, value_parser = memory)]
    vm_memory: u32,
    /// What an `ova` boots from
    #[arg(long, help_heading = HEADING, value_enum, default_value_t, value_name = "MEDIUM")]
    ova_medium: MediumFlag,
    /// The digests in an `ova`
    #[arg(long, help_heading = HEADING, value_enum, default_value_t, value_name = "NAME")]
    ova_digest: DigestFlag,
    /// How the clusters of a qcow2 are compressed
    #[arg(long, help_heading = HEADING, value_enum, default_value_t, value_name = "NAME")]
    qcow2_compression: Qcow2Flag,
    /// A cluster of a qcow2, a power of two from 512 to 2M: Oracle's cloud wants 8K
    #[arg(long, help_heading = HEADING, value_name = "BYTES", default_value = "64K", value_parser = cluster_size)]
    qcow2_cluster_size: u32,
}

/// [`VmdkKind`] as a flag.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum VmdkFlag {
    /// Compressed, for ESXi and Content Libraries
    #[default]
    StreamOptimized,
    /// One file that grows, for Workstation, Fusion and QEMU
    MonolithicSparse,
    /// A descriptor, and the disk as it is beside it
    MonolithicFlat,
}

/// [`Adapter`] as a flag.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum AdapterFlag {
    /// IDE
    Ide,
    /// SCSI, for guests of the 1990s
    #[value(name = "buslogic")]
    BusLogic,
    /// SCSI
    #[default]
    #[value(name = "lsilogic")]
    LsiLogic,
}

/// [`OvaMedium`] as a flag.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum MediumFlag {
    /// A disk, compressed
    #[default]
    Disk,
    /// The ISO of format `iso`
    Cd,
}

/// [`Digest`] as a flag.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum DigestFlag {
    /// vSphere 6.0 and later
    #[default]
    Sha256,
    /// For vSphere 5.5
    Sha1,
}

/// [`Qcow2Compression`] as a flag.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Qcow2Flag {
    /// Not at all
    #[default]
    None,
    /// As every QEMU reads it
    Zlib,
    /// For QEMU 5.1 and later
    Zstd,
}

impl MachineFlags {
    /// `options` with what the flags say.
    pub(super) fn apply(&self, options: Options) -> Options {
        Options {
            qcow2: match self.qcow2_compression {
                Qcow2Flag::None => None,
                Qcow2Flag::Zlib => Some(Qcow2Compression::Zlib),
                Qcow2Flag::Zstd => Some(Qcow2Compression::Zstd),
            },
            qcow2_cluster_size: self.qcow2_cluster_size,
            vmdk: match self.vmdk_kind {
                VmdkFlag::StreamOptimized => VmdkKind::StreamOptimized,
                VmdkFlag::MonolithicSparse => VmdkKind::MonolithicSparse,
                VmdkFlag::MonolithicFlat => VmdkKind::MonolithicFlat,
            },
            machine: self.machine(),
            ..options
        }
    }

    fn machine(&self) -> Machine {
        Machine {
            medium: match self.ova_medium {
                MediumFlag::Disk => OvaMedium::Disk,
                MediumFlag::Cd => OvaMedium::Cdrom,
            },
            adapter: match self.vm_adapter {
                AdapterFlag::Ide => Adapter::Ide,
                AdapterFlag::BusLogic => Adapter::BusLogic,
                AdapterFlag::LsiLogic => Adapter::LsiLogic,
            },
            hardware_version: self.vm_hardware_version,
            tools_version: self.vm_tools_version,
            guest: self.vm_guest_id.clone(),
            cpus: self.vm_cpus,
            memory: self.vm_memory,
            digest: match self.ova_digest {
                DigestFlag::Sha256 => Digest::Sha256,
                DigestFlag::Sha1 => Digest::Sha1,
            },
        }
    }
}

/// MiB of `512M`, `2G` or `2048`.
fn memory(text: &str) -> Result<u32, String> {
    let (number, unit) = super::parts(text);
    let bytes = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit.unwrap_or(1 << 20)));
    let mib =
        bytes.filter(|bytes| bytes.is_multiple_of(1 << 20)).and_then(|bytes| (bytes >> 20).try_into().ok());
    mib.filter(|mib| *mib >= 4).ok_or_else(|| "512M, 2G, or a number of MiB from 4 on is wanted".to_owned())
}

/// Bytes of a qcow2's clusters.
fn cluster_size(text: &str) -> Result<u32, String> {
    let size: u32 = super::bytes(text).ok_or_else(|| "512, 64K, or 2M is wanted".to_owned())?;
    match size.is_power_of_two() && (512..=2 << 20).contains(&size) {
        true => Ok(size),
        false => Err(qcow2::Error::ClusterSize { size }.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_mib_or_has_a_unit() {
        for (text, mib) in [("2048", 2048), ("512M", 512), ("2g", 2048), ("4096K", 4), ("4", 4)] {
            assert_eq!(memory(text), Ok(mib));
        }
        for bad in ["", "G", "3", "0", "4097K", "-1", "1.5G", "4194304G"] {
            assert!(memory(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn clusters_are_powers_of_two_that_qcow2_knows() {
        for (text, size) in [("512", 512), ("8K", 8192), ("64k", 65_536), ("2M", 2 << 20)] {
            assert_eq!(cluster_size(text), Ok(size));
        }
        for bad in ["", "K", "256", "3K", "4M", "1G", "-1", "9999999999", "4095M"] {
            assert!(cluster_size(bad).is_err(), "{bad}");
        }
    }
}
