//! `xiangxun mail keygen`, `check` and `addresses`: what makes others trust the site's mail, and where they
//! answer to.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lettre::message::Mailbox;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;

use crate::app::App;
use crate::bounces::return_path;
use crate::config::Config;
use crate::mail::Mailer;
use crate::mail::check::{self, Asked, Level};
use crate::mail::dkim::{self, Key, quoted};
use crate::mail::dns::Dns;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Make DKIM keys (RSA and Ed25519) and print the DNS records to add
    ///
    /// Keys that are there already are left alone and only their records printed. Mail is signed once
    /// dkim_keys names the folder; add the records first.
    Keygen(Keygen),
    /// Look up what a sending domain says of itself (SPF, DKIM, DMARC, PTR, MX), and print what to add
    Check(Check),
    /// Print the addresses that bounces and complaints come to
    ///
    /// The one for complaints is given to mailbox providers who offer a feedback loop. Both are signed
    /// with the instance's key, and nothing else is taken.
    Addresses,
}

#[derive(clap::Args)]
pub struct Check {
    /// The sending domain; that of mail_from unless given
    domain: Option<String>,
    /// Whom to ask, an address with or without a port; name_server, or else the system's, unless given
    #[arg(long, value_name = "ADDRESS")]
    nameserver: Option<String>,
    /// An address that mail leaves from; those of the mail servers unless given. May be repeated
    #[arg(long, value_name = "ADDRESS")]
    ip: Vec<std::net::IpAddr>,
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

pub async fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Keygen(options) => keygen(options),
        Command::Check(options) => look(options).await,
        Command::Addresses => {
            let app = super::open_app().await?;
            addresses(&app)
        }
    }
}

async fn look(options: &Check) -> anyhow::Result<()> {
    let config = Config::load()?;
    super::log::start_quietly(&config);
    let mailer = Mailer::from_config(&config)?;
    let own = mailer.from.email.domain();
    let domain = options.domain.as_deref().unwrap_or(own).trim_end_matches('.').to_lowercase();
    let dns = Dns::of(options.nameserver.as_deref().unwrap_or(&config.name_server))
        .context("--nameserver must be an address")?;
    let bounces = if config.bounce_domain.is_empty() { own } else { &config.bounce_domain };
    let asked = Asked {
        domain: &domain,
        bounce_domain: bounces,
        dkim: mailer.dkim(),
        servers: mailer.relays().iter().filter_map(|relay| relay.host().map(str::to_owned)).collect(),
        addresses: options.ip.clone(),
    };
    let findings = check::check(&dns, &asked).await;
    for finding in &findings {
        let level = match finding.level {
            Level::Good => "good ",
            Level::Note => "note ",
            Level::Wrong => "wrong",
        };
        println!("{level}  {:<6}  {}", finding.about, finding.words);
        if let Some(record) = &finding.record {
            println!("{:15}add: {record}", "");
        }
    }
    let wrong = findings.iter().filter(|finding| finding.level == Level::Wrong).count();
    match wrong {
        0 => Ok(()),
        1 => bail!("one thing is wrong with {domain}"),
        many => bail!("{many} things are wrong with {domain}"),
    }
}

fn addresses(app: &App) -> anyhow::Result<()> {
    let Some(complaints) = return_path::complaints(app) else {
        bail!("bounce_domain is not set, so bounces go to mail_from");
    };
    println!("complaints: {complaints}");
    if let Some(example) = return_path::of(app, 1) {
        println!("bounces, of delivery 1: {example}");
    }
    Ok(())
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
    for (kind, make) in [("rsa", dkim::make_rsa as fn() -> anyhow::Result<String>), ("ed25519", make_ed25519)]
    {
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
