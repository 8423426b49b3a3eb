//! Settings: one list, each with its meaning and default. They are read from `xiangxun.toml` and
//! then from `XIANGXUN_*` variables, which win.
//!
//! To add one, add it to the list in [`settings!`]: its variable, `xiangxun config docs` and the
//! check for unknown names follow from there.

mod problems;
mod read;

use std::path::PathBuf;

use figment::value::{Dict, Value};
use serde::{Deserialize, Serialize};

use crate::mail::servers::{MailServer, MailServers};
use crate::page::Locale;
pub use read::{Reading, choose_file};

/// What every variable begins with.
pub const PREFIX: &str = "XIANGXUN_";
/// Names the settings file; not itself a setting.
pub const FILE_VARIABLE: &str = "XIANGXUN_CONFIG";
/// Where the settings file lies if nobody says otherwise.
pub const FILE: &str = "xiangxun.toml";
/// Read by the tests, never by the program.
const TEST_PREFIX: &str = "XIANGXUN_TEST_";

/// Makes [`Config`], its defaults and [`SETTINGS`] from one list.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $kind:ty = $default:expr;)+) => {
        /// The settings of an instance.
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $name: $kind,)+
            /// Whether this is the throw-away instance of `xiangxun demo`; no setting of any file.
            #[serde(skip)]
            pub demo: bool,
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $($name: $default.into(),)+ demo: false }
            }
        }

        /// Every setting, in the order of the documentation.
        pub const SETTINGS: &[Setting] = &[
            $(Setting {
                name: stringify!($name),
                doc: concat!($($doc),+),
                wanted: <$kind as Kind>::WANTED,
                trouble: <$kind as Kind>::trouble,
                read: <$kind as Kind>::read,
                fits: <$kind as Kind>::fits,
            },)+
        ];
    };
}

settings! {
    /// Address and port to listen on.
    listen: String = "127.0.0.1:3000";
    /// The site's own address as readers see it: scheme and host, without a path.
    base_url: String = "http://127.0.0.1:3000";
    /// The site's name, in titles and mails; empty for 乡讯, 鄉訊 or Xiangxun, as the reader's language is.
    site_name: String = "";
    /// Folder of the SQLite file, the search index, media, exports (each for 7 days), and mail where no server is set.
    data: PathBuf = "data";
    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/NAME`; empty for a SQLite file in the data folder.
    database_url: String = "";
    /// Connections to the database (on SQLite: readers; there is always one writer).
    database_pool: u32 = 8u32;
    /// Zone in which dates are shown to visitors, an IANA name.
    timezone: String = "Asia/Shanghai";
    /// Language for visitors whose browser asks for none of ours: `zh-Hans`, `zh-Hant` or `en`.
    locale: String = "zh-Hans";
    /// Whether every user may open accounts, or operators only.
    open_accounts: bool = true;
    /// Mail server: `smtp://` or `smtps://`, with user and password; empty writes mail to files in the data folder.
    smtp_url: String = "";
    /// Several mail servers, in the place of `smtp_url`: a list of tables with `name` and `url` and, if wanted, `rank`, `weight`, `caps`, `warm_up` and `accounts`; see "Mail that arrives".
    mail_servers: MailServers = MailServers::default();
    /// Sender of all mail: an address, or a name and an address in angle brackets.
    mail_from: String = "乡讯 <news@localhost>";
    /// Address that takes wishes to unsubscribe by mail and is read by you; empty offers the link alone.
    mail_unsubscribe: String = "";
    /// Connections kept busy to the mail servers, by each node that sends.
    smtp_connections: u32 = 8u32;
    /// Folder of DKIM keys, made by `xiangxun mail keygen`; empty signs nothing.
    dkim_keys: PathBuf = "";
    /// Most messages within any stretch of time, to one mailbox provider or to all: `gmail=500/1h, qq=20/1m, all=50000/1d`.
    mail_caps: String = "";
    /// First day of a new sending domain, `2026-12-01`: messages within 24 hours grow from then on, or by the steps that follow, `2026-12-01: 50, 100, 200`.
    mail_warm_up: String = "";
    /// Name server for MX and DKIM records, `192.0.2.1` or `192.0.2.1:5353`; empty for the system's, `none` asks nobody.
    name_server: String = "";
    /// Domain that bounces go to: its MX leads to `bounce_listen`. Empty has them go to `mail_from`, where nothing reads them.
    bounce_domain: String = "";
    /// Address and port to take bounces on (SMTP and LMTP), such as `0.0.0.0:25`, by nodes that do jobs; empty for none.
    bounce_listen: String = "";
    /// ARN of the SNS topic by which Amazon SES tells of bounces and complaints at `/hooks/mail/ses`; empty takes none.
    hook_ses_topic: String = "";
    /// Signing key of Mailgun's webhooks, for `/hooks/mail/mailgun`; empty takes none.
    hook_mailgun_key: String = "";
    /// `USER:PASSWORD` that Postmark's webhooks come with, for `/hooks/mail/postmark`; empty takes none.
    hook_postmark: String = "";
    /// MB of memory for indexing while many articles come at once or the index is built; a few at a time take 30 at most.
    index_memory: u32 = 200u32;
    /// MB of memory for pages as everybody gets them who is not signed in, and a quarter more for packed copies of them; 0 makes each anew.
    page_cache: u32 = 64u32;
    /// Searches that run at once; 0 for two on each core.
    searches_at_once: u32 = 0u32;
    /// Searches that may wait for their turn; more are asked to come back later (503).
    searches_waiting: u32 = 100u32;
    /// Milliseconds that one search may take; after that it shows what it has found so far, and says so.
    search_time: u32 = 2_000u32;
    /// Titles that suggestions are made from, the newest; 100,000 take about 30 MB of memory.
    suggest_titles: u32 = 200_000u32;
    /// File of words that mean the same, one group a line: `央行 = 中国人民银行`; empty for the one built in.
    synonyms: PathBuf = "";
    /// Font file (TTF, OTF or TTC) for the titles on share images, such as Noto Serif CJK; empty for the one built in.
    share_font: PathBuf = "";
    /// MB that covers of imported articles may take on disk, for each account; more stay where they are, and are asked for daily. Uploads have room of their own.
    cover_space: u32 = 4_096u32;
    /// Addresses of WebSub hubs elsewhere, separated by spaces, that are told of changed feeds and named in them beside our own.
    websub_hubs: String = "";
    /// Lets feeds be fetched from, and callbacks and webhooks be at, private addresses. For tests only.
    fetch_allow_private: bool = false;
    /// Take the client's address from `X-Forwarded-For`: only behind a reverse proxy that sets it.
    trust_proxy: bool = false;
    /// How log lines are written: `text` or `json`.
    log_format: String = "text";
    /// What to log: `error`, `warn`, `info`, `debug`, or by module, such as `info,xiangxun::search=debug`.
    log: String = "info";
}

