//! What Linux makes less of when it reads a root file system from an ISO 9660. The image itself
//! has all of it.
//!
//! \[ROCK\] Linux 6.1, *fs/isofs/rock.c*.

use mkimage_formats::{Kind, Tree, TreePath};

/// \[ROCK\] `get_rock_ridge_filename`: it stops before a name has so many bytes.
const NAME: usize = 254;
/// \[ROCK\] `parse_rock_ridge_inode_internal`, "PN": of the minor number, the lowest byte is left.
const MINOR: u32 = 0xff;

/// A node that is another one in Linux' eyes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Cut {
    #[error("the name of `{path}` has {len} bytes, and Linux cuts those on an ISO 9660 to 253")]
    Name { path: TreePath, len: usize },
    #[error(
        "the device `{path}` has the number {major}:{minor}, which Linux takes for {major}:{} on an ISO 9660",
        minor & MINOR
    )]
    Device { path: TreePath, major: u32, minor: u32 },
}

/// All that there are in `tree`.
pub(super) fn cuts(tree: &Tree) -> impl Iterator<Item = Cut> {
    tree.iter().flat_map(|(path, node)| {
        let len = path.name().len();
        let name = (len >= NAME).then(|| Cut::Name { path: path.clone(), len });
        let device = match node.kind {
            Kind::Char { major, minor } | Kind::Block { major, minor } if minor > MINOR => {
                Some(Cut::Device { path: path.clone(), major, minor })
            }
            _ => None,
        };
        name.into_iter().chain(device)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mkimage_formats::{Meta, Node, OriginId};

    #[test]
    fn what_linux_cuts_is_named_with_what_is_left() {
        let mut tree = Tree::new();
        let mut add = |path: &str, kind| {
            let node = Node { meta: Meta::default(), kind, origin: OriginId::default() };
            tree.insert(TreePath::new(path).unwrap(), node).unwrap();
        };
        add("dev", Kind::Dir);
        add("dev/tty", Kind::Char { major: 4, minor: 255 });
        add("dev/pts", Kind::Char { major: 136, minor: 300 });
        add(&"m".repeat(253), Kind::Fifo);
        add(&"n".repeat(254), Kind::Fifo);
        let told: Vec<String> = cuts(&tree).map(|cut| cut.to_string()).collect();
        let long = "n".repeat(254);
        let device =
            "the device `dev/pts` has the number 136:300, which Linux takes for 136:44 on an ISO 9660";
        let name = format!("the name of `{long}` has 254 bytes, and Linux cuts those on an ISO 9660 to 253");
        assert_eq!(told, [device, &name]);
    }
}
