//! What can go wrong between us and a registry.

use super::super::{CredentialError, Digest, DocumentError, NotADigest};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Why something could not be fetched from, or sent to, a registry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No connection, or one that broke.
    #[error("no answer from {url}")]
    Connection {
        /// What was asked for.
        url: String,
        /// What happened.
        source: Box<ureq::Error>,
    },
    /// A refusal.
    #[error("{url} answers {status}{}", Said(said))]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the registry said about it.
        said: String,
        /// How long it asked to be left alone.
        after: Option<Duration>,
    },
    /// We are nobody, or not the right one.
    #[error("{url} denies access{}{}", Said(said), Known(*known))]
    Denied {
        /// What was asked for.
        url: String,
        /// What the registry said about it.
        said: String,
        /// Credentials were sent.
        known: bool,
        /// Why configured credentials could not be sent.
        #[source]
        trouble: Option<CredentialError>,
    },
    /// An authentication scheme that we don't have.
    #[error("{url} asks for authentication by `{challenge}`; `Basic` and `Bearer` are known")]
    Challenge {
        /// What was asked for.
        url: String,
        /// The `WWW-Authenticate` header.
        challenge: String,
    },
    /// A redirect that leads nowhere, or out of encryption.
    #[error("{url} redirects to {to}, {why}")]
    Redirect {
        /// What was asked for.
        url: String,
        /// The `Location` header.
        to: String,
        /// What is wrong with that.
        why: &'static str,
    },
    /// A manifest, a token or a specification that is too large.
    #[error("{url} sends more than {limit} bytes, and may send no more")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// Bytes.
        limit: u64,
    },
    /// Other bytes than were asked for.
    #[error("{url} sends bytes with the digest {found}, not {expected}")]
    Digest {
        /// What was asked for.
        url: String,
        /// What its bytes should hash to.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// Another number of bytes than the manifest names.
    #[error("{url} sends {found} bytes; the manifest says {expected}")]
    Size {
        /// What was asked for.
        url: String,
        /// In the manifest.
        expected: u64,
        /// What came, or was announced; more is not read.
        found: u64,
    },
    /// A manifest that is not what it should be.
    #[error("{url} sends a manifest that cannot be used")]
    Document {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        source: DocumentError,
    },
    /// A header that is not what it should be.
    #[error("{url} sends a header that cannot be used")]
    Header {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        source: NotADigest,
    },
    /// A token server's answer.
    #[error("{url} sends no token")]
    Token {
        /// The token server.
        url: String,
        /// What is wrong with the answer.
        source: serde_json::Error,
    },
    /// An answer to an upload that does not say where to go on.
    #[error("{url} does not say where to upload to")]
    NoLocation {
        /// What was asked for.
        url: String,
    },
    /// A file of certificates.
    #[error("`{path}` cannot be used as certificates: {said}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        said: String,
    },
    /// The encryption cannot be set up.
    #[error("no encrypted connections: {0}")]
    Tls(String),
    /// A variable of the environment.
    #[error("the proxy `{0}` is not one: `http://[USER:PASSWORD@]HOST[:PORT]`")]
    Proxy(String),
    /// An address that none can be made of.
    #[error("`{0}` is not an address")]
    Url(String),
    /// A file on this side.
    #[error("cannot use `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl RegistryError {
    /// Trying again may help; after this time, if the registry named one.
    pub(crate) fn transient(&self) -> Option<Option<Duration>> {
        match self {
            // 429 and 5xx: [RFC 6585] §4, [RFC 9110] §15.6. 501 and 505 will not change.
            RegistryError::Status { status: 408 | 429 | 500 | 502..=504, after, .. } => Some(*after),
            RegistryError::Connection { source, .. } => match **source {
                ureq::Error::HostNotFound | ureq::Error::BadUri(_) | ureq::Error::Tls(_) => None,
                ureq::Error::Io(ref e) if !breaks(e) => None,
                _ => Some(None),
            },
            _ => None,
        }
    }

    /// Another registry may have it.
    pub(crate) fn elsewhere(&self) -> bool {
        matches!(
            self,
            RegistryError::Connection { .. } | RegistryError::Status { .. } | RegistryError::Denied { .. }
        )
    }
}

/// Not refused, and not a matter of certificates.
fn breaks(e: &std::io::Error) -> bool {
    let of_tls = e.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    !of_tls && e.kind() != std::io::ErrorKind::ConnectionRefused
}

struct Said<'a>(&'a str);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ": {}", self.0) }
    }
}

struct Known(bool);

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 {
            "; credentials were sent"
        } else {
            "; no credentials are known (`docker login`)"
        })
    }
}
