//! What may be wrong with a value of a container.

use crate::spec::error::{DidYouMean, Error};
use crate::spec::place::Located;
use std::fmt;

/// What is wrong with a value of a container.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerProblem {
    /// A capability that Linux does not have.
    #[error("unknown capability `{name}`{}", DidYouMean(nearest))]
    Capability {
        /// The name.
        name: String,
        /// The capability whose name looks most like it.
        nearest: Option<String>,
    },
    /// `all` or `none` beside others.
    #[error("`{word}` must be the only item of its list")]
    NotAlone {
        /// The word.
        word: String,
    },
    /// A bind mount.
    #[error("bind `{bind}` has {}; it must be `source:destination` or `source:destination:options`", Parts(*parts))]
    Bind {
        /// The value.
        bind: String,
        /// How many parts the colons make of it.
        parts: usize,
    },
    /// A tmpfs mount.
    #[error("tmpfs `{tmpfs}` has {}; it must be `destination` or `destination:options`", Parts(*parts))]
    Tmpfs {
        /// The value.
        tmpfs: String,
        /// How many parts the colons make of it.
        parts: usize,
    },
    /// A mount whose type nobody says and nothing tells.
    #[error("{} needs a `type`", MountAt(destination))]
    MountType {
        /// Where it is to be mounted; maybe empty.
        destination: String,
    },
    /// A mount of a type that has no usual place.
    #[error("the mount of type `{kind}` needs a `destination`")]
    MountDestination {
        /// Its type.
        kind: String,
    },
    /// A device without permissions.
    #[error("device `{path}` needs a `mode` in octal, such as \"0600\"")]
    NoDeviceMode {
        /// The device.
        path: String,
    },
    /// Permissions of a device.
    #[error("device `{path}` has the mode `{mode}`; it must be octal, `0` to `7777`")]
    DeviceMode {
        /// The device.
        path: String,
        /// The permissions.
        mode: String,
    },
    /// A limit that is not of three parts.
    #[error("rlimit `{rlimit}` has {}; it must be `name,soft,hard`", Parts(*parts))]
    Rlimit {
        /// The value.
        rlimit: String,
        /// How many parts the commas make of it.
        parts: usize,
    },
    /// A limit that Linux does not have.
    #[error("unknown rlimit `{name}`{}", DidYouMean(nearest))]
    RlimitName {
        /// The name.
        name: String,
        /// The limit whose name looks most like it.
        nearest: Option<String>,
    },
    /// The value of a limit.
    #[error("rlimit `{rlimit}` has the value `{value}`; it must be `unlimited` or 0 to 18446744073709551615")]
    RlimitValue {
        /// The limit.
        rlimit: String,
        /// The value.
        value: String,
    },
    /// A volume that is not there.
    #[error("no volume is named `{name}`; a source that is no volume begins with `/`{}", DidYouMean(nearest))]
    UnknownVolume {
        /// The name.
        name: String,
        /// The volume whose name looks most like it.
        nearest: Option<String>,
    },
    /// A volume that would be written.
    #[error("volume `{name}` is read-only; mount it with the option `ro`")]
    ReadonlyVolume {
        /// The volume.
        name: String,
    },
}

struct MountAt<'a>(&'a str);

impl fmt::Display for MountAt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("a mount"),
            place => write!(f, "the mount at `{place}`"),
        }
    }
}

struct Parts(usize);

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("one part"),
            parts => write!(f, "{parts} parts"),
        }
    }
}

/// `problem` with what was read at a place.
pub(super) fn at<T>(located: &Located<T>, problem: ContainerProblem) -> Error {
    Error { place: located.place.clone(), problem: problem.into() }
}
