//! The boot sector, as whoever reads the specification reads it.

use crate::image::bytes;
use mkimage_formats::Layout;
use mkimage_formats::fat::Kind;

/// \[FAT\] "Boot Sector and BPB".
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BootSector {
    pub(crate) sector: u64,
    pub(crate) per_cluster: u64,
    pub(crate) hidden: u64,
    pub(crate) serial: u64,
    /// What the sector says that it is, which nobody should believe.
    pub(crate) says: String,
    pub(crate) clusters: u64,
    pub(crate) len: u64,
}

impl BootSector {
    pub(crate) fn of(layout: &Layout) -> Self {
        Self::read(&bytes(&layout.window(0, 512)))
    }

    fn read(b: &[u8]) -> Self {
        assert_eq!(b[510..512], [0x55, 0xaa]);
        let n = |at: usize, len: usize| b[at..at + len].iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
        let either = |short: u64, long: u64| if short == 0 { long } else { short };
        let (sector, reserved, fats) = (n(11, 2), n(14, 2), n(16, 1));
        let (sectors, fat) = (either(n(19, 2), n(32, 4)), either(n(22, 2), n(36, 4)));
        let per_cluster = n(13, 1);
        // "FAT Type Determination".
        let root = (n(17, 2) * 32).div_ceil(sector);
        let clusters = (sectors - (reserved + fats * fat + root)) / per_cluster;
        // FAT32 has more fields before these.
        let late = if n(22, 2) == 0 { 28 } else { 0 };
        BootSector {
            sector,
            per_cluster,
            hidden: n(28, 4),
            serial: n(39 + late, 4),
            says: String::from_utf8_lossy(&b[54 + late..59 + late]).into_owned(),
            clusters,
            len: sectors * sector,
        }
    }

    /// By the number of clusters alone.
    pub(crate) fn kind(&self) -> Kind {
        match self.clusters {
            ..4085 => Kind::Fat12,
            4085..65_525 => Kind::Fat16,
            _ => Kind::Fat32,
        }
    }
}
