//! The archive for Google Compute Engine, read by GNU tar.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "archives/judge.rs"]
mod judge;

use mkimage_formats::emit::{self, Sink, Stream};
use mkimage_formats::gce::{self, Error};
use mkimage_formats::tree::Time;
use mkimage_formats::{Content, Layout};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

const EPOCH: Time = Time::from_unix(1_700_000_000);

/// `pieces` of 100 bytes, 1 MiB apart, in `gib` GiB; `last` bytes are the end.
fn disk(gib: u64, pieces: u64, last: &[u8]) -> Layout {
    let mut disk = Layout::default();
    for n in 0..pieces {
        disk.pad_to(n << 20);
        disk.push(vec![u8::try_from(n).unwrap(); 100]);
    }
    disk.pad_to((gib << 30) - last.len() as u64);
    disk.push(last.to_vec());
    disk
}

/// The file is as long as the disk, has its bytes where it has some, and little else.
fn assert_same(file: &Path, disk: &Layout) {
    let mut found = File::open(file).unwrap();
    let meta = found.metadata().unwrap();
    assert_eq!(meta.len(), disk.len());
    #[cfg(unix)]
    assert!(std::os::unix::fs::MetadataExt::blocks(&meta) < 32 << 10, "holes stay holes");
    let mut buffer = vec![0; 1 << 20];
    for (n, chunk) in (0..).zip(disk.chunks(1 << 20)).filter(|(_, chunk)| !chunk.is_hole()) {
        found.seek(SeekFrom::Start(n << 20)).unwrap();
        found.read_exact(&mut buffer).unwrap();
        let mut out = Stream::new(Vec::new());
        out.layout(&chunk).unwrap();
        assert!(buffer == out.into_inner());
    }
}

#[test]
fn rule_38_gnu_tar_takes_disk_raw_out_of_an_archive_in_its_old_format() {
    for (gib, pieces, last) in
        [(1, 0, b"".as_slice()), (1, 3, b"end"), (1, 4, b""), (1, 100, b"end"), (9, 30, b"end")]
    {
        let disk = disk(gib, pieces, last);
        let archive = gce::archive(&disk, EPOCH).unwrap();
        assert_eq!(archive, gce::archive(&disk, EPOCH).unwrap());
        assert!(archive.len().is_multiple_of(10_240) && archive.len() < 8 << 20);
        let mut out = Stream::new(Vec::new());
        out.layout(&archive.window(0, 512)).unwrap();
        assert_eq!(out.into_inner()[257..265], *b"ustar  \0", "the old format");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("disk.tar");
        emit::emit(&archive, &file).unwrap();
        let Some(mut tar) = judge::program("tar") else { return };
        let listed = judge::output(tar.env("TZ", "UTC").arg("-tvf").arg(&file));
        let size = disk.len().to_string();
        assert_eq!(
            listed.split_whitespace().collect::<Vec<_>>(),
            ["-rw-r--r--", "root/root", &size, "2023-11-14", "22:13", "disk.raw"]
        );
        let Some(mut tar) = judge::program("tar") else { return };
        assert_eq!(judge::output(tar.args(["-C", dir.path().to_str().unwrap(), "-xf"]).arg(&file)), "");
        assert_same(&dir.path().join("disk.raw"), &disk);
    }
}

#[test]
fn rule_38_a_disk_is_of_whole_gib() {
    for size in [0, 1 << 20, (1 << 30) + 512] {
        let error = gce::archive(&Layout::hole(size), EPOCH).unwrap_err();
        assert_eq!(error, Error::Size { size });
        assert_eq!(
            error.to_string(),
            format!("the disk has {size} bytes; Google Compute Engine takes whole GiB")
        );
    }
}

#[test]
fn a_hole_takes_no_time() {
    let mut disk = Layout::from(vec![1; 512]);
    disk.pad_to(1 << 60);
    let archive = gce::archive(&disk, EPOCH).unwrap();
    assert_eq!(archive.len(), (512 + (64 << 10) + 1024_u64).next_multiple_of(10_240));
}

#[test]
fn the_disk_is_never_in_memory() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(3 << 30).unwrap();
    let archive = gce::archive(&Layout::file(file.path()).unwrap(), Time::from_unix(-1)).unwrap();
    let bytes = archive.extents().iter().filter(|c| matches!(c, Content::Bytes(_))).map(Content::len);
    assert_eq!(bytes.sum::<u64>(), 512);
}
