//! DKIM (RFC 6376): each message signed with every key, RSA and Ed25519 (RFC 8463) side by side, so that
//! servers that know only the older one can check it too.

use std::fmt::Write;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};

/// What is signed, where the message has it. From is named once more than it is there, so that nobody
/// can add another one.
const HEADERS: [&str; 14] = [
    "from",
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "feedback-id",
    "auto-submitted",
    "reply-to",
];

/// The keys of a sending domain.
#[derive(Debug, Default)]
pub struct Dkim {
    domain: String,
    keys: Vec<Key>,
}

/// A private key, and where in the domain its public half is found.
#[derive(Debug)]
pub struct Key {
    pub selector: String,
    secret: Secret,
}

#[derive(Debug)]
enum Secret {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    /// From the PEM text of a PKCS #8 document.
    ///
    /// # Errors
    /// When it is neither RSA of 2048 bits or more nor Ed25519.
    pub fn read(selector: &str, pem: &str) -> anyhow::Result<Self> {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(body.trim()).context("it is no PEM text")?;
        let secret = match (Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der), RsaKeyPair::from_pkcs8(&der)) {
            (Ok(pair), _) => Secret::Ed25519(pair),
            (_, Ok(pair)) => Secret::Rsa(Box::new(pair)),
            (_, Err(error)) => bail!("it is neither an RSA key of 2048 bits nor an Ed25519 key: {error}"),
        };
        Ok(Self { selector: selector.to_owned(), secret })
    }

    fn algorithm(&self) -> &'static str {
        match self.secret {
            Secret::Rsa(_) => "rsa-sha256",
            Secret::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// The text of the DNS record at `selector._domainkey.domain`.
    pub fn record(&self) -> String {
        match &self.secret {
            Secret::Rsa(pair) => {
                format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(public_rsa(pair.public_key().as_ref())))
            }
            Secret::Ed25519(pair) => {
                format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(pair.public_key().as_ref()))
            }
        }
    }

    fn sign(&self, text: &[u8]) -> anyhow::Result<Vec<u8>> {
        match &self.secret {
            Secret::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)
                    .map_err(|_| anyhow::anyhow!("signing with {} failed", self.selector))?;
                Ok(signature)
            }
            Secret::Ed25519(pair) => {
                Ok(pair.sign(digest::digest(&digest::SHA256, text).as_ref()).as_ref().to_vec())
            }
        }
    }
}

/// A PKCS #1 public key inside the SubjectPublicKeyInfo that DNS records hold.
fn public_rsa(pkcs1: &[u8]) -> Vec<u8> {
    const RSA_ENCRYPTION: [u8; 15] =
        [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let mut bits = vec![0];
    bits.extend_from_slice(pkcs1);
    let mut inner = RSA_ENCRYPTION.to_vec();
    inner.extend(der(0x03, &bits));
    der(0x30, &inner)
}

/// A DER value with its tag and length.
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    if value.len() < 0x80 {
        out.push(value.len() as u8);
    } else {
        out.push(0x80 | length.len() as u8);
        out.extend_from_slice(length);
    }
    out.extend_from_slice(value);
    out
}

impl Dkim {
    pub fn new(domain: &str, keys: Vec<Key>) -> Self {
        Self { domain: domain.to_owned(), keys }
    }

    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The keys of a folder, whose files are named `SELECTOR.pem`; none of an empty path.
    ///
    /// # Errors
    /// When the folder or a key cannot be read, or there is none.
    pub fn load(folder: &Path, domain: &str) -> anyhow::Result<Self> {
        if folder.as_os_str().is_empty() {
            return Ok(Self::default());
        }
        let mut keys = Vec::new();
        let mut paths: Vec<_> =
            std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|kind| kind == "pem")) {
            let selector = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            let pem = std::fs::read_to_string(path)?;
            keys.push(
                Key::read(selector, &pem).with_context(|| format!("reading the key {}", path.display()))?,
            );
        }
        if keys.is_empty() {
            bail!("the folder holds no keys (*.pem); `xiangxun mail keygen` makes them");
        }
        Ok(Self::new(domain, keys))
    }

    /// The headers to put before a message, each line ended; empty without keys.
    ///
    /// # Errors
    /// When signing fails.
    pub fn signatures(&self, message: &str, now: SystemTime) -> anyhow::Result<String> {
        if self.keys.is_empty() {
            return Ok(String::new());
        }
        let (head, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
        let body = digest::digest(&digest::SHA256, &relaxed_body(body));
        let body = STANDARD.encode(body.as_ref());
        let (names, signed) = relaxed_head(head);
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut out = String::new();
        for key in &self.keys {
            // As it will stand there, folded where folding changes nothing.
            let mut header = format!(
                "DKIM-Signature: v=1; a={}; c=relaxed/relaxed; d={};\r\n s={}; t={seconds}; h={};\r\n bh={body};\r\n b=",
                key.algorithm(),
                self.domain,
                key.selector,
                names.join(":\r\n ")
            );
            let mut text = signed.clone();
            relax_field(&mut text, &header);
            text.truncate(text.len() - 2);
            let signature = STANDARD.encode(key.sign(text.as_bytes())?);
            for (number, start) in (0..signature.len()).step_by(72).enumerate() {
                let end = (start + 72).min(signature.len());
                let _ =
                    write!(header, "{}{}", if number == 0 { "" } else { "\r\n " }, &signature[start..end]);
            }
            out.push_str(&header);
            out.push_str("\r\n");
        }
        Ok(out)
    }
}

