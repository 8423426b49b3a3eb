//! `xiangxun mail keygen`: DKIM keys, and the records that make others trust them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lettre::message::Mailbox;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};

use crate::config::Config;
use crate::mail::dkim::Key;

/// Large enough for every server, small enough for one DNS record.
const RSA_BITS: usize = 2048;
/// The longest string of a DNS record.
const LONGEST_STRING: usize = 255;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Make DKIM keys (RSA and Ed25519) and print the DNS records to add
    ///
    /// Keys that are there already are left alone and only their records printed. Mail is signed once
    /// dkim_keys names the folder; add the records first.
    Keygen(Keygen),
}

#[derive(clap::Args)]
pub struct Keygen {
    /// The sending domain; that of mail_from unless given
    #[arg(long)]
    domain: Option<String>,
    /// Begins the names of the keys; take another one for new keys
    #[arg(long, default_value = "xiangxun")]
    selector: String,
    /// Where the keys are kept; dkim_keys, or else dkim in the data folder, unless given
    #[arg(long)]
    folder: Option<PathBuf>,
}

pub fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Keygen(options) => keygen(options),
    }
}

fn keygen(options: &Keygen) -> anyhow::Result<()> {
    let config = Config::load()?;
    let from: Mailbox = config.mail_from.parse().context("mail_from is not an address")?;
    let domain = options.domain.clone().unwrap_or_else(|| from.email.domain().to_owned());
    if !is_label(&options.selector) {
        bail!("the selector may have letters, digits and hyphens");
    }
    let set = !config.dkim_keys.as_os_str().is_empty();
    let folder = match &options.folder {
        Some(folder) => folder.clone(),
        None if set => config.dkim_keys.clone(),
        None => config.data.join("dkim"),
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    println!("Add to the DNS of {domain}:\n");
    for (kind, make) in [("rsa", make_rsa as fn() -> anyhow::Result<String>), ("ed25519", make_ed25519)] {
        let selector = format!("{}-{kind}", options.selector);
        let path = folder.join(format!("{selector}.pem"));
        if !path.exists() {
            write_secret(&path, &make()?)?;
        }
        let pem = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let key = Key::read(&selector, &pem).with_context(|| format!("reading {}", path.display()))?;
        println!("{selector}._domainkey.{domain}. IN TXT {}\n", quoted(&key.record()));
    }
    println!(
        "_dmarc.{domain}. IN TXT \"v=DMARC1; p=none; rua=mailto:postmaster@{domain}\"   (if there is none yet)"
    );
    if !set {
        let folder = folder.canonicalize().unwrap_or(folder);
        println!("\nThen set dkim_keys = \"{}\" on every node that sends.", folder.display());
    }
    Ok(())
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.len() <= 50 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn make_rsa() -> anyhow::Result<String> {
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS).context("making an RSA key")?;
    Ok(key.to_pkcs8_pem(LineEnding::LF).context("writing an RSA key")?.to_string())
}

fn make_ed25519() -> anyhow::Result<String> {
    use base64::Engine;
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| anyhow::anyhow!("making an Ed25519 key failed"))?;
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"))
}

/// Only its owner may read it, from the first moment on.
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("writing {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// As zone files want it: in strings of 255 characters at most.
fn quoted(record: &str) -> String {
    let strings: Vec<String> = record
        .as_bytes()
        .chunks(LONGEST_STRING)
        .map(|part| format!("\"{}\"", String::from_utf8_lossy(part)))
        .collect();
    strings.join(" ")
}
