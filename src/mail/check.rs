//! Checking a sending domain: what SPF, DKIM, DMARC, PTR and MX say, what is wrong with it, and the records
//! that are missing.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::dkim::Dkim;
use super::dns::{Dns, DnsError};
use super::spf::{self, Verdict};
use crate::import::fetch::is_public;

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Good,
    /// Worth knowing; mail arrives all the same.
    Note,
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// SPF, DKIM, ..
    pub about: &'static str,
    pub level: Level,
    pub words: String,
    /// The record to add or to change to, as a zone file has it.
    pub record: Option<String>,
}

impl Finding {
    fn new(about: &'static str, level: Level, words: impl Into<String>) -> Self {
        Self { about, level, words: words.into(), record: None }
    }

    fn with(mut self, record: String) -> Self {
        self.record = Some(record);
        self
    }
}

/// What is looked at.
#[derive(Debug)]
pub struct Asked<'a> {
    pub domain: &'a str,
    /// Of the envelope; SPF speaks of it. The same as `domain` if nothing else is set.
    pub bounce_domain: &'a str,
    /// Keys that sign.
    pub dkim: &'a Dkim,
    /// Mail servers that mail is handed to.
    pub servers: Vec<String>,
    /// Addresses that mail really leaves from, where they are known.
    pub addresses: Vec<IpAddr>,
}

/// Looks at everything.
pub async fn check(dns: &Dns, asked: &Asked<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let addresses = senders(dns, asked, &mut findings).await;
    spf(dns, asked.bounce_domain, &addresses, &mut findings).await;
    dkim(dns, asked, &mut findings).await;
    dmarc(dns, asked, &mut findings).await;
    ptr(dns, &addresses, &mut findings).await;
    mx(dns, asked, &mut findings).await;
    findings
}

/// The addresses that mail leaves from, as far as they can be known.
async fn senders(dns: &Dns, asked: &Asked<'_>, findings: &mut Vec<Finding>) -> BTreeSet<IpAddr> {
    if !asked.addresses.is_empty() {
        return asked.addresses.iter().copied().collect();
    }
    let mut addresses = BTreeSet::new();
    for server in &asked.servers {
        let found = match server.trim_matches(['[', ']']).parse() {
            Ok(address) => Ok(vec![address]),
            Err(_) => dns.addresses(server).await,
        };
        match found {
            Ok(found) => addresses.extend(found),
            Err(error) => findings.push(Finding::new(
                "server",
                Level::Wrong,
                format!("{server} has no address: {error}"),
            )),
        }
    }
    let private: Vec<IpAddr> = addresses.iter().copied().filter(|address| !is_public(*address)).collect();
    addresses.retain(|address| is_public(*address));
    if !private.is_empty() || addresses.is_empty() {
        let words = "the address that others see is not known; say it with --ip to have SPF and PTR checked";
        findings.push(Finding::new("server", Level::Note, words));
    } else if asked.servers.iter().any(|server| !server.ends_with(asked.domain)) {
        let words = "a mailing service sends from other addresses than it is reached at: add the `include:` that \
                     it names to SPF, and say its addresses with --ip";
        findings.push(Finding::new("server", Level::Note, words));
    }
    addresses
}

async fn spf(dns: &Dns, domain: &str, addresses: &BTreeSet<IpAddr>, findings: &mut Vec<Finding>) {
    let mechanisms: String = addresses
        .iter()
        .map(|address| format!("ip{}:{address} ", if address.is_ipv4() { 4 } else { 6 }))
        .collect();
    // Without an address the record would forbid all mail.
    let mechanisms = if mechanisms.is_empty() { "ip4:YOUR-SERVERS-ADDRESS ".to_owned() } else { mechanisms };
    let wanted = format!("{domain}. IN TXT \"v=spf1 {mechanisms}-all\"");
    let record = match spf::record(dns, domain).await {
        Ok(record) => record,
        Err(Verdict::None) => {
            let words = format!("{domain} does not say who may send for it");
            findings.push(Finding::new("SPF", Level::Wrong, words).with(wanted));
            return;
        }
        Err(Verdict::Broken(why) | Verdict::Unknown(why)) => {
            findings.push(Finding::new("SPF", Level::Wrong, format!("{domain}: {why}")));
            return;
        }
        Err(_) => return,
    };
    if addresses.is_empty() {
        findings.push(Finding::new("SPF", Level::Note, format!("{domain} says: {record}")));
    }
    for address in addresses {
        let finding = match spf::check(dns, domain, *address).await {
            Verdict::Pass => {
                Finding::new("SPF", Level::Good, format!("{domain} lets {address} send: {record}"))
            }
            Verdict::Fail(_) | Verdict::SoftFail(_) | Verdict::Neutral | Verdict::None => {
                let kind = if address.is_ipv4() { 4 } else { 6 };
                let rest = record.get("v=spf1".len()..).unwrap_or_default();
                let better = format!("{domain}. IN TXT \"v=spf1 ip{kind}:{address}{rest}\"");
                let words = format!("{domain} does not let {address} send: {record}");
                Finding::new("SPF", Level::Wrong, words).with(better)
            }
            Verdict::Broken(why) | Verdict::Unknown(why) => {
                Finding::new("SPF", Level::Wrong, format!("{domain}: {why}: {record}"))
            }
        };
        findings.push(finding);
    }
}

