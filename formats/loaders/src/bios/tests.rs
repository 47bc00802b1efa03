use super::code::Code;
use super::*;
use crate::bzimage::{Header, LOAD_ADDRESS};
use proptest::prelude::*;
use zerocopy::IntoBytes;

fn payload(at: u64, len: u64) -> Payload {
    Payload { extent: Extent { at, len }, crc32c: 0x1234_5678 }
}

fn params() -> Params {
    Params {
        medium: Medium::Cd,
        at: 24 * 2048,
        kernel: payload(64 * 2048, 8 << 20),
        header: Header {
            version: 0x20f,
            setup_len: 0x4400,
            told_len: 8 << 20,
            cmdline_size: 2047,
            initrd_addr_max: 0x7fff_ffff,
            relocatable: true,
            xloadflags: 0,
            run_end: 0x400_0123,
        },
        initrd: payload(16 << 20, 600 << 20),
        cmdline: payload(26 * 2048, 20),
        serial: Some(Serial::COM1),
    }
}

/// The error of `params()` with a change.
fn refused(change: impl FnOnce(&mut Params)) -> String {
    let mut params = params();
    change(&mut params);
    stage2(&params).unwrap_err().to_string()
}

#[test]
fn the_second_stage_is_what_its_parts_need() {
    // `assemble` asserts that what loads the rest is in the first half.
    let code = Code::assemble().unwrap();
    assert!(code.rest().iter().any(|&b| b != 0), "a second half would be of no use");
}

#[test]
fn second_stage_begins_with_an_absolute_jump_over_what_others_may_write() {
    let code = stage2(&params()).unwrap();
    assert_eq!(code.len(), STAGE2_LEN);
    assert_eq!(code[0], 0xea);
    let entry = usize::from(u16::from_le_bytes([code[1], code[2]])) - map::ORIGIN as usize;
    assert_eq!(code[entry], 0xfa, "CLI");
    assert_eq!(code[3..5], [0, 0], "segment 0");
    assert!(code[5..0x60].iter().all(|&b| b == 0), "boot information table, BIOS parameter block");
}

#[test]
fn parameters_are_where_the_code_reads_them() {
    let code = stage2(&params()).unwrap();
    let u32_at = |address: u32| {
        let at = (address - map::ORIGIN) as usize;
        u32::from_le_bytes(code[at..at + 4].try_into().unwrap())
    };
    assert_eq!(code[0x60..0x64], *b"mkim");
    assert_eq!(u32_at(head::SERIAL_PORT), 0x0001_03f8);
    assert_eq!(u32_at(head::REST), 25 * 4);
    assert_eq!(u32_at(head::REST + head::LEN), 2048);
    assert_eq!(u32_at(head::REST + head::CRC32C), crc32c::crc32c(&code[2048..]));
    assert_eq!(u32_at(head::KERNEL), 64 * 4);
    assert_eq!(u32_at(head::KERNEL + head::LEN), 8 << 20);
    assert_eq!(u32_at(head::KERNEL + head::CRC32C), 0x1234_5678);
    assert_eq!(u32_at(head::INITRD), 16 << 11);
    assert_eq!(u32_at(head::CMDLINE + head::LEN), 20);
    assert_eq!(u32_at(head::SETUP_LEN), 0x4400);
    assert_eq!(u32_at(head::INITRD_FROM), 0x400_1000);
    assert_eq!(u32_at(head::INITRD_END), 0x8000_0000);
    // LGDT reads its operand where the null descriptor is.
    assert_eq!(u32_at(head::GDT), 0x7cb8_0027);
}

#[test]
fn code_is_the_same_for_all_media() {
    let other = Params { serial: None, cmdline: payload(0, 0), ..params() };
    let (one, two) = (stage2(&params()).unwrap(), stage2(&other).unwrap());
    let code = (head::CODE - map::ORIGIN) as usize;
    assert_eq!(one[code..], two[code..]);
    assert_ne!(one[..code], two[..code]);
}

#[test]
fn mbr_jumps_over_a_bios_parameter_block() {
    let code = mbr(&Mbr { stage2_at: 34 * 512 }).unwrap();
    assert_eq!(code[..3], [0xeb, 0x58, 0x90]);
    assert!(code[3..0x5a].iter().all(|&b| b == 0));
    assert_ne!(code[0x5a], 0);
}

#[test]
fn mbr_differs_in_the_place_alone() {
    let with = |lba: u64| mbr(&Mbr { stage2_at: lba * 512 }).unwrap();
    let (one, two) = (with(0x1122_3344), with(0x5566_7788));
    let differing = one.iter().zip(&two).filter(|(a, b)| a != b).count();
    // Once for AH=42h, once for cylinder, head and sector.
    assert_eq!(differing, 8);
    assert_eq!(one.windows(4).filter(|w| *w == 0x1122_3344u32.to_le_bytes()).count(), 2);
}

