//! [`Dns`]: looking names up, for whose mailboxes are behind a domain and what it says of its mail.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};

/// How long a name server may take, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;

/// Looks names up.
#[derive(Clone)]
pub struct Dns(Option<TokioResolver>);

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Dns" } else { "Dns(none)" })
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The name has no such record; that is certain.
    #[error("there is no such record")]
    NoRecord,
    #[error("{0}")]
    Failed(String),
    /// The settings ask nobody.
    #[error("no name server is asked (name_server = \"none\")")]
    Off,
}

impl Dns {
    /// By the setting `name_server`: an address with or without a port, `none`, or empty for the system's.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn of(setting: &str) -> anyhow::Result<Self> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = match setting.trim() {
            "none" => return Ok(Self(None)),
            "" => match Resolver::builder(provider) {
                Ok(builder) => builder,
                Err(error) => {
                    tracing::warn!("the system names no name servers, so none is asked: {error}");
                    return Ok(Self(None));
                }
            },
            server => {
                let address = parse(server).context("it is no address of a name server")?;
                let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
                udp.port = address.port();
                tcp.port = address.port();
                let server = NameServerConfig::new(address.ip(), true, vec![udp, tcp]);
                let config = ResolverConfig::from_name_servers(vec![server]);
                Resolver::builder_with_config(config, provider)
            }
        };
        let options = builder.options_mut();
        options.timeout = PATIENCE;
        options.attempts = ATTEMPTS;
        options.use_hosts_file = ResolveHosts::Never;
        // Who has just added a record wants it seen; mail hosts are kept in the database.
        options.cache_size = 0;
        Ok(Self(Some(builder.build().context("setting up look-ups")?)))
    }

    /// Whether nobody is asked.
    pub fn is_off(&self) -> bool {
        self.0.is_none()
    }

    async fn look_up(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, DnsError> {
        let Some(resolver) = &self.0 else { return Err(DnsError::Off) };
        // With a dot at its end: the system's own domains are not tried.
        let name = format!("{}.", name.trim_end_matches('.'));
        match resolver.lookup(name, kind).await {
            Ok(found) => {
                let of_kind = found.answers().iter().filter(|record| record.data.record_type() == kind);
                let data: Vec<RData> = of_kind.map(|record| record.data.clone()).collect();
                if data.is_empty() { Err(DnsError::NoRecord) } else { Ok(data) }
            }
            Err(error) => Err(blame(&error)),
        }
    }

    /// TXT records, each put together from its strings.
    pub async fn txt(&self, name: &str) -> Result<Vec<String>, DnsError> {
        let data = self.look_up(name, RecordType::TXT).await?;
        let text = |data: &RData| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        Ok(data.iter().filter_map(text).collect())
    }

    /// Mail hosts, the preferred first, in lower case and without the last dot; an empty one is a domain
    /// that takes no mail (RFC 7505).
    pub async fn mx(&self, domain: &str) -> Result<Vec<String>, DnsError> {
        let data = self.look_up(domain, RecordType::MX).await?;
        let mut hosts: Vec<(u16, String)> = data
            .iter()
            .filter_map(|data| match data {
                RData::MX(mx) => Some((mx.preference, plain(&mx.exchange.to_string()))),
                _ => None,
            })
            .collect();
        hosts.sort();
        Ok(hosts.into_iter().map(|(_, host)| host).collect())
    }

    /// Addresses of both kinds.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        let (v4, v6) = tokio::join!(self.look_up(host, RecordType::A), self.look_up(host, RecordType::AAAA));
        let address = |data: RData| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        };
        match (v4, v6) {
            (Err(one), Err(DnsError::NoRecord))
            | (Err(DnsError::NoRecord), Err(one))
            | (Err(one), Err(_)) => Err(one),
            (v4, v6) => Ok([v4, v6].into_iter().flatten().flatten().filter_map(address).collect()),
        }
    }

    /// Names of an address.
    pub async fn names(&self, address: IpAddr) -> Result<Vec<String>, DnsError> {
        let data = self.look_up(&reverse(address), RecordType::PTR).await?;
        let name = |data: &RData| match data {
            RData::PTR(name) => Some(plain(&name.0.to_string())),
            _ => None,
        };
        Ok(data.iter().filter_map(name).collect())
    }
}

fn parse(server: &str) -> Option<SocketAddr> {
    server.parse().ok().or_else(|| Some(SocketAddr::new(server.parse().ok()?, 53)))
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

/// Where the names of an address stand.
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let digits: Vec<String> = address
                .octets()
                .iter()
                .rev()
                .flat_map(|byte| [byte & 0xf, byte >> 4])
                .map(|digit| format!("{digit:x}"))
                .collect();
            format!("{}.ip6.arpa", digits.join("."))
        }
    }
}

fn blame(error: &NetError) -> DnsError {
    if error.is_no_records_found() { DnsError::NoRecord } else { DnsError::Failed(error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_turned_round_to_find_their_names() {
        assert_eq!(reverse("192.0.2.7".parse().unwrap()), "7.2.0.192.in-addr.arpa");
        let v6 = reverse("2001:db8::7".parse().unwrap());
        assert!(v6.starts_with("7.0.0.0.") && v6.ends_with(".8.b.d.0.1.0.0.2.ip6.arpa"), "{v6}");
    }

    #[test]
    fn name_servers_are_read_with_and_without_a_port() {
        assert_eq!(parse("192.0.2.1"), Some("192.0.2.1:53".parse().unwrap()));
        assert_eq!(parse("[2001:db8::1]:5353"), Some("[2001:db8::1]:5353".parse().unwrap()));
        assert_eq!(parse("dns.example"), None);
    }
}
