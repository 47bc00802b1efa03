//! A [`Tree`] as hadris takes it: blank files, and stand-ins for what it does not write well.

use super::{Error, link, refused};
use crate::skeleton::blank::Blanks;
use crate::tree::{Kind, Meta, Time, Tree};
use hadris_fs::{DateTime, DeviceNumber, FileType, Owner, Permissions, SetAttr};

/// The longest name that Linux has room for.
const MAX_NAME: usize = 255;
/// \[ECMA-119\] §6.9: path tables number folders in 16 bits.
const MAX_FOLDERS: usize = 65_535;

/// \[ECMA-119\] §9.1.5: the year is one byte, from 1900. Times beyond are the first or the last.
const TIMES: std::ops::RangeInclusive<i64> = -2_208_988_800..=5_869_583_999;

/// `time` to the second.
pub(super) fn date_time(time: Time) -> DateTime {
    let seconds = time.seconds.clamp(*TIMES.start(), *TIMES.end());
    DateTime::from_unix_seconds(seconds).expect("hadris counts from year -32768 to 32767")
}

fn attributes(meta: &Meta) -> SetAttr {
    let modified = date_time(meta.mtime);
    SetAttr::new()
        .with_permissions(Permissions::new(meta.mode.into()))
        .with_owner(Owner::new(meta.uid, meta.gid))
        .with_modified(modified)
        // Rock Ridge wants one. When a file was read last is of no use in an image.
        .with_accessed(modified)
}

/// The tree with blank files.
pub(super) fn tree(tree: &Tree) -> Result<hadris_fs::Tree, Error> {
    let blanks = Blanks::new();
    let mut out = hadris_fs::Tree::new();
    let folders = tree.iter().filter(|(_, node)| node.is_dir()).count();
    if folders > MAX_FOLDERS {
        return Err(Error::Folders { count: folders, limit: MAX_FOLDERS });
    }
    for (path, node) in tree.iter() {
        if path.name().len() > MAX_NAME {
            return Err(Error::Name { path: path.clone(), len: path.name().len(), limit: MAX_NAME });
        }
        let special = |kind, number| hadris_fs::Node::special(kind, Some(number));
        let theirs = match &node.kind {
            Kind::Dir => hadris_fs::Node::dir(),
            Kind::File(content) => hadris_fs::Node::file(blanks.content(content.len()).map_err(refused)?),
            Kind::Symlink(target) => {
                let len = target.len();
                if len == 0 || len > link::MAX_TARGET {
                    return Err(Error::Target { path: path.clone(), len, limit: link::MAX_TARGET });
                }
                hadris_fs::Node::symlink(link::stand_in(target).as_deref().unwrap_or(target))
            }
            Kind::Char { major, minor } => special(FileType::CharDevice, DeviceNumber::new(*major, *minor)),
            Kind::Block { major, minor } => special(FileType::BlockDevice, DeviceNumber::new(*major, *minor)),
            // hadris leaves named pipes out; `mend` makes one of this.
            Kind::Fifo => special(FileType::CharDevice, DeviceNumber::new(0, 0)),
            Kind::HardLink(first) => {
                out.link(first.as_bytes(), path.as_bytes()).map_err(refused)?;
                continue;
            }
        };
        let theirs = theirs.with_attrs(attributes(&node.meta));
        if path.is_root() {
            out.replace("/", theirs).map_err(refused)?;
        } else {
            out.insert(path.as_bytes(), theirs).map_err(refused)?;
        }
    }
    Ok(out)
}
