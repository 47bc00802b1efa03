//! What `docker login` left behind.
//!
//! ```text
//! config.json ── credHelpers.HOST ──▶ docker-credential-NAME get
//!             ── credsStore ────────▶ docker-credential-NAME get
//!             ── auths.HOST ────────▶ auth (base64), identitytoken
//! ```
//!
//! Credential helpers are the user's programs; they are the only ones that we run.
//!
//! \[DOCKER-CLI\] *docker login*, "Credential stores" and "Credential helpers".

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The key of Docker Hub, which is not its host.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
/// The user name that marks a secret as an identity token.
const TOKEN_USER: &str = "<token>";

/// Who we are to a registry.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    Password {
        user: String,
        password: String,
    },
    /// To be exchanged for access tokens: \[DOCKER-CLI\] `identitytoken`.
    Identity(String),
}

/// Secrets are not for error messages.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// Credentials, or why there are none although some were configured.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) credentials: Option<Credentials>,
    pub(crate) trouble: Option<CredentialError>,
}

/// Why configured credentials could not be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// Docker's configuration.
    #[error("`{path}` cannot be read: {said}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system, or the JSON reader, said.
        said: String,
    },
    /// The program cannot be run.
    #[error("the credential helper `{program}` of `{path}` cannot be run: {said}")]
    Helper {
        /// The file that names it.
        path: PathBuf,
        /// The program.
        program: String,
        /// What the system or the program said.
        said: String,
    },
    /// An entry that is not what it should be.
    #[error("the entry `{key}` of `{path}` is not base64 of `USER:PASSWORD`")]
    Entry {
        /// The file.
        path: PathBuf,
        /// The registry.
        key: String,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Entry>,
    creds_store: String,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// Docker's configuration, read when a registry first asks who we are.
#[derive(Debug, Default)]
pub(crate) struct DockerConfig {
    path: PathBuf,
    config: Config,
    trouble: Option<CredentialError>,
}

impl DockerConfig {
    /// `$DOCKER_CONFIG/config.json`, or `.docker/config.json` in the user's folder.
    pub(crate) fn read() -> Self {
        let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        let Some(dir) = folder("DOCKER_CONFIG").or_else(|| folder(home).map(|home| home.join(".docker")))
        else {
            return DockerConfig::default();
        };
        let path = dir.join("config.json");
        let read = match std::fs::read(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
            Err(e) => Err(e.to_string()),
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| e.to_string()),
        };
        match read {
            Ok(config) => DockerConfig { path, config, trouble: None },
            Err(said) => {
                let trouble = Some(CredentialError::File { path: path.clone(), said });
                DockerConfig { path, config: Config::default(), trouble }
            }
        }
    }

    /// Credentials for a registry, by its host and perhaps port. Trouble with them is only told
    /// when the registry turns out to want some: most images are public.
    pub(crate) fn find(&self, registry: &str) -> Found {
        let key = match registry {
            "docker.io" | "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
            other => other,
        };
        let helper = self.config.cred_helpers.get(registry).or_else(|| self.config.cred_helpers.get(key));
        let helper = helper.or(Some(&self.config.creds_store)).filter(|name| !name.is_empty());
        let mut found = Found { credentials: None, trouble: self.trouble.clone() };
        if let Some(name) = helper {
            match self.ask(name, key) {
                Ok(credentials) => found.credentials = credentials,
                Err(trouble) => found.trouble = Some(trouble),
            }
        }
        if found.credentials.is_none()
            && let Some((key, entry)) =
                self.config.auths.iter().find(|(name, _)| host_of(name) == host_of(key))
        {
            match entry.credentials() {
                Ok(credentials) => found.credentials = credentials,
                Err(()) => {
                    let (path, key) = (self.path.clone(), key.clone());
                    found.trouble = Some(CredentialError::Entry { path, key });
                }
            }
        }
        found
    }

    /// \[DOCKER-CLI\] "Credential helper protocol".
    fn ask(&self, name: &str, key: &str) -> Result<Option<Credentials>, CredentialError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            username: String,
            secret: String,
        }
        let program = format!("docker-credential-{name}");
        let failed = |said: String| CredentialError::Helper {
            path: self.path.clone(),
            program: program.clone(),
            said,
        };
        let mut child = Command::new(&program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| failed(e.to_string()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A helper that does not read its question will say why.
            let _ = stdin.write_all(key.as_bytes());
        }
        let output = child.wait_with_output().map_err(|e| failed(e.to_string()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            if said.contains("credentials not found") {
                return Ok(None);
            }
            let complaint = String::from_utf8_lossy(&output.stderr);
            return Err(failed(format!("{} {}", said.trim(), complaint.trim()).trim().to_owned()));
        }
        let answer: Answer = serde_json::from_slice(&output.stdout).map_err(|e| failed(e.to_string()))?;
        Ok(Some(match answer.username.as_str() {
            TOKEN_USER => Credentials::Identity(answer.secret),
            _ => Credentials::Password { user: answer.username, password: answer.secret },
        }))
    }
}

