//! Booting: the rules of firmware that images follow, by their numbers in the project's list.

use crate::image::{Image, bytes, file, path};
use crate::judge;
use crate::readers::xorriso;
use crate::specimens::add;
use mkimage_formats::iso::{self, BootEntry, Iso, Options, Platform};
use mkimage_formats::{Kind, Layout, Tree};

const BLOCK: usize = 2048;

pub(crate) fn bootable(efi: u64) -> Tree {
    let mut t = Tree::new();
    add(&mut t, "boot", 0o755, Kind::Dir);
    add(&mut t, "boot/loader", 0o644, file(vec![0x90; BLOCK]));
    add(&mut t, "esp", 0o755, Kind::Dir);
    add(&mut t, "esp/efi.img", 0o644, Kind::File(Layout::hole(efi)));
    t
}

pub(crate) fn both() -> Options {
    let boot = vec![BootEntry::bios(path("boot/loader")), BootEntry::efi(path("esp/efi.img"))];
    Options { boot, catalog: Some(path("boot/boot.cat")), ..Options::default() }
}

/// The start of an image: descriptors, folders and the boot catalog.
fn start(layout: &Layout) -> Vec<u8> {
    bytes(&layout.window(0, 256 << 10))
}

/// [El Torito] Figure 7: the second descriptor tells where the catalog is.
fn catalog(image: &[u8]) -> &[u8] {
    let record = &image[17 * BLOCK..];
    assert_eq!(&record[..30], b"\0CD001\x01EL TORITO SPECIFICATION");
    let block = u32::from_le_bytes(record[0x47..0x4b].try_into().unwrap());
    &image[usize::try_from(block).unwrap() * BLOCK..][..BLOCK]
}

fn u16_at(b: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([b[at], b[at + 1]])
}

pub(crate) fn u32_at(b: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(b[at..at + 4].try_into().unwrap())
}

#[test]
fn rules_1_and_2_the_efi_entry_counts_sectors_of_512_bytes_and_says_0_where_16_bits_are_too_few() {
    for (len, count) in
        [(1, 1), (512, 1), (513, 2), (1 << 20, 2048), (65_535 * 512, 65_535), (65_536 * 512, 0)]
    {
        let image = start(&iso::layout(&bootable(len), &both()).unwrap());
        assert_eq!(u16_at(catalog(&image), 0x66), count, "{len} bytes");
    }
}

#[test]
fn rule_1_the_file_of_the_last_folder_is_the_last() {
    let mut tree = bootable(1 << 20);
    for name in ["esp/a", "esp/x", "a", "z", "boot/z"] {
        add(&mut tree, name, 0o644, file("x"));
    }
    for name in ["var", "var/lib", "var/lib/esp"] {
        add(&mut tree, name, 0o755, Kind::Dir);
    }
    add(&mut tree, "var/lib/esp/efi.img", 0o644, file("x"));
    let iso = Iso::new(&tree, &both()).unwrap();
    let mut places: Vec<_> =
        tree.iter().filter_map(|(path, _)| Some((iso.place(path)?.at, path.to_string()))).collect();
    places.sort();
    let order: Vec<_> = places.iter().map(|(_, path)| &path[..]).collect();
    // A folder's files, then its folders.
    let want = ["a", "z", "boot/loader", "boot/z", "esp/a", "esp/efi.img", "esp/x", "var/lib/esp/efi.img"];
    assert_eq!(order, want);
}

#[test]
fn rule_3_the_bios_entry_loads_four_sectors_without_emulation() {
    let (tree, options) = (bootable(1 << 20), both());
    let iso = Iso::new(&tree, &options).unwrap();
    let block = u32::try_from(iso.place(&path("boot/loader")).unwrap().at / 2048).unwrap();
    let image = start(&iso.layout(&tree).unwrap());
    // Bootable, no emulation, segment 0 (which means 07c0), no system type, count, block.
    let want = [&[0x88, 0, 0, 0, 0, 0, 4, 0], &block.to_le_bytes()[..], &[0; 20]].concat();
    assert_eq!(catalog(&image)[0x20..0x40], want);
}

#[test]
fn rule_4_the_catalog_adds_up_and_has_a_last_section_for_efi() {
    let image = start(&iso::layout(&bootable(1 << 20), &both()).unwrap());
    let catalog = catalog(&image);
    let sum = catalog[..0x20].chunks(2).map(|w| u16_at(w, 0)).fold(0, u16::wrapping_add);
    assert_eq!((catalog[0], catalog[1], sum, &catalog[0x1e..0x20]), (1, 0, 0, &[0x55, 0xaa][..]));
    assert_eq!(catalog[0x40..0x44], [0x91, 0xef, 1, 0]);
    assert_eq!(catalog[0x60..0x62], [0x88, 0]);
    assert_eq!(catalog[0x80..], [0; BLOCK - 0x80]);
}

#[test]
fn rule_4_an_image_for_efi_alone_says_so_in_the_validation_entry() {
    let options = Options { boot: vec![BootEntry::efi(path("esp/efi.img"))], ..Options::default() };
    let image = bytes(&iso::layout(&bootable(1 << 20), &options).unwrap());
    let block = usize::try_from(u32_at(&image, 17 * BLOCK + 0x47)).unwrap();
    let catalog = &image[block * BLOCK..][..BLOCK];
    assert_eq!(catalog[1], Platform::EFI.0);
    assert_eq!(u16_at(catalog, 0x26), 2048);
}

