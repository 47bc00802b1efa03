//! Kernels and their modules.

use super::Case;
use super::layers::{archive, file};
use super::support::image::{gzip, tar};
use super::support::kernel::{arm64_image, bzimage};
use super::support::workplace::{KERNEL, Workplace, layered};

/// A build with a kernel's image that has these files.
fn kernel(
    name: &'static str,
    format: &'static str,
    keys: &'static str,
    layer: impl Fn() -> Vec<u8> + Send + Sync + 'static,
) -> Case {
    let make = move |place: &Workplace| {
        std::fs::remove_dir_all(place.cache()).unwrap();
        layered(layer()).write(&place.cache(), KERNEL);
        place.write("demo.yml", format!("kernel: {{image: '{KERNEL}'{keys}}}\n"));
    };
    let args = vec!["build", "--arch", "amd64", "--offline", "-q", "-f", format, "demo.yml"];
    Case { name, make: Box::new(make), args }
}

/// A build of a CD with a kernel and no modules.
fn cd(name: &'static str, kernel_bytes: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Case {
    kernel(name, "iso-bios", ", tar: none", move || tar(&[("kernel", &kernel_bytes())]))
}

/// A build of a disk for a UEFI.
fn efi(name: &'static str, kernel_bytes: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Case {
    kernel(name, "raw-efi", ", tar: none", move || tar(&[("kernel", &kernel_bytes())]))
}

/// The demo's kernel after a change.
fn changed(change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut kernel = bzimage();
    change(&mut kernel);
    kernel
}

const LONG: &str = ", tar: none, cmdline: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'";

pub(crate) fn cases() -> Vec<Case> {
    let modules = || tar(&[("lib/modules/6/a.ko", b"module")]);
    let decompressed = |mut case: Case| {
        case.args.push("--decompress-kernel");
        case
    };
    vec![
        kernel("missing kernel", "tar", ", tar: none", || tar(&[("vmlinuz", b"")])),
        kernel("missing kernel of another name", "tar", ", binary: bzImage, tar: none", || {
            tar(&[("kernel", b"")])
        }),
        kernel("kernel outside of its image", "tar", ", binary: ../kernel, tar: none", || {
            tar(&[("kernel", b"")])
        }),
        kernel("missing modules", "tar", "", || tar(&[("kernel", &bzimage())])),
        kernel("missing microcode", "tar", ", tar: none, ucode: ucode.cpio", || {
            tar(&[("kernel", &bzimage())])
        }),
        kernel("modules that are no archive", "tar", "", || {
            tar(&[("kernel", &bzimage()), ("kernel.tar", &[b'x'; 1024])])
        }),
        kernel("modules that are empty", "tar", "", || tar(&[("kernel", &bzimage()), ("kernel.tar", b"")])),
        kernel("modules that are compressed", "tar", "", move || {
            tar(&[("kernel", &bzimage()), ("kernel.tar", &gzip(&modules()))])
        }),
        kernel("modules that leave the file system", "tar", "", || {
            tar(&[("kernel", &bzimage()), ("kernel.tar", &archive(&[file("../lib/a.ko", b"")]))])
        }),
        decompressed(cd("kernel to unpack that is not packed", || vec![b'x'; 5000])),
        decompressed(cd("kernel to unpack whose packing is unknown", bzimage)),
        cd("kernel that is a text", || vec![b'x'; 5000]),
        cd("kernel that is an ELF file", || [b"\x7fELF".to_vec(), vec![0; 5000]].concat()),
        cd("kernel for arm64", || {
            let mut kernel = vec![0; 5000];
            kernel[0x38..0x3c].copy_from_slice(b"ARM\x64");
            kernel
        }),
        cd("kernel of the last century", || changed(|k| k[0x206..0x208].copy_from_slice(&[2, 2]))),
        cd("kernel that is loaded low", || changed(|k| k[0x211] = 0)),
        cd("kernel that is cut off", || changed(|k| k.truncate(2000))),
        efi("kernel without an EFI stub", || changed(|k| k[..2].copy_from_slice(b"\0\0"))),
        efi("kernel whose EFI header is elsewhere", || changed(|k| k[0x3f] = 0x7f)),
        efi("kernel for a RISC-V's UEFI", || changed(|k| k[0x44..0x46].copy_from_slice(b"\x64\x50"))),
        efi("kernel for arm64 that is compressed, and cut off", || {
            let mut kernel = gzip(&arm64_image());
            kernel.truncate(1000);
            kernel
        }),
        efi("kernel for arm64 that is compressed by lzop", || b"\x89LZO\0\r\n\x1a\n and so on".to_vec()),
        efi("text that is compressed", || gzip(b"a text")),
        cd("kernel for arm64 that a BIOS should boot", arm64_image),
        kernel("command line that is too long", "iso-bios", LONG, || {
            tar(&[("kernel", &changed(|k| k[0x238..0x23c].copy_from_slice(&[200, 0, 0, 0])))])
        }),
        kernel("medium without a kernel", "iso-bios", ", binary: empty, tar: none", || {
            tar(&[("empty", b"")])
        }),
    ]
}
