//! A registry in a few lines, whose behaviour a test writes; and the real one.

use super::image::Made;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a client sent.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// `bytes=N-`
    pub fn range_start(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What it gets.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Announce this many bytes instead of the body's.
    pub claim: Option<usize>,
    /// Hang up after so many bytes of the body.
    pub cut: Option<usize>,
    /// Wait before the body's second half.
    pub pause: Duration,
    /// Go on with another request: what a proxy does after CONNECT.
    pub more: bool,
}

pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer { status, body: body.into(), ..Answer::default() }
}

impl Answer {
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

type Behaviour = dyn Fn(&Asked) -> Answer + Send + Sync;

/// A server on a free port of this host, until the test ends.
pub struct Server {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub fn start(behaviour: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Server::start_with(Arc::new(behaviour), None)
    }

    /// The same, encrypted.
    pub fn start_tls(
        config: Arc<rustls::ServerConfig>,
        behaviour: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Server::start_with(Arc::new(behaviour), Some(config))
    }

    fn start_with(behaviour: Arc<Behaviour>, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (behaviour, seen, tls) = (behaviour.clone(), seen.clone(), tls.clone());
                std::thread::spawn(move || {
                    // A client that hangs up is part of some tests.
                    let _ = match tls {
                        None => serve(stream, &*behaviour, &seen),
                        Some(config) => {
                            let connection = rustls::ServerConnection::new(config).unwrap();
                            serve(rustls::StreamOwned::new(connection, stream), &*behaviour, &seen)
                        }
                    };
                });
            }
        });
        Server { address, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Requests for a path that has this in it.
    pub fn asked_for(&self, part: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.path.contains(part)).collect()
    }
}

/// One request: every answer closes the connection.
fn serve<S: Read + Write>(
    mut stream: S,
    behaviour: &Behaviour,
    seen: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(&mut stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (method, path) =
        (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    if path.is_empty() {
        return Ok(());
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let len = headers.get("content-length").map_or(0, |len| len.parse().unwrap());
    let mut body = vec![0; len];
    reader.read_exact(&mut body)?;
    let asked = Asked { method, path, headers, body };
    seen.lock().unwrap().push(asked.clone());
    let answer = behaviour(&asked);
    if answer.more {
        write!(stream, "HTTP/1.1 {} X\r\n\r\n", answer.status)?;
        return serve(stream, behaviour, seen);
    }
    write!(stream, "HTTP/1.1 {} X\r\nConnection: close\r\n", answer.status)?;
    for (name, value) in &answer.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    write!(stream, "Content-Length: {}\r\n\r\n", answer.claim.unwrap_or(answer.body.len()))?;
    if asked.method != "HEAD" {
        let body = &answer.body[..answer.cut.unwrap_or(answer.body.len())];
        let (first, second) = body.split_at(body.len() / 2);
        stream.write_all(first)?;
        stream.flush()?;
        std::thread::sleep(answer.pause);
        stream.write_all(second)?;
    }
    stream.flush()
}

/// What a registry that holds one image answers, under any name and tag.
pub fn registry_of(made: Made) -> impl Fn(&Asked) -> Answer + Send + Sync + 'static {
    move |asked| {
        if asked.path == "/v2/" {
            return answer(200, "{}");
        }
        let last = asked.path.rsplit('/').next().unwrap_or_default();
        let found = match last.starts_with("sha256:") {
            true => made.blobs.get(last).map(Vec::as_slice),
            false => Some(made.root_bytes()),
        };
        match (found, asked.range_start()) {
            (None, _) => {
                answer(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
            }
            (Some(bytes), Some(start)) => answer(206, &bytes[start..])
                .with("Content-Range", format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len())),
            (Some(bytes), None) => answer(200, bytes),
        }
    }
}

/// Debian's `docker-registry`, with its storage in memory.
pub struct DockerRegistry {
    child: Child,
    pub address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl DockerRegistry {
    /// `None`, with a word about it, where it is not installed; in CI that is a failure.
    pub fn start(htpasswd: Option<&str>) -> Option<Self> {
        let program = Command::new("docker-registry").arg("--version").stdout(Stdio::null()).status();
        if program.is_err() {
            super::skip::missing("`docker-registry` is missing");
            return None;
        }
        // Another process may take the port between these two: then the next one is tried.
        (0..5)
            .find_map(|_| DockerRegistry::try_start(htpasswd))
            .or_else(|| panic!("docker-registry does not start"))
    }

    fn try_start(htpasswd: Option<&str>) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{inmemory: {{}}}}\nhttp: {{addr: \"{address}\"}}\n"
        );
        if let Some(users) = htpasswd {
            let file = dir.path().join("htpasswd");
            std::fs::write(&file, users).unwrap();
            config += &format!("auth: {{htpasswd: {{realm: test, path: \"{}\"}}}}\n", file.display());
        }
        let path = dir.path().join("config.yml");
        std::fs::write(&path, config).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(path).stdout(Stdio::null()).stderr(Stdio::null());
        let mut registry = DockerRegistry { child: command.spawn().unwrap(), address, _dir: dir };
        for _ in 0..100 {
            if TcpStream::connect(address).is_ok() {
                return Some(registry);
            }
            if registry.child.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