impl Entry {
    fn credentials(&self) -> Result<Option<Credentials>, ()> {
        // Docker pads; hand-written entries don't always.
        const LENIENT: GeneralPurpose = GeneralPurpose::new(
            &base64::alphabet::STANDARD,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        if !self.identitytoken.is_empty() {
            return Ok(Some(Credentials::Identity(self.identitytoken.clone())));
        }
        if !self.auth.is_empty() {
            let bytes = LENIENT.decode(self.auth.trim()).map_err(drop)?;
            let text = String::from_utf8(bytes).map_err(drop)?;
            let (user, password) = text.split_once(':').ok_or(())?;
            // Old versions of Docker end the password with a NUL.
            let password = password.trim_end_matches('\0').to_owned();
            return Ok(Some(Credentials::Password { user: user.to_owned(), password }));
        }
        if self.username.is_empty() {
            return Ok(None);
        }
        Ok(Some(Credentials::Password { user: self.username.clone(), password: self.password.clone() }))
    }
}

/// Docker's keys are hosts, or addresses of them.
fn host_of(key: &str) -> &str {
    let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(json: &str, registry: &str) -> Found {
        let config = serde_json::from_str(json).unwrap();
        DockerConfig { path: "config.json".into(), config, trouble: None }.find(registry)
    }

    fn password(user: &str, password: &str) -> Option<Credentials> {
        Some(Credentials::Password { user: user.into(), password: password.into() })
    }

    #[test]
    fn auths_are_found_by_host_and_docker_hub_by_its_old_address() {
        let json = r#"{"auths":{
            "https://index.docker.io/v1/": {"auth":"aHViOnNlY3JldA=="},
            "localhost:5000": {"auth":"bG9jYWw6YTpi"},
            "https://ghcr.io": {"identitytoken":"abc"},
            "plain.example": {"username":"u","password":"p"},
            "empty.example": {},
            "broken.example": {"auth":"%"}}}"#;
        assert_eq!(find(json, "docker.io").credentials, password("hub", "secret"));
        assert_eq!(find(json, "localhost:5000").credentials, password("local", "a:b"));
        assert_eq!(find(json, "ghcr.io").credentials, Some(Credentials::Identity("abc".into())));
        assert_eq!(find(json, "plain.example").credentials, password("u", "p"));
        assert_eq!(find(json, "localhost").credentials, None);
        assert!(find(json, "empty.example").trouble.is_none());
        assert!(matches!(find(json, "broken.example").trouble, Some(CredentialError::Entry { .. })));
    }

    #[test]
    fn a_helper_that_is_not_there_is_trouble_but_entries_are_used() {
        let json = r#"{"credsStore":"no-such-helper-anywhere","auths":{"a.example":{"auth":"YTpi"}}}"#;
        assert_eq!(find(json, "a.example").credentials, password("a", "b"));
        let Some(CredentialError::Helper { program, .. }) = find(json, "b.example").trouble else {
            panic!("trouble")
        };
        assert_eq!(program, "docker-credential-no-such-helper-anywhere");
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", password("user", "hidden")).contains("hidden"));
    }
}
