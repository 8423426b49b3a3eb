//! Settings: one list, each with its meaning and default. They are read from `xiangxun.toml` and
//! then from `XIANGXUN_*` variables, which win.
//!
//! To add one, add it to the list in [`settings!`]: its variable, `xiangxun config docs` and the
//! check for unknown names follow from there.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Value};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::page::Locale;

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
            $(Setting { name: stringify!($name), doc: concat!($($doc),+), read: <$kind as FromText>::read },)+
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
    /// Folder of the SQLite file, the search index, media, and mail where no server is set.
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
    /// Sender of all mail: an address, or a name and an address in angle brackets.
    mail_from: String = "乡讯 <news@localhost>";
    /// Address that takes wishes to unsubscribe by mail and is read by you; empty offers the link alone.
    mail_unsubscribe: String = "";
    /// Titles that suggestions are made from, the newest; 100,000 take about 30 MB of memory.
    suggest_titles: u32 = 200_000u32;
    /// File of words that mean the same, one group a line: `央行 = 中国人民银行`; empty for the one built in.
    synonyms: PathBuf = "";
    /// Lets feeds be fetched from private addresses. For tests only.
    fetch_allow_private: bool = false;
    /// Take the client's address from `X-Forwarded-For`: only behind a reverse proxy that sets it.
    trust_proxy: bool = false;
    /// How log lines are written: `text` or `json`.
    log_format: String = "text";
    /// What to log: `error`, `warn`, `info`, `debug`, or by module, such as `info,xiangxun::search=debug`.
    log: String = "info";
}

/// A setting's documentation, and how its variable is read.
pub struct Setting {
    /// Its key in the settings file.
    pub name: &'static str,
    doc: &'static str,
    read: fn(&str) -> Result<Value, &'static str>,
}

impl Setting {
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_uppercase())
    }

    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }
}

/// Reads a variable as the type of its setting; the error says what was expected.
trait FromText {
    fn read(text: &str) -> Result<Value, &'static str>;
}

impl FromText for String {
    fn read(text: &str) -> Result<Value, &'static str> {
        Ok(text.into())
    }
}

impl FromText for PathBuf {
    fn read(text: &str) -> Result<Value, &'static str> {
        Ok(text.into())
    }
}

impl FromText for u32 {
    fn read(text: &str) -> Result<Value, &'static str> {
        text.trim().parse::<Self>().map(Value::from).map_err(|_| "a whole number")
    }
}

impl FromText for bool {
    fn read(text: &str) -> Result<Value, &'static str> {
        match text.trim() {
            "true" | "yes" | "1" => Ok(true.into()),
            "false" | "no" | "0" => Ok(false.into()),
            _ => Err("true or false"),
        }
    }
}

impl Config {
    /// Reads the settings file (the one named by `XIANGXUN_CONFIG`, else `xiangxun.toml` if there
    /// is one) and the environment.
    ///
    /// # Errors
    /// Names each setting that is unknown, cannot be read, or makes no sense.
    pub fn load() -> anyhow::Result<Self> {
        let config = Self::load_unchecked()?;
        let problems = config.problems();
        if !problems.is_empty() {
            bail!("the settings are not right:\n  {}", problems.join("\n  "));
        }
        Ok(config)
    }

    /// The same without looking whether the settings make sense.
    pub fn load_unchecked() -> anyhow::Result<Self> {
        let Some(path) = std::env::var_os(FILE_VARIABLE).map(PathBuf::from) else {
            return Self::read(Path::new(FILE), std::env::vars());
        };
        if !path.is_file() {
            bail!("there is no settings file {} ({FILE_VARIABLE})", path.display());
        }
        Self::read(&path, std::env::vars())
    }

