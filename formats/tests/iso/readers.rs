//! What xorriso, isoinfo and bsdtar make of images.

use crate::image::{Image, bytes, file, path};
use crate::judge;
use crate::specimens::{add, deep, resolve, specimens};
use mkimage_formats::iso::{Iso, Options};
use mkimage_formats::{Kind, Meta, Tree, TreePath};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

/// A node as a reader tells it: type, mode, owner, group, modification, and content, target or
/// device number.
pub(crate) type Seen = (char, u32, u64, u64, i64, Vec<u8>);

pub(crate) type Nodes = BTreeMap<TreePath, Seen>;
/// The names of each file that has several.
pub(crate) type Groups = BTreeSet<BTreeSet<TreePath>>;

fn seen(meta: &Meta, kind: &Kind) -> Seen {
    let device = |major, minor| format!("{major},{minor}").into_bytes();
    let (letter, content) = match kind {
        Kind::Dir => ('d', Vec::new()),
        Kind::File(layout) => ('-', bytes(layout)),
        Kind::Symlink(target) => ('l', target.to_vec()),
        Kind::Char { major, minor } => ('c', device(major, minor)),
        Kind::Block { major, minor } => ('b', device(major, minor)),
        Kind::Fifo => ('p', Vec::new()),
        Kind::HardLink(_) => unreachable!("followed"),
    };
    (letter, meta.mode.into(), meta.uid.into(), meta.gid.into(), meta.mtime.seconds, content)
}

/// Every path of the tree but the root, hard links as what they name.
pub(crate) fn told(tree: &Tree) -> Nodes {
    let nodes = tree.iter().filter(|(path, _)| !path.is_root());
    nodes
        .map(|(path, _)| {
            let node = resolve(tree, path).1;
            (path.clone(), seen(&node.meta, &node.kind))
        })
        .collect()
}

