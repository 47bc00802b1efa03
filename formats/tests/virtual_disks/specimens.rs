//! Disks to put into containers.

use mkimage_formats::spool::Spool;
use mkimage_formats::{Content, Layout, emit};
use proptest::prelude::*;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) const KIB: u64 = 1 << 10;
pub(crate) const MIB: u64 = 1 << 20;

/// Bytes that nothing compresses.
pub(crate) fn noise(len: u64) -> Vec<u8> {
    crate::noise::noise(len.try_into().unwrap())
}

/// Text, as long as `len`.
pub(crate) fn text(len: u64) -> Vec<u8> {
    (0..)
        .flat_map(|n: u32| format!("line {n} of a text\n").into_bytes())
        .take(len.try_into().unwrap())
        .collect()
}

/// A folder for the files of one test.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Desk(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `bytes` as a slice of a file.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> Layout {
        std::fs::write(self.path(name), bytes).unwrap();
        Layout::file(self.path(name)).unwrap()
    }

    pub(crate) fn spool(&self, name: &str, threads: usize) -> Spool {
        Spool { path: self.path(name), threads: NonZero::new(threads).unwrap(), memo: None, cache: None }
    }

    pub(crate) fn emit(&self, name: &str, layout: &Layout) -> PathBuf {
        let path = self.path(name);
        emit::emit(layout, &path).unwrap();
        path
    }

    /// 5 MiB and 3 sectors: text, noise, zeros that are no hole, a hole in the midst of a cluster,
    /// structures, and an end that fills no cluster.
    pub(crate) fn disk(&self) -> Layout {
        let files = [text(300 * KIB), noise(200 * KIB), vec![0; 256 << 10]].concat();
        let file = self.file("contents", &files);
        let mut disk = Layout::from(b"structures".to_vec());
        disk.pad_to(MIB);
        disk.append(file.window(0, 300 * KIB));
        disk.push(Content::Hole(40 * KIB));
        disk.append(file.window(100, 500 * KIB));
        disk.pad_to(3 * MIB + 5 * 512);
        disk.append(file);
        disk.pad_to(5 * MIB);
        disk.push(text(3 * 512));
        disk
    }
}

pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// Whole sectors of holes, text, noise, zeros and structures, in pieces of any length.
pub(crate) fn disks() -> impl Strategy<Value = Layout> {
    let piece = (0..5u8, prop_oneof![1..4096u64, 1..400 * KIB]);
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| {
        let mut disk = Layout::default();
        for (kind, len) in pieces {
            disk.push(match kind {
                0 | 1 => Content::Hole(len * 4),
                2 => text(len).into(),
                3 => noise(len).into(),
                _ => vec![0; len.try_into().unwrap()].into(),
            });
        }
        disk.pad_to_multiple(512);
        disk
    })
}