async fn dkim(dns: &Dns, asked: &Asked<'_>, findings: &mut Vec<Finding>) {
    if asked.dkim.keys().is_empty() {
        let words = "mail is not signed: make keys with `xiangxun mail keygen` and set dkim_keys";
        findings.push(Finding::new("DKIM", Level::Wrong, words));
    }
    for key in asked.dkim.keys() {
        let name = format!("{}._domainkey.{}", key.selector, asked.domain);
        let wanted = format!("{name}. IN TXT {}", super::dkim::quoted(&key.record()));
        let finding = match proof(dns, &name, &key.record()).await {
            Proof::Right => Finding::new("DKIM", Level::Good, format!("{name} has our key")),
            Proof::Missing => Finding::new("DKIM", Level::Wrong, format!("{name} has no key")).with(wanted),
            Proof::Another => {
                Finding::new("DKIM", Level::Wrong, format!("{name} has another key than ours")).with(wanted)
            }
            Proof::Unknown(why) => Finding::new("DKIM", Level::Wrong, format!("{name}: {why}")),
        };
        findings.push(finding);
    }
}

/// Whether a name has a key's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    Right,
    Missing,
    Another,
    /// Nobody answered.
    Unknown(String),
}

/// Compares the key that stands at a name with a record of ours.
pub async fn proof(dns: &Dns, name: &str, record: &str) -> Proof {
    let key = |text: &str| {
        let tags = text.split(';').filter_map(|tag| tag.split_once('='));
        let value = tags.into_iter().find(|(name, _)| name.trim() == "p").map(|(_, value)| value);
        value.map(|value| value.split_whitespace().collect::<String>())
    };
    match dns.txt(name).await {
        Ok(texts) if texts.iter().any(|text| key(text).is_some() && key(text) == key(record)) => Proof::Right,
        Ok(texts) if texts.iter().any(|text| key(text).is_some()) => Proof::Another,
        Ok(_) | Err(DnsError::NoRecord) => Proof::Missing,
        Err(error) => Proof::Unknown(error.to_string()),
    }
}

async fn dmarc(dns: &Dns, asked: &Asked<'_>, findings: &mut Vec<Finding>) {
    let domain = asked.domain;
    // A domain without a record of its own follows the one that it belongs to.
    let mut found = policy(dns, domain).await;
    let parent = domain.split_once('.').map(|(_, parent)| parent).filter(|parent| parent.contains('.'));
    if let (Ok(None), Some(parent)) = (&found, parent) {
        found = policy(dns, parent).await;
    }
    let finding = match found {
        Ok(Some(record)) if tag(&record, "p") == Some("none") => Finding::new(
            "DMARC",
            Level::Note,
            format!("only watches; once reports look right, p=quarantine: {record}"),
        ),
        Ok(Some(record)) if tag(&record, "p").is_none() => {
            Finding::new("DMARC", Level::Wrong, format!("the record has no policy (p=): {record}"))
        }
        Ok(Some(record)) => Finding::new("DMARC", Level::Good, record),
        Ok(None) => {
            let record =
                format!("_dmarc.{domain}. IN TXT \"v=DMARC1; p=none; rua=mailto:postmaster@{domain}\"");
            let words = "there is no record; Gmail, Yahoo and Outlook want one of who sends much";
            Finding::new("DMARC", Level::Wrong, words).with(record)
        }
        Err(why) => Finding::new("DMARC", Level::Wrong, why),
    };
    findings.push(finding);
    let is_strict = |record: &str| tag(record, "aspf") == Some("s");
    let is_below = asked.bounce_domain == domain || asked.bounce_domain.ends_with(&format!(".{domain}"));
    if !is_below
        || matches!(policy(dns, domain).await, Ok(Some(record)) if is_strict(&record) && asked.bounce_domain != domain)
    {
        let words =
            format!("{} does not stand for {domain}: only DKIM proves the sender", asked.bounce_domain);
        findings.push(Finding::new("DMARC", Level::Note, words));
    }
}

