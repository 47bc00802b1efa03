//! The unit in which a disk is read.

/// Bytes of a disk's logical sector. A disk image is for one of them: its partition table and its
/// file systems count in sectors, so that what is right for one is nowhere to be found by the
/// firmware of a machine with the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SectorSize {
    /// 512 bytes: what nearly all disks have, or say that they have.
    #[default]
    B512,
    /// 4,096 bytes: "4K native" disks.
    B4096,
}

impl SectorSize {
    /// Bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            SectorSize::B512 => 512,
            SectorSize::B4096 => 4096,
        }
    }
}
