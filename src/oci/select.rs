//! Which manifests and blobs of an image are wanted.

use super::manifest::{Document, ImageConfig, Manifest};
use super::{Descriptor, Error, ImageError, Platform, Reference};

/// What is wanted of an image.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice<'a> {
    /// The image for one platform and what attests it.
    Run(&'a Platform),
    /// The images for these platforms, without attestations.
    Platforms(&'a [Platform]),
    /// Everything that the index names.
    All,
}

impl<'a> Choice<'a> {
    /// These platforms; without any, all.
    pub(crate) fn of(platforms: &'a [Platform]) -> Self {
        if platforms.is_empty() { Choice::All } else { Choice::Platforms(platforms) }
    }

    /// The platforms that are asked for; none for all.
    pub(crate) fn platforms(self) -> &'a [Platform] {
        match self {
            Choice::Run(platform) => std::slice::from_ref(platform),
            Choice::Platforms(platforms) => platforms,
            Choice::All => &[],
        }
    }
}

/// A manifest that was chosen.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) descriptor: Descriptor,
    pub(crate) manifest: Manifest,
    pub(crate) attestation: bool,
}

impl Chosen {
    /// What the manifest refers to: the configuration, then the layers.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        std::iter::once(&self.manifest.config).chain(&self.manifest.layers)
    }
}

/// The chosen part of an image.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) root: Descriptor,
    /// In the order of the index; the image comes before its attestations.
    pub(crate) manifests: Vec<Chosen>,
    /// Manifests that the reader does not have; what they refer to is not known.
    pub(crate) absent: Vec<Descriptor>,
    /// The root is an index, which has named the platforms.
    pub(crate) indexed: bool,
}

impl Selection {
    /// Every blob that the chosen manifests refer to.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests.iter().flat_map(Chosen::blobs)
    }
}

/// Chooses from the manifest or index `root`, which `read` reads.
pub(crate) fn select(
    reference: &Reference,
    root: &Descriptor,
    choice: Choice<'_>,
    mut read: impl FnMut(&Descriptor) -> Result<Option<Vec<u8>>, Error>,
) -> Result<Selection, Error> {
    let mut out = Selection { root: root.clone(), manifests: Vec::new(), absent: Vec::new(), indexed: false };
    let parse = |bytes: &[u8], of: &Descriptor| {
        let failed = |source| ImageError::Document { digest: of.digest, source }.of(reference);
        Document::parse(bytes).map_err(failed)
    };
    let Some(bytes) = read(root)? else {
        out.absent.push(root.clone());
        return Ok(out);
    };
    let index = match parse(&bytes, root)? {
        Document::Index(index) => index,
        Document::Manifest(manifest) => {
            out.manifests.push(Chosen { descriptor: root.clone(), manifest, attestation: false });
            return Ok(out);
        }
    };
    out.indexed = true;
    let image_for = |platform: &Platform| {
        index.image_for(platform).ok_or_else(|| {
            let available = index.images().map(|m| m.platform.clone().unwrap_or_default()).collect();
            ImageError::NoPlatform { wanted: platform.clone(), available }.of(reference)
        })
    };
    let chosen: Vec<&Descriptor> = match choice {
        Choice::Run(platform) => {
            let image = image_for(platform)?;
            std::iter::once(image).chain(index.attestations_of(image.digest)).collect()
        }
        Choice::Platforms(platforms) => {
            let wanted: Vec<&Descriptor> = platforms.iter().map(image_for).collect::<Result<_, _>>()?;
            index.manifests.iter().filter(|m| wanted.contains(m)).collect()
        }
        Choice::All => index.manifests.iter().collect(),
    };
    for descriptor in chosen {
        let Some(bytes) = read(descriptor)? else {
            out.absent.push(descriptor.clone());
            continue;
        };
        let Document::Manifest(manifest) = parse(&bytes, descriptor)? else {
            return Err(ImageError::NestedIndex(descriptor.digest).of(reference));
        };
        let attestation = descriptor.attests().is_some();
        out.manifests.push(Chosen { descriptor: descriptor.clone(), manifest, attestation });
    }
    Ok(out)
}

/// An image that is not in an index is for the platform that its configuration names. LinuxKit
/// takes it for any other as well (D10).
pub(crate) fn mismatch(config: &ImageConfig, wanted: &Platform) -> Option<ImageError> {
    let found = &config.platform;
    // Images from scratch may not say.
    let differs = |found: &str, wanted: &str| !found.is_empty() && found != wanted;
    (differs(&found.arch, &wanted.arch) || differs(&found.os, &wanted.os))
        .then(|| ImageError::WrongPlatform { wanted: wanted.clone(), found: found.clone() })
}