    /// Reads a settings file, where it exists, and variables; does not look whether they make sense.
    pub fn read(file: &Path, variables: impl Iterator<Item = (String, String)>) -> anyhow::Result<Self> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
        };
        let table = Figment::from(Toml::string(&text))
            .extract::<Dict>()
            .map_err(|error| anyhow::anyhow!("{} is not TOML: {error}", file.display()))?;
        let mut problems: Vec<String> = table
            .keys()
            .filter(|key| !SETTINGS.iter().any(|setting| setting.name == key.as_str()))
            .map(|key| {
                format!(
                    "{}: unknown setting `{key}`{}",
                    file.display(),
                    hint(key, |setting| setting.name.into())
                )
            })
            .collect();
        let mut overrides = Dict::new();
        for (variable, text) in variables {
            if !variable.starts_with(PREFIX) || variable.starts_with(TEST_PREFIX) || variable == FILE_VARIABLE
            {
                continue;
            }
            match SETTINGS.iter().find(|setting| setting.variable() == variable) {
                None => problems
                    .push(format!("unknown variable `{variable}`{}", hint(&variable, Setting::variable))),
                Some(setting) => match (setting.read)(&text) {
                    Ok(value) => drop(overrides.insert(setting.name.into(), value)),
                    Err(expected) => {
                        problems.push(format!("{variable}: expected {expected}, found `{text}`"))
                    }
                },
            }
        }
        if !problems.is_empty() {
            problems.sort();
            bail!("the settings cannot be read:\n  {}", problems.join("\n  "));
        }
        Figment::from(Serialized::defaults(Self::default()))
            .merge(Serialized::defaults(table))
            .merge(Serialized::defaults(overrides))
            .extract()
            .map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))
    }

    /// What is wrong with the settings, each by its name; empty if nothing is.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |name: &str, good: bool, wanted: &str| {
            if !good {
                problems.push(format!("{name} ({PREFIX}{}): {wanted}", name.to_uppercase()));
            }
        };
        let site = Url::parse(&self.base_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        check("listen", is_address(&self.listen), "must be an address and a port, such as 127.0.0.1:3000");
        check("base_url", site.is_some(), "must be an address such as https://news.example");
        check(
            "base_url",
            site.is_none_or(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none()),
            "must be scheme and host alone: the site cannot live under a path",
        );
        let database = self.database_url();
        check(
            "database_url",
            ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| database.starts_with(scheme)),
            "must begin with sqlite:// or postgres://",
        );
        check("database_pool", (1..=1000).contains(&self.database_pool), "must be from 1 to 1000");
        check("suggest_titles", self.suggest_titles <= 2_000_000, "must be at most 2000000");
        check(
            "timezone",
            self.timezone.parse::<chrono_tz::Tz>().is_ok(),
            "must be an IANA name such as Asia/Shanghai or America/Toronto",
        );
        check(
            "locale",
            ["zh-Hans", "zh-Hant", "en"].contains(&self.locale.as_str()),
            "must be zh-Hans, zh-Hant or en",
        );
        check(
            "smtp_url",
            self.smtp_url.is_empty()
                || Url::parse(&self.smtp_url)
                    .is_ok_and(|url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host()),
            "must be smtp://HOST or smtps://USER:PASSWORD@HOST, or empty",
        );
        check(
            "mail_from",
            self.mail_from.parse::<lettre::message::Mailbox>().is_ok(),
            "must be an address such as news@example.org or 乡讯 <news@example.org>",
        );
        check(
            "mail_unsubscribe",
            self.mail_unsubscribe.is_empty() || crate::auth::Address::parse(&self.mail_unsubscribe).is_ok(),
            "must be an address such as leave@example.org, or empty",
        );
        let synonyms = crate::search::synonyms::Synonyms::load(&self.synonyms).err();
        check("synonyms", synonyms.is_none(), synonyms.as_deref().unwrap_or_default());
        check("log_format", ["text", "json"].contains(&self.log_format.as_str()), "must be text or json");
        check(
            "log",
            tracing_subscriber::EnvFilter::try_new(&self.log).is_ok(),
            "must be a level such as info, or levels by module",
        );
        problems
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

    /// Whether readers reach the site by https, so that cookies may be marked Secure.
    pub fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<std::net::SocketAddr>().is_ok()
        || text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

/// "; did you mean ...?", if some setting's name is near enough.
fn hint(unknown: &str, name: impl Fn(&Setting) -> String) -> String {
    SETTINGS
        .iter()
        .map(name)
        .map(|known| (strsim::jaro_winkler(unknown, &known), known))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, known)| format!("; did you mean `{known}`?"))
        .unwrap_or_default()
}
