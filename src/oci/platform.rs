//! Platforms, and the choice among them.
//!
//! \[OCI-IMAGE\] *OCI Image Format Specification* 1.1, image-index.md "Image Index Property
//! Descriptions" (`platform`); the names are those of the Go language.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What an image runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`
    #[serde(default)]
    pub os: String,
    /// `amd64`, `arm64`, `riscv64`, …
    #[serde(default, rename = "architecture")]
    pub arch: String,
    /// `v8`, `v7`, …: shown, never compared, as LinuxKit does not compare it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// Text that is no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform: `OS/ARCH` or `OS/ARCH/VARIANT`, like `linux/amd64`")]
pub struct NotAPlatform(pub String);

impl Platform {
    /// Linux on `arch`.
    #[must_use]
    pub fn linux(arch: impl Into<String>) -> Self {
        Platform { os: "linux".into(), arch: arch.into(), variant: None }
    }

    /// Linux on the architecture that this program was built for.
    #[must_use]
    pub fn host() -> Self {
        Platform::linux(match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "powerpc64" => "ppc64le",
            other => other,
        })
    }

    /// Neither names another operating system or architecture. Variants don't count.
    #[must_use]
    pub fn matches(&self, other: &Platform) -> bool {
        self.os == other.os && self.arch == other.arch
    }
}

impl FromStr for Platform {
    type Err = NotAPlatform;

    fn from_str(text: &str) -> Result<Self, NotAPlatform> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, arch, variant) = match parts[..] {
            [os, arch] => (os, arch, None),
            [os, arch, variant] => (os, arch, Some(variant)),
            _ => return Err(NotAPlatform(text.to_owned())),
        };
        if parts.iter().any(|part| part.is_empty()) {
            return Err(NotAPlatform(text.to_owned()));
        }
        Ok(Platform { os: os.to_owned(), arch: arch.to_owned(), variant: variant.map(str::to_owned) })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |name: &str| if name.is_empty() { "unknown".to_owned() } else { name.to_owned() };
        write!(f, "{}/{}", known(&self.os), known(&self.arch))?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_reads_back_what_it_wrote() {
        for text in ["linux/amd64", "linux/arm/v7"] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), text);
        }
        for bad in ["", "amd64", "linux/", "a/b/c/d"] {
            assert_eq!(bad.parse::<Platform>(), Err(NotAPlatform(bad.into())));
        }
    }

    #[test]
    fn variants_are_not_compared() {
        let v8: Platform = "linux/arm64/v8".parse().unwrap();
        assert!(v8.matches(&Platform::linux("arm64")));
        assert!(!v8.matches(&Platform::linux("arm")));
    }
}