#[test]
fn rule_4_each_further_entry_has_a_section_and_the_last_says_so() {
    let mut tree = bootable(1 << 20);
    add(&mut tree, "esp/other.img", 0o644, file([1; 1024]));
    let mut options = both();
    options.boot.push(BootEntry::efi(path("esp/other.img")));
    let image = Image::new(&tree, &options);
    let all = std::fs::read(image.path()).unwrap();
    let catalog = catalog(&all);
    assert_eq!(catalog[0x40..0x44], [0x90, 0xef, 1, 0]);
    assert_eq!(catalog[0x80..0x84], [0x91, 0xef, 1, 0]);
    assert_eq!((u16_at(catalog, 0x66), u16_at(catalog, 0xa6)), (2048, 2));
    let Some(out) = xorriso(&image, &["-report_el_torito", "plain"]) else { return };
    let out = String::from_utf8(out).unwrap();
    let platforms: Vec<_> = out
        .lines()
        .filter(|line| line.starts_with("El Torito boot img"))
        .map(|line| line.split_whitespace().nth(6).unwrap())
        .collect();
    assert_eq!(platforms, ["BIOS", "UEFI", "UEFI"], "{out}");
}

#[test]
fn xorriso_reports_the_boot_entries() {
    let image = Image::new(&bootable(1 << 20), &both());
    let Some(out) = xorriso(&image, &["-report_el_torito", "plain"]) else { return };
    let out = String::from_utf8(out).unwrap();
    let fields: Vec<Vec<_>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    let has = |want: &str| {
        let want: Vec<_> = want.split_whitespace().collect();
        assert!(fields.iter().any(|f| f.starts_with(&want)), "{want:?} in {out}");
    };
    has("El Torito cat path : /boot/boot.cat");
    has("El Torito boot img : 1 BIOS y none 0x0000 0x00 4");
    has("El Torito boot img : 2 UEFI y none 0x0000 0x00 2048");
    has("El Torito img path : 1 /boot/loader");
    has("El Torito img path : 2 /esp/efi.img");
}

#[test]
fn rule_3_isolinux_gets_the_table_that_xorriso_writes() {
    let code: Vec<u8> = (0..30_001u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let mut tree = Tree::new();
    add(&mut tree, "isolinux.bin", 0o644, file(&code));
    let entry = BootEntry { info_table: true, ..BootEntry::bios(path("isolinux.bin")) };
    let iso = Iso::new(&tree, &Options { boot: vec![entry], ..Options::default() }).unwrap();
    let at = usize::try_from(iso.place(&path("isolinux.bin")).unwrap().at).unwrap();
    let image = bytes(&iso.layout(&tree).unwrap());
    let ours = &image[at..][..code.len()];
    assert_eq!(u32_at(ours, 12), u32::try_from(at / BLOCK).unwrap());
    assert_eq!((&ours[..8], &ours[64..]), (&code[..8], &code[64..]));

    let Some(mut xorriso) = judge::program("xorriso") else { return };
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("tree")).unwrap();
    std::fs::write(dir.path().join("tree/isolinux.bin"), &code).unwrap();
    let args =
        "-as mkisofs -quiet -b isolinux.bin -no-emul-boot -boot-load-size 4 -boot-info-table -o x.iso tree";
    let made = xorriso.current_dir(dir.path()).args(args.split(' ')).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let image = std::fs::read(dir.path().join("x.iso")).unwrap();
    let theirs = image.windows(8 + 4).position(|w| w[..8] == code[..8] && w[8..] == [16, 0, 0, 0]).unwrap();
    let theirs = &image[theirs..][..64];
    // The images are in other places: all but the block is the same.
    assert_eq!((&ours[..12], &ours[16..64]), (&theirs[..12], &theirs[16..64]));
}

#[test]
fn rule_9_readers_may_read_ahead_300_kib_at_the_end() {
    for len in [1, 700 << 10, 1 << 20] {
        let tree = bootable(len);
        let iso = Iso::new(&tree, &both()).unwrap();
        let place = iso.place(&path("esp/efi.img")).unwrap();
        assert!(iso.len() - (place.at + place.len) >= 150 * 2048);
        let layout = iso.layout(&tree).unwrap();
        assert!(layout.window(layout.len() - 150 * 2048, 150 * 2048).is_hole(), "{len}");
    }
}

#[test]
fn rule_12_a_file_of_more_than_4_gib_has_several_extents() {
    let mut tree = Tree::new();
    let mut content = Layout::hole((4 << 30) + 5000);
    content.push(b"the end".to_vec());
    add(&mut tree, "large", 0o644, Kind::File(content.clone()));
    add(&mut tree, "next", 0o644, file("next"));
    let iso = Iso::new(&tree, &Options::default()).unwrap();
    let place = iso.place(&path("large")).unwrap();
    assert_eq!(place.len, content.len());
    let image = Image::emit(&iso.layout(&tree).unwrap());
    let Some(out) = xorriso(&image, &["-find", "/large", "-exec", "report_lba", "--"]) else { return };
    let out = String::from_utf8(out).unwrap();
    let extents: Vec<Vec<_>> = out.lines().skip(1).map(|l| l.split_whitespace().collect()).collect();
    // 4 GiB less a block, and the rest right after it.
    let first = place.at / 2048;
    let (second, rest) = (first + (1 << 21) - 1, content.len() - (4 << 30) + 2048);
    assert_eq!(extents[0][5..8], [&first.to_string(), ",", "2097151"], "{out}");
    assert_eq!(extents[1][5..8], [&second.to_string(), ",", &rest.div_ceil(2048).to_string()], "{out}");
    assert_eq!(extents[1][9], content.len().to_string(), "{out}");
}
