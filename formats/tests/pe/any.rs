//! Arbitrary sections, and arbitrary stubs.

use crate::stub::{AMD64, ARM64, OPTIONAL, TABLE, put_u32, stub};
use crate::{appended, bytes, section};
use mkimage_formats::{Layout, pe};
use proptest::prelude::*;

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()).try_into().unwrap()
}

proptest! {
    #[test]
    fn contents_are_where_the_section_table_says(
        arm in any::<bool>(),
        lens in proptest::collection::vec(1..20_000usize, 0..6),
        alignment in prop_oneof![Just(9u32), Just(12), Just(16)],
    ) {
        let mut stub = stub(if arm { ARM64 } else { AMD64 });
        put_u32(&mut stub, OPTIONAL + 32, 1 << alignment);
        let names = [".a", ".b", ".c", ".d", ".e", ".f"];
        let contents: Vec<Vec<u8>> = lens.iter().zip(b'a'..).map(|(&len, byte)| vec![byte; len]).collect();
        let sections: Vec<_> = names.into_iter().zip(&contents).map(|(n, c)| section(n, c.clone())).collect();
        let image = appended(&stub, &sections);

        let page = 4096.max(1usize << alignment);
        let (mut in_memory, mut in_file) = (0x2004usize.next_multiple_of(page), 0x1000);
        for (n, content) in contents.iter().enumerate() {
            let header = &image[TABLE + (2 + n) * 40..][..40];
            let field = |at| u32_at(header, at);
            prop_assert_eq!(&header[..2], names[n].as_bytes());
            prop_assert_eq!(field(8), content.len());
            prop_assert_eq!((field(12), field(20)), (in_memory, in_file));
            prop_assert_eq!(field(16), content.len().next_multiple_of(4096));
            prop_assert_eq!(field(36), 0x4000_0040);
            prop_assert!(&image[in_file..in_file + content.len()] == content.as_slice());
            prop_assert!(image[in_file + content.len()..in_file + field(16)].iter().all(|&b| b == 0));
            in_memory = (in_memory + content.len()).next_multiple_of(page);
            in_file += field(16);
        }
        prop_assert_eq!(image.len(), in_file);
        prop_assert_eq!(u32_at(&image, OPTIONAL + 56), in_memory);
        // What the stub had is where it was, and its own bytes are the same.
        prop_assert_eq!(&image[0x400..0x408], [0xc3; 8]);
        prop_assert_eq!(&image[0x800..0x804], [0xda; 4]);
        prop_assert!(image[0x804..0x1000].iter().all(|&b| b == 0));
    }

    #[test]
    fn a_stub_with_bytes_changed_is_refused_or_laid_out(
        changes in proptest::collection::vec((0..0x400usize, any::<u8>()), 1..6),
        len in 0..=0xa0cusize,
        whole in any::<bool>(),
    ) {
        let mut stub = stub(AMD64);
        for (at, byte) in changes {
            stub[at] = byte;
        }
        let stub = if whole { &stub[..] } else { &stub[..len] };
        let Ok(layout) = pe::append(stub, &[section(".linux", Layout::hole(5000))]) else { return Ok(()) };
        // The image is one that sections can be added to.
        match pe::append(&bytes(&layout), &[section(".initrd", Layout::hole(5000))]) {
            Ok(more) => prop_assert!(more.len() >= layout.len() + 0x2000),
            Err(pe::Error::Room { .. } | pe::Error::Size { .. }) => {}
            Err(e) => prop_assert!(false, "{}", e),
        }
    }
}
