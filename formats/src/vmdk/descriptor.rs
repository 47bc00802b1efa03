//! The text that describes a disk.
//!
//! \[VMDK\] "The Descriptor".

use super::{Adapter, Error, Options};

/// Bytes that all readers read: govmomi parses no more of it.
const ROOM: usize = 512;

/// \[VMDK\] "createType".
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    StreamOptimized,
    MonolithicSparse,
    MonolithicFlat,
}

pub(super) struct Descriptor<'o> {
    pub(super) options: &'o Options,
    pub(super) kind: Type,
    /// Of the disk.
    pub(super) sectors: u64,
}

impl Descriptor<'_> {
    /// The whole text. What importers look for comes first.
    pub(super) fn text(&self) -> Result<Vec<u8>, Error> {
        let Options { name, adapter, hardware_version, tools_version, content_id } = self.options;
        let Geometry { cylinders, heads, sectors } = Geometry::of(self.sectors, *adapter);
        let content_id = content_id & !(1 << 31);
        let kind = match self.kind {
            Type::StreamOptimized => "streamOptimized",
            Type::MonolithicSparse => "monolithicSparse",
            Type::MonolithicFlat => "monolithicFlat",
        };
        let adapter = match adapter {
            Adapter::Ide => "ide",
            Adapter::BusLogic => "buslogic",
            Adapter::LsiLogic => "lsilogic",
        };
        let text = format!(
            r#"# Disk DescriptorFile
version=1
encoding="UTF-8"
CID={content_id:08x}
parentCID=ffffffff
createType="{kind}"

# Extent description
{extent}

# The Disk Data Base
#DDB

ddb.virtualHWVersion = "{hardware_version}"
ddb.geometry.cylinders = "{cylinders}"
ddb.geometry.heads = "{heads}"
ddb.geometry.sectors = "{sectors}"
ddb.adapterType = "{adapter}"
ddb.toolsVersion = "{tools_version}"
"#,
            extent = self.extent(),
        );
        let spoils = |c: char| c.is_control() || matches!(c, '"' | '/' | '\\');
        if name.is_empty() || text.len() > ROOM || name.contains(spoils) {
            let room = ROOM - (text.len() - name.len());
            return Err(Error::Name { name: name.clone(), room });
        }
        Ok(text.into_bytes())
    }

    /// \[VMDK\] "The Extent Description": access, sectors, type, file, and the sector where it begins.
    fn extent(&self) -> String {
        let (sectors, name) = (self.sectors, self.extent_name());
        match self.kind {
            Type::MonolithicFlat => format!(r#"RW {sectors} FLAT "{name}" 0"#),
            Type::StreamOptimized | Type::MonolithicSparse => format!(r#"RW {sectors} SPARSE "{name}""#),
        }
    }

    /// The file that the extent is in. VMware's own flat disks are named so.
    pub(super) fn extent_name(&self) -> String {
        let name = &self.options.name;
        match self.kind {
            Type::MonolithicFlat => format!("{}-flat.vmdk", name.strip_suffix(".vmdk").unwrap_or(name)),
            Type::StreamOptimized | Type::MonolithicSparse => name.clone(),
        }
    }
}

/// What a BIOS tells of the disk.
struct Geometry {
    cylinders: u64,
    heads: u64,
    /// Of a track.
    sectors: u64,
}

impl Geometry {
    /// So many heads and sectors are right for disks of more than 4 GiB, and ESXi imports smaller ones
    /// with them (open-vmdk writes no others). ATA ends at 16,383 cylinders.
    fn of(all: u64, adapter: Adapter) -> Self {
        let (heads, sectors, most) = match adapter {
            Adapter::Ide => (16, 63, 16_383),
            Adapter::BusLogic | Adapter::LsiLogic => (255, 63, 65_535),
        };
        Geometry { cylinders: all.div_ceil(heads * sectors).min(most), heads, sectors }
    }
}
