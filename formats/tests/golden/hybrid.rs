//! The tables of hybrid ISO images, one image for each profile.

use super::dump::Dump;
use super::gpt::{ENTRY, HEADER, MBR};
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::gpt::Guid;
use mkimage_formats::iso::{BootEntry, Hybrid, Iso, Options, Profile};
use mkimage_formats::{Kind, Layout, Meta, Node, OriginId, Tree};

fn image(profile: Profile) -> Vec<u8> {
    let mut tree = Tree::new();
    for (name, content) in [("efi.img", vec![0xef; 5000]), ("loader", vec![0xf4; 2048])] {
        let kind = Kind::File(Layout::from(content));
        let node = Node { meta: Meta::new(0o644, Default::default()), kind, origin: OriginId::default() };
        tree.insert(super::path(name), node).unwrap();
    }
    let boot = vec![BootEntry::bios(super::path("loader")), BootEntry::efi(super::path("efi.img"))];
    let mut iso = Iso::new(&tree, &Options { boot, ..Options::default() }).unwrap();
    iso.set_hybrid(&Hybrid {
        profile,
        code: vec![0xeb, 0xfe],
        signature: 0x1234_5678,
        disk: Guid::derived(b"golden", "disk"),
        esp: Some(super::path("efi.img")),
    })
    .unwrap();
    let mut out = Stream::new(Vec::new());
    out.layout(&iso.layout(&tree).unwrap()).unwrap();
    out.into_inner()
}

#[test]
fn every_byte_of_the_tables_of_a_hybrid_image_is_known() {
    const VOLUME: usize = 32 << 10;
    for (profile, gpt, name) in [
        (Profile::Default, true, "hybrid-default.iso.txt"),
        (Profile::Strict, true, "hybrid-strict.iso.txt"),
        (Profile::MbrEf, false, "hybrid-mbr-ef.iso.txt"),
        (Profile::Isohybrid, true, "hybrid-isohybrid.iso.txt"),
    ] {
        let bytes = image(profile);
        let mut dump = Dump::new(&bytes);
        dump.fields(0, 512, "master boot record", MBR);
        let last = bytes.len() - 512;
        let copy = last - 128 * 128;
        if gpt {
            for (header, entries) in [(512, 1024), (last, copy)] {
                dump.fields(header, 512, "header", HEADER);
                for n in 0..3 {
                    dump.fields(entries + n * 128, 128, &format!("entry {}", n + 1), ENTRY);
                }
            }
        }
        dump.claim(VOLUME, copy - VOLUME, "volume");
        dump.compare(name);
    }
}
