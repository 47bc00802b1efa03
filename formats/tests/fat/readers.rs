//! What fsck.vfat and mtools make of file systems.

use crate::image::{Image, bytes, path};
use crate::judge;
use crate::specimens::specimens;
use mkimage_formats::fat::{self, Fat, Options};
use mkimage_formats::{Kind, SectorSize, Tree, TreePath};
use std::collections::BTreeMap;
use std::process::Command;

/// The tree's folders, and its files with what they hold.
pub(crate) type Nodes = BTreeMap<TreePath, Option<Vec<u8>>>;

pub(crate) fn told(tree: &Tree) -> Nodes {
    let nodes = tree.iter().filter(|(path, _)| !path.is_root());
    nodes
        .map(|(path, node)| {
            let content = match &node.kind {
                Kind::Dir => None,
                Kind::File(content) => Some(bytes(content)),
                Kind::HardLink(first) => match &tree.get(first).unwrap().kind {
                    Kind::File(content) => Some(bytes(content)),
                    kind => unreachable!("{kind:?}"),
                },
                kind => unreachable!("{kind:?}"),
            };
            (path.clone(), content)
        })
        .collect()
}

/// A program of mtools, which takes the image as its drive. Its names are UTF-8.
fn mtools(name: &str, image: &Image) -> Option<Command> {
    let mut program = judge::program(name)?;
    program.env("LC_ALL", "C.UTF-8").env("MTOOLSRC", "/dev/null").arg("-i").arg(image.path());
    Some(program)
}

/// Everything, as `mcopy` puts it into a folder. None without mtools.
pub(crate) fn read_by_mtools(image: &Image) -> Option<Nodes> {
    let mut mcopy = mtools("mcopy", image)?;
    let out = image.dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    // Of an empty folder there is nothing to match.
    if !judge::output(mtools("mdir", image)?.args(["-b", "::/"])).is_empty() {
        judge::output(mcopy.args(["-s", "-n", "-m", "::/*"]).arg(&out));
    }
    let (mut nodes, mut folders) = (Nodes::new(), vec![(out, TreePath::root())]);
    while let Some((host, folder)) = folders.pop() {
        for entry in std::fs::read_dir(host).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(&path(entry.file_name().as_encoded_bytes()));
            if entry.file_type().unwrap().is_dir() {
                folders.push((entry.path(), path.clone()));
                nodes.insert(path, None);
            } else {
                nodes.insert(path, Some(std::fs::read(entry.path()).unwrap()));
            }
        }
    }
    Some(nodes)
}

/// Fails if fsck.vfat would mend anything.
pub(crate) fn fsck(image: &Image) {
    let Some(mut fsck) = judge::program("fsck.vfat") else { return };
    let told = judge::output(fsck.env("LC_ALL", "C.UTF-8").arg("-n").arg(image.path()));
    // Its version, and how many files and clusters there are; complaints are further lines.
    assert_eq!(told.lines().count(), 2, "{told}");
}

/// Options of every kind and sector size.
fn all() -> impl Iterator<Item = Options> {
    let kinds = [Some(fat::Kind::Fat12), Some(fat::Kind::Fat16), Some(fat::Kind::Fat32), None];
    kinds.into_iter().flat_map(|kind| {
        [SectorSize::B512, SectorSize::B4096].map(|sector_size| Options {
            kind,
            sector_size,
            ..Options::default()
        })
    })
}

#[test]
fn fsck_finds_nothing_to_mend_in_any_kind() {
    for options in all() {
        fsck(&Image::new(&specimens(), &options));
        fsck(&Image::new(&Tree::new(), &options));
    }
}

#[test]
fn mtools_read_back_the_tree_from_any_kind() {
    let tree = specimens();
    for options in all() {
        let Some(found) = read_by_mtools(&Image::new(&tree, &options)) else { return };
        let want = told(&tree);
        for (path, content) in &want {
            assert!(found.get(path) == Some(content), "{path} in {options:?}");
        }
        assert_eq!(found.len(), want.len());
    }
}

#[test]
fn contents_are_where_their_places_say() {
    let tree = specimens();
    for options in all() {
        let fat = Fat::new(&tree, &options).unwrap();
        let places: Vec<_> = tree.iter().filter_map(|(path, _)| Some((path, fat.place(path)?))).collect();
        let layout = fat.layout(&tree).unwrap();
        let want = told(&tree);
        let with_content = want.values().flatten().filter(|content| !content.is_empty()).count();
        assert_eq!(places.len(), with_content);
        for (path, place) in places {
            let found = bytes(&layout.window(place.at, place.len));
            assert!(Some(&found) == want[path].as_ref(), "{path}");
        }
    }
}

#[test]
fn blkid_tells_the_kind_the_label_and_the_serial() {
    for options in all() {
        let Some(kind) = options.kind else { continue };
        let options = Options { label: "Boot it".into(), serial: 0x0123_cdef, ..options };
        let image = Image::new(&specimens(), &options);
        let Some(mut blkid) = judge::program("blkid") else { return };
        let told = judge::output(blkid.args(["--probe", "--output", "export"]).arg(image.path()));
        let sector = options.sector_size.bytes();
        for want in
            ["LABEL=BOOT\\ IT", "UUID=0123-CDEF", &format!("VERSION={kind}"), &format!("BLOCK_SIZE={sector}")]
        {
            assert!(told.lines().any(|line| line == want), "{want} in {told}");
        }
    }
}

#[test]
fn minfo_tells_where_the_partition_begins() {
    let image = Image::new(&specimens(), &Options::esp(SectorSize::B512, 2048));
    let Some(mut minfo) = mtools("minfo", &image) else { return };
    let told = judge::output(minfo.arg("::"));
    for want in [
        "hidden sectors: 2048",
        "big size: 131072 sectors",
        "sector size: 512 bytes",
        "disk label=\"MKIMAGE    \"",
    ] {
        assert!(told.lines().any(|line| line == want), "{want} in {told}");
    }
}

#[test]
fn mdir_shows_times_in_utc_wherever_it_is() {
    let image = Image::new(&specimens(), &Options::default());
    let Some(mut mdir) = mtools("mdir", &image) else { return };
    let told = judge::output(mdir.env("TZ", "Asia/Tokyo").arg("::/EFI/BOOT/BOOTX64.EFI"));
    assert!(told.contains("12345 2020-09-13  12:26"), "{told}");
}
