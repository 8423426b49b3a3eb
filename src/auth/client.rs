//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};

use crate::app::App;

/// Extractor: the address and browser of a request.
#[derive(Clone, Debug)]
pub struct Client {
    pub ip: IpAddr,
    pub user_agent: String,
}

impl Client {
    pub fn of(app: &App, headers: &HeaderMap, extensions: &Extensions) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let told = if app.config.trust_proxy { forwarded_for(headers) } else { None };
        let ip = told.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical();
        let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Self { ip, user_agent: user_agent.unwrap_or_default().to_owned() }
    }

    /// Whether it may be anybody: a program on this machine, or a reverse proxy whose word is not taken.
    pub fn is_local(&self) -> bool {
        self.ip.is_loopback() || self.ip.is_unspecified()
    }

    /// What limits count by: an IPv4 address, or the /64 network that one IPv6 customer has.
    pub fn network(&self) -> u128 {
        match self.ip {
            IpAddr::V4(ip) => u128::from(ip.to_bits()),
            IpAddr::V6(ip) => ip.to_bits() >> 64 | 1 << 127,
        }
    }
}

/// The address that our own proxy added: the last one. Those before it are the client's words.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    let text = last.to_str().ok()?.rsplit(',').next()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.split(']').next()).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

impl FromRequestParts<Arc<App>> for Client {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::of(app, &parts.headers, &parts.extensions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(values: &[&str]) -> Option<IpAddr> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        forwarded_for(&headers)
    }

    #[test]
    fn only_the_proxys_own_word_is_taken() {
        assert_eq!(told(&["1.1.1.1, 203.0.113.9"]), "203.0.113.9".parse().ok());
        assert_eq!(told(&["1.1.1.1", "203.0.113.9"]), "203.0.113.9".parse().ok());
        assert_eq!(told(&["[2001:db8::1]:443"]), "2001:db8::1".parse().ok());
        assert_eq!(told(&["203.0.113.9:5555"]), "203.0.113.9".parse().ok());
        assert_eq!(told(&["unknown"]), None);
        assert_eq!(told(&[]), None);
    }

    #[test]
    fn neighbours_in_one_ipv6_network_count_as_one() {
        let client = |ip: &str| Client { ip: ip.parse().unwrap(), user_agent: String::new() };
        assert_eq!(client("2001:db8::1").network(), client("2001:db8::ffff:1").network());
        assert_ne!(client("2001:db8::1").network(), client("2001:db8:0:1::1").network());
        assert_ne!(client("192.0.2.1").network(), client("192.0.2.2").network());
    }
}
