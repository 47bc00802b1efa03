//! GUID partition tables, read by programs that did not write them.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "../archives/judge.rs"]
mod judge;

mod any;
mod firmware;
mod reader;

use mkimage_formats::gpt::{Active, Guid, Options, Partition, Type};
use mkimage_formats::{Layout, SectorSize, emit};
use std::path::{Path, PathBuf};

const MIB: u64 = 1 << 20;

fn options(sector_size: SectorSize) -> Options {
    Options {
        sector_size,
        disk: Guid::derived(b"test", "disk"),
        boot_code: vec![0xeb, 0xfe],
        signature: 0x1234_5678,
        active: Active::None,
    }
}

/// With an identifier after its name.
fn partition(name: &str, kind: Type, first: u64, len: u64) -> Partition {
    let guid = Guid::derived(b"test", name);
    Partition { kind, guid, name: name.to_owned(), first, len, attributes: 0 }
}

/// An EFI system partition and a BIOS boot partition on a disk of 4 MiB.
fn specimen() -> [(Partition, Layout); 2] {
    [
        (partition("boot", Type::BIOS_BOOT, MIB, MIB), Layout::from(vec![0xf4; 700])),
        (partition("esp", Type::EFI_SYSTEM, 2 * MIB, MIB), Layout::from(b"first file".to_vec())),
    ]
}

fn emitted(disk: &Layout, dir: &Path) -> PathBuf {
    let path = dir.join("disk");
    emit::emit(disk, &path).unwrap();
    path
}
