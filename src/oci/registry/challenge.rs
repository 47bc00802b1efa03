//! Who we are to a registry, in the two ways that registries ask.
//!
//! ```text
//! us ── GET /v2/…/manifests/… ─────────────▶ registry
//!    ◀─ 401 WWW-Authenticate: Bearer realm="…",service="…",scope="…"
//!    ── GET realm?service=…&scope=… ────────▶ token server     (credentials go here, if any)
//!    ◀─ {"token": "…"}
//!    ── GET …, Authorization: Bearer … ─────▶ registry
//! ```
//!
//! \[RFC 9110\] §11 "HTTP Authentication"; \[TOKEN\] *Distribution Registry*, "Token
//! Authentication Specification"; \[OAUTH2\] the same, "OAuth2 Token Authentication".

use super::super::credentials::{Credentials, Found};
use super::super::manifest::{METADATA_LIMIT, read_limited};
use super::error::RegistryError;
use super::http::{Http, Payload, Request, patiently, refusal, said};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use ureq::http::{Method, header};

/// A challenge of `WWW-Authenticate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    scheme: String,
    parameters: BTreeMap<String, String>,
}

impl Challenge {
    /// The challenges of a header; there may be several.
    pub(crate) fn parse(header: &str) -> Vec<Self> {
        let mut out: Vec<Challenge> = Vec::new();
        let mut rest = header.trim_start_matches([' ', ',', '\t']);
        while !rest.is_empty() {
            let end = rest.find([' ', '=', ',', '\t']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            // [RFC 9110] §5.6.3: space around `=` is bad, but to be read.
            let value = after.trim_start().strip_prefix('=').map(str::trim_start);
            if let (Some(value), Some(challenge)) = (value, out.last_mut()) {
                let (value, after) = unquoted(value);
                challenge.parameters.insert(word.to_ascii_lowercase(), value);
                rest = after;
            } else {
                out.push(Challenge { scheme: word.to_ascii_lowercase(), parameters: BTreeMap::new() });
                rest = after.trim_start_matches('=');
            }
            rest = rest.trim_start_matches([' ', ',', '\t']);
        }
        out
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

/// A token or a quoted string, and what follows it.
fn unquoted(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return (value, &quoted[at + 1..]),
            _ => {
                value.push(c);
                escaped = false;
            }
        }
    }
    (value, "")
}

/// The `Authorization` that answers one of the challenges of `url`.
pub(crate) fn answer(
    http: &Http,
    url: &str,
    header: &str,
    scope: &str,
    found: &Found,
) -> Result<String, RegistryError> {
    let challenges = Challenge::parse(header);
    if let Some(bearer) = challenges.iter().find(|c| c.scheme == "bearer") {
        return token(http, url, bearer, scope, found).map(|token| format!("Bearer {token}"));
    }
    if challenges.iter().all(|c| c.scheme != "basic") {
        return Err(RegistryError::Challenge { url: url.to_owned(), challenge: header.to_owned() });
    }
    match &found.credentials {
        Some(credentials @ Credentials::Password { .. }) => Ok(basic(credentials)),
        _ => Err(RegistryError::Denied {
            url: url.to_owned(),
            said: String::new(),
            known: false,
            trouble: found.trouble.clone(),
        }),
    }
}

fn basic(credentials: &Credentials) -> String {
    match credentials {
        Credentials::Password { user, password } => {
            format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
        }
        Credentials::Identity(_) => String::new(),
    }
}

fn token(
    http: &Http,
    url: &str,
    challenge: &Challenge,
    scope: &str,
    found: &Found,
) -> Result<String, RegistryError> {
    let realm = challenge.parameter("realm").unwrap_or_default();
    if !realm.starts_with("https://") && !realm.starts_with("http://") {
        return Err(RegistryError::Challenge {
            url: url.to_owned(),
            challenge: format!("Bearer realm={realm}"),
        });
    }
    // Credentials for an encrypted registry don't leave it in the clear.
    if url.starts_with("https:") && realm.starts_with("http:") {
        let (url, to) = (url.to_owned(), realm.to_owned());
        return Err(RegistryError::Redirect { url, to, why: "for a token, which is not encrypted" });
    }
    let mut fields = String::new();
    if let Some(service) = challenge.parameter("service") {
        field(&mut fields, "service", service);
    }
    // Our own: some registries name a scope that is too small, or none.
    field(&mut fields, "scope", scope);
    let mut request = Request::get("");
    let form;
    match &found.credentials {
        Some(Credentials::Identity(identity)) => {
            field(&mut fields, "grant_type", "refresh_token");
            field(&mut fields, "client_id", "mkimage");
            field(&mut fields, "refresh_token", identity);
            form = fields;
            request.method = Method::POST;
            request.url = realm.to_owned();
            request.headers.push((header::CONTENT_TYPE, "application/x-www-form-urlencoded".into()));
            request.payload = Payload::Bytes(form.as_bytes());
        }
        known => {
            let separator = if realm.contains('?') { '&' } else { '?' };
            request.url = format!("{realm}{separator}{fields}");
            let authorization = known.iter().map(|known| (header::AUTHORIZATION, basic(known)));
            request.headers.extend(authorization);
        }
    }
    let response = patiently(|| {
        let response = http.send(&request)?;
        match response.status().as_u16() {
            200..=299 => Ok(response),
            401 | 403 => Err(RegistryError::Denied {
                url: realm.to_owned(),
                said: said(response),
                known: found.credentials.is_some(),
                trouble: found.trouble.clone(),
            }),
            _ => Err(refusal(realm, response)),
        }
    })?;
    let failed =
        |e: std::io::Error| RegistryError::Connection { url: realm.to_owned(), source: Box::new(e.into()) };
    let body = read_limited(response.into_body().into_reader(), METADATA_LIMIT).map_err(failed)?;
    let body =
        body.ok_or_else(|| RegistryError::TooLarge { url: realm.to_owned(), limit: METADATA_LIMIT })?;
    read_token(&body).map_err(|source| RegistryError::Token { url: realm.to_owned(), source })
}

/// \[TOKEN\] "Token Response Fields": `token`, or `access_token`, or both.
fn read_token(body: &[u8]) -> Result<String, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
    }
    let answer: Answer = serde_json::from_slice(body)?;
    let token = answer.token.or(answer.access_token).filter(|token| !token.is_empty());
    token.ok_or_else(|| serde::de::Error::missing_field("token"))
}

