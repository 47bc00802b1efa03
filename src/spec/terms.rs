//! Values of a container that are small languages of their own: what they mean, and what is wrong
//! in them.
//!
//! The specification is checked with them when it is read, so that all that is wrong is told at
//! once; `crate::container` makes its files of what they mean.

pub(crate) mod capabilities;
pub(crate) mod devices;
mod error;
pub(crate) mod mounts;
pub(crate) mod rlimits;
pub(crate) mod volumes;

pub use error::ContainerProblem;

use super::{ContainerConfig, Error};

/// Notes what is wrong in a container's own values, whatever image it has.
pub(super) fn check(config: &ContainerConfig) -> Vec<Error> {
    let mut errors = Vec::new();
    capabilities::check(config, &mut errors);
    mounts::check(config, &mut errors);
    devices::check(config, &mut errors);
    rlimits::read(config, &mut errors);
    errors
}
