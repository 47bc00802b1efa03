//! Why there is no root file system.

use super::{KernelError, LayersError, PlaceError};
use crate::oci::{self, NotAPlatform, Reference, ReferenceError};
use crate::spec::{self, Place};
use std::io;
use std::path::PathBuf;

/// Why there is no root file system.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The specification.
    #[error(transparent)]
    Spec(#[from] spec::Errors),
    /// An entry of the specification.
    #[error(transparent)]
    Entry(#[from] spec::Error),
    /// Images are not to be had.
    #[error(transparent)]
    Images(#[from] oci::Error),
    /// Not the name of an image.
    #[error("{place}: this cannot be an image")]
    Reference {
        /// Where it was written.
        place: Place,
        /// What is wrong.
        source: ReferenceError,
    },
    /// Not a platform.
    #[error("{place}: this cannot be a platform")]
    Platform {
        /// Where it was written.
        place: Place,
        /// What is wrong.
        source: NotAPlatform,
    },
    /// An image was not given.
    #[error("{place}: image `{reference}` is not among the images that there are")]
    NoImage {
        /// Where it was written.
        place: Place,
        /// Its name.
        reference: Box<Reference>,
    },
    /// An image is broken.
    #[error("image `{reference}` ({location}) is no file system")]
    Layers {
        /// Where in the specification it is used.
        location: String,
        /// Its name.
        reference: Box<Reference>,
        /// What is wrong.
        source: Box<LayersError>,
    },
    /// There is no place for something.
    #[error("{location} does not fit on what is there before it")]
    Place {
        /// The entry of the specification.
        location: String,
        /// What is wrong.
        source: PlaceError,
    },
    /// The kernel's image.
    #[error("image `{reference}` has no kernel to boot")]
    Kernel {
        /// Its name.
        reference: Box<Reference>,
        /// What is wrong.
        source: Box<KernelError>,
    },
    /// A file of the host.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the host that `files` names.
    #[error("{place}: cannot read `{path}`")]
    Source {
        /// Where it was written.
        place: Place,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
