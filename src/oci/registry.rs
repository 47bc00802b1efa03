//! Registries: where images come from, and go to.
//!
//! ```text
//! Reference ──▶ mirror, then registry ──▶ /v2/NAME/manifests/TAG or DIGEST
//!                                     └─▶ /v2/NAME/blobs/DIGEST
//! ```
//!
//! \[DISTRIBUTION\] *OCI Distribution Specification* 1.1: "Pull" and "Push".

mod challenge;
mod download;
mod error;
mod http;
mod mirror;
mod proxy;
mod push;
mod tls;

pub use error::RegistryError;
pub use mirror::{Mirror, NotAMirror};

use super::credentials::{DockerConfig, Found};
use super::manifest::ACCEPTED;
use super::manifest::{METADATA_LIMIT, read_limited};
use super::{Digest, Error, Reference};
use http::{Http, Request, Response, patiently, refusal};
use std::collections::HashMap;
use std::hash::Hash;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use ureq::http::header;

/// Where Docker Hub's registry is; its name is only a name.
const DOCKER_HUB: &str = "https://registry-1.docker.io";

/// What may be done with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Pull,
    Push,
}

/// A place that is asked for images.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// `https://HOST[/PREFIX]`
    base: String,
    /// What Docker's configuration calls it.
    name: String,
}

/// A manifest or an index, as it came.
pub(crate) struct Fetched {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: Digest,
}

/// All registries, and what we learned of them.
#[derive(Debug)]
pub(crate) struct Registry {
    http: Http,
    mirrors: Vec<Mirror>,
    docker: OnceLock<DockerConfig>,
    found: Mutex<HashMap<String, Arc<Found>>>,
    /// `Authorization` for a repository at an endpoint.
    authorizations: Mutex<HashMap<(String, String, Action), String>>,
    /// `http` or `https` for registries on this host.
    schemes: Mutex<HashMap<String, &'static str>>,
}

impl Registry {
    pub(crate) fn new(mirrors: &[Mirror], cert_files: &[PathBuf]) -> Result<Self, RegistryError> {
        Ok(Registry {
            http: Http::new(cert_files)?,
            mirrors: mirrors.to_vec(),
            docker: OnceLock::new(),
            found: Mutex::default(),
            authorizations: Mutex::default(),
            schemes: Mutex::default(),
        })
    }

    /// A manifest by tag or digest. One that is asked for by digest is verified; a registry that
    /// names the digest of what it sends is held to it.
    pub(crate) fn manifest(&self, reference: &Reference, wanted: &str) -> Result<Fetched, Error> {
        self.anywhere(reference, |endpoint| {
            patiently(|| self.manifest_at(endpoint, reference.repository(), wanted))
        })
    }

    fn manifest_at(&self, endpoint: &Endpoint, name: &str, wanted: &str) -> Result<Fetched, RegistryError> {
        let url = format!("{}/v2/{name}/manifests/{wanted}", endpoint.base);
        let mut request = Request::get(&url);
        request.headers.push((header::ACCEPT, ACCEPTED.join(", ")));
        let response = self.call(endpoint, name, Action::Pull, &mut request)?;
        if !response.status().is_success() {
            return Err(refusal(&url, response));
        }
        let promised = response.headers().get("docker-content-digest").and_then(|value| value.to_str().ok());
        let promised = promised.filter(|text| text.starts_with("sha256:")).map(str::parse).transpose();
        let promised = promised.map_err(|source| RegistryError::Header { url: url.clone(), source })?;
        let bytes = document(&url, response)?;
        let digest = Digest::of(&bytes);
        let expected = wanted.parse().ok().or(promised).unwrap_or(digest);
        if digest != expected {
            return Err(RegistryError::Digest { url, expected, found: digest });
        }
        Ok(Fetched { bytes, digest })
    }

    /// What is at a URL that has nothing to do with images.
    pub(crate) fn document(&self, url: &str) -> Result<Vec<u8>, RegistryError> {
        patiently(|| match self.http.send(&Request::get(url))? {
            response if response.status().is_success() => document(url, response),
            response => Err(refusal(url, response)),
        })
    }

