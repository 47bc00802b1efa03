//! HTTP as registries need it: redirects that don't leak, proxies, patience.

use super::error::RegistryError;
use super::proxy::Proxies;
use super::tls;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::http::{self, HeaderMap, Method, Uri, header};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, TcpConnector};
use ureq::{Agent, Body, Proxy, SendBody};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two pieces of data. A registry may compute for a while before it answers.
const SILENCE: Duration = Duration::from_secs(60);
/// Docker and Go follow as many.
const MAX_REDIRECTS: usize = 10;
/// Tries of what fails for a reason that may pass.
const TRIES: u32 = 5;
/// The first pause; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause that a registry may ask for. Docker Hub's limit asks for hours.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Bytes of an error's text that are looked at.
const SAID_LIMIT: u64 = 16 << 10;

pub(crate) type Response = http::Response<Body>;

/// What is sent.
#[derive(Clone, Copy)]
pub(crate) enum Payload<'a> {
    None,
    Bytes(&'a [u8]),
    File(&'a Path),
}

/// A request that can be sent again.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(header::HeaderName, String)>,
    pub(crate) payload: Payload<'a>,
}

impl Request<'_> {
    pub(crate) fn get(url: impl Into<String>) -> Self {
        Request { method: Method::GET, url: url.into(), headers: Vec::new(), payload: Payload::None }
    }
}

/// Connections, kept open between requests.
#[derive(Debug)]
pub(crate) struct Http {
    direct: Agent,
    http: Option<Agent>,
    https: Option<Agent>,
    proxies: Proxies,
}

impl Http {
    pub(crate) fn new(cert_files: &[PathBuf]) -> Result<Self, RegistryError> {
        let tls = tls::config(cert_files)?;
        let proxies = Proxies::from_env();
        let agent = |proxy: Option<Proxy>| {
            let config = Agent::config_builder()
                .proxy(proxy)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .http_status_as_error(false)
                .user_agent(concat!("mkimage/", env!("CARGO_PKG_VERSION")))
                .timeout_connect(Some(CONNECT_TIMEOUT))
                .timeout_recv_response(Some(SILENCE))
                .timeout_per_read(Some(SILENCE))
                .timeout_per_write(Some(SILENCE))
                .build();
            let chain = ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default());
            Agent::with_parts(config, chain.chain(tls::Tls(tls.clone())), DefaultResolver::default())
        };
        let through = |proxy: &Option<String>| {
            let agent = |text: &String| match Proxy::new(text) {
                Ok(proxy) => Ok(agent(Some(proxy))),
                Err(_unusable) => Err(RegistryError::Proxy(text.clone())),
            };
            proxy.as_ref().map(agent).transpose()
        };
        let (http, https) = (through(&proxies.http)?, through(&proxies.https)?);
        Ok(Http { direct: agent(None), http, https, proxies })
    }

    fn agent(&self, uri: &Uri) -> &Agent {
        let secure = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        if self.proxies.excepts(uri.host().unwrap_or_default(), port) {
            return &self.direct;
        }
        if secure { &self.https } else { &self.http }.as_ref().unwrap_or(&self.direct)
    }

    /// Sends a request, and follows redirects of those that only read. `Authorization` goes to no
    /// other host than the first.
    pub(crate) fn send(&self, request: &Request<'_>) -> Result<Response, RegistryError> {
        let mut url = request.url.clone();
        let mut headers = request.headers.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.once(request, &url, &headers)?;
            let reads = matches!(request.method, Method::GET | Method::HEAD);
            let Some(to) = location(&response).filter(|_| reads && response.status().is_redirection()) else {
                return Ok(response);
            };
            let next = join(&url, to).ok_or_else(|| RegistryError::Redirect {
                url: url.clone(),
                to: to.to_owned(),
                why: "which is no address",
            })?;
            if url.starts_with("https:") && !next.starts_with("https:") {
                return Err(RegistryError::Redirect { url, to: next, why: "which is not encrypted" });
            }
            if origin(&url) != origin(&next) {
                headers.retain(|(name, _)| *name != header::AUTHORIZATION);
            }
            url = next;
        }
        Err(RegistryError::Redirect { url: request.url.clone(), to: url, why: "the last of too many" })
    }

    fn once(
        &self,
        request: &Request<'_>,
        url: &str,
        headers: &[(header::HeaderName, String)],
    ) -> Result<Response, RegistryError> {
        let Ok(uri) = url.parse::<Uri>() else { return Err(RegistryError::Url(url.to_owned())) };
        let agent = self.agent(&uri);
        let mut builder = http::Request::builder().method(request.method.clone()).uri(uri);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let failed =
            |source: ureq::Error| RegistryError::Connection { url: url.to_owned(), source: Box::new(source) };
        let built = |e: http::Error| failed(e.into());
        match request.payload {
            Payload::None if matches!(request.method, Method::GET | Method::HEAD) => {
                agent.run(builder.body(()).map_err(built)?)
            }
            Payload::None => agent.run(builder.body(&[][..]).map_err(built)?),
            Payload::Bytes(bytes) => agent.run(builder.body(bytes).map_err(built)?),
            Payload::File(path) => {
                let unread = |source| RegistryError::File { path: path.to_owned(), source };
                let mut file = File::open(path).map_err(unread)?;
                let len = file.metadata().map_err(unread)?.len();
                let builder = builder.header(header::CONTENT_LENGTH, len);
                agent.run(builder.body(SendBody::from_reader(&mut file)).map_err(built)?)
            }
        }
        .map_err(failed)
    }
}

