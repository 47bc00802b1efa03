//! Names of images.
//!
//! ```text
//!             docker.io / library/alpine : 3.20 @ sha256:…
//!             registry    repository       tag    digest
//! ```
//!
//! \[DISTRIBUTION\] *OCI Distribution Specification* 1.1 "Pulling manifests" gives the characters
//! of a repository and a tag; the short forms are those of LinuxKit.

use super::Digest;
use std::fmt;
use std::str::FromStr;

/// The registry that a name without one means.
const DOCKER_HUB: &str = "docker.io";
/// The tag that is pulled for a name with neither tag nor digest.
const DEFAULT_TAG: &str = "latest";
/// Characters: \[DISTRIBUTION\] "Pulling manifests".
const MAX_TAG: usize = 128;
/// Characters, with the registry: what Docker and most registries take.
const MAX_NAME: usize = 255;

/// The name of an image, expanded: `alpine` is `docker.io/library/alpine`.
///
/// `Display` gives the name as outputs record it: no tag is added to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Registry and repository as displayed.
    name: String,
    /// Where the repository starts in `name`; zero if the name has three parts and no registry.
    repository_at: usize,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// Nothing before the tag or digest.
    #[error("image reference `{text}` has no name")]
    Empty {
        /// The text.
        text: String,
    },
    /// Too long.
    #[error("image name `{name}` has {len} characters; {MAX_NAME} are allowed")]
    Long {
        /// The name, expanded.
        name: String,
        /// Its characters.
        len: usize,
    },
    /// A repository component.
    #[error(
        "`{part}` in image name `{name}` is not a repository name: lower-case letters and digits, \
         with single `.`, `_` or `-` (or `__`) between them"
    )]
    Repository {
        /// The name, expanded.
        name: String,
        /// The component.
        part: String,
    },
    /// A registry.
    #[error(
        "`{registry}` in image name `{name}` is not a registry: a host name or address, and perhaps `:PORT`"
    )]
    Registry {
        /// The name, expanded.
        name: String,
        /// The first component.
        registry: String,
    },
    /// A tag.
    #[error(
        "`{tag}` is not a tag: up to {MAX_TAG} letters, digits, `_`, `.` and `-`, not starting with `.` or `-`"
    )]
    Tag {
        /// The tag.
        tag: String,
    },
    /// A digest.
    #[error(transparent)]
    Digest(#[from] super::NotADigest),
}

impl Reference {
    /// The host, and perhaps the port, of the registry.
    #[must_use]
    pub fn registry(&self) -> &str {
        match self.repository_at {
            0 => DOCKER_HUB,
            at => &self.name[..at - 1],
        }
    }

    /// The repository within the registry.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.name[self.repository_at..]
    }

    /// Registry and repository, without tag and digest.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag, if one was given.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was given.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// What the registry is asked for: the digest, else the tag, else `latest`.
    #[must_use]
    pub fn wanted(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => DEFAULT_TAG.to_owned(),
        }
    }

    /// The name under which a cache keeps the image: as displayed, `:latest` added where there is
    /// neither tag nor digest.
    #[must_use]
    pub fn cache_name(&self) -> String {
        match (&self.tag, &self.digest) {
            (None, None) => format!("{self}:{DEFAULT_TAG}"),
            _ => self.to_string(),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        // A colon before the last slash is that of a port.
        let last = rest.rfind('/').map_or(0, |at| at + 1);
        let (short, tag) = match rest[last..].split_once(':') {
            Some((part, tag)) => (&rest[..last + part.len()], Some(tag)),
            None => (rest, None),
        };
        if short.is_empty() {
            return Err(ReferenceError::Empty { text: text.to_owned() });
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Tag { tag: tag.to_owned() });
        }
        let name = expand(short);
        if name.len() > MAX_NAME {
            return Err(ReferenceError::Long { len: name.len(), name });
        }
        let repository_at = match name.split_once('/') {
            Some((host, _)) if names_a_host(host) => host.len() + 1,
            _ => 0,
        };
        if repository_at > 0 && !is_registry(&name[..repository_at - 1]) {
            return Err(ReferenceError::Registry { registry: name[..repository_at - 1].to_owned(), name });
        }
        if let Some(part) = name[repository_at..].split('/').find(|part| !is_component(part)) {
            return Err(ReferenceError::Repository { part: part.to_owned(), name });
        }
        Ok(Reference { name, repository_at, tag: tag.map(str::to_owned), digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// LinuxKit's rule: only names of one or two parts are short.
fn expand(name: &str) -> String {
    match name.split_once('/') {
        None => format!("{DOCKER_HUB}/library/{name}"),
        Some((first, rest)) if !rest.contains('/') && !names_a_host(first) => {
            format!("{DOCKER_HUB}/{name}")
        }
        Some(_) => name.to_owned(),
    }
}

fn names_a_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':'])
}

