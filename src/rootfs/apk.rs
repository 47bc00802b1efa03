//! Alpine's package database, which every `init` image brings its own of: together they are one.

use super::{By, Composer, Error};
use mkimage_formats::tree::Time;
use mkimage_formats::{Kind, Layout, Meta, Tree, TreePath};

const DATABASE: &str = "lib/apk/db/installed";

/// An image's database.
pub(super) fn database(image: &Tree) -> Option<Layout> {
    let node = image.get(&TreePath::new(DATABASE).ok()?)?;
    let node = if let Kind::HardLink(first) = &node.kind { image.get(first)? } else { node };
    match &node.kind {
        Kind::File(content) => Some(content.clone()),
        _ => None,
    }
}

/// All databases in one file, if there are several.
pub(super) fn put_merged(to: &mut Composer<'_>, databases: Vec<Layout>) -> Result<(), Error> {
    if databases.len() < 2 {
        return Ok(());
    }
    let mut all = Layout::default();
    for database in databases {
        all.append(database);
        all.push(b"\n\n".to_vec());
    }
    let by = By { origin: to.origin("LINUXKIT.apkinit", "init"), location: "init" };
    let path = to.path(by.location, DATABASE)?;
    to.put(by, &path, Meta::new(0o644, Time::from_unix(0)), Kind::File(all))
}
