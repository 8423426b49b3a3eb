//! What is wrong with settings that could be read.

use url::Url;

use super::{Config, PREFIX, is_address};
use crate::delivery::caps::Caps;
use crate::delivery::ramp::Ramp;

#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    /// Says what is wanted of a setting, unless it is good.
    fn check(&mut self, name: &str, good: bool, wanted: &str) {
        if !good {
            self.0.push(format!("{name} ({PREFIX}{}): {wanted}", name.to_uppercase()));
        }
    }
}

impl Config {
    /// What is wrong with the settings, each by its name; empty if nothing is.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Problems::default();
        for look in [of_site, of_search, of_sending, of_bounces, of_house] {
            look(self, &mut problems);
        }
        problems.0
    }
}

/// Where the site is, and what it keeps things in.
fn of_site(config: &Config, problems: &mut Problems) {
    let site = Url::parse(&config.base_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    problems.check(
        "listen",
        is_address(&config.listen),
        "must be an address and a port, such as 127.0.0.1:3000",
    );
    problems.check("base_url", site.is_some(), "must be an address such as https://news.example");
    problems.check(
        "base_url",
        site.is_none_or(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none()),
        "must be scheme and host alone: the site cannot live under a path",
    );
    let database = config.database_url();
    problems.check(
        "database_url",
        ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| database.starts_with(scheme)),
        "must begin with sqlite:// or postgres://",
    );
    problems.check("database_pool", (1..=1000).contains(&config.database_pool), "must be from 1 to 1000");
    problems.check("page_cache", config.page_cache <= 4_000, "must be from 0 to 4000");
    problems.check(
        "timezone",
        config.timezone.parse::<chrono_tz::Tz>().is_ok(),
        "must be an IANA name such as Asia/Shanghai or America/Toronto",
    );
    problems.check(
        "locale",
        ["zh-Hans", "zh-Hant", "en"].contains(&config.locale.as_str()),
        "must be zh-Hans, zh-Hant or en",
    );
}

/// Search and its memory.
fn of_search(config: &Config, problems: &mut Problems) {
    problems.check("index_memory", (30..=8_000).contains(&config.index_memory), "must be from 30 to 8000");
    problems.check("searches_at_once", config.searches_at_once <= 1_000, "must be at most 1000");
    problems.check("searches_waiting", config.searches_waiting <= 100_000, "must be at most 100000");
    problems.check("search_time", (50..=25_000).contains(&config.search_time), "must be from 50 to 25000");
    problems.check("suggest_titles", config.suggest_titles <= 2_000_000, "must be at most 2000000");
    let synonyms = crate::search::synonyms::Synonyms::load(&config.synonyms).err();
    problems.check("synonyms", synonyms.is_none(), synonyms.as_deref().unwrap_or_default());
}

/// Mail on its way out.
fn of_sending(config: &Config, problems: &mut Problems) {
    problems.check(
        "smtp_url",
        config.smtp_url.is_empty()
            || Url::parse(&config.smtp_url)
                .is_ok_and(|url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host()),
        "must be smtp://HOST or smtps://USER:PASSWORD@HOST, or empty",
    );
    problems.check(
        "mail_from",
        config.mail_from.parse::<lettre::message::Mailbox>().is_ok(),
        "must be an address such as news@example.org or 乡讯 <news@example.org>",
    );
    problems.check(
        "mail_unsubscribe",
        config.mail_unsubscribe.is_empty() || crate::auth::Address::parse(&config.mail_unsubscribe).is_ok(),
        "must be an address such as leave@example.org, or empty",
    );
    let servers = config.mail_servers.problem();
    problems.check("mail_servers", servers.is_none(), servers.as_deref().unwrap_or_default());
    problems.check(
        "mail_servers",
        config.smtp_url.is_empty() || config.mail_servers.0.is_empty(),
        "stands in the place of smtp_url: put that server into the list, or leave the list out",
    );
    let warm_up = Ramp::parse(&config.mail_warm_up).err();
    problems.check("mail_warm_up", warm_up.is_none(), warm_up.as_deref().unwrap_or_default());
    problems.check(
        "name_server",
        config.name_server.is_empty() || crate::mail::dns::Dns::of(&config.name_server).is_ok(),
        "must be an address such as 192.0.2.1 or 192.0.2.1:5353, `none`, or empty",
    );
    problems.check("smtp_connections", (1..=200).contains(&config.smtp_connections), "must be from 1 to 200");
    let caps = config.mail_caps.parse::<Caps>().err();
    problems.check("mail_caps", caps.is_none(), caps.as_deref().unwrap_or_default());
}

/// What comes back of it.
fn of_bounces(config: &Config, problems: &mut Problems) {
    problems.check(
        "bounce_domain",
        config.bounce_domain.is_empty()
            || crate::auth::Address::parse(&format!("b@{}", config.bounce_domain))
                .is_ok_and(|address| address.as_str() == format!("b@{}", config.bounce_domain)),
        "must be a domain in lower case such as bounces.example.org, or empty",
    );
    problems.check(
        "bounce_listen",
        config.bounce_listen.is_empty() || is_address(&config.bounce_listen),
        "must be an address and a port, such as 0.0.0.0:25, or empty",
    );
    problems.check(
        "bounce_listen",
        config.bounce_listen.is_empty() || !config.bounce_domain.is_empty(),
        "is of no use without bounce_domain",
    );
    problems.check(
        "hook_ses_topic",
        config.hook_ses_topic.is_empty() || config.hook_ses_topic.starts_with("arn:aws"),
        "must be an ARN such as arn:aws:sns:eu-west-1:123456789012:bounces, or empty",
    );
    let (user, password) = config.hook_postmark.split_once(':').unwrap_or_default();
    problems.check(
        "hook_postmark",
        config.hook_postmark.is_empty() || !user.is_empty() && password.len() >= 12,
        "must be USER:PASSWORD, the password of 12 characters or more, or empty",
    );
}

/// Hubs and logs.
fn of_house(config: &Config, problems: &mut Problems) {
    problems.check(
        "websub_hubs",
        crate::hub::outside(&config.websub_hubs).is_some(),
        "must be addresses such as https://hub.example/, separated by spaces, or empty",
    );
    problems.check(
        "log_format",
        ["text", "json"].contains(&config.log_format.as_str()),
        "must be text or json",
    );
    problems.check(
        "log",
        tracing_subscriber::EnvFilter::try_new(&config.log).is_ok(),
        "must be a level such as info, or levels by module",
    );
}
