//! A UEFI stub that gets sections. What it becomes is one that gets more.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mkimage_formats::Layout;
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::pe::{Error, Section, append};

fuzz_target!(|stub: &[u8]| {
    let section = |name| [Section { name, content: Layout::hole(5000) }];
    let Ok(layout) = append(stub, &section(".linux")) else { return };
    let mut image = Stream::new(Vec::new());
    image.layout(&layout).expect("in memory");
    match append(&image.into_inner(), &section(".initrd")) {
        Ok(_)
        | Err(Error::Room { .. } | Error::Size { .. } | Error::Count { .. } | Error::Duplicate { .. }) => {}
        Err(e) => panic!("{e}"),
    }
});