#[test]
fn mbr_reaches_beyond_32_bits_of_sectors() {
    let code = mbr(&Mbr { stage2_at: 0x12_3456_789a << 9 }).unwrap();
    for half in [0x3456_789au32, 0x12] {
        assert!(code.windows(4).any(|w| w == half.to_le_bytes()), "{half:#x}");
    }
}

#[test]
fn an_initrd_of_no_bytes_needs_no_place() {
    let none = Params { initrd: payload(5, 0), ..params() };
    let block = none.block().unwrap();
    assert_eq!(block.initrd.as_bytes(), [0; 16]);
}

#[test]
fn places_between_sectors_are_refused() {
    assert_eq!(
        refused(|p| p.kernel.extent.at += 512),
        "the kernel begins at byte 131584 of the medium; a BIOS reads at multiples of 2048"
    );
    let disk = Params { medium: Medium::Disk, kernel: payload(131_584, 8 << 20), ..params() };
    assert!(stage2(&disk).is_ok());
    assert!(refused(|p| p.initrd.extent.at += 1).starts_with("the initrd begins"));
    assert!(refused(|p| p.cmdline.extent.at += 1).starts_with("the command line begins"));
    assert!(refused(|p| p.at += 1).starts_with("the second stage begins"));
    assert!(matches!(mbr(&Mbr { stage2_at: 513 }), Err(Error::Unaligned { at: 513, .. })));
}

#[test]
fn what_does_not_fit_is_refused_with_the_limit() {
    assert_eq!(
        refused(|p| p.kernel.extent.len = 0x4400),
        format!(
            "the kernel has 17408 bytes; between 17409 and {} can be loaded",
            0xffff_f000u64 - 0x10_0000 + 0x4400
        )
    );
    assert!(refused(|p| p.kernel.extent.len = 4 << 30).starts_with("the kernel has 4294967296"));
    // From 400_1000 to 8000_0000, at pages.
    let limit: u64 = 0x8000_0000 - 0x400_1000;
    let fits = Params { initrd: payload(0, limit), ..params() };
    assert!(stage2(&fits).is_ok());
    assert_eq!(
        refused(|p| p.initrd.extent.len = limit + 1),
        "the initrd has 2080370689 bytes; this kernel reads one of up to 2080370688"
    );
    assert!(
        refused(|p| p.cmdline.extent.len = 2048).starts_with("the command line has 2048 bytes; 2047 fit")
    );
    let wide = |p: &mut Params| {
        p.header.cmdline_size = 8192;
        p.cmdline.extent.len = 4096;
    };
    assert!(refused(wide).starts_with("the command line has 4096 bytes; 4095 fit"));
    assert!(refused(|p| p.header.run_end = u64::MAX).starts_with("the kernel needs memory up to"));
    assert!(
        refused(|p| p.header.initrd_addr_max = LOAD_ADDRESS).starts_with("the kernel needs memory up to")
    );
}

#[test]
fn a_serial_speed_divides_the_clock() {
    for (baud, divisor) in [(115_200, 1), (9600, 12), (2, 57_600)] {
        let slow = Params { serial: Some(Serial { port: 0x2f8, baud }), ..params() };
        assert_eq!(slow.block().unwrap().serial_divisor.get(), divisor);
    }
    for baud in [0, 1, 115_201, 14_401] {
        let said = refused(|p| p.serial = Some(Serial { port: 0x3f8, baud }));
        assert_eq!(said, format!("a serial speed of {baud} bits per second; it must divide 115200"));
    }
}

proptest! {
    #[test]
    fn no_places_make_it_panic(at: [u64; 4], len: [u64; 3], run_end: u64, end: u32, baud: u32) {
        let mut params = Params {
            medium: Medium::Disk,
            at: at[0],
            kernel: payload(at[1], len[0]),
            initrd: payload(at[2], len[1]),
            cmdline: payload(at[3], len[2]),
            serial: Some(Serial { port: 0x3f8, baud }),
            ..params()
        };
        params.header.run_end = run_end;
        params.header.initrd_addr_max = end;
        let _ = params.block();
        let _ = mbr(&Mbr { stage2_at: at[0] });
        // Most of the above are refused for their places: now none.
        params.at &= !0x1ff;
        params.kernel.extent.at &= !0x1ff;
        params.initrd.extent.at &= !0x1ff;
        params.cmdline.extent.at &= !0x1ff;
        let _ = params.block();
        params.header.run_end &= 0xffff_ffff;
        params.kernel.extent.len &= 0xff_ffff;
        params.initrd.extent.len &= 0xffff_ffff;
        params.cmdline.extent.len &= 0xfff;
        let _ = params.block();
    }
}