/// A setting's documentation, and how it is read.
pub struct Setting {
    /// Its key in the settings file.
    pub name: &'static str,
    doc: &'static str,
    /// What a value of it is, for those who wrote something else.
    wanted: &'static str,
    /// Reads a variable; none where it is not what is wanted.
    read: fn(&str) -> Option<Value>,
    /// Whether a value of the settings file is what is wanted.
    fits: fn(&Value) -> bool,
    /// More of why it does not fit, where there is more to say.
    trouble: fn(&Value) -> Option<String>,
}

impl Setting {
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_uppercase())
    }

    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }
}

/// What a setting can be.
trait Kind {
    const WANTED: &'static str;
    fn read(text: &str) -> Option<Value>;
    fn fits(value: &Value) -> bool;
    fn trouble(_: &Value) -> Option<String> {
        None
    }
}

impl Kind for String {
    const WANTED: &'static str = "a text in quotes";
    fn read(text: &str) -> Option<Value> {
        Some(text.into())
    }
    fn fits(value: &Value) -> bool {
        value.as_str().is_some()
    }
}

impl Kind for PathBuf {
    const WANTED: &'static str = "a path in quotes";
    fn read(text: &str) -> Option<Value> {
        Some(text.into())
    }
    fn fits(value: &Value) -> bool {
        value.as_str().is_some()
    }
}

impl Kind for MailServers {
    const WANTED: &'static str =
        "a list of tables, such as [{ name = \"one\", url = \"smtp://mail.example\" }]";
    fn read(text: &str) -> Option<Value> {
        use figment::providers::{Format, Toml};
        let table: Dict = figment::Figment::from(Toml::string(&format!("list = {text}"))).extract().ok()?;
        table.get("list").filter(|value| Self::fits(value)).cloned()
    }
    fn fits(value: &Value) -> bool {
        value.deserialize::<Self>().is_ok()
    }
    fn trouble(value: &Value) -> Option<String> {
        Self::trouble(value)
    }
}

impl Kind for u32 {
    const WANTED: &'static str = "a whole number from 0 to 4294967295";
    fn read(text: &str) -> Option<Value> {
        text.trim().parse::<Self>().map(Value::from).ok()
    }
    fn fits(value: &Value) -> bool {
        value.to_i128().is_some_and(|number| Self::try_from(number).is_ok())
    }
}

impl Kind for bool {
    const WANTED: &'static str = "true or false";
    fn read(text: &str) -> Option<Value> {
        match text.trim() {
            "true" | "yes" | "1" => Some(true.into()),
            "false" | "no" | "0" => Some(false.into()),
            _ => None,
        }
    }
    fn fits(value: &Value) -> bool {
        value.to_bool().is_some()
    }
}

impl Config {
    /// The mail servers, also where there is only one; none where mail is written to files.
    pub fn servers(&self) -> Vec<MailServer> {
        match self.smtp_url.as_str() {
            "" => self.mail_servers.0.clone(),
            url => vec![MailServer::only(url)],
        }
    }

    /// The site's name for readers of a language.
    pub fn site_name_in(&self, locale: Locale) -> String {
        match self.site_name.trim() {
            "" if self.demo => locale.text("demo-site-name"),
            "" => locale.text("site-name"),
            name => name.to_owned(),
        }
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

    /// An address that works outside of this site: paths are made absolute, others stay as they are.
    pub fn absolute(&self, address: &str) -> String {
        if address.starts_with('/') { self.url(address) } else { address.to_owned() }
    }

    /// Whether readers reach the site by https, so that cookies may be marked Secure.
    pub fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<std::net::SocketAddr>().is_ok()
        || text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}
