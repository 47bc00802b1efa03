//! A unified kernel image.

#[path = "../pe/stub.rs"]
#[expect(dead_code, reason = "what its other users change")]
mod stub;

use super::dump::{Dump, Field};
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::pe::{self, Section};
use stub::{FILE_HEADER, OPTIONAL, TABLE};

const DOS: &[Field] = &[("magic", 0, 2), ("signature-at", 60, 4)];

/// \[PE\] 2.3.
const FILE: &[Field] = &[
    ("machine", 0, 2),
    ("sections", 2, 2),
    ("timestamp", 4, 4),
    ("symbols-at", 8, 4),
    ("symbols", 12, 4),
    ("optional-len", 16, 2),
    ("characteristics", 18, 2),
];

/// \[PE\] 2.4.1 to 2.4.3.
const HEADER: &[Field] = &[
    ("magic", 0, 2),
    ("linker", 2, 2),
    ("code", 4, 4),
    ("initialized", 8, 4),
    ("uninitialized", 12, 4),
    ("entry", 16, 4),
    ("code-base", 20, 4),
    ("image-base", 24, 8),
    ("section-alignment", 32, 4),
    ("file-alignment", 36, 4),
    ("image", 56, 4),
    ("headers", 60, 4),
    ("checksum", 64, 4),
    ("subsystem", 68, 2),
    ("dll-characteristics", 70, 2),
    ("directories", 108, 4),
];

/// \[PE\] 3.
const SECTION: &[Field] = &[
    ("name", 0, 8),
    ("memory-len", 8, 4),
    ("memory-at", 12, 4),
    ("file-len", 16, 4),
    ("file-at", 20, 4),
    ("characteristics", 36, 4),
];

#[test]
fn every_byte_of_a_unified_kernel_image_is_known() {
    let section = |name, byte, len| Section { name, content: vec![byte; len].into() };
    let sections =
        [section(".cmdline", b'q', 5), section(".linux", 0xf4, 5000), section(".initrd", b'0', 4096)];
    let mut out = Stream::new(Vec::new());
    out.layout(&pe::append(&stub::stub(stub::AMD64), &sections).unwrap()).unwrap();
    let bytes = out.into_inner();
    let mut dump = Dump::new(&bytes);
    dump.fields(0, 64, "MS-DOS header", DOS);
    dump.claim(64, 4, "signature");
    dump.fields(FILE_HEADER, 20, "file header", FILE);
    dump.fields(OPTIONAL, 240, "optional header", HEADER);
    for n in 0..5 {
        dump.fields(TABLE + n * 40, 40, "section", SECTION);
    }
    dump.claim(0x400, 8, "content of .text");
    dump.claim(0x800, 4, "content of .data");
    let mut at = 0x1000;
    for Section { name, content } in &sections {
        let len = usize::try_from(content.len()).unwrap();
        dump.claim(at, len, &format!("content of {name}"));
        at += len.next_multiple_of(4096);
    }
    dump.compare("kernel.efi.txt");
}
