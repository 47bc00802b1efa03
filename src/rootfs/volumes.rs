//! Volumes: folders that containers share.
//!
//! ```text
//! containers/volumes/NAME/lower    what the volume begins with: nothing, an image's files,
//!                                  or an image as an OCI layout
//!                        /tmp      what is written
//!                        /merged   both, which containers see
//! ```
//!
//! \[OCI\] *OCI Image Layout Specification*.

use super::image::{self, Resolver};
use super::{By, Composer, Error, reference};
use crate::oci::{OciImage, Reference};
use crate::spec::{Located, VolumeFormat};
use mkimage_formats::tree::Time;
use mkimage_formats::{Kind, Layout, Meta, TreePath};
use serde::Serialize;

/// All volumes.
pub(super) fn put(to: &mut Composer<'_>) -> Result<(), Error> {
    for (number, volume) in to.spec.volumes.iter().enumerate() {
        let location = format!("volume[{number}]");
        let folder = to.path(&location, format!("containers/volumes/{}", volume.name.value))?;
        let lower = folder.join(&to.path(&location, "lower")?);
        match &volume.image {
            None => {
                let by = By { origin: to.origin("empty", &location), location: &location };
                to.put_folders(by, &lower)?;
            }
            Some(name) if volume.format == Some(VolumeFormat::Oci) => {
                put_layout(to, &location, &volume.name, name, &lower)?;
            }
            Some(name) => {
                let (reference, image) = to.images.image(name)?;
                let tree = to.flatten(&location, image)?;
                let by = By { origin: to.origin(&reference, &location), location: &location };
                image::put(to, by, tree, &lower, Resolver::System)?;
                to.place(reference, lower);
            }
        }
        let by = By { origin: to.origin("linuxkit.volumes", &location), location: &location };
        for name in ["tmp", "merged"] {
            let path = folder.join(&to.path(&location, name)?);
            to.put(by, &path, Meta::new(0o755, super::T0), Kind::Dir)?;
        }
    }
    Ok(())
}

/// \[OCI\] "oci-layout file", as LinuxKit spaces it.
const LAYOUT: &str = "{\n\t\t\"imageLayoutVersion\": \"1.0.0\"\n\t}";

/// \[OCI\] "index.json file", in the order of LinuxKit's keys.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u32,
    media_type: &'a str,
    manifests: [Root<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Root<'a> {
    media_type: &'a str,
    size: u64,
    digest: String,
    annotations: Annotations,
}

#[derive(Serialize)]
struct Annotations {
    #[serde(rename = "org.opencontainers.image.ref.name")]
    name: String,
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An image as an OCI layout in `folder`.
fn put_layout(
    to: &mut Composer<'_>,
    location: &str,
    volume: &Located<String>,
    name: &Located<String>,
    folder: &TreePath,
) -> Result<(), Error> {
    let reference = reference(name)?;
    let missing = || Error::NoImage { place: name.place.clone(), reference: Box::new(reference.clone()) };
    let image = to.images.layouts.get(&volume.value).ok_or_else(missing)?;
    let by = By { origin: to.origin(&reference, location), location };
    to.put_folders(by, folder)?;
    let epoch = Time::from_unix(0);
    let mut put = |name: String, kind| {
        let mode = if kind == Kind::Dir { 0o755 } else { 0o644 };
        let path = folder.join(&to.path(location, name)?);
        to.put(by, &path, Meta::new(mode, epoch), kind)
    };
    put("oci-layout".into(), Kind::File(LAYOUT.as_bytes().to_vec().into()))?;
    put("index.json".into(), Kind::File(index(&reference, image).into()))?;
    put("blobs".into(), Kind::Dir)?;
    put("blobs/sha256".into(), Kind::Dir)?;
    for blob in &image.blobs {
        let content =
            Layout::file(&blob.path).map_err(|source| Error::Read { path: blob.path.clone(), source })?;
        put(format!("blobs/sha256/{}", blob.digest.hex()), Kind::File(content))?;
    }
    Ok(())
}

fn index(reference: &Reference, image: &OciImage) -> Vec<u8> {
    let root = Root {
        media_type: &image.root.media_type,
        size: image.root.size,
        digest: image.root.digest.to_string(),
        annotations: Annotations { name: reference.cache_name() },
    };
    let index = Index { schema_version: 2, media_type: INDEX, manifests: [root] };
    let mut out = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"   ");
    let written = index.serialize(&mut serde_json::Serializer::with_formatter(&mut out, format));
    written.expect("strings and numbers go into memory");
    out
}
