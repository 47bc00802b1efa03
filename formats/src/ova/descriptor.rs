//! The description of a machine.
//!
//! \[CIM\] DMTF, schema 2.22, `CIM_ResourceAllocationSettingData`: the kinds of resources, and their
//! properties, in the order of the alphabet.

use super::{Firmware, Medium, MediumKind, Options};
use crate::vmdk::{self, Adapter};
use std::fmt::Write;

/// Drives on one IDE channel.
pub(super) const CDROMS: usize = 2;

/// Disks on one controller.
pub(super) fn disks_of(adapter: Adapter) -> usize {
    match adapter {
        Adapter::Ide => 2,
        // It is on its bus itself, as target 7.
        Adapter::BusLogic | Adapter::LsiLogic => 7,
    }
}

/// \[CIM\] `ResourceType`.
#[derive(Clone, Copy)]
enum Resource {
    Processor = 3,
    Memory = 4,
    Ide = 5,
    ParallelScsi = 6,
    Ethernet = 10,
    Cdrom = 15,
    Disk = 17,
}

/// A piece of hardware.
struct Item {
    resource: Resource,
    name: String,
    /// \[CIM\] properties that not all have: `InstanceID` and `ResourceType` are put among them.
    properties: Vec<(&'static str, String)>,
}

/// \[OVF\] §6 "OVF descriptor".
pub(super) fn text(media: &[Medium], options: &Options) -> String {
    let Options { hardware_version, guest, .. } = options;
    let (id, name) = (super::stem(&options.name), escaped(&options.name));
    let firmware = match options.firmware {
        Firmware::Bios => "bios",
        Firmware::Efi => "efi",
    };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vmw="http://www.vmware.com/schema/ovf" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
  <References>
{files}  </References>
{disks}  <NetworkSection>
    <Info>Logical networks</Info>
    <Network ovf:name="VM Network">
      <Description>The network of the first adapter</Description>
    </Network>
  </NetworkSection>
  <VirtualSystem ovf:id="{id}">
    <Info>A virtual machine</Info>
    <Name>{name}</Name>
    <OperatingSystemSection ovf:id="{LINUX_64}" vmw:osType="{guest}">
      <Info>The guest operating system</Info>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>Virtual hardware</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>{name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-{hardware_version:02}</vssd:VirtualSystemType>
      </System>
{hardware}      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="{firmware}"/>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
"#,
        files = files(media),
        disks = disks(media),
        hardware = hardware(media, options),
    )
}

/// Text as XML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// \[CIM\] `CIM_OperatingSystem.OsType`: "Linux 64-Bit".
const LINUX_64: u32 = 101;

/// \[OVF\] §7.1 "File references".
fn files(media: &[Medium]) -> String {
    let line = |(n, medium): (u32, &Medium)| {
        let (name, len) = (&medium.name, medium.file.len());
        format!("    <File ovf:href=\"{name}\" ovf:id=\"file{n}\" ovf:size=\"{len}\"/>\n")
    };
    (1..).zip(media).map(line).collect()
}

/// \[OVF\] §9.1 "DiskSection".
fn disks(media: &[Medium]) -> String {
    let mut lines = String::new();
    for (n, medium) in (1u32..).zip(media) {
        if let MediumKind::Disk { size } = medium.kind {
            let capacity = vmdk::capacity(size);
            let format = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized";
            let line = format!(
                "    <Disk ovf:capacity=\"{capacity}\" ovf:capacityAllocationUnits=\"byte\" ovf:diskId=\"disk{n}\" \
                 ovf:fileRef=\"file{n}\" ovf:format=\"{format}\"/>\n"
            );
            lines.push_str(&line);
        }
    }
    if lines.is_empty() {
        return lines;
    }
    format!("  <DiskSection>\n    <Info>Virtual disks</Info>\n{lines}  </DiskSection>\n")
}

/// \[OVF\] §8.1 "VirtualHardwareSection", its items.
fn hardware(media: &[Medium], options: &Options) -> String {
    let Options { cpus, memory, .. } = options;
    let mut items = vec![
        Item {
            resource: Resource::Processor,
            name: format!("{cpus} virtual CPU(s)"),
            properties: vec![
                ("AllocationUnits", "hertz * 10^6".into()),
                ("VirtualQuantity", cpus.to_string()),
            ],
        },
        Item {
            resource: Resource::Memory,
            name: format!("{memory} MiB of memory"),
            properties: vec![
                ("AllocationUnits", "byte * 2^20".into()),
                ("VirtualQuantity", memory.to_string()),
            ],
        },
        Item {
            resource: Resource::Ethernet,
            name: "ethernet0".into(),
            properties: vec![
                ("AddressOnParent", "0".into()),
                ("AutomaticAllocation", "true".into()),
                ("Connection", "VM Network".into()),
                ("ResourceSubType", "VmxNet3".into()),
            ],
        },
    ];
    let numbered = || (1u32..).zip(media);
    let attach = |items: &mut Vec<Item>, controller: Item, drives: Vec<Item>| {
        if drives.is_empty() {
            return;
        }
        items.push(controller);
        let parent = items.len();
        for (address, mut drive) in drives.into_iter().enumerate() {
            drive.properties.push(("AddressOnParent", address.to_string()));
            drive.properties.push(("Parent", parent.to_string()));
            items.push(drive);
        }
    };
    let controller = |resource, name: &str, address: u32, kind: Option<&str>| {
        let mut properties = vec![("Address", address.to_string())];
        properties.extend(kind.map(|kind| ("ResourceSubType", kind.to_owned())));
        Item { resource, name: name.into(), properties }
    };
    let disks = numbered().filter(|(_, medium)| medium.kind != MediumKind::Cdrom).map(|(n, _)| Item {
        resource: Resource::Disk,
        name: format!("disk{n}"),
        properties: vec![("HostResource", format!("ovf:/disk/disk{n}"))],
    });
    let (adapter, cdrom_channel) = match options.adapter {
        // What hosted products, ESXi, VirtualBox and every Linux know.
        Adapter::LsiLogic => (controller(Resource::ParallelScsi, "scsi0", 0, Some("lsilogic")), 0),
        Adapter::BusLogic => (controller(Resource::ParallelScsi, "scsi0", 0, Some("buslogic")), 0),
        Adapter::Ide => (controller(Resource::Ide, "ide0", 0, None), 1),
    };
    attach(&mut items, adapter, disks.collect());
    let cdroms = numbered().filter(|(_, medium)| medium.kind == MediumKind::Cdrom).map(|(n, _)| Item {
        resource: Resource::Cdrom,
        name: format!("cdrom{n}"),
        properties: vec![
            ("AutomaticAllocation", "true".into()),
            ("HostResource", format!("ovf:/file/file{n}")),
            ("ResourceSubType", "vmware.cdrom.iso".into()),
        ],
    });
    let ide = controller(Resource::Ide, &format!("ide{cdrom_channel}"), cdrom_channel, None);
    attach(&mut items, ide, cdroms.collect());
    (1..).zip(items).map(|(id, item)| item.text(id)).collect()
}

impl Item {
    fn text(mut self, id: usize) -> String {
        self.properties.push(("ElementName", self.name));
        self.properties.push(("InstanceID", id.to_string()));
        self.properties.push(("ResourceType", (self.resource as u8).to_string()));
        self.properties.sort_unstable();
        let mut text = String::from("      <Item>\n");
        for (key, value) in self.properties {
            writeln!(text, "        <rasd:{key}>{value}</rasd:{key}>").expect("a string takes all");
        }
        text.push_str("      </Item>\n");
        text
    }
}
