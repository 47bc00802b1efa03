//! Registries that stand in for others.

use std::fmt;
use std::str::FromStr;

/// `[REGISTRY=]http(s)://HOST[:PORT][/PREFIX]`: where images of a registry are looked for first;
/// without a registry, those of all registries that have no mirror of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The registry, or every other one.
    registry: Option<String>,
    /// Without a slash at the end.
    url: String,
}

/// Text that is no mirror.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mirror: `http://HOST[:PORT]` or `https://…`, perhaps with `REGISTRY=` before it")]
pub struct NotAMirror(pub String);

/// The names of Docker Hub, any of which means the others.
const DOCKER_HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

impl FromStr for Mirror {
    type Err = NotAMirror;

    fn from_str(text: &str) -> Result<Self, NotAMirror> {
        // A URL may have `=` in it; the name of a registry may not.
        let (registry, url) = match text.split_once('=') {
            Some((registry, url)) if !registry.contains('/') => (Some(registry), url),
            _ => (None, text),
        };
        let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let host_is_there = host.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
        if !host_is_there || registry.is_some_and(str::is_empty) || url.parse::<ureq::http::Uri>().is_err() {
            return Err(NotAMirror(text.to_owned()));
        }
        let registry = registry.filter(|name| *name != "*").map(str::to_owned);
        Ok(Mirror { registry, url: url.trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.registry.iter().try_for_each(|registry| write!(f, "{registry}="))?;
        f.write_str(&self.url)
    }
}

impl Mirror {
    /// The list of an environment variable, separated by commas or white space.
    ///
    /// # Errors
    /// One of them is no mirror.
    pub fn list(text: &str) -> Result<Vec<Self>, NotAMirror> {
        text.split(|c: char| c == ',' || c.is_whitespace())
            .filter(|m| !m.is_empty())
            .map(str::parse)
            .collect()
    }

    /// Where to look first for images of `registry`, of several mirrors the first.
    pub(crate) fn of<'a>(mirrors: &'a [Mirror], registry: &str) -> Option<&'a str> {
        let same =
            |name: &str| name == registry || DOCKER_HUB.contains(&name) && DOCKER_HUB.contains(&registry);
        let own = mirrors.iter().find(|m| m.registry.as_deref().is_some_and(same));
        own.or_else(|| mirrors.iter().find(|m| m.registry.is_none())).map(|m| m.url.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_of_its_own_comes_before_that_of_all() {
        let mirrors =
            Mirror::list("http://all:1/, docker.io=https://hub.example/p  ghcr.io=http://g").unwrap();
        for (registry, url) in [
            ("docker.io", "https://hub.example/p"),
            ("registry-1.docker.io", "https://hub.example/p"),
            ("ghcr.io", "http://g"),
            ("quay.io", "http://all:1"),
        ] {
            assert_eq!(Mirror::of(&mirrors, registry), Some(url));
        }
        assert_eq!(Mirror::of(&mirrors[1..], "quay.io"), None);
    }

    #[test]
    fn a_mirror_needs_a_scheme_and_a_host() {
        for bad in
            ["", "mirror.example", "docker.io=mirror.example", "=http://x", "http://", "ftp://x", "http:///x"]
        {
            assert_eq!(bad.parse::<Mirror>(), Err(NotAMirror(bad.into())));
        }
        assert_eq!("*=http://x".parse::<Mirror>().unwrap().to_string(), "http://x");
    }
}
