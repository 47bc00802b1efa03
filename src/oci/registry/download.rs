//! Blobs, into the cache.
//!
//! ```text
//! .mkimage/partial/HEX  ◀── GET, Range: bytes=N-   until size and digest are right
//!         ╰── rename ──▶ blobs/sha256/HEX
//! ```
//!
//! \[DISTRIBUTION\] "Pulling blobs"; \[RFC 9110\] §14 "Range Requests".

use super::super::cache::Cache;
use super::super::file::create_parent;
use super::super::{Descriptor, Digest, Error, Reference, Task};
use super::http::{Patience, Request, Response, refusal, text};
use super::{Action, Endpoint, Registry, RegistryError};
use mkimage_formats::emit;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use ureq::http::header;

const BLOCK: usize = 64 << 10;

impl Registry {
    /// Fetches a blob, unless it is there by now.
    pub(crate) fn blob(
        &self,
        cache: &Cache,
        reference: &Reference,
        blob: &Descriptor,
        task: &Task,
    ) -> Result<(), Error> {
        let _lock = cache.lock_blob(blob.digest)?;
        if cache.has(blob) {
            task.set(blob.size);
            return Ok(());
        }
        let (partial, done) = (cache.partial_path(blob.digest), cache.blob_path(blob.digest));
        create_parent(&partial)?;
        create_parent(&done)?;
        self.anywhere(reference, |endpoint| {
            let mut download = Download::open(&partial, blob)?;
            let fetched = self.complete(endpoint, reference.repository(), &mut download, task);
            match fetched {
                Ok(()) => download.commit(&done),
                Err(error) => {
                    // What may become right stays for the next attempt, of any process.
                    let wrong = matches!(error, RegistryError::Digest { .. } | RegistryError::Size { .. });
                    if wrong || download.len == 0 {
                        download.abandon();
                    }
                    Err(error)
                }
            }
        })
    }

    fn complete(
        &self,
        endpoint: &Endpoint,
        name: &str,
        download: &mut Download<'_>,
        task: &Task,
    ) -> Result<(), RegistryError> {
        let url = format!("{}/v2/{name}/blobs/{}", endpoint.base, download.blob.digest);
        let mut patience = Patience::default();
        let mut resumed = download.len > 0;
        let mut furthest = download.len;
        loop {
            let error = match self.some(endpoint, name, &url, download, task) {
                Ok(()) => match download.verify(&url) {
                    Ok(()) => return Ok(()),
                    // The part that another process left may be the wrong one.
                    Err(_) if resumed => {
                        resumed = false;
                        download.restart()?;
                        continue;
                    }
                    Err(error) => return Err(error),
                },
                Err(error) => error,
            };
            if download.len > furthest {
                furthest = download.len;
                patience.restored();
            }
            patience.after(error)?;
        }
    }

    /// Fetches what is missing, as far as one connection goes.
    fn some(
        &self,
        endpoint: &Endpoint,
        name: &str,
        url: &str,
        download: &mut Download<'_>,
        task: &Task,
    ) -> Result<(), RegistryError> {
        let size = download.blob.size;
        task.set(download.len);
        if download.len == size {
            return Ok(());
        }
        let mut request = Request::get(url);
        if download.len > 0 {
            request.headers.push((header::RANGE, format!("bytes={}-", download.len)));
        }
        let response = self.call(endpoint, name, Action::Pull, &mut request)?;
        match response.status().as_u16() {
            206 if range_start(&response) == Some(download.len) => {}
            // Everything from the start: no ranges here, or another one than was asked for.
            200 => download.restart()?,
            206 | 416 if download.len > 0 => {
                download.restart()?;
                return self.some(endpoint, name, url, download, task);
            }
            _ => return Err(refusal(url, response)),
        }
        let announced = response.body().content_length();
        if let Some(found) = announced.map(|rest| download.len.saturating_add(rest)).filter(|n| *n != size) {
            return Err(RegistryError::Size { url: url.to_owned(), expected: size, found });
        }
        let mut body = response.into_body().into_reader();
        let mut block = vec![0; BLOCK];
        loop {
            let failed =
                |e: io::Error| RegistryError::Connection { url: url.to_owned(), source: Box::new(e.into()) };
            let n = body.read(&mut block).map_err(failed)?;
            if n == 0 {
                break;
            }
            download.write(&block[..n])?;
            task.set(download.len);
            if download.len > size {
                let (url, found) = (url.to_owned(), download.len);
                return Err(RegistryError::Size { url, expected: size, found });
            }
        }
        if download.len < size {
            // A body without a length that ends is a connection that broke.
            let broken = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Err(RegistryError::Connection { url: url.to_owned(), source: Box::new(broken.into()) });
        }
        Ok(())
    }
}

/// \[RFC 9110\] §14.4 "Content-Range": `bytes FIRST-LAST/LENGTH`
fn range_start(response: &Response) -> Option<u64> {
    let range = text(response.headers(), &header::CONTENT_RANGE)?.strip_prefix("bytes ")?;
    range.split('-').next()?.trim().parse().ok()
}

/// A blob on its way.
struct Download<'a> {
    path: &'a Path,
    blob: &'a Descriptor,
    file: File,
    hash: Sha256,
    len: u64,
}

impl<'a> Download<'a> {
    /// Goes on with what is there.
    fn open(path: &'a Path, blob: &'a Descriptor) -> Result<Self, RegistryError> {
        let failed = |source| RegistryError::File { path: path.to_owned(), source };
        let options = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let mut download =
            Download { path, blob, file: options.map_err(failed)?, hash: Sha256::new(), len: 0 };
        if download.file.metadata().map_err(failed)?.len() > blob.size {
            download.restart()?;
        }
        let mut block = vec![0; BLOCK];
        loop {
            let n = download.file.read(&mut block).map_err(failed)?;
            if n == 0 {
                return Ok(download);
            }
            download.hash.update(&block[..n]);
            download.len += n as u64;
        }
    }

    fn failed(&self, source: io::Error) -> RegistryError {
        RegistryError::File { path: self.path.to_owned(), source }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), RegistryError> {
        self.file.write_all(bytes).map_err(|e| self.failed(e))?;
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn restart(&mut self) -> Result<(), RegistryError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied.map_err(|e| self.failed(e))?;
        (self.hash, self.len) = (Sha256::new(), 0);
        Ok(())
    }

    fn verify(&self, url: &str) -> Result<(), RegistryError> {
        let (expected, found) = (self.blob.digest, Digest::from_hash(self.hash.clone()));
        if found == expected {
            return Ok(());
        }
        Err(RegistryError::Digest { url: url.to_owned(), expected, found })
    }

    /// It was verified: a blob of this name is what its name says, after a power failure too.
    fn commit(self, done: &Path) -> Result<(), RegistryError> {
        self.file.sync_all().map_err(|e| self.failed(e))?;
        emit::rename(self.path, done).map_err(|e| self.failed(e))
    }

    fn abandon(&self) {
        // The error that led here is the news.
        let _ = fs::remove_file(self.path);
    }
}