/// \[RFC 3986\] §2.1 "Percent-Encoding"
fn field(fields: &mut String, name: &str, value: &str) {
    if !fields.is_empty() {
        fields.push('&');
    }
    fields.push_str(name);
    fields.push('=');
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            fields.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(fields, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_of_every_form_are_read() {
        let one = Challenge::parse(
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
        );
        assert_eq!(one.len(), 1);
        assert_eq!(one[0].scheme, "bearer");
        assert_eq!(one[0].parameter("realm"), Some("https://auth.docker.io/token"));
        assert_eq!(one[0].parameter("scope"), Some("repository:a/b:pull,push"));

        let two = Challenge::parse(r#"Negotiate, basic Realm = "x \"y\"", BEARER realm=z"#);
        let read: Vec<_> = two.iter().map(|c| (c.scheme.as_str(), c.parameter("realm"))).collect();
        assert_eq!(read, [("negotiate", None), ("basic", Some(r#"x "y""#)), ("bearer", Some("z"))]);
        assert_eq!(Challenge::parse(""), []);
        assert_eq!(Challenge::parse(r#"Bearer realm="open"#)[0].parameter("realm"), Some("open"));
    }

    #[test]
    fn fields_are_percent_encoded() {
        let mut fields = String::new();
        field(&mut fields, "scope", "repository:a/b:pull,push");
        field(&mut fields, "service", "a b&c");
        assert_eq!(fields, "scope=repository%3Aa%2Fb%3Apull%2Cpush&service=a%20b%26c");
    }

    #[test]
    fn a_token_has_two_names() {
        assert_eq!(read_token(br#"{"token":"a"}"#).unwrap(), "a");
        assert_eq!(read_token(br#"{"access_token":"b"}"#).unwrap(), "b");
        assert_eq!(read_token(br#"{"token":"a","access_token":"a"}"#).unwrap(), "a");
        assert!(read_token(br#"{"token":""}"#).is_err());
    }
}
