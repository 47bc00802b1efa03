//! Layers: their compression, their digests, and what is in the archives.

use super::support::image::{CONFIG, Compression, LAYER, Made, digest, gzip, tar};
use super::support::noise::noise;
use super::support::workplace::layered;
use super::{Case, image};
use serde_json::json;

/// A member of an archive.
pub(crate) fn member(
    name: &str,
    kind: u8,
    target: &str,
    contents: &[u8],
    change: fn(&mut tar::Header),
) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(contents.len() as u64);
    header.set_mode(0o755);
    header.set_cksum();
    change(&mut header);
    let mut bytes = [header.as_bytes(), contents].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// The same after a change of the header.
fn changed(change: fn(&mut tar::Header)) -> Vec<u8> {
    member("etc/passwd", b'0', "", b"root", change)
}

pub(crate) fn file(name: &str, contents: &[u8]) -> Vec<u8> {
    member(name, b'0', "", contents, |_| ())
}

pub(crate) fn link(name: &str, kind: u8, target: &str) -> Vec<u8> {
    member(name, kind, target, b"", |_| ())
}

pub(crate) fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), vec![0; 1024]].concat()
}

/// An image whose one layer has these members.
fn of(name: &'static str, members: impl Fn() -> Vec<Vec<u8>> + Send + Sync + 'static) -> Case {
    image(name, move || layered(archive(&members())))
}

/// An image of two layers, bottom first, with these members.
fn stacked(
    name: &'static str,
    members: impl Fn() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) + Send + Sync + 'static,
) -> Case {
    image(name, move || {
        let (bottom, top) = members();
        Made::image("amd64", &[bottom, top].map(|members| (Compression::Gzip, archive(&members))))
    })
}

/// An image with this for a layer, and the configuration of another one.
pub(crate) fn with_layer(configured: &[u8], blob: Vec<u8>) -> Made {
    let mut made = layered(configured.to_vec());
    let config = made.blobs.iter().find(|(_, bytes)| bytes.starts_with(b"{\"architecture")).unwrap();
    let config = json!({"mediaType": CONFIG, "digest": config.0, "size": config.1.len()});
    let layer = made.add(LAYER, blob);
    made.close(config, vec![layer]);
    made
}

fn big() -> Vec<u8> {
    tar(&[("noise", &noise(200_000))])
}

/// The layer's blob after a change that its digest does not know of.
fn damaged(change: fn(&mut Vec<u8>)) -> Made {
    let mut made = layered(big());
    change(made.blobs.get_mut(&digest(&gzip(&big()))).unwrap());
    made
}

fn bomb(name: &'static str, compression: Compression) -> Case {
    let zeros = || tar(&[("zeros", &vec![0; 8 << 20])]);
    let mut case = image(name, move || Made::image("amd64", &[(compression, zeros())]));
    case.args.extend(["--max-layer-size", "1048576"]);
    case
}

pub(crate) fn cases() -> Vec<Case> {
    let cut = |bytes: Vec<u8>| bytes[..100_000].to_vec();
    vec![
        image("truncated gzip", move || with_layer(&big(), cut(gzip(&big())))),
        image("truncated zstd", move || with_layer(&big(), cut(Compression::Zstd.of(&big())))),
        image("gzip with a wrong checksum", || {
            let mut blob = gzip(&big());
            let at = blob.len() - 8;
            blob[at] ^= 1;
            with_layer(&big(), blob)
        }),
        image("wrong digest of a layer", || damaged(|bytes| bytes[50_000] ^= 1)),
        image("layer shorter than its manifest says", || damaged(|bytes| bytes.truncate(50_000))),
        image("diff_id of another layer", || with_layer(&big(), gzip(&tar(&[("other", b"")])))),
        image("diff_id of another layer, uncompressed", || with_layer(&big(), tar(&[("other", b"")]))),
        bomb("gzip bomb", Compression::Gzip),
        bomb("zstd bomb", Compression::Zstd),
        bomb("uncompressed layer over the limit", Compression::None),
        image("layer that is no archive", || layered(vec![b'x'; 2048])),
        image("layer that is no archive, and short", || layered(b"<html>".to_vec())),
        of("name that leaves the file system", || vec![file("../etc/passwd", b"root")]),
        of("name that leaves on its way", || vec![file("a/../../etc/passwd", b"root")]),
        of("hard link to outside", || vec![link("shadow", b'1', "../../etc/shadow")]),
        of("hard link to nothing", || vec![link("here", b'1', "there")]),
        of("hard link to a folder", || vec![link("folder", b'5', ""), link("here", b'1', "folder")]),
        of("hard links to each other", || vec![link("one", b'1', "two"), link("two", b'1', "one")]),
        of("hard link to itself", || vec![link("one", b'1', "one")]),
        stacked("symbolic links to each other", || {
            (vec![link("one", b'2', "two"), link("two", b'2', "one")], vec![file("one/file", b"")])
        }),
        stacked("symbolic link to itself", || (vec![link("one", b'2', "/one")], vec![file("one/file", b"")])),
        stacked("pipe where a folder is expected", || {
            (vec![link("etc", b'6', "")], vec![file("etc/passwd", b"")])
        }),
        stacked("file where a folder is expected", || {
            (vec![file("etc", b"")], vec![file("etc/passwd", b"")])
        }),
        of("wrong checksum of a header", || vec![changed(|h| h.as_old_mut().name[0] = b'E')]),
        of("negative size", || {
            vec![changed(|h| {
                h.as_old_mut().size = [0xff; 12];
                h.set_cksum();
            })]
        }),
        of("size that is no number", || {
            vec![changed(|h| {
                h.as_old_mut().size = *b"0000000009x\0";
                h.set_cksum();
            })]
        }),
        of("size beyond the archive", || {
            vec![changed(|h| {
                h.set_size(1 << 40);
                h.set_cksum();
            })]
        }),
        of("owner that no Linux knows", || {
            vec![changed(|h| {
                h.set_uid(1 << 40);
                h.set_cksum();
            })]
        }),
        of("unknown type", || vec![member("odd", b'Z', "", b"", |_| ())]),
        of("records without a length", || vec![member("x", b'x', "", b"path=a\n", |_| ()), file("a", b"")]),
        of("records without end", || vec![member("x", b'x', "", b"9999 path=a\n", |_| ()), file("a", b"")]),
        of("records of nothing", || vec![member("x", b'x', "", b"9 path=a\n", |_| ())]),
        of("two MiB of records", || vec![member("x", b'x', "", &vec![b'1'; 2 << 20], |_| ())]),
        of("PAX sparse file", || {
            let records = b"22 GNU.sparse.major=1\n";
            vec![member("x", b'x', "", records, |_| ()), file("a", b"")]
        }),
        Case {
            args: vec!["build", "--arch", "amd64", "--offline", "-q", "-f", "kernel+squashfs", "bad.yml"],
            ..of("access list in a SquashFS", || {
                let records = b"42 SCHILY.xattr.system.posix_acl_access=x\n";
                vec![member("x", b'x', "", records, |_| ()), file("a", b"")]
            })
        },
        image("archive that ends in a header", || {
            layered(archive(&[file("a", b"a")])[..1024 + 100].to_vec())
        }),
        image("archive that ends in a file", || layered(file("a", &[1; 2000])[..1024].to_vec())),
        image("something after the end", || layered([vec![0; 512], file("a", b"")].concat())),
    ]
}
