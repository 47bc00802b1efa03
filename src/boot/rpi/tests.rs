use super::*;

/// A kernel of 8 MiB that says it needs `len` bytes, `offset` from 2 MiB.
fn kernel(offset: u64, len: u64) -> Layout {
    let mut head = vec![0; 64];
    head[8..16].copy_from_slice(&offset.to_le_bytes());
    head[16..24].copy_from_slice(&len.to_le_bytes());
    head[0x38..0x3c].copy_from_slice(b"ARM\x64");
    let mut kernel = Layout::from(head);
    kernel.pad_to(8 * MIB);
    kernel
}

#[test]
fn nothing_that_is_loaded_overlaps() {
    for (offset, len, packed, initrd) in [
        (0, 9 * MIB, 3 * MIB, 100),
        (0x8_0000, 8 * MIB, 8 * MIB, 0),
        (0, 1, 1, 1),
        (0, 64 * MIB, 64 * MIB - 64, 600 * MIB),
    ] {
        let image = Image::of(&kernel(offset, len)).unwrap();
        let Places { load, tree, kernel, initrd: ramdisk } = Places::new(&image, packed, initrd).unwrap();
        let [load, tree, kernel, ramdisk] = [load, tree, kernel, ramdisk].map(u64::from);
        assert_eq!(load % ALIGNMENT, offset);
        assert!(load + image.len <= tree && tree + ALIGNMENT <= kernel);
        assert!(kernel + packed + 64 <= ramdisk && ramdisk + initrd + 64 <= MEMORY);
    }
}

#[test]
fn what_does_not_fit_into_memory_is_refused() {
    let image = Image::of(&kernel(0, 32 * MIB)).unwrap();
    let e = Places::new(&image, 12 * MIB, 900 * MIB).unwrap_err();
    let words = "kernel and initrd take 996147712 bytes of memory; for a Raspberry Pi there are 922746880";
    assert_eq!(e.to_string(), words);
}

#[test]
fn only_kernels_for_arm64_that_say_their_size_are_taken() {
    let no = |kernel: Layout| Image::of(&kernel).err().map(|e| e.to_string()).unwrap_or_default();
    assert_eq!(no(kernel(0, MIB)), "");
    assert!(no(kernel(0, 0)).ends_with("it was made before Linux 3.17, or its header is damaged"));
    assert!(no(kernel(ALIGNMENT, MIB)).ends_with("or its header is damaged"));
    assert!(no(kernel(0, u64::MAX)).ends_with("or its header is damaged"));
    assert!(no(b"MZ\0\0zimg".to_vec().into()).ends_with("the kernel in it is wanted"));
    assert!(no(vec![0; 5000].into()).ends_with("it is no `Image` for arm64"));
}

#[test]
fn a_command_line_stays_what_it_is() {
    let places = Places { load: 0, tree: 0x1_0000, kernel: 0x2_0000, initrd: 0x3_0000 };
    let text = script(" a=\"x y\" it's $b;\n\\c ", &places, false);
    assert_eq!(text.lines().next(), Some(r#"setenv bootargs 'a="x y" it'\''s $b; \\c'"#));
    assert!(text.ends_with("kernel.uimg && bootm 0x20000 - 0x10000\n"), "{text}");
    assert!(script("", &places, true).ends_with("initrd.uimg && bootm 0x20000 0x30000 0x10000\n"));
}