/// Names of one file that has content, as sets of paths.
pub(crate) fn groups(tree: &Tree) -> Groups {
    let mut groups = BTreeMap::<&TreePath, BTreeSet<_>>::new();
    for (path, _) in tree.iter() {
        let (first, node) = resolve(tree, path);
        if matches!(&node.kind, Kind::File(layout) if !layout.is_empty()) {
            groups.entry(first).or_default().insert(path.clone());
        }
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

/// The image as libarchive reads it; and its hard links. None without bsdtar.
pub(crate) fn read_by_libarchive(image: &Image) -> Option<(Nodes, Groups)> {
    let mut bsdtar = judge::program("bsdtar")?;
    bsdtar
        .env("LC_ALL", "C.UTF-8")
        .args(["--format=pax", "--options=hdrcharset=BINARY", "-cf", "-"])
        .arg(format!("@{}", image.path().display()));
    let out = bsdtar.output().unwrap();
    assert!(out.status.success() && out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    let (mut nodes, mut links) = (BTreeMap::<TreePath, Seen>::new(), BTreeMap::<_, BTreeSet<_>>::new());
    for entry in tar::Archive::new(&out.stdout[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = self::path(entry.path_bytes());
        if path.is_root() {
            continue;
        }
        let header = entry.header().clone();
        let kind = header.entry_type();
        let target = entry.link_name_bytes().map(|name| name.to_vec()).unwrap_or_default();
        if kind.is_hard_link() {
            let target = self::path(target);
            let node = nodes[&target].clone();
            // It takes nodes without content for one node, by the place that they do not have.
            if node.0 == '-' && !node.5.is_empty() {
                links.entry(target.clone()).or_default().extend([target, path.clone()]);
            }
            nodes.insert(path, node);
            continue;
        }
        let device = || {
            let number = |n: std::io::Result<Option<u32>>| n.unwrap().unwrap();
            format!("{},{}", number(header.device_major()), number(header.device_minor())).into_bytes()
        };
        // The header's own field has no times before 1970.
        let records = entry.pax_extensions().unwrap().into_iter().flatten().map(Result::unwrap);
        let mtime =
            records.filter(|r| r.key() == Ok("mtime")).map(|r| r.value().unwrap().parse().unwrap()).next();
        let mut content = Vec::new();
        let letter = match kind {
            tar::EntryType::Directory => 'd',
            tar::EntryType::Fifo => 'p',
            tar::EntryType::Symlink => {
                content = target;
                'l'
            }
            tar::EntryType::Char => {
                content = device();
                'c'
            }
            tar::EntryType::Block => {
                content = device();
                'b'
            }
            _ => {
                entry.read_to_end(&mut content).unwrap();
                '-'
            }
        };
        let node = (
            letter,
            header.mode().unwrap(),
            header.uid().unwrap(),
            header.gid().unwrap(),
            mtime.unwrap_or_else(|| header.mtime().unwrap().try_into().unwrap()),
            content,
        );
        nodes.insert(path, node);
    }
    Some((nodes, links.into_values().collect()))
}

#[test]
fn libarchive_reads_every_node_and_every_byte() {
    let tree = specimens();
    let Some((nodes, links)) = read_by_libarchive(&Image::new(&tree, &Options::default())) else {
        return;
    };
    let want = told(&tree);
    for (path, node) in &want {
        assert_eq!(nodes.get(path), Some(node), "{path}");
    }
    assert_eq!(nodes.len(), want.len());
    assert_eq!(links, groups(&tree));
}

/// What xorriso prints; it must find nothing wrong with the image.
pub(crate) fn xorriso(image: &Image, args: &[&str]) -> Option<Vec<u8>> {
    let mut xorriso = judge::program("xorriso")?;
    xorriso.env("LC_ALL", "C.UTF-8").arg("-indev").arg(image.path()).args(args);
    let out = xorriso.output().unwrap();
    let remarks = String::from_utf8_lossy(&out.stderr);
    let wrong = ["WARNING", "MISHAP", "SORRY", "FAILURE", "FATAL"];
    assert!(out.status.success() && !wrong.iter().any(|w| remarks.contains(w)), "{remarks}");
    Some(out.stdout)
}

/// A node as `ls -l` begins a line.
fn mode_string(letter: char, mode: u32) -> String {
    let bit = |bit: u32, letter: char| if mode & bit != 0 { letter } else { '-' };
    let execute = |bit: u32, special: u32, letter: char| match (mode & bit != 0, mode & special != 0) {
        (true, false) => 'x',
        (false, false) => '-',
        (true, true) => letter,
        (false, true) => letter.to_ascii_uppercase(),
    };
    [
        letter,
        bit(0o400, 'r'),
        bit(0o200, 'w'),
        execute(0o100, 0o4000, 's'),
        bit(0o40, 'r'),
        bit(0o20, 'w'),
        execute(0o10, 0o2000, 's'),
        bit(0o4, 'r'),
        bit(0o2, 'w'),
        execute(0o1, 0o1000, 't'),
    ]
    .into_iter()
    .collect()
}

fn quoted(name: &[u8]) -> Vec<u8> {
    let name = name.iter().flat_map(|b| if *b == b'\'' { br#"'"'"'"#.to_vec() } else { vec![*b] });
    [b"'".to_vec(), name.collect(), b"'".to_vec()].concat()
}

fn lines(text: &[u8]) -> BTreeSet<String> {
    text.split(|b| *b == b'\n').map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

/// Checks that xorriso lists every node of the tree, and nothing else but `others`.
fn xorriso_agrees(tree: &Tree, image: &Image, others: usize) {
    let Some(out) = xorriso(image, &["-find", "/", "-exec", "lsdl", "--"]) else { return };
    // Without the number of links, which it counts itself, and the date, which it tells in words.
    let listed = lines(&out).into_iter().map(|line| {
        let (before, path) = line.split_once(" '").unwrap_or((&line, ""));
        let fields: Vec<_> = before.split_whitespace().collect();
        match fields[..] {
            [mode, _, uid, gid, size, _, _, _] => format!("{mode} {uid} {gid} {size} '{path}"),
            _ => line,
        }
    });
    let listed: BTreeSet<_> = listed.collect();
    let mut count = 0;
    for (path, (letter, mode, uid, gid, _, content)) in told(tree) {
        let (size, target) = match letter {
            'b' | 'c' => (String::from_utf8(content).unwrap(), Vec::new()),
            'l' => ("0".into(), [b" -> ", &quoted(&content)[..]].concat()),
            _ => (content.len().to_string(), Vec::new()),
        };
        let head = format!("{} {uid} {gid} {size} ", mode_string(letter, mode));
        let line = [head.as_bytes(), &quoted(&[b"/", path.as_bytes()].concat()), &target].concat();
        for line in lines(&line) {
            assert!(listed.contains(&line), "{line}\nnot in {listed:#?}");
            count += 1;
        }
    }
    // The root and an empty line at the end.
    assert_eq!(listed.len(), count + 2 + others);
}

#[test]
fn xorriso_lists_every_node_with_its_owner_device_and_target() {
    let tree = specimens();
    xorriso_agrees(&tree, &Image::new(&tree, &Options::default()), 0);
}

#[test]
fn folders_below_the_eighth_level_are_where_they_belong() {
    let tree = deep();
    let image = Image::new(&tree, &Options::default());
    // With the folder that they are moved to.
    xorriso_agrees(&tree, &image, 1);
    let Some((mut nodes, _)) = read_by_libarchive(&image) else { return };
    nodes.remove(&path("rr_moved"));
    assert!(nodes == told(&tree));
}

#[test]
fn a_folder_of_the_tree_may_be_the_one_that_others_move_to() {
    let mut tree = deep();
    add(&mut tree, "rr_moved", 0o750, Kind::Dir);
    add(&mut tree, "rr_moved/RRD000001", 0o751, Kind::Dir);
    add(&mut tree, "rr_moved/own", 0o644, file("own"));
    let image = Image::new(&tree, &Options::default());
    xorriso_agrees(&tree, &image, 0);
    let Some((nodes, _)) = read_by_libarchive(&image) else { return };
    // The folder itself is one that it does not list.
    let mut want = told(&tree);
    want.remove(&path("rr_moved"));
    assert!(nodes == want);
}

#[test]
fn xorriso_finds_contents_where_they_were_planned() {
    let tree = specimens();
    let iso = Iso::new(&tree, &Options::default()).unwrap();
    let mut want = BTreeSet::from([String::new()]);
    for (path, _) in tree.iter().filter(|(path, _)| !path.as_bytes().contains(&b'\n')) {
        let Some(place) = iso.place(resolve(&tree, path).0) else { continue };
        let path = quoted(&[b"/", path.as_bytes()].concat());
        let (block, blocks) = (place.at / 2048, place.len.div_ceil(2048));
        want.insert(format!("{block} {blocks} {} {}", place.len, String::from_utf8_lossy(&path)));
    }
    let image = Image::emit(&iso.layout(&tree).unwrap());
    let Some(out) = xorriso(&image, &["-find", "/", "-type", "f", "-exec", "report_lba", "--"]) else {
        return;
    };
    // "File data lba:  0 ,       33 ,        1 ,        3 , '/dir/f'"
    let found = lines(&out).into_iter().filter(|line| !line.starts_with("Report") && !line.contains("/tab"));
    let found = found.filter_map(|line| {
        let fields: Vec<_> = line.splitn(5, " , ").map(str::trim).collect();
        (fields.len() == 5).then(|| fields[1..].join(" "))
    });
    want.remove("");
    assert_eq!(found.filter(|f| !f.starts_with("0 ") && !f.contains(" 0 '")).collect::<BTreeSet<_>>(), want);
}

/// What isoinfo lists or extracts.
fn isoinfo(image: &Image, args: &[&str]) -> Option<Vec<u8>> {
    let mut isoinfo = judge::program("isoinfo")?;
    let out = isoinfo.env("LC_ALL", "C.UTF-8").arg("-i").arg(image.path()).args(args).output().unwrap();
    assert!(out.status.success() && out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    Some(out.stdout)
}

#[test]
fn isoinfo_extracts_what_was_put_in() {
    let tree = specimens();
    let image = Image::new(&tree, &Options::default());
    for name in
        ["boot/kernel", "files/in-pieces", "names/a-third-name", "files/block-and-one", "files/nothing"]
    {
        let Some(out) = isoinfo(&image, &["-R", "-x", &format!("/{name}")]) else { return };
        let name = path(name);
        let Kind::File(content) = &resolve(&tree, &name).1.kind else { unreachable!() };
        assert!(out == bytes(content), "{name}");
    }
}

#[test]
fn joliet_has_64_characters_of_the_first_plane_and_a_substitute_for_the_others() {
    let tree = specimens();
    let image = Image::new(&tree, &Options::default());
    let Some(mut bsdtar) = judge::program("bsdtar") else { return };
    bsdtar.env("LC_ALL", "C.UTF-8").args(["--options=!rockridge", "-tf"]).arg(image.path());
    let out = judge::output(&mut bsdtar);
    let listed: BTreeSet<_> = out.lines().map(|line| line.trim_end_matches('/')).collect();
    let t = "t".repeat(62);
    let names = [
        "names/MixedCase.Txt".to_owned(),
        "names/dot.".into(),
        "names/_____\"".into(),
        "names/\u{fc}\u{df}.txt".into(),
        "names/\u{65e5}\u{672c}".into(),
        "names/smile-_".into(),
        "names/not-utf8-\u{fffd}\u{fffd}".into(),
        "names/tab_newline_end".into(),
        format!("names/same/{t}tt"),
        format!("names/same/{t}_1"),
        format!("names/long/{}", "n".repeat(64)),
        format!("names/long/{}_4", "n".repeat(62)),
        "names/a-third-name".into(),
        "files/nothing".into(),
    ];
    for name in names {
        assert!(listed.contains(&*name), "{name} not in {listed:#?}");
    }
    let count = tree.iter().filter(|(path, _)| in_joliet(&tree, path)).count();
    assert_eq!(listed.len(), count, "all folders and files, no links and no devices");
}

fn in_joliet(tree: &Tree, path: &TreePath) -> bool {
    matches!(resolve(tree, path).1.kind, Kind::Dir | Kind::File(_))
}

#[test]
fn isoinfo_lists_as_many_files_in_joliet() {
    let tree = specimens();
    let Some(out) = isoinfo(&Image::new(&tree, &Options::default()), &["-J", "-f"]) else { return };
    let listed = String::from_utf8_lossy(&out);
    let count = tree.iter().filter(|(path, _)| in_joliet(&tree, path)).count();
    assert_eq!(listed.lines().count(), count - 1, "{listed}");
}

#[test]
fn isoinfo_reads_modes_owners_and_targets() {
    let tree = specimens();
    let Some(out) = isoinfo(&Image::new(&tree, &Options::default()), &["-R", "-l"]) else { return };
    let (mut folder, mut listed) = (String::new(), BTreeSet::new());
    for line in String::from_utf8_lossy(&out).lines() {
        if let Some(name) = line.strip_prefix("Directory listing of ") {
            name.trim_start_matches('/').clone_into(&mut folder);
        }
        // "-rw-r--r--   2    0    0               3 Nov 24 2026 [     33 00]  name -> target"
        let Some((before, name)) = line.split_once("]  ") else { continue };
        let fields: Vec<_> = before.split_whitespace().collect();
        let [mode, links, uid, gid, size] = fields[..5] else { panic!("{line}") };
        listed.insert(format!("{mode} {links} {uid} {gid} {size} {folder}{}", name.trim_end()));
    }
    let mut names = BTreeMap::<_, usize>::new();
    for (path, _) in tree.iter() {
        *names.entry(resolve(&tree, path).0).or_default() += 1;
    }
    for (path, (letter, mode, uid, gid, _, content)) in told(&tree) {
        if uid > 0o7777 || path.as_bytes().contains(&b'\n') {
            continue; // its columns run into each other
        }
        // It prints a pipe as `f`, no set-id bits, owners in octal and no slash at the end of a target.
        let mode = mode_string(if letter == 'p' { 'f' } else { letter }, mode & 0o777);
        let head = format!("{mode} {} {uid:o} {gid:o}", names[resolve(&tree, &path).0]);
        let (size, target) = match letter {
            'l' => (0, format!(" -> {}", String::from_utf8_lossy(&content))),
            '-' => (content.len(), String::new()),
            'd' => continue,
            _ => (0, String::new()),
        };
        let line = format!("{head} {size} {}{target}", String::from_utf8_lossy(path.as_bytes()));
        assert!(listed.contains(line.trim_end_matches('/').trim_end()), "{line}\nnot in {listed:#?}");
    }
}
