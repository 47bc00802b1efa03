//! How registries are reached, and what they learn of us: credentials, mirrors, proxies,
//! certificates.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod support;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use support::image::{Made, small};
use support::server::{Answer, Asked, DockerRegistry, Server, answer, registry_of};
use support::{fails, offline, pull, reference, resolve, succeeds};

const SECRET: &str = "Basic dXNlcjpzZWNyZXQ="; // user:secret

fn login(dir: &Path, registry: &str, entry: &serde_json::Value) {
    fs::write(dir.join("config.json"), json!({"auths": {registry: entry}}).to_string()).unwrap();
}

fn layer_of(made: &Made) -> String {
    let manifest: serde_json::Value = serde_json::from_slice(made.root_bytes()).unwrap();
    manifest["layers"][0]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_password_opens_a_real_registry() {
    // `htpasswd -nbB user secret`, with the least work.
    let users = "user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";
    let Some(registry) = DockerRegistry::start(Some(users)) else { return };
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (dir.path().join("here"), dir.path().join("there"));
    small("amd64").write(&here, "docker.io/library/test:v1");
    let name = format!("{}/test:v1", registry.address);
    let push = || {
        let mut push = Command::new(env!("CARGO_BIN_EXE_mkimage"));
        push.args(["cache", "push", "test:v1", "--quiet", "--remote-name", &name, "--cache"]).arg(&here);
        push.env("DOCKER_CONFIG", dir.path());
        push
    };
    let said = fails(&mut push());
    assert!(said.contains("no credentials are known"), "{said}");
    login(dir.path(), &registry.address.to_string(), &json!({"auth": BASE64_STANDARD.encode("user:wrong")}));
    let said = fails(&mut push());
    assert!(said.contains("credentials were sent"), "{said}");
    login(dir.path(), &registry.address.to_string(), &json!({"auth": BASE64_STANDARD.encode("user:secret")}));
    succeeds(&mut push());
    succeeds(pull(&there, &name).env("DOCKER_CONFIG", dir.path()));
    resolve(&offline(&there), &reference(&name)).unwrap();
}

/// A registry that wants a token, and its token server.
fn with_tokens(realm: &Arc<std::sync::OnceLock<String>>) -> impl Fn(&Asked) -> Answer + Send + Sync + use<> {
    let (realm, behave) = (realm.clone(), registry_of(small("amd64")));
    move |asked| {
        if asked.path.starts_with("/token") {
            let known = asked.header("authorization") == Some(SECRET) || asked.method == "POST";
            return answer(200, json!({"access_token": if known { "known" } else { "anyone" }}).to_string());
        }
        if asked.path != "/v2/"
            && !asked.header("authorization").is_some_and(|sent| sent.starts_with("Bearer "))
        {
            let realm = realm.get().unwrap();
            let challenge =
                format!("Bearer realm=\"{realm}\",service=\"the service\",scope=\"repository:x:pull\"");
            return answer(401, "").with("WWW-Authenticate", challenge);
        }
        behave(asked)
    }
}

#[test]
fn tokens_are_fetched_for_anyone_with_a_password_and_with_an_identity() {
    let realm = Arc::new(std::sync::OnceLock::new());
    let server = Server::start(with_tokens(&realm));
    realm.set(format!("http://{}/token", server.address)).unwrap();
    let registry = server.address.to_string();
    for (entry, token) in [
        (json!({}), "Bearer anyone"),
        (json!({"auth": &SECRET[6..]}), "Bearer known"),
        (json!({"identitytoken": "iden&tity"}), "Bearer known"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        login(dir.path(), &registry, &entry);
        succeeds(&mut pull(dir.path(), &format!("{registry}/a/b:v1")));
        let blob = server.asked_for(&layer_of(&small("amd64"))).pop().unwrap();
        assert_eq!(blob.header("authorization"), Some(token));
    }
    let tokens = server.asked_for("/token");
    assert_eq!(tokens.len(), 3, "one for each pull: it is kept");
    assert_eq!(tokens[0].path, "/token?service=the%20service&scope=repository%3Aa%2Fb%3Apull");
    assert_eq!(tokens[0].header("authorization"), None);
    assert_eq!(tokens[1].header("authorization"), Some(SECRET));
    let form = String::from_utf8(tokens[2].body.clone()).unwrap();
    assert!(
        form.contains("grant_type=refresh_token") && form.contains("refresh_token=iden%26tity"),
        "{form}"
    );
}

#[test]
fn authorization_does_not_follow_a_redirect_to_another_host() {
    let made = small("amd64");
    let elsewhere = Server::start(registry_of(made.clone()));
    let to = format!("http://{}/v2/x/blobs/", elsewhere.address);
    let (behave, blob) = (registry_of(made.clone()), layer_of(&made));
    let server = Server::start(move |asked| {
        if asked.path != "/v2/" && asked.header("authorization") != Some(SECRET) {
            return answer(401, "").with("WWW-Authenticate", "Basic realm=x");
        }
        if asked.path.ends_with(&blob) {
            return answer(307, "").with("Location", format!("{to}{blob}"));
        }
        behave(asked)
    });
    let dir = tempfile::tempdir().unwrap();
    login(dir.path(), &server.address.to_string(), &json!({"auth": &SECRET[6..]}));
    succeeds(&mut pull(dir.path(), &format!("{}/x", server.address)));
    let asked = elsewhere.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), None);
}

