//! Images for U-Boot (\[UBOOT\]).

use super::dump::{Dump, Field};
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::tree::Time;
use mkimage_formats::uboot::{self, Compression, Options, Type};

const HEADER: &[Field] = &[
    ("magic", 0x00, 4),
    ("header-crc", 0x04, 4),
    ("time", 0x08, 4),
    ("size", 0x0c, 4),
    ("load", 0x10, 4),
    ("entry", 0x14, 4),
    ("content-crc", 0x18, 4),
    ("os", 0x1c, 1),
    ("architecture", 0x1d, 1),
    ("kind", 0x1e, 1),
    ("compression", 0x1f, 1),
    ("name", 0x20, 32),
];

const EPOCH: Time = Time::from_unix(1_600_000_000);

#[test]
fn every_byte_of_a_kernel_for_u_boot_is_known() {
    let (kind, compression) = (Type::KERNEL, Compression::GZIP);
    let options = Options { kind, compression, name: "small".into(), load: 0x20_0000, epoch: EPOCH };
    let mut out = Stream::new(Vec::new());
    out.layout(&uboot::image(b"kernel".to_vec().into(), &options).unwrap()).unwrap();
    let bytes = out.into_inner();
    let mut dump = Dump::new(&bytes);
    dump.fields(0, 64, "header", HEADER);
    dump.claim(64, 6, "content");
    dump.compare("small.kernel.uimg.txt");
}

#[test]
fn every_byte_of_a_script_for_u_boot_is_known() {
    let mut out = Stream::new(Vec::new());
    out.layout(&uboot::script("bootm\n", "small", EPOCH).unwrap()).unwrap();
    let bytes = out.into_inner();
    let mut dump = Dump::new(&bytes);
    dump.fields(0, 64, "header", HEADER);
    dump.fields(64, 8, "parts", &[("length", 0, 4)]);
    dump.claim(72, 6, "text");
    dump.compare("small.boot.scr.txt");
}
