//! SPF (RFC 7208): whether a domain lets an address send for it.

use std::net::IpAddr;

use super::dns::{Dns, DnsError};

/// Look-ups that a record may cost (RFC 7208, 4.6.4).
const MOST_LOOK_UPS: usize = 10;

/// What a domain's record says of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    /// `-all` and `~all`, with the record's own words.
    Fail(String),
    SoftFail(String),
    /// `?all`, or nothing that speaks of it.
    Neutral,
    /// There is no record.
    None,
    /// The record is wrong, so nobody heeds it.
    Broken(String),
    /// Nobody answered.
    Unknown(String),
}

/// The record of a domain.
///
/// # Errors
/// [`Verdict::None`], [`Verdict::Broken`] if there are several, or [`Verdict::Unknown`].
pub async fn record(dns: &Dns, domain: &str) -> Result<String, Verdict> {
    let texts = match dns.txt(domain).await {
        Ok(texts) => texts,
        Err(DnsError::NoRecord) => return Err(Verdict::None),
        Err(error) => return Err(Verdict::Unknown(error.to_string())),
    };
    let is_spf = |text: &&String| {
        let text = text.to_lowercase();
        text == "v=spf1" || text.starts_with("v=spf1 ")
    };
    let mut records = texts.iter().filter(is_spf);
    match (records.next(), records.next()) {
        (Some(record), None) => Ok(record.clone()),
        (None, _) => Err(Verdict::None),
        (Some(_), Some(_)) => Err(Verdict::Broken("there are several records; only one is allowed".into())),
    }
}

/// What a domain says of an address that sends for it.
pub async fn check(dns: &Dns, domain: &str, address: IpAddr) -> Verdict {
    let mut look_ups = 0;
    evaluate(dns, domain.to_owned(), address, &mut look_ups).await
}

async fn evaluate(dns: &Dns, mut domain: String, address: IpAddr, look_ups: &mut usize) -> Verdict {
    // Redirects lead on; each costs a look-up, so there is an end to it.
    loop {
        let record = match record(dns, &domain).await {
            Ok(record) => record,
            Err(verdict) => return verdict,
        };
        let mut redirect = None;
        for term in record.split_ascii_whitespace().skip(1) {
            if let Some(target) = strip(term, "redirect=") {
                redirect = Some(target.to_owned());
                continue;
            }
            // Other modifiers say nothing of the address.
            if term.find('=').is_some_and(|place| !term[..place].contains([':', '/'])) {
                continue;
            }
            let (qualifier, mechanism) = match term.chars().next() {
                Some(sign @ ('+' | '-' | '~' | '?')) => (sign, &term[1..]),
                _ => ('+', term),
            };
            match matches(dns, &domain, mechanism, address, look_ups).await {
                Ok(false) => {}
                Ok(true) => {
                    return match qualifier {
                        '-' => Verdict::Fail(record),
                        '~' => Verdict::SoftFail(record),
                        '?' => Verdict::Neutral,
                        _ => Verdict::Pass,
                    };
                }
                Err(verdict) => return verdict,
            }
        }
        match redirect {
            None => return Verdict::Neutral,
            Some(target) => {
                if let Err(verdict) = count(look_ups) {
                    return verdict;
                }
                domain = target;
            }
        }
    }
}

fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn count(look_ups: &mut usize) -> Result<(), Verdict> {
    *look_ups += 1;
    if *look_ups > MOST_LOOK_UPS {
        return Err(Verdict::Broken(format!("it costs more than {MOST_LOOK_UPS} look-ups")));
    }
    Ok(())
}

