//! A tree as text, a line for each path.
//!
//! ```text
//! f 0644 0:0     T0  init[0]        etc/motd = "hello\n"
//! │ │    │       │   │              │        └ content, target, or what is told of it
//! │ │    │       │   │              └ path
//! │ │    │       │   └ LINUXKIT.location of its origin
//! │ │    │       └ last modification in Unix seconds; T0 is LinuxKit's own time
//! │ │    └ uid:gid
//! │ └ permissions
//! └ d folder, f file, l symbolic link, h hard link, c and b device, p pipe
//! ```
//! Then, a line for each origin: location and source, where anything is from it.

use super::support::image::digest;
use mkimage::rootfs::T0;
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::{Kind, Layout, Tree, TreePath};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Bytes of a text that is shown; of a longer one it is the length and the hash.
const MAX_TEXT: usize = 100;

pub fn dump(tree: &Tree) -> String {
    let mut out = String::new();
    let mut used = BTreeSet::new();
    for (path, node) in tree.iter() {
        let meta = &node.meta;
        let (letter, what) = match &node.kind {
            Kind::Dir => ('d', String::new()),
            Kind::File(layout) => ('f', format!(" = {}", content(path, layout))),
            Kind::Symlink(target) => ('l', format!(" -> {}", String::from_utf8_lossy(target))),
            Kind::HardLink(first) => ('h', format!(" => {first}")),
            Kind::Char { major, minor } => ('c', format!(" {major},{minor}")),
            Kind::Block { major, minor } => ('b', format!(" {major},{minor}")),
            Kind::Fifo => ('p', String::new()),
        };
        used.insert(node.origin);
        let owner = format!("{}:{}", meta.uid, meta.gid);
        let mtime = if meta.mtime == T0 { "T0".to_owned() } else { meta.mtime.seconds.to_string() };
        let location = tree.origin(node.origin).map_or("-", |origin| &origin.location);
        let mode = meta.mode;
        writeln!(out, "{letter} {mode:04o} {owner:<7} {mtime:<4} {location:<13} {path}{what}").unwrap();
    }
    for (_, origin) in tree.origins().filter(|(id, _)| used.contains(id)) {
        writeln!(out, "{:<13} {}", origin.location, origin.source).unwrap();
    }
    out
}

fn content(path: &TreePath, layout: &Layout) -> String {
    let mut stream = Stream::new(Vec::new());
    stream.layout(layout).unwrap();
    let bytes = stream.into_inner();
    match path.name() {
        b"config.json" => return configuration(&serde_json::from_slice(&bytes).unwrap()).to_string(),
        b"runtime.json" => return serde_json::from_slice::<Value>(&bytes).unwrap()["mounts"].to_string(),
        name if name.ends_with(b".json") => {
            return serde_json::from_slice::<Value>(&bytes).unwrap().to_string();
        }
        _ => {}
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.len() <= MAX_TEXT || path.name().ends_with(b".yml") => format!("{text:?}"),
        _ => format!("{} bytes {}", bytes.len(), &digest(&bytes)[..19]),
    }
}

/// Of a container's configuration what depends on the rest of the system: who runs, whether the
/// root may be written, and what is bound.
fn configuration(config: &Value) -> Value {
    let mounts = config["mounts"].as_array().unwrap();
    let binds: Vec<_> = mounts.iter().filter(|mount| mount["type"] == "bind").collect();
    json!({"user": config["process"]["user"], "root": config["root"], "binds": binds})
}