/// Does what may fail for a reason that passes, several times.
pub(crate) fn patiently<T>(mut work: impl FnMut() -> Result<T, RegistryError>) -> Result<T, RegistryError> {
    let mut patience = Patience::default();
    loop {
        match work() {
            Ok(done) => return Ok(done),
            Err(error) => patience.after(error)?,
        }
    }
}

/// How often something has failed in a row.
#[derive(Default)]
pub(crate) struct Patience {
    failures: u32,
}

impl Patience {
    /// Something went well: the next failure is a first one.
    pub(crate) fn restored(&mut self) {
        self.failures = 0;
    }

    /// Waits before the next try; gives the error back if there should be none.
    pub(crate) fn after(&mut self, error: RegistryError) -> Result<(), RegistryError> {
        let Some(asked) = error.transient() else { return Err(error) };
        self.failures += 1;
        let pause = asked.unwrap_or(FIRST_PAUSE * 2u32.pow(self.failures - 1));
        if self.failures >= TRIES || pause > LONGEST_PAUSE {
            return Err(error);
        }
        std::thread::sleep(pause);
        Ok(())
    }
}

/// A refusal, with what the registry said: \[DISTRIBUTION\] "Error Codes".
pub(crate) fn refusal(url: &str, response: Response) -> RegistryError {
    let status = response.status().as_u16();
    let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    // [RFC 9110] §10.2.3; the other form, a date, is for outages and not sent by registries.
    let after = after.and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
    RegistryError::Status { url: url.to_owned(), status, said: said(response), after }
}

/// The text of an error, one line.
pub(crate) fn said(response: Response) -> String {
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<Detail>,
    }
    #[derive(serde::Deserialize)]
    struct Detail {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let mut text = String::new();
    let mut body = response.into_body().into_reader().take(SAID_LIMIT);
    // It is only told: what cannot be read is left out.
    let _ = body.read_to_string(&mut text);
    if let Ok(Errors { errors }) = serde_json::from_str(&text) {
        let each = errors.iter().map(|e| format!("{}: {}", e.code, e.message));
        return each.collect::<Vec<_>>().join("; ");
    }
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let is_text = !line.starts_with('<') && line.chars().all(|c| !c.is_control());
    if is_text { line.chars().take(200).collect() } else { String::new() }
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn location(response: &Response) -> Option<&str> {
    text(response.headers(), &header::LOCATION)
}

/// `scheme://host:port` of an address, the port as written.
pub(crate) fn origin(url: &str) -> &str {
    let rest = url.find("://").map_or(0, |at| at + 3);
    &url[..url[rest..].find(['/', '?', '#']).map_or(url.len(), |end| rest + end)]
}

/// \[RFC 3986\] §5.2 "Relative Resolution", without dot segments.
pub(crate) fn join(base: &str, to: &str) -> Option<String> {
    let scheme = base.split_once("://")?.0;
    if to.starts_with("https://") || to.starts_with("http://") {
        return Some(to.to_owned());
    }
    if let Some(rest) = to.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    if to.starts_with('/') {
        return Some(format!("{}{to}", origin(base)));
    }
    let another_scheme = to.split_once(':').is_some_and(|(before, _)| !before.contains(['/', '?']));
    if to.is_empty() || another_scheme {
        return None;
    }
    let path = base.split(['?', '#']).next().unwrap_or(base);
    let folder = path.rfind('/').filter(|at| *at >= origin(base).len()).map_or(path, |at| &path[..at]);
    Some(format!("{folder}/{to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_relative_to_what_was_asked_for() {
        let base = "https://r.example:5000/v2/x/blobs/uploads/?a=b/c";
        for (to, url) in [
            ("http://o.example/y", Some("http://o.example/y")),
            ("//o.example/y", Some("https://o.example/y")),
            ("/v2/y?z", Some("https://r.example:5000/v2/y?z")),
            ("y", Some("https://r.example:5000/v2/x/blobs/uploads/y")),
            ("ftp://o.example", None),
            ("", None),
        ] {
            assert_eq!(join(base, to).as_deref(), url, "{to}");
        }
        assert_eq!(join("http://h", "y").as_deref(), Some("http://h/y"));
    }

    #[test]
    fn hosts_and_ports_make_an_origin() {
        assert_eq!(origin("https://h:1/x"), "https://h:1");
        assert_eq!(origin("https://h?x"), "https://h");
        assert_ne!(origin("https://h:1/x"), origin("https://h:2/x"));
    }

    #[test]
    fn patience_ends() {
        let mut tries = 0;
        let failed = patiently(|| -> Result<(), _> {
            tries += 1;
            let (url, said) = (String::new(), String::new());
            Err(RegistryError::Status { url, said, status: 429, after: Some(Duration::ZERO) })
        });
        assert!(failed.is_err());
        assert_eq!(tries, TRIES);
    }

    #[test]
    fn a_registry_that_wants_to_be_left_alone_for_hours_is() {
        let after = Some(Duration::from_secs(3600));
        let error = RegistryError::Status { url: String::new(), said: String::new(), status: 429, after };
        assert!(Patience::default().after(error).is_err());
    }
}