/// Whether a mechanism means the address.
async fn matches(
    dns: &Dns,
    domain: &str,
    mechanism: &str,
    address: IpAddr,
    look_ups: &mut usize,
) -> Result<bool, Verdict> {
    let (name, rest) = match mechanism.find([':', '/']) {
        Some(place) => mechanism.split_at(place),
        None => (mechanism, ""),
    };
    let (target, lengths) = match rest.strip_prefix(':') {
        Some(rest) if !name.to_ascii_lowercase().starts_with("ip") => {
            rest.split_once('/').map_or((rest, ""), |(target, lengths)| (target, lengths))
        }
        Some(rest) => (rest, ""),
        None => (domain, rest.trim_start_matches('/')),
    };
    // Macros are for those who send for single users.
    if target.contains('%') {
        return Ok(false);
    }
    let broken = || Verdict::Broken(format!("`{mechanism}` cannot be read"));
    match name.to_ascii_lowercase().as_str() {
        "all" => Ok(true),
        "ip4" | "ip6" => is_in_network(address, target).ok_or_else(broken),
        "a" => {
            count(look_ups)?;
            Ok(is_among(&found(dns.addresses(target).await)?, address, lengths))
        }
        "mx" => {
            count(look_ups)?;
            for host in found(dns.mx(target).await)? {
                if is_among(&found(dns.addresses(&host).await)?, address, lengths) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        "include" => {
            count(look_ups)?;
            match Box::pin(evaluate(dns, target.to_owned(), address, look_ups)).await {
                Verdict::Pass => Ok(true),
                Verdict::Fail(_) | Verdict::SoftFail(_) | Verdict::Neutral => Ok(false),
                Verdict::None => Err(Verdict::Broken(format!("{target}, which it includes, has no record"))),
                other => Err(other),
            }
        }
        "exists" | "ptr" => {
            count(look_ups)?;
            Ok(false)
        }
        _ => Err(broken()),
    }
}

/// What was found; nothing where there is no such record.
fn found<T>(answer: Result<Vec<T>, DnsError>) -> Result<Vec<T>, Verdict> {
    match answer {
        Ok(found) => Ok(found),
        Err(DnsError::NoRecord) => Ok(Vec::new()),
        Err(error) => Err(Verdict::Unknown(error.to_string())),
    }
}

/// Whether an address is one of these, or in the networks around them: `24`, `24//64`, `/64`.
fn is_among(addresses: &[IpAddr], address: IpAddr, lengths: &str) -> bool {
    let (v4, v6) = lengths.split_once('/').unwrap_or((lengths, ""));
    addresses.iter().any(|one| {
        let length = if one.is_ipv4() { v4 } else { v6.trim_start_matches('/') };
        let network = if length.is_empty() { one.to_string() } else { format!("{one}/{length}") };
        is_in_network(address, &network) == Some(true)
    })
}

/// Whether an address is in `192.0.2.0/24` or the like; none of what is no network.
fn is_in_network(address: IpAddr, network: &str) -> Option<bool> {
    let (base, length) =
        network.split_once('/').map_or((network, None), |(base, length)| (base, Some(length)));
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let base: IpAddr = base.parse().ok()?;
    let ((base_bits, whole), (own_bits, own_whole)) = (bits(base), bits(address));
    let length: u32 = match length {
        Some(length) => length.parse().ok().filter(|length| *length <= whole)?,
        None => whole,
    };
    let mask = if length == 0 { 0 } else { u128::MAX << (128 - length) };
    Some(whole == own_whole && base_bits & mask == own_bits & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_is_in_them() {
        for (network, address, is_in) in [
            ("192.0.2.0/24", "192.0.2.77", Some(true)),
            ("192.0.2.0/24", "192.0.3.1", Some(false)),
            ("192.0.2.7", "192.0.2.7", Some(true)),
            ("0.0.0.0/0", "192.0.2.7", Some(true)),
            ("0.0.0.0/0", "2001:db8::1", Some(false)),
            ("2001:db8::/32", "2001:db8:1::1", Some(true)),
            ("2001:db8::/129", "2001:db8::1", None),
            ("192.0.2.0/33", "192.0.2.1", None),
            ("example.org", "192.0.2.1", None),
        ] {
            assert_eq!(is_in_network(address.parse().unwrap(), network), is_in, "{network} {address}");
        }
        let host: [IpAddr; 2] = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        assert!(is_among(&host, "192.0.2.200".parse().unwrap(), "24"));
        assert!(!is_among(&host, "192.0.2.200".parse().unwrap(), ""));
        assert!(is_among(&host, "2001:db8::ffff".parse().unwrap(), "/64"));
        assert!(is_among(&host, "2001:db8::ffff".parse().unwrap(), "24//64"));
    }
}