#[test]
fn redirects_in_a_circle_end() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/v2/" => answer(200, ""),
        _ => answer(302, "").with("Location", "/v2/round"),
    });
    let dir = tempfile::tempdir().unwrap();
    let said = fails(&mut pull(dir.path(), &format!("{}/x", server.address)));
    assert!(said.contains("too many"), "{said}");
    assert!(server.asked().len() < 20);
}

#[cfg(unix)]
#[test]
fn a_credential_helper_is_asked_by_its_protocol() {
    use std::os::unix::fs::PermissionsExt;
    let behave = registry_of(small("amd64"));
    let server = Server::start(move |asked| match asked.header("authorization") {
        None if asked.path != "/v2/" => answer(401, "").with("WWW-Authenticate", "Basic realm=x"),
        _ => behave(asked),
    });
    let dir = tempfile::tempdir().unwrap();
    let registry = server.address.to_string();
    let helper = dir.path().join("docker-credential-test");
    let said = r#"printf '{"ServerURL":"x","Username":"user","Secret":"secret"}'"#;
    fs::write(&helper, format!("#!/bin/sh\ncat >'{}/asked'\n[ $1 = get ] && {said}\n", dir.path().display()))
        .unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    for config in [json!({"credHelpers": {&registry: "test"}}), json!({"credsStore": "test"})] {
        fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
        succeeds(pull(dir.path(), &format!("{registry}/x")).env("PATH", &path));
        assert_eq!(server.asked().last().unwrap().header("authorization"), Some(SECRET));
        assert_eq!(fs::read_to_string(dir.path().join("asked")).unwrap(), registry);
        fs::remove_dir_all(dir.path().join("blobs")).unwrap();
    }
    fs::write(&helper, "#!/bin/sh\necho the keyring is locked >&2\nexit 1\n").unwrap();
    let said = fails(pull(dir.path(), &format!("{registry}/x")).env("PATH", &path));
    assert!(said.contains("docker-credential-test") && said.contains("the keyring is locked"), "{said}");
}

