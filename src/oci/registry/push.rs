//! Images, into a registry.
//!
//! ```text
//! HEAD /v2/NAME/blobs/DIGEST ── 404 ──▶ POST /v2/NAME/blobs/uploads/
//!                                       ◀─ 202 Location
//!                                       PUT Location?digest=DIGEST
//! PUT  /v2/NAME/manifests/DIGEST or TAG
//! ```
//!
//! \[DISTRIBUTION\] "Push": what a manifest refers to goes first.

use super::super::{Descriptor, Error, Reference, Task};
use super::http::{Payload, Request, join, patiently, refusal, text};
use super::{Action, Endpoint, Registry, RegistryError};
use std::path::Path;
use ureq::http::{Method, header};

impl Registry {
    /// Sends a blob, unless the registry has it.
    pub(crate) fn push_blob(
        &self,
        to: &Reference,
        blob: &Descriptor,
        path: &Path,
        task: &Task,
    ) -> Result<(), Error> {
        let sent = self
            .origin(to.registry())
            .and_then(|endpoint| patiently(|| self.push_blob_at(&endpoint, to.repository(), blob, path)));
        task.set(blob.size);
        sent.map_err(|e| push_error(to, e))
    }

    fn push_blob_at(
        &self,
        endpoint: &Endpoint,
        name: &str,
        blob: &Descriptor,
        path: &Path,
    ) -> Result<(), RegistryError> {
        let blobs = format!("{}/v2/{name}/blobs", endpoint.base);
        let mut request = Request::get(format!("{blobs}/{}", blob.digest));
        request.method = Method::HEAD;
        if self.call(endpoint, name, Action::Push, &mut request)?.status().is_success() {
            return Ok(());
        }
        let mut request = Request::get(format!("{blobs}/uploads/"));
        request.method = Method::POST;
        let url = request.url.clone();
        let response = self.call(endpoint, name, Action::Push, &mut request)?;
        if response.status().as_u16() != 202 {
            return Err(refusal(&url, response));
        }
        let location = text(response.headers(), &header::LOCATION).and_then(|to| join(&url, to));
        let Some(location) = location else { return Err(RegistryError::NoLocation { url }) };
        let separator = if location.contains('?') { '&' } else { '?' };
        let mut request = Request::get(format!("{location}{separator}digest={}", blob.digest));
        request.method = Method::PUT;
        request.payload = Payload::File(path);
        request.headers.push((header::CONTENT_TYPE, "application/octet-stream".into()));
        let url = request.url.clone();
        let response = self.call(endpoint, name, Action::Push, &mut request)?;
        if response.status().is_success() { Ok(()) } else { Err(refusal(&url, response)) }
    }

    /// Sends a manifest or an index, under a tag or its digest.
    pub(crate) fn push_manifest(
        &self,
        to: &Reference,
        wanted: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let name = to.repository();
        let sent = self.origin(to.registry()).and_then(|endpoint| {
            patiently(|| {
                let mut request = Request::get(format!("{}/v2/{name}/manifests/{wanted}", endpoint.base));
                request.method = Method::PUT;
                request.payload = Payload::Bytes(bytes);
                request.headers.push((header::CONTENT_TYPE, media_type.to_owned()));
                let url = request.url.clone();
                let response = self.call(&endpoint, name, Action::Push, &mut request)?;
                if response.status().is_success() { Ok(()) } else { Err(refusal(&url, response)) }
            })
        });
        sent.map_err(|e| push_error(to, e))
    }
}

fn push_error(to: &Reference, source: RegistryError) -> Error {
    Error::Push { reference: to.clone(), source: Box::new(source) }
}
