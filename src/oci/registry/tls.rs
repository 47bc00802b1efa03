//! Encrypted connections, with the system's certificates.
//!
//! ```text
//! ureq ──▶ Tls ──▶ TCP, or a proxy's tunnel
//!           ╰── system certificates, --cert-file
//! ```
//!
//! ureq's own TLS is not used for one reason: the certificate that a private registry made for
//! itself is usually an authority's as well (`openssl req -x509`), which webpki refuses to take
//! for a server's even if the user names it.

use super::RegistryError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SignatureScheme, StreamOwned};
use std::env;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ureq::unversioned::transport as ut;

/// The bundles that systems keep, in the order of the Go library's list: Debian, Fedora, SUSE,
/// and where Alpine, the BSDs and macOS have theirs.
#[cfg(not(windows))]
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Settings of all connections.
pub(crate) fn config(cert_files: &[PathBuf]) -> Result<Arc<ClientConfig>, RegistryError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system_certificates());
    let mut named = Vec::new();
    for path in cert_files {
        let failed = |said: String| RegistryError::Certificates { path: path.clone(), said };
        let found = read(path).map_err(|e| failed(e.to_string()))?;
        if found.is_empty() {
            return Err(failed("it has no PEM certificate".into()));
        }
        named.extend(found);
    }
    roots.add_parsable_certificates(named.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(roots);
    let usual = if roots.is_empty() {
        None
    } else {
        let built = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
        Some(built.map_err(|e| RegistryError::Tls(e.to_string()))?)
    };
    let verifier = Arc::new(Verifier { usual, named, provider: provider.clone() });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| RegistryError::Tls(e.to_string()))?
        .dangerous() // the usual verification, and the one exception above
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    CertificateDer::pem_file_iter(path)?.collect()
}

/// `SSL_CERT_FILE` and `SSL_CERT_DIR` as OpenSSL has them, else what the system has.
fn system_certificates() -> Vec<CertificateDer<'static>> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let mut found = Vec::new();
    // A file that is not there, or has something else in it, adds no certificate: that shows when
    // a server is not trusted.
    let mut add = |path: &Path| found.extend(read(path).unwrap_or_default());
    let (file, dirs) = (set("SSL_CERT_FILE"), set("SSL_CERT_DIR"));
    if let Some(file) = &file {
        add(Path::new(file));
    }
    for dir in dirs.iter().flat_map(env::split_paths) {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.for_each(|entry| add(&entry.path()));
    }
    if file.is_some() || dirs.is_some() {
        return found;
    }
    #[cfg(windows)]
    found.extend(rustls_native_certs::load_native_certs().certs);
    #[cfg(not(windows))]
    if let Some(bundle) = BUNDLES.iter().find(|path| Path::new(path).is_file()) {
        add(Path::new(bundle));
    }
    found
}

/// webpki's verification; besides, a certificate that the user named is taken for the server's
/// when it is presented as such and names the host.
#[derive(Debug)]
struct Verifier {
    /// None, if there is no certificate at all.
    usual: Option<Arc<WebPkiServerVerifier>>,
    named: Vec<CertificateDer<'static>>,
    provider: Arc<rustls::crypto::CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.named.iter().any(|named| named.as_ref() == end_entity.as_ref()) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        match &self.usual {
            Some(usual) => {
                usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Err(rustls::CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The link of ureq's chain of connectors that encrypts.
#[derive(Debug)]
pub(crate) struct Tls(pub(crate) Arc<ClientConfig>);

impl<In: ut::Transport> ut::Connector<In> for Tls {
    type Out = ut::Either<In, Encrypted>;

    fn connect(
        &self,
        details: &ut::ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Err(ureq::Error::ConnectionFailed) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(ut::Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|_not_a_name| {
            ureq::Error::Tls("the host is neither a name nor an address that a certificate could hold")
        })?;
        let failed = |e: rustls::Error| ureq::Error::Io(std::io::Error::other(e));
        let mut connection = ClientConnection::new(self.0.clone(), name).map_err(failed)?;
        let mut socket = ut::TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(details.timeout);
        connection.complete_io(&mut socket)?;
        let (input, output) = (details.config.input_buffer_size(), details.config.output_buffer_size());
        let stream = StreamOwned { conn: connection, sock: socket };
        Ok(Some(ut::Either::B(Encrypted { buffers: ut::LazyBuffers::new(input, output), stream })))
    }
}

/// An encrypted connection.
pub(crate) struct Encrypted {
    buffers: ut::LazyBuffers,
    stream: StreamOwned<ClientConnection, ut::TransportAdapter>,
}

impl std::fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encrypted")
    }
}

impl ut::Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn ut::Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: ut::NextTimeout) -> Result<(), ureq::Error> {
        use ut::Buffers as _;
        self.stream.sock.set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: ut::NextTimeout) -> Result<bool, ureq::Error> {
        use ut::Buffers as _;
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