#[test]
fn a_mirror_is_asked_first_and_the_registry_if_the_mirror_fails() {
    let made = small("amd64");
    let mirror = Server::start(registry_of(made.clone()));
    let empty = Server::start(|_| answer(404, ""));
    let registry = Server::start(registry_of(made));
    let name = format!("{}/x:v1", registry.address);
    let dir = tempfile::tempdir().unwrap();
    // For all registries; the environment counts when no flag is given.
    succeeds(pull(&dir.path().join("1"), &name).env("LINUXKIT_MIRROR", format!("http://{}", mirror.address)));
    assert_eq!(registry.asked().len(), 0);
    assert!(mirror.asked_for("/v2/x/manifests/v1").len() == 1);
    // A name that no server has: nobody else is asked.
    let flag = format!("registry.invalid=http://{}/prefix/", mirror.address);
    succeeds(pull(&dir.path().join("2"), "registry.invalid/y:v1").args(["--mirror", &flag]));
    assert_eq!(mirror.asked_for("/prefix/v2/y/manifests/v1").len(), 1);
    let flag = format!("http://{}", empty.address);
    let unused = format!("http://{}", mirror.address);
    let mut command = pull(&dir.path().join("3"), &name);
    succeeds(command.args(["--mirror", &flag]).env("LINUXKIT_MIRROR", unused));
    assert!(!empty.asked().is_empty() && !registry.asked().is_empty());
    let mut command = pull(&dir.path().join("4"), "registry.invalid/y:v1");
    let said = fails(command.args(["--mirror", &flag]));
    assert!(
        said.contains(&empty.address.to_string()) && said.contains("https://registry.invalid/v2/y"),
        "{said}"
    );
    let said = fails(pull(dir.path(), &name).args(["--mirror", "mirror.example"]));
    assert!(said.contains("`mirror.example` is not a mirror"), "{said}");
}

#[test]
fn proxies_are_used_but_not_for_exceptions_and_this_host() {
    let behave = registry_of(small("amd64"));
    let proxy = Server::start(move |asked| match asked.method.as_str() {
        "CONNECT" => Answer { more: true, ..answer(200, "") },
        _ => behave(asked),
    });
    let url = format!("http://user:pass@{}", proxy.address);
    let dir = tempfile::tempdir().unwrap();
    let mirror = ["--mirror", "http://registry.invalid:5000"];
    succeeds(pull(&dir.path().join("1"), "registry.invalid/x").args(mirror).env("HTTP_PROXY", &url));
    let asked = proxy.asked();
    assert!(asked[0].path.contains("registry.invalid:5000"), "{asked:?}");
    assert_eq!(asked[0].header("proxy-authorization"), Some("Basic dXNlcjpwYXNz"));
    let before = asked.len();
    let mut command = pull(&dir.path().join("2"), "registry.invalid/x");
    fails(command.args(mirror).env("http_proxy", &url).env("NO_PROXY", "a.example,.invalid"));
    let registry = Server::start(registry_of(small("amd64")));
    let mut command = pull(&dir.path().join("3"), &format!("{}/x", registry.address));
    succeeds(command.env("HTTP_PROXY", &url).env("HTTPS_PROXY", &url));
    assert_eq!(proxy.asked().len(), before);
    // Encrypted registries go through a tunnel, and only through the proxy for them.
    fails(pull(&dir.path().join("4"), "registry.invalid/x").env("HTTP_PROXY", &url));
    assert_eq!(proxy.asked().len(), before);
    fails(pull(&dir.path().join("5"), "registry.invalid/x").env("HTTPS_PROXY", &url));
    assert_eq!(proxy.asked()[before].path, "registry.invalid:443");
}

/// A certificate for this host that signed itself, as `openssl req -x509` makes them, and a server
/// with it.
fn encrypted(dir: &Path) -> (Server, PathBuf) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = parameters.self_signed(&key).unwrap();
    let file = dir.join("ca.pem");
    fs::write(&file, certificate.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (Server::start_tls(Arc::new(config), registry_of(small("amd64"))), file)
}

#[test]
fn a_certificate_that_signed_itself_is_trusted_if_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (server, file) = encrypted(dir.path());
    let name = format!("{}/x:v1", server.address);
    let said = fails(&mut pull(&dir.path().join("1"), &name));
    assert!(said.contains("https://127.0.0.1") && said.contains("invalid peer certificate"), "{said}");
    succeeds(pull(&dir.path().join("2"), &name).arg("--cert-file").arg(&file));
    let another = tempfile::tempdir().unwrap();
    let (other, _) = encrypted(another.path());
    let name = format!("{}/x:v1", other.address);
    fails(pull(&dir.path().join("3"), &name).arg("--cert-file").arg(&file));
    fs::write(&file, "no certificate").unwrap();
    let said = fails(pull(&dir.path().join("4"), &name).arg("--cert-file").arg(&file));
    assert!(said.contains("it has no PEM certificate"), "{said}");
}
