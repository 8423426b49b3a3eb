//! Which addresses an outside fetch may reach.
//!
//! A URL that a stranger typed must not make this server talk to itself, to its network or to a
//! cloud's metadata service. The URL is checked when it is parsed and on every redirect; a name is
//! checked when it is resolved for the connection itself, and only the addresses that passed are
//! connected to, so an answer that changes between check and connection changes nothing.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use url::{Host, Url};

use super::FetchError;

/// Ports above 1023 that are some other protocol's, as browsers refuse them.
const OTHER_PROTOCOLS: [u16; 19] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10080,
];

/// Which addresses are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    Public,
    /// Public ones and this one, so that tests can see a redirect from a public address refused.
    PublicAnd(IpAddr),
    /// All. For tests and demonstrations on one machine.
    Any,
}

impl Allowed {
    fn address(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::PublicAnd(other) => address == other || is_public(address),
            Self::Any => true,
        }
    }
}

/// Refuses URLs that no public feed has: other schemes, names and passwords, odd ports, and IP
/// addresses that are not public in whatever spelling (the URL parser reads `0x7f000001`, `①②⑦.0.0.1`
/// and the like as the addresses they are).
///
/// Ports: 80, 443 and any above 1023 (self-hosted feed makers listen there) but those of other
/// protocols; the rest below 1024 are mail, shells and name servers.
pub fn check_url(url: &Url, allowed: Allowed) -> Result<(), FetchError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(FetchError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Credentials);
    }
    let port = url.port_or_known_default().unwrap_or(0);
    let usual = matches!(port, 80 | 443) || (port > 1023 && !OTHER_PROTOCOLS.contains(&port));
    if !usual {
        return Err(FetchError::Port(port));
    }
    let refused = match url.host() {
        None => return Err(FetchError::Url),
        Some(Host::Ipv4(address)) => !allowed.address(address.into()),
        Some(Host::Ipv6(address)) => !allowed.address(address.into()),
        Some(Host::Domain(name)) => is_local_name(name) && allowed != Allowed::Any,
    };
    if refused {
        return Err(FetchError::PrivateAddress(url.host_str().unwrap_or_default().to_owned()));
    }
    Ok(())
}

/// Names that mean this machine or its network, whatever a resolver says.
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let ends = |suffix: &str| name == suffix || name.strip_suffix(suffix).is_some_and(|n| n.ends_with('.'));
    ["localhost", "local", "internal", "localdomain", "home.arpa", "onion"].iter().any(|suffix| ends(suffix))
}

/// Whether an address is one of the public Internet's (IANA special-purpose registries, 2025).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    let refused = matches!(
        (a, b, c, d),
        (0 | 10 | 127, ..)
            | (100, 64..=127, ..)        // carrier NAT; a cloud's metadata at 100.100.100.200
            | (168, 63, 129, 16)         // a cloud's wire server
            | (169, 254, ..)             // link local; metadata at 169.254.169.254
            | (172, 16..=31, ..)
            | (192, 0, 0 | 2, _)
            | (192, 31, 196, _)
            | (192, 52, 193, _)
            | (192, 88, 99, _)           // 6to4 relays
            | (192, 168, ..)
            | (192, 175, 48, _)
            | (198, 18 | 19, ..)
            | (198, 51, 100, _)
            | (203, 0, 113, _)
            | (224..=255, ..) // multicast, reserved, broadcast
    );
    !refused
}

/// Only global unicast, and of that nothing which carries an IPv4 address inside (mapped, compatible,
/// NAT64, 6to4, Teredo): those would be a second spelling of every address refused above.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, ..] = address.segments();
    let global_unicast = a & 0xe000 == 0x2000;
    let refused = matches!(
        (a, b, c),
        (0x2001, 0..=0x1ff, _)           // Teredo, ORCHID, benchmarking
            | (0x2001, 0xdb8, _)
            | (0x2002, ..)               // 6to4
            | (0x2620, 0x4f, 0x8000)
            | (0x3fff, 0..=0xfff, _)
    );
    global_unicast && !refused
}

/// Turns a name into addresses. The system's resolver, or one that a test scripts.
pub type Lookup =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> + Send + Sync>;

pub fn system_lookup() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
        })
    })
}

/// The resolver of the one HTTP client: it never answers with an address that is not public.
pub struct GuardedResolver {
    pub lookup: Lookup,
    pub allowed: Allowed,
}

/// What the resolver says of a name that has no public address.
#[derive(Debug, thiserror::Error)]
#[error("{0} has no public address")]
pub struct NoPublicAddress(pub String);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let lookup = (self.lookup)(host.clone());
        let allowed = self.allowed;
        Box::pin(async move {
            let found = lookup.await?;
            let known = !found.is_empty();
            let public: Vec<_> = found.into_iter().filter(|ip| allowed.address(*ip)).collect();
            if public.is_empty() && known {
                return Err(NoPublicAddress(host).into());
            }
            Ok(Box::new(public.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        let list = include_str!("../../../tests/fixtures/hostile/ssrf.txt");
        for line in list.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let refused = Url::parse(line).map_or(true, |url| check_url(&url, Allowed::Public).is_err());
            assert!(refused, "{line}");
        }
    }

    #[test]
    fn public_addresses_are_told_from_others() {
        for public in [
            "1.1.1.1",
            "114.114.114.114",
            "100.63.255.255",
            "172.32.0.1",
            "2606:4700::1111",
            "240e::1",
            "2001:250::1",
        ] {
            assert!(is_public(public.parse().expect(public)), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.100.100.200",
            "127.8.8.8",
            "168.63.129.16",
            "169.254.169.254",
            "172.31.0.1",
            "192.0.0.192",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
        ] {
            assert!(!is_public(private.parse().expect(private)), "{private}");
        }
    }

    #[test]
    fn ports_of_other_protocols_are_refused() {
        for (url, allowed) in [
            ("https://example.org/", true),
            ("http://example.org:1200/rss", true),
            ("https://example.org:8443/", true),
            ("http://example.org:22/", false),
            ("http://example.org:25/", false),
            ("http://example.org:6667/", false),
            ("http://localhost:8080/", false),
            ("http://metadata.google.internal/", false),
            ("http://printer.local./", false),
            ("file:///etc/passwd", false),
            ("gopher://example.org/", false),
        ] {
            assert_eq!(check_url(&Url::parse(url).expect(url), Allowed::Public).is_ok(), allowed, "{url}");
        }
    }
}
