//! Images, files and volumes as one root file system.

use mkimage_formats::tree::Time;

mod archive;
#[cfg(test)]
mod fixture;
mod import;
mod layers;
mod place;

pub use archive::{Error as ArchiveError, Problem as EntryProblem};
pub use import::import;
pub use layers::Error as LayersError;
pub(crate) use layers::{Indexes, Layer, flatten};
pub use place::Error as PlaceError;

/// The time of everything that LinuxKit itself makes: 2017-04-18T16:30:00Z.
pub const T0: Time = Time::from_unix(1_492_533_000);
