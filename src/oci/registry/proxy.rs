//! Which requests go through a proxy.
//!
//! \[GO-PROXY\] the Go package `golang.org/x/net/http/httpproxy`, whose reading of the variables
//! Docker and LinuxKit share: https requests use `HTTPS_PROXY`, http requests `HTTP_PROXY`, in
//! lower case as well; this host is never reached through a proxy.

use std::env;
use std::net::IpAddr;

/// The variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proxies {
    pub(crate) http: Option<String>,
    pub(crate) https: Option<String>,
    pub(crate) exceptions: Vec<String>,
}

impl Proxies {
    pub(crate) fn from_env() -> Self {
        let read = |name: &str| {
            [name.to_uppercase(), name.to_lowercase()]
                .iter()
                .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
        };
        let all = read("all_proxy");
        Proxies {
            http: read("http_proxy").or_else(|| all.clone()),
            https: read("https_proxy").or(all),
            exceptions: read("no_proxy")
                .map(|list| list.split(',').map(|entry| entry.trim().to_lowercase()).collect())
                .unwrap_or_default(),
        }
    }

    /// No proxy for this host.
    pub(crate) fn excepts(&self, host: &str, port: u16) -> bool {
        let host = host.trim_matches(['[', ']']).to_lowercase();
        is_loopback(&host) || self.exceptions.iter().any(|entry| covers(entry, &host, port))
    }
}

/// This very machine: \[RFC 6761\] §6.3 "localhost".
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let name = host.trim_end_matches('.');
    name == "localhost"
        || name.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// \[GO-PROXY\] an address, a network, a domain (with its subdomains; only these, if it starts
/// with a dot), each perhaps with a port; or `*`.
fn covers(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/') {
        return in_network(network, bits, host);
    }
    let (name, wanted) = match entry.rsplit_once(':') {
        Some((name, digits)) if !name.contains(':') || name.ends_with(']') => (name, digits.parse().ok()),
        _ => (entry, None),
    };
    if wanted.is_some_and(|wanted: u16| wanted != port) || name.is_empty() {
        return false;
    }
    let name = name.trim_matches(['[', ']']);
    match name.strip_prefix("*.").or_else(|| name.strip_prefix('.')) {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
    }
}

fn in_network(network: &str, bits: &str, host: &str) -> bool {
    let (Ok(network), Ok(bits), Ok(host)) = (network.parse(), bits.parse::<u32>(), host.parse()) else {
        return false;
    };
    match (network, host) {
        (IpAddr::V4(network), IpAddr::V4(host)) if bits <= 32 => {
            (network.to_bits() ^ host.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(host)) if bits <= 128 => {
            (network.to_bits() ^ host.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_names_domains_addresses_and_networks() {
        for (entry, host, port, excepted) in [
            ("example.com", "example.com", 443, true),
            ("example.com", "a.example.com", 443, true),
            ("example.com", "badexample.com", 443, false),
            (".example.com", "example.com", 443, false),
            ("*.example.com", "a.example.com", 443, true),
            ("example.com:5000", "example.com", 5000, true),
            ("example.com:5000", "example.com", 443, false),
            ("10.0.0.0/8", "10.1.2.3", 443, true),
            ("10.0.0.0/8", "11.1.2.3", 443, false),
            ("0.0.0.0/0", "11.1.2.3", 443, true),
            ("fd00::/8", "[fd12::1]", 443, true),
            ("192.168.0.1", "192.168.0.1", 80, true),
            ("*", "anything", 1, true),
            ("", "example.com", 1, false),
        ] {
            let proxies = Proxies { exceptions: vec![entry.into()], ..Proxies::default() };
            assert_eq!(proxies.excepts(host, port), excepted, "{entry} and {host}:{port}");
        }
    }

    #[test]
    fn this_host_is_always_excepted() {
        for host in ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(Proxies::default().excepts(host, 80), "{host}");
        }
    }
}
