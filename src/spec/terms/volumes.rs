//! Volumes that containers name as the source of a mount.

use super::error::{ContainerProblem, at};
use crate::spec::{ContainerConfig, Error, Located, Volume, nearest};

/// The configuration with the folders of volumes in the place of their names.
///
/// A source that begins with a slash is a path of the host, any other the name of a volume. It is
/// for the specification only: the label of an image cannot know the volumes.
///
/// # Errors
/// No volume has the name, or the volume is read-only and the mount is not.
pub(crate) fn resolve(config: &ContainerConfig, volumes: &[Volume]) -> Result<ContainerConfig, Vec<Error>> {
    let mut config = config.clone();
    let mut errors = Vec::new();
    for mount in config.mounts.iter_mut().flatten().filter(|mount| mount.kind == "bind") {
        let mut options = mount.options.iter().map(String::as_str);
        // The first of the two counts, as LinuxKit has it.
        let readonly = options.find(|option| matches!(*option, "ro" | "rw")) == Some("ro");
        match folder(mount, &mount.source, readonly, volumes) {
            Ok(Some(folder)) => mount.value.source = folder,
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    for bind in config.binds.iter_mut().chain(&mut config.binds_add).flatten() {
        let (source, rest) = bind.split_once(':').unwrap_or((bind, ""));
        let readonly = rest.split_once(':').is_some_and(|(_, options)| options == "ro");
        match folder(bind, source, readonly, volumes) {
            Ok(Some(folder)) => bind.value = format!("{folder}:{rest}"),
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(config) } else { Err(errors) }
}

/// The folder of a volume as containers see it; none if `source` is a path.
fn folder<T>(
    place: &Located<T>,
    source: &str,
    readonly: bool,
    volumes: &[Volume],
) -> Result<Option<String>, Error> {
    if source.starts_with('/') {
        return Ok(None);
    }
    let Some(volume) = volumes.iter().find(|volume| *volume.name == source) else {
        let names: Vec<&str> = volumes.iter().map(|volume| volume.name.as_str()).collect();
        let nearest = nearest(source, &names).map(str::to_owned);
        return Err(at(place, ContainerProblem::UnknownVolume { name: source.to_owned(), nearest }));
    };
    if volume.readonly && !readonly {
        return Err(at(place, ContainerProblem::ReadonlyVolume { name: source.to_owned() }));
    }
    Ok(Some(format!("/containers/volumes/{source}/merged")))
}