/// Names of the signed headers, and their relaxed form (RFC 6376, 3.4.2), each line ended. Of fields of
/// one name the last comes first.
fn relaxed_head(head: &str) -> (Vec<&'static str>, String) {
    let mut fields: Vec<&str> = Vec::new();
    let mut start = 0;
    for (place, _) in head.match_indices("\r\n") {
        if !head[place + 2..].starts_with([' ', '\t']) {
            fields.push(&head[start..place]);
            start = place + 2;
        }
    }
    fields.push(&head[start..]);
    let mut names = Vec::new();
    let mut text = String::new();
    for (place, name) in HEADERS.into_iter().enumerate() {
        let is_named = |field: &&&str| {
            field.split_once(':').is_some_and(|(other, _)| other.trim_end().eq_ignore_ascii_case(name))
        };
        let nth = HEADERS[..place].iter().filter(|other| **other == name).count();
        match fields.iter().rev().filter(is_named).nth(nth) {
            Some(field) => {
                names.push(name);
                relax_field(&mut text, field);
            }
            None if nth > 0 => names.push(name),
            None => {}
        }
    }
    (names, text)
}

fn relax_field(text: &mut String, field: &str) {
    let (name, value) = field.split_once(':').unwrap_or((field, ""));
    text.push_str(&name.trim_end().to_ascii_lowercase());
    text.push(':');
    let mut first = true;
    for word in value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
        if !first {
            text.push(' ');
        }
        text.push_str(word);
        first = false;
    }
    text.push_str("\r\n");
}

/// The relaxed form of a body (RFC 6376, 3.4.4).
fn relaxed_body(body: &str) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(body.len() + 2);
    let mut empty_lines = 0;
    for line in body.split("\r\n") {
        let line = line.trim_end_matches([' ', '\t']);
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty_lines) {
            out.extend_from_slice(b"\r\n");
        }
        let mut was_space = false;
        for byte in line.bytes() {
            let is_space = byte == b' ' || byte == b'\t';
            match (is_space, was_space) {
                (true, true) => {}
                (true, false) => out.push(b' '),
                _ => out.push(byte),
            }
            was_space = is_space;
        }
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Large enough for every server, small enough for one DNS record.
const RSA_BITS: usize = 2048;

/// A new RSA key as PEM text; takes a while.
///
/// # Errors
/// When the system gives no random numbers.
pub fn make_rsa() -> anyhow::Result<String> {
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS).context("making an RSA key")?;
    Ok(key.to_pkcs8_pem(LineEnding::LF).context("writing an RSA key")?.to_string())
}

/// The longest string of a DNS record.
const LONGEST_STRING: usize = 255;

/// A record as zone files want it: in strings of 255 characters at most.
pub fn quoted(record: &str) -> String {
    let strings: Vec<String> = record
        .as_bytes()
        .chunks(LONGEST_STRING)
        .map(|part| format!("\"{}\"", String::from_utf8_lossy(part)))
        .collect();
    strings.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_those_of_the_rfc() {
        // RFC 6376, 3.4.5.
        let (names, head) = relaxed_head("Subject: X\r\nTo : Y\t\r\n\tZ  \r\nX-Other: no\r\nFROM:a");
        assert_eq!(names, ["from", "from", "to", "subject"]);
        assert_eq!(head, "from:a\r\nto:Y Z\r\nsubject:X\r\n");
        assert_eq!(relaxed_body(" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
        assert_eq!(relaxed_body(""), b"");
        assert_eq!(relaxed_body("\r\n\r\nx"), b"\r\n\r\nx\r\n");
    }

    #[test]
    fn a_second_sender_cannot_be_added() {
        let (names, _) = relaxed_head("From: a\r\nTo: b");
        assert_eq!(names, ["from", "from", "to"]);
    }
}