async fn policy(dns: &Dns, domain: &str) -> Result<Option<String>, String> {
    let texts = match dns.txt(&format!("_dmarc.{domain}")).await {
        Ok(texts) => texts,
        Err(DnsError::NoRecord) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut records =
        texts.into_iter().filter(|text| text.trim_start().to_lowercase().starts_with("v=dmarc1"));
    match (records.next(), records.next()) {
        (Some(_), Some(_)) => Err("there are several records, so none is heeded".into()),
        (record, _) => Ok(record),
    }
}

fn tag<'a>(record: &'a str, name: &str) -> Option<&'a str> {
    let mut tags = record.split(';').filter_map(|tag| tag.split_once('='));
    tags.find(|(own, _)| own.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

async fn ptr(dns: &Dns, addresses: &BTreeSet<IpAddr>, findings: &mut Vec<Finding>) {
    for address in addresses {
        let names = match dns.names(*address).await {
            Ok(names) => names,
            Err(DnsError::NoRecord) => {
                let words = format!("{address} has no name; whoever runs its network adds one");
                findings.push(Finding::new("PTR", Level::Wrong, words));
                continue;
            }
            Err(error) => {
                findings.push(Finding::new("PTR", Level::Wrong, format!("{address}: {error}")));
                continue;
            }
        };
        let mut leads_back = None;
        for name in &names {
            if dns.addresses(name).await.is_ok_and(|found| found.contains(address)) {
                leads_back = Some(name);
            }
        }
        findings.push(match leads_back {
            Some(name) => Finding::new("PTR", Level::Good, format!("{address} is {name}, and back")),
            None => {
                let kind = if address.is_ipv4() { "A" } else { "AAAA" };
                let name = names.first().map_or("", String::as_str);
                let words = format!("{address} is {}, which does not lead back to it", names.join(", "));
                Finding::new("PTR", Level::Wrong, words).with(format!("{name}. IN {kind} {address}"))
            }
        });
    }
}

async fn mx(dns: &Dns, asked: &Asked<'_>, findings: &mut Vec<Finding>) {
    let domains: BTreeSet<&str> = [asked.domain, asked.bounce_domain].into();
    for domain in domains {
        let is_for_bounces = domain == asked.bounce_domain && domain != asked.domain;
        let what = if is_for_bounces { "bounces" } else { "answers" };
        findings.push(match dns.mx(domain).await {
            Ok(hosts) if hosts.iter().all(String::is_empty) => {
                Finding::new("MX", Level::Wrong, format!("{domain} takes no mail, so {what} are lost"))
            }
            Ok(hosts) => {
                let mut lost = Vec::new();
                for host in &hosts {
                    if dns.addresses(host).await.is_err() {
                        lost.push(host.as_str());
                    }
                }
                match lost.as_slice() {
                    [] => Finding::new("MX", Level::Good, format!("{domain}: {}", hosts.join(", "))),
                    lost => Finding::new(
                        "MX",
                        Level::Wrong,
                        format!("{domain}: {} has no address", lost.join(", ")),
                    ),
                }
            }
            Err(DnsError::NoRecord) => {
                let words = format!("{domain} names no mail host, so {what} may be lost");
                let level = if is_for_bounces { Level::Wrong } else { Level::Note };
                let record = format!("{domain}. IN MX 10 YOUR-MAIL-HOST.");
                Finding::new("MX", level, words).with(record)
            }
            Err(error) => Finding::new("MX", Level::Wrong, format!("{domain}: {error}")),
        });
    }
}
