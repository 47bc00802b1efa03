use super::*;
use std::process::{Command, Stdio};

#[path = "../../testdata/skip.rs"]
mod skip;

/// What the program makes of the bytes, or nothing if this machine has no such program.
fn packed_by(program: &str, args: &[&str], plain: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        skip::missing(format_args!("`{program}` is missing"));
        return None;
    };
    let (mut stdin, plain) = (child.stdin.take().unwrap(), plain.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&plain));
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(out.status.success(), "{program}");
    Some(out.stdout)
}

/// A bzImage of boot protocol 2.15 with this payload, and something after it.
fn bzimage(payload: &[u8]) -> Vec<u8> {
    let mut image = vec![0; 0x400 + 0x100];
    image[0x1f1] = 1;
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x206..0x208].copy_from_slice(&0x20f_u16.to_le_bytes());
    image[0x248..0x24c].copy_from_slice(&0x100_u32.to_le_bytes());
    image[0x24c..0x250].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
    image.extend_from_slice(payload);
    image.extend_from_slice(&[0x90; 100]);
    image
}

fn result(image: Vec<u8>) -> Result<Vec<u8>, Error> {
    let spool = tempfile::tempdir().unwrap();
    let layout = unpacked("bzImage", &image.into(), spool.path())?;
    let mut out = Stream::new(Vec::new());
    out.layout(&layout).unwrap();
    Ok(out.into_inner())
}

/// As Linux' `scripts/Makefile.lib` calls the programs; all but gzip's are followed by the length.
#[test]
fn payloads_of_linux_are_unpacked() {
    let plain: Vec<u8> =
        (0..9_000_000u32).map(|n| (n / 9).to_le_bytes()[0] ^ (n >> 16).to_le_bytes()[0]).collect();
    let len = u32::try_from(plain.len()).unwrap().to_le_bytes();
    for (program, args, sized) in [
        ("gzip", &["-n", "-f", "-1"][..], false),
        ("zstd", &["-3", "-q", "-c"], true),
        ("xz", &["--check=crc32", "--x86", "--lzma2=dict=1MiB,preset=0", "-c"], true),
        ("xz", &["--format=lzma", "-0", "-c"], true),
        ("lz4", &["-l", "-9", "-q", "-", "-"], true),
        ("bzip2", &["-1", "-c"], true),
    ] {
        let Some(mut payload) = packed_by(program, args, &plain) else { continue };
        // The bare file, as other platforms have it, has no length.
        assert!(result(payload.clone()).unwrap() == plain, "{program} {args:?} alone");
        if sized {
            payload.extend_from_slice(&len);
        }
        assert!(result(bzimage(&payload)).unwrap() == plain, "{program} {args:?}");
    }
}

#[test]
fn an_efi_program_of_arm64_says_where_its_payload_is() {
    let mut payload = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    payload.write_all(b"the kernel").unwrap();
    let payload = payload.finish().unwrap();
    let mut image = b"MZ\0\0zimg".to_vec();
    image.extend([0x600_u32, payload.len().try_into().unwrap()].map(u32::to_le_bytes).concat());
    image.resize(0x600, 0xff);
    image.extend([payload, vec![0x90; 100]].concat());
    assert_eq!(packed(&image.clone().into()).unwrap(), None, "a UEFI starts it as it is");
    assert_eq!(result(image).unwrap(), b"the kernel");
}

#[test]
fn what_cannot_be_unpacked_is_named() {
    let told = |image| {
        let e = result(image).unwrap_err();
        let cause = std::error::Error::source(&e).map(|c| format!(": {c}")).unwrap_or_default();
        format!("{e}{cause}")
    };
    assert_eq!(
        told(b"MZ, but nothing more".to_vec()),
        "`bzImage` is neither compressed nor a kernel that holds a compressed one; leave out --decompress-kernel"
    );
    assert_eq!(
        told(bzimage(b"\x89LZO\0\r\n\x1a\n and so on")),
        "the kernel in `bzImage` is compressed as lzo, which cannot be unpacked here"
    );
    assert_eq!(
        told(bzimage(b"what is it?")),
        "the kernel in `bzImage` is compressed as something that begins with [77, 68, 61, 74], which cannot be \
         unpacked here"
    );
    for magic in [&b"\x1f\x8b\x08"[..], b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"\x5d\0\0", b"BZh9"] {
        let image = bzimage(&[magic, b"not what it promises"].concat());
        assert!(told(image).starts_with("cannot unpack the "), "{magic:?}");
    }
    assert!(told(bzimage(b"\x02\x21\x4c\x18\xff\0\0\0short")).starts_with("cannot unpack the lz4 payload"));
}

#[test]
fn what_no_kernel_has_is_refused_before_it_is_read() {
    let spool = tempfile::tempdir().unwrap();
    let error = unpacked("bzImage", &Layout::hole(1 << 60), spool.path()).unwrap_err();
    assert_eq!(error.to_string(), "the kernel in `bzImage` has more than 1024 MiB when unpacked");
    let block = [&b"\x02\x21\x4c\x18"[..], &0x3000_0000_u32.to_le_bytes(), b"..."].concat();
    let error = result(bzimage(&block)).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "a block of 805306368 bytes; lz4 makes none of more than 8421520");
}
