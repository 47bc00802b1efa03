//! What can go wrong in a command, and what to do then.

use crate::output;
use mkimage_formats::emit;
use std::io;
use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// A file that was named.
    #[error("cannot open `{path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An output.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// Reading or writing.
    #[error(transparent)]
    Emit(#[from] emit::Error),
}

impl CliError {
    /// The one thing to do, where there is one.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            CliError::Output(output::Error::Unknown { .. }) => {
                let names: Vec<_> = output::FORMATS.iter().map(|f| f.name).collect();
                Some(format!("the formats are {}", names.join(", ")))
            }
            _ => None,
        }
    }
}
