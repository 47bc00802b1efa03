//! How a container runs: the two files of its bundle, from the specification, the image and the
//! image's label.
//!
//! ```text
//! entry of onboot, onshutdown, services ──┐
//! label org.mobyproject.config ───────────┼──▶ Configuration ──▶ config.json   (runc)
//! image: Entrypoint, Cmd, Env, WorkingDir ┘                  └─▶ runtime.json  (LinuxKit's init)
//! ```
//! For most fields the entry's value counts, else the label's, else a default; `merge` has the
//! exceptions. Bytes are those that LinuxKit writes: key order, indentation and escapes.
//!
//! \[OCI\] *Open Container Initiative Runtime Specification*, version 1.2.1.

mod capabilities;
mod config_json;
mod devices;
mod merge;
mod mounts;
mod namespaces;
mod runtime_json;

#[cfg(test)]
mod tests;

use crate::spec::terms::volumes;
use crate::spec::{Container, ContainerConfig, Errors, Ids, Runtime, Volume, parse_label};

/// What the configuration of an image says about a container of it.
///
/// The image's user is not here: LinuxKit ignores it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageDefaults {
    /// `Entrypoint`.
    pub entrypoint: Vec<String>,
    /// `Cmd`.
    pub cmd: Vec<String>,
    /// `Env`.
    pub env: Vec<String>,
    /// `WorkingDir`.
    pub working_dir: String,
    /// The label `org.mobyproject.config`.
    pub label: Option<String>,
}

/// How a container runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The root file system cannot be written, so that it needs no layer above the image.
    pub readonly: bool,
    config_json: String,
    runtime: Runtime,
}

impl Configuration {
    /// Takes the entry, the image and its label together.
    ///
    /// # Errors
    /// What is wrong in the label, or in values that only together are wrong. Places are in the
    /// label, or in the specification.
    pub fn new(
        container: &Container,
        image: &ImageDefaults,
        ids: &Ids,
        volumes: &[Volume],
    ) -> Result<Self, Errors> {
        let label = match image.label.as_deref() {
            Some(label) if !label.is_empty() => parse_label(&container.image, label)?,
            _ => ContainerConfig::default(),
        };
        let mut errors = Vec::new();
        let mut entry = container.config.clone();
        match volumes::resolve(&entry, volumes) {
            Ok(resolved) => entry = resolved,
            Err(wrong) => errors.extend(wrong),
        }
        let config = merge::over(&entry, &label);
        let written = config_json::write(&config, image, ids, &mut errors);
        Errors::unless_empty(errors)?;
        Ok(Configuration {
            readonly: config.readonly.unwrap_or_default(),
            config_json: written.to_json(),
            runtime: config.runtime.unwrap_or_default(),
        })
    }

    /// The bundle's `config.json`.
    #[must_use]
    pub fn config_json(&self) -> &str {
        &self.config_json
    }

    /// The bundle's `runtime.json`.
    ///
    /// `bundle` is the bundle's folder and `image` the folder with the image's files, both from
    /// the root and without a slash in front: `containers/services/a` and
    /// `containers/onboot/000-b/lower`. They differ in the bundles where an image comes again.
    #[must_use]
    pub fn runtime_json(&self, bundle: &str, image: &str) -> String {
        runtime_json::write(&self.runtime, self.readonly, bundle, image).to_json()
    }
}
