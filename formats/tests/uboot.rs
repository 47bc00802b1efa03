//! Images for U-Boot, read by its own `dumpimage`, which checks both checksums.

#![allow(clippy::unwrap_used)] // a test stops at the first surprise

#[path = "archives/judge.rs"]
mod judge;

use mkimage_formats::emit::{self, Sink, Stream};
use mkimage_formats::tree::Time;
use mkimage_formats::uboot::{self, Compression, Error, Options, Type};
use mkimage_formats::{Content, Layout};
use proptest::prelude::*;
use std::process::Command;

const EPOCH: Time = Time::from_unix(1_700_000_000);

fn options() -> Options {
    let (kind, compression) = (Type::KERNEL, Compression::GZIP);
    Options { kind, compression, name: "linux".into(), load: 0x20_0000, epoch: EPOCH }
}

fn bytes(layout: &Layout) -> Vec<u8> {
    let mut out = Stream::new(Vec::new());
    out.layout(layout).unwrap();
    out.into_inner()
}

/// What `dumpimage` says about an image, and part `part` of it. None without the program.
fn dumped(image: &Layout, kind: &str, part: u32) -> Option<(String, Vec<u8>)> {
    judge::program("dumpimage")?;
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("image"), dir.path().join("out"));
    emit::emit(image, &file).unwrap();
    let dumpimage = |args: &[&str]| {
        let mut command = Command::new("dumpimage");
        command.env("TZ", "UTC").env("LC_ALL", "C").args(["-T", kind]).args(args);
        judge::output(command.arg(&file))
    };
    let listed = dumpimage(&["-l"]);
    dumpimage(&["-p", &part.to_string(), "-o", out.to_str().unwrap()]);
    Some((listed, std::fs::read(out).unwrap()))
}

#[test]
fn dumpimage_reads_what_an_image_says_and_has() {
    let content = Layout::from(b"a kernel".repeat(1000));
    for (kind, compression, tool, told) in [
        (Type::KERNEL, Compression::GZIP, "kernel", "AArch64 Linux Kernel Image (gzip compressed)"),
        (Type::KERNEL, Compression::NONE, "kernel", "AArch64 Linux Kernel Image (uncompressed)"),
        (Type::RAMDISK, Compression::NONE, "ramdisk", "AArch64 Linux RAMDisk Image (uncompressed)"),
    ] {
        let image = uboot::image(content.clone(), &Options { kind, compression, ..options() }).unwrap();
        let Some((listed, part)) = dumped(&image, tool, 0) else { return };
        let want = format!(
            "Image Name:   linux\n\
             Created:      Tue Nov 14 22:13:20 2023\n\
             Image Type:   {told}\n\
             Data Size:    8000 Bytes = 7.81 KiB = 0.01 MiB\n\
             Load Address: 00200000\n\
             Entry Point:  00200000\n"
        );
        assert_eq!(listed, want);
        assert_eq!(part, bytes(&content));
    }
}

#[test]
fn dumpimage_takes_the_text_out_of_a_script() {
    let text = "echo 'hello'\nbootm ${kernel_addr_r}\n";
    let image = uboot::script(text, "boot", EPOCH).unwrap();
    let Some((listed, part)) = dumped(&image, "script", 0) else { return };
    assert!(listed.contains("AArch64 Linux Script (uncompressed)"), "{listed}");
    assert!(listed.contains("Image 0: 36 Bytes"), "{listed}");
    // It takes the list of lengths for a part of the text.
    assert_eq!(part[..8], [0, 0, 0, 36, 0, 0, 0, 0]);
    assert_eq!(part[8..], *text.as_bytes());
}

#[test]
fn dumpimage_refuses_a_byte_that_changed() {
    let image = bytes(&uboot::image(b"content".to_vec().into(), &options()).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("image");
    for at in [0x0c, 0x2f, 0x42] {
        let Some(mut dumpimage) = judge::program("dumpimage") else { return };
        let mut changed = image.clone();
        changed[at] ^= 1;
        std::fs::write(&file, changed).unwrap();
        let out = dumpimage.args(["-T", "kernel", "-l"]).arg(&file).output().unwrap();
        assert!(!String::from_utf8_lossy(&out.stdout).contains("Image Name"), "byte {at:#x}");
    }
}

#[test]
fn what_the_header_cannot_say_is_refused() {
    let e = uboot::image(Content::Hole(4 << 30).into(), &options()).unwrap_err();
    assert_eq!(e.to_string(), "4294967296 bytes; an image for U-Boot has less than 4 GiB");
    let named = |len| uboot::script("", &"n".repeat(len), EPOCH);
    assert!(named(32).is_ok());
    assert!(matches!(named(33), Err(Error::Name { name }) if name.len() == 33));
    let old = Options { epoch: Time::from_unix(-5), ..options() };
    assert_eq!(bytes(&uboot::image(Layout::default(), &old).unwrap())[8..12], [0; 4]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Read by the structure's definition: the fields, and the checksums with the bits of CRC-32.
    #[test]
    fn any_image_reads_back(
        content in proptest::collection::vec(any::<u8>(), 0..3000),
        name in "[ -~]{0,32}",
        load: u32,
        seconds in 0_i64..1 << 32,
    ) {
        let epoch = Time::from_unix(seconds);
        let options = Options { name: name.clone(), load, epoch, ..options() };
        let image = bytes(&uboot::image(content.clone().into(), &options).unwrap());
        let word = |at: usize| u32::from_be_bytes(image[at..at + 4].try_into().unwrap());
        prop_assert_eq!(word(0), 0x2705_1956);
        let mut header = image[..64].to_vec();
        header[4..8].fill(0);
        prop_assert_eq!(word(4), crc32(&header));
        prop_assert_eq!(i64::from(word(8)), seconds);
        prop_assert_eq!(word(0xc) as usize, content.len());
        prop_assert_eq!((word(0x10), word(0x14)), (load, load));
        prop_assert_eq!(word(0x18), crc32(&content));
        prop_assert_eq!(&image[0x1c..0x20], &[5, 22, 2, 1]);
        prop_assert_eq!(image[0x20..0x40].split(|b| *b == 0).next().unwrap(), name.as_bytes());
        prop_assert_eq!(&image[64..], content);
    }
}

/// The remainder of a polynomial division, a bit at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
