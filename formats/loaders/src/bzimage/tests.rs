use super::*;
use proptest::prelude::*;

/// A kernel of `len` bytes: protocol 2.15, four setup sectors, loaded high.
fn kernel(len: usize) -> Vec<u8> {
    let mut k = vec![0; len];
    k[0x1f1] = 4;
    k[0x1f4..0x1f8].copy_from_slice(&0x100u32.to_le_bytes());
    k[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
    k[0x202..0x206].copy_from_slice(b"HdrS");
    k[0x206..0x208].copy_from_slice(&0x20fu16.to_le_bytes());
    k[0x211] = 1;
    k[0x22c..0x230].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    k[0x234] = 1;
    k[0x236..0x238].copy_from_slice(&0x3fu16.to_le_bytes());
    k[0x238..0x23c].copy_from_slice(&2047u32.to_le_bytes());
    k[0x258..0x260].copy_from_slice(&0x100_0000u64.to_le_bytes());
    k[0x260..0x264].copy_from_slice(&0x200_0000u32.to_le_bytes());
    k
}

fn parsed(change: impl FnOnce(&mut Vec<u8>)) -> Result<Header, Error> {
    let mut k = kernel(8192);
    change(&mut k);
    Header::parse(&k, 8192)
}

#[test]
fn a_kernel_says_what_a_loader_must_know() {
    let expected = Header {
        version: 0x20f,
        setup_len: 2560,
        told_len: 6656,
        cmdline_size: 2047,
        initrd_addr_max: 0x7fff_ffff,
        relocatable: true,
        xloadflags: 0x3f,
        run_end: 0x300_0000,
    };
    assert_eq!(parsed(|_| ()), Ok(expected));
    // No more than the header is looked at.
    assert_eq!(Header::parse(&kernel(8192)[..HEAD_LEN], 8192), Ok(expected));
}

#[test]
fn fields_that_a_version_did_not_have_are_not_read() {
    let old = parsed(|k| k[0x206] = 3).unwrap();
    assert_eq!((old.cmdline_size, old.relocatable, old.xloadflags), (255, false, 0));
    assert_eq!(old.run_end, 0x10_0000 + 8192 - 2560);
    assert_eq!(parsed(|k| k[0x206] = 6).unwrap().cmdline_size, 2047);
}

#[test]
fn a_preferred_address_beyond_4_gib_is_no_wish() {
    let far = parsed(|k| k[0x25f] = 0x76).unwrap();
    assert_eq!(far.run_end, 0x10_0000 + 8192 - 2560);
}

#[test]
fn no_setup_sectors_are_four() {
    assert_eq!(parsed(|k| k[0x1f1] = 0).unwrap().setup_len, 2560);
}

#[test]
fn what_cannot_be_loaded_is_named() {
    assert_eq!(parsed(|k| k[0x206] = 2), Err(Error::Protocol { major: 2, minor: 2 }));
    assert_eq!(parsed(|k| k[0x211] = 0), Err(Error::LoadedLow));
    assert_eq!(parsed(|k| k[0x1f1] = 65), Err(Error::SetupLength { len: 33_792 }));
    let cut = Header::parse(&kernel(8192), 2560);
    assert_eq!(cut, Err(Error::Truncated { len: 2560, whole: 2561 }));
    let cut = Header::parse(&kernel(8192), 6655).unwrap().check_len(6655);
    assert_eq!(cut, Err(Error::Truncated { len: 6655, whole: 6656 }));
}

#[test]
fn files_that_are_no_bzimage_are_called_what_they_are() {
    for (offset, magic, word) in [
        (0x38, &b"ARM\x64"[..], "arm64"),
        (0x38, b"RSC\x05", "RISC-V"),
        (0, b"MZ\0\0zimg", "zboot"),
        (0, b"MZ\x90\0", "EFI program"),
        (0, b"\x7fELF", "vmlinux"),
        (0, b"\x1f\x8b\x08", "gzip"),
        (0, b"\x28\xb5\x2f\xfd", "zstd"),
        (0, b"\xfd7zXZ\0", "xz"),
        (0, b"\x27\x05\x19\x56", "U-Boot"),
        (0, b"", "not a kernel"),
    ] {
        let mut file = vec![0; 4096];
        file[offset..offset + magic.len()].copy_from_slice(magic);
        let said = Header::parse(&file, 4096).unwrap_err().to_string();
        assert!(said.contains(word), "{said}");
    }
    let said = Header::parse(&[0; HEAD_LEN - 1], 9).unwrap_err().to_string();
    assert!(said.contains("shorter"), "{said}");
}

#[test]
fn a_command_line_is_held_against_the_kernel() {
    let header = parsed(|_| ()).unwrap();
    assert_eq!(header.check_cmdline(&[b'x'; 2047]), Ok(()));
    let long = header.check_cmdline(&[b'x'; 2048]);
    assert_eq!(long, Err(Error::CmdlineLength { len: 2048, limit: 2047 }));
    assert_eq!(header.check_cmdline(b"quiet\0"), Err(Error::CmdlineZero { at: 5 }));
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(head in proptest::collection::vec(any::<u8>(), 0..0x300), len: u64) {
        let _ = Header::parse(&head, len);
    }

    #[test]
    fn no_header_makes_the_parser_panic(noise in proptest::collection::vec((0x1f1usize..HEAD_LEN, any::<u8>()), 0..40), len: u64) {
        let mut k = kernel(HEAD_LEN);
        for (at, byte) in noise {
            k[at] = byte;
        }
        if let Ok(header) = Header::parse(&k, len) {
            prop_assert!(u64::from(header.setup_len) < len);
            prop_assert!(header.run_end > u64::from(LOAD_ADDRESS));
        }
    }
}