    /// Asks the mirror, if there is one, then the registry itself.
    fn anywhere<T>(
        &self,
        reference: &Reference,
        mut work: impl FnMut(&Endpoint) -> Result<T, RegistryError>,
    ) -> Result<T, Error> {
        let mut before = None;
        if let Some(url) = Mirror::of(&self.mirrors, reference.registry()) {
            let rest = http::origin(url);
            let name = rest.split_once("://").map_or(rest, |(_, host)| host).to_owned();
            match work(&Endpoint { base: url.to_owned(), name }) {
                Ok(done) => return Ok(done),
                Err(error) if error.elsewhere() => before = Some(Box::new(error)),
                Err(error) => return Err(fetch_error(reference, None, error)),
            }
        }
        let last = self.origin(reference.registry()).and_then(|endpoint| work(&endpoint));
        last.map_err(|error| fetch_error(reference, before, error))
    }

    /// The registry itself. One on this host may well be unencrypted, as Docker has it too.
    fn origin(&self, registry: &str) -> Result<Endpoint, RegistryError> {
        if registry == "docker.io" {
            return Ok(Endpoint { base: DOCKER_HUB.into(), name: registry.into() });
        }
        let host = registry.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        let scheme = match proxy::is_loopback(host.map_or(registry, |(host, _)| host)) {
            true => self.local_scheme(registry),
            false => "https",
        };
        Ok(Endpoint { base: format!("{scheme}://{registry}"), name: registry.into() })
    }

    /// A server that speaks TLS answers plain HTTP by hanging up, or with 400 (Bad Request).
    fn local_scheme(&self, registry: &str) -> &'static str {
        if let Some(known) = locked(&self.schemes).get(registry) {
            return known;
        }
        let ping = self.http.send(&Request::get(format!("http://{registry}/v2/")));
        let plain = match &ping {
            Ok(response) => response.status().as_u16() != 400,
            // No one is there: the plain address makes the better message.
            Err(RegistryError::Connection { source, .. }) => {
                matches!(&**source, ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused)
            }
            Err(_) => false,
        };
        let scheme = if plain { "http" } else { "https" };
        locked(&self.schemes).insert(registry.to_owned(), scheme);
        scheme
    }

    /// Sends a request, and says who we are if the registry asks.
    fn call(
        &self,
        endpoint: &Endpoint,
        name: &str,
        action: Action,
        request: &mut Request<'_>,
    ) -> Result<Response, RegistryError> {
        let key = (endpoint.base.clone(), name.to_owned(), action);
        let mut answered = false;
        loop {
            request.headers.retain(|(name, _)| *name != header::AUTHORIZATION);
            if let Some(known) = locked(&self.authorizations).get(&key) {
                request.headers.push((header::AUTHORIZATION, known.clone()));
            }
            let response = self.http.send(request)?;
            let status = response.status().as_u16();
            let challenges = response.headers().get_all(header::WWW_AUTHENTICATE).iter();
            let challenges: Vec<&str> = challenges.filter_map(|value| value.to_str().ok()).collect();
            if status == 401 && !answered && !challenges.is_empty() {
                let may = if action == Action::Pull { "pull" } else { "pull,push" };
                let scope = format!("repository:{name}:{may}");
                let found = self.credentials(&endpoint.name);
                let answer =
                    challenge::answer(&self.http, &request.url, &challenges.join(", "), &scope, &found)?;
                locked(&self.authorizations).insert(key.clone(), answer);
                answered = true;
                continue;
            }
            if status == 401 || status == 403 {
                let found = self.credentials(&endpoint.name);
                return Err(RegistryError::Denied {
                    url: request.url.clone(),
                    said: http::said(response),
                    known: found.credentials.is_some(),
                    trouble: found.trouble.clone(),
                });
            }
            return Ok(response);
        }
    }

    fn credentials(&self, registry: &str) -> Arc<Found> {
        // Held while a helper runs: it may ask the user, once.
        let mut found = locked(&self.found);
        let docker = self.docker.get_or_init(DockerConfig::read);
        found.entry(registry.to_owned()).or_insert_with(|| Arc::new(docker.find(registry))).clone()
    }
}

/// The body of an answer that goes into memory.
fn document(url: &str, response: Response) -> Result<Vec<u8>, RegistryError> {
    let failed =
        |e: std::io::Error| RegistryError::Connection { url: url.into(), source: Box::new(e.into()) };
    let bytes = read_limited(response.into_body().into_reader(), METADATA_LIMIT).map_err(failed)?;
    bytes.ok_or_else(|| RegistryError::TooLarge { url: url.into(), limit: METADATA_LIMIT })
}

fn fetch_error(reference: &Reference, mirror: Option<Box<RegistryError>>, source: RegistryError) -> Error {
    Error::Fetch { reference: reference.clone(), mirror, source: Box::new(source) }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept is whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