fn is_registry(host: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", port),
        Some(_) => return false,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port_is_good = match port.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok_and(|port| port > 0),
        None => port.is_empty(),
    };
    port_is_good && !name.is_empty() && name.chars().all(plain) && !name.starts_with(['-', '.'])
}

/// \[DISTRIBUTION\] `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(part: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators_are_good = part
        .split(word)
        .all(|between| matches!(between, "" | "." | "_" | "__") || between.chars().all(|c| c == '-'));
    part.starts_with(word) && part.ends_with(word) && separators_are_good
}

/// \[DISTRIBUTION\] `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= MAX_TAG && tag.starts_with(word) && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn names_expand_as_linuxkit_expands_them() {
        let digested = format!("alpine:3@{DIGEST}");
        for (text, shown, registry, repository, wanted) in [
            ("alpine", "docker.io/library/alpine", "docker.io", "library/alpine", "latest"),
            ("alpine:3", "docker.io/library/alpine:3", "docker.io", "library/alpine", "3"),
            ("linuxkit/init:v1", "docker.io/linuxkit/init:v1", "docker.io", "linuxkit/init", "v1"),
            ("localhost/x", "localhost/x", "localhost", "x", "latest"),
            ("localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000", "x", "y"),
            ("ghcr.io/a/b/c:d", "ghcr.io/a/b/c:d", "ghcr.io", "a/b/c", "d"),
            ("a/b/c", "a/b/c", "docker.io", "a/b/c", "latest"),
            ("[::1]:5000/x", "[::1]:5000/x", "[::1]:5000", "x", "latest"),
            (&digested, &format!("docker.io/library/{digested}"), "docker.io", "library/alpine", DIGEST),
        ] {
            let r: Reference = text.parse().unwrap();
            assert_eq!((r.to_string().as_str(), r.registry(), r.repository()), (shown, registry, repository));
            assert_eq!(r.wanted(), wanted);
        }
    }

    #[test]
    fn a_cache_name_always_says_which() {
        let name = |text: &str| text.parse::<Reference>().unwrap().cache_name();
        assert_eq!(name("busybox"), "docker.io/library/busybox:latest");
        assert_eq!(name(&format!("busybox@{DIGEST}")), format!("docker.io/library/busybox@{DIGEST}"));
    }

    #[test]
    fn bad_names_are_told_apart() {
        use ReferenceError as E;
        let error = |text: &str| text.parse::<Reference>().unwrap_err();
        assert!(matches!(error(""), E::Empty { .. }));
        assert!(matches!(error(":x"), E::Empty { .. }));
        assert!(matches!(error("alpine:"), E::Tag { .. }));
        assert!(matches!(error("alpine:-x"), E::Tag { .. }));
        assert!(matches!(error("alpine@sha256:12"), E::Digest(_)));
        assert!(matches!(error("Alpine"), E::Repository { part, .. } if part == "Alpine"));
        assert!(matches!(error("ghcr.io/a//b"), E::Repository { part, .. } if part.is_empty()));
        assert!(matches!(error("ghcr.io/../b"), E::Repository { part, .. } if part == ".."));
        assert!(matches!(error("a___b"), E::Repository { .. }));
        assert!(matches!(error("host:99999/x"), E::Registry { .. }));
        assert!(matches!(error("user@host/x"), E::Digest(_)));
        assert!(matches!(error(&format!("ghcr.io/{}", "a".repeat(250))), E::Long { len: 258, .. }));
    }
}
