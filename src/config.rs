//! Settings: one struct, each field documented with its variable. They are read from
//! `xiangxun.toml` and then from `XIANGXUN_*` variables, which win.

use std::path::PathBuf;

use anyhow::Context;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use url::Url;

/// The settings of an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `XIANGXUN_LISTEN`: address and port to listen on.
    pub listen: String,
    /// `XIANGXUN_BASE_URL`: the site's own address as readers see it, without a slash at its end.
    pub base_url: String,
    /// `XIANGXUN_SITE_NAME`: the site's name, in titles and mails.
    pub site_name: String,
    /// `XIANGXUN_DATA`: folder of the SQLite file, the search index and media.
    pub data: PathBuf,
    /// `XIANGXUN_DATABASE_URL`: `sqlite://...` or `postgres://...`; by default a SQLite file in the data folder.
    pub database_url: String,
    /// `XIANGXUN_DATABASE_POOL`: connections to the database (readers, on SQLite).
    pub database_pool: u32,
    /// `XIANGXUN_TIMEZONE`: IANA name of the zone in which dates are shown to visitors.
    pub timezone: String,
    /// `XIANGXUN_LOCALE`: language for visitors whose browser asks for none of ours: zh-Hans, zh-Hant or en.
    pub locale: String,
    /// `XIANGXUN_OPEN_ACCOUNTS`: whether every user may open accounts, or operators only.
    pub open_accounts: bool,
    /// `XIANGXUN_SMTP_URL`: `smtp://`, `smtps://` with user and password; empty writes mail to files in the data folder.
    pub smtp_url: String,
    /// `XIANGXUN_MAIL_FROM`: sender of all mail.
    pub mail_from: String,
    /// `XIANGXUN_FETCH_ALLOW_PRIVATE`: lets feeds be fetched from private addresses. For tests only.
    pub fetch_allow_private: bool,
    /// `XIANGXUN_TRUST_PROXY`: take the client's address from `X-Forwarded-For`, set by a reverse proxy in front.
    pub trust_proxy: bool,
    /// `XIANGXUN_LOG_FORMAT`: `text` or `json`.
    pub log_format: String,
    /// `XIANGXUN_LOG`: what to log, in `tracing`'s filter syntax.
    pub log: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:3000".into(),
            base_url: "http://127.0.0.1:3000".into(),
            site_name: "乡讯".into(),
            data: "data".into(),
            database_url: String::new(),
            database_pool: 8,
            timezone: "Asia/Shanghai".into(),
            locale: "zh-Hans".into(),
            open_accounts: true,
            smtp_url: String::new(),
            mail_from: "乡讯 <news@localhost>".into(),
            fetch_allow_private: false,
            trust_proxy: false,
            log_format: "text".into(),
            log: "info".into(),
        }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// When the file or a variable cannot be read as its setting.
    pub fn load() -> anyhow::Result<Self> {
        let config: Self = Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file("xiangxun.toml"))
            .merge(Env::prefixed("XIANGXUN_"))
            .extract()
            .context("reading the settings")?;
        Url::parse(&config.base_url).context("base_url (XIANGXUN_BASE_URL) is not an address")?;
        Ok(config)
    }

    /// The database's URL, also where it was left to the default.
    pub fn database_url(&self) -> String {
        if self.database_url.is_empty() {
            format!("sqlite://{}", self.data.join("xiangxun.sqlite").display())
        } else {
            self.database_url.clone()
        }
    }

    /// An absolute address on this site; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url.trim_end_matches('/'))
    }

    /// Whether readers reach the site by https, so that cookies may be marked Secure.
    pub fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }
}
