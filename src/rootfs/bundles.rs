//! Containers: each is a folder with two files that say how it runs.
//!
//! ```text
//! containers/onboot/NNN-NAME ┐  lower/        the image's files, if they may be written over
//! containers/onshutdown/…    ├  rootfs/       the image's files, or where they are mounted
//! containers/services/NAME   ┘  tmp/          what is written
//!                               config.json   how runc starts it
//!                               runtime.json  what is mounted before
//! ```
//! An image's files are there once: a bundle with an image that was in an earlier one mounts the
//! files of that.

use super::image::{self, Resolver};
use super::{By, Composer, Error, T0};
use crate::container::{Configuration, ImageDefaults};
use crate::oci::{Execution, Reference};
use crate::spec::Container;
use mkimage_formats::{Kind, Meta, TreePath};
use std::collections::BTreeMap;

/// The label that has an image's own defaults.
const LABEL: &str = "org.mobyproject.config";

/// All containers.
pub(super) fn put(to: &mut Composer<'_>) -> Result<(), Error> {
    let mut first = BTreeMap::new();
    let spec = to.spec;
    let numbered = |(number, container): (usize, _)| (number, format!("{number:03}-"), container);
    let named = |(number, container): (usize, _)| (number, String::new(), container);
    for (number, prefix, container) in spec.onboot.iter().enumerate().map(numbered) {
        bundle(to, &mut first, container, &format!("onboot[{number}]"), "onboot", &prefix)?;
    }
    for (number, prefix, container) in spec.onshutdown.iter().enumerate().map(numbered) {
        bundle(to, &mut first, container, &format!("onshutdown[{number}]"), "onshutdown", &prefix)?;
    }
    for (number, prefix, container) in spec.services.iter().enumerate().map(named) {
        bundle(to, &mut first, container, &format!("services[{number}]"), "services", &prefix)?;
    }
    Ok(())
}

/// One container. `first` has the folders of the images that were in a bundle before.
fn bundle(
    to: &mut Composer<'_>,
    first: &mut BTreeMap<Reference, TreePath>,
    container: &Container,
    location: &str,
    section: &str,
    prefix: &str,
) -> Result<(), Error> {
    let (reference, image) = to.images.image(&container.image)?;
    let defaults = defaults(&image.config.config);
    let configuration = Configuration::new(container, &defaults, &to.ids, &to.spec.volumes)?;
    let by = By { origin: to.origin(&reference, location), location };
    let folder = to.path(location, format!("containers/{section}/{prefix}{}", container.name.value))?;
    let inside = |to: &Composer<'_>, name: &str| Ok::<_, Error>(folder.join(&to.path(location, name)?));
    let files = match first.get(&reference) {
        Some(files) => {
            to.put_folders(by, &folder)?;
            files.clone()
        }
        None => {
            let files = inside(to, if configuration.readonly { "rootfs" } else { "lower" })?;
            let tree = to.flatten(location, image)?;
            image::put(to, by, tree, &files, Resolver::None)?;
            first.insert(reference.clone(), files.clone());
            to.place(reference, files.clone());
            files
        }
    };
    for name in ["tmp", "rootfs"] {
        let path = inside(to, name)?;
        if !(configuration.readonly && name == "tmp") && files != path {
            to.put(by, &path, Meta::new(0o755, T0), Kind::Dir)?;
        }
    }
    let config = configuration.config_json().as_bytes().to_vec();
    let path = inside(to, "config.json")?;
    to.put_file(by, &path, config)?;
    let runtime = configuration.runtime_json(&folder.to_string(), &files.to_string());
    let path = inside(to, "runtime.json")?;
    to.put_file(by, &path, runtime.into_bytes())
}

fn defaults(config: &Execution) -> ImageDefaults {
    ImageDefaults {
        entrypoint: config.entrypoint.clone(),
        cmd: config.cmd.clone(),
        env: config.env.clone(),
        working_dir: config.working_dir.clone(),
        label: config.labels.get(LABEL).cloned(),
    }
}
