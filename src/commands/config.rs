//! `xiangxun config check` and `xiangxun config docs`.

use anyhow::bail;

use crate::config::{Config, FILE, FILE_VARIABLE, PREFIX, Reading, SETTINGS};

/// Settings that are nothing but a secret.
const SECRETS: [&str; 2] = ["hook_mailgun_key", "hook_postmark"];

#[derive(clap::Subcommand)]
pub enum Command {
    /// Print the effective settings, secrets masked, and what is wrong with them
    Check,
    /// Print every setting with its variable, default and meaning
    Docs,
}

pub fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Check => check(&Reading::of_this_process()),
        Command::Docs => {
            println!("{}", documentation());
            Ok(())
        }
    }
}

/// Prints the settings as far as they could be read, and everything that is wrong.
fn check(Reading { config, problems }: &Reading) -> anyhow::Result<()> {
    for setting in SETTINGS {
        println!("{:<20} = {}", setting.name, shown(config, setting.name));
    }
    println!("\ndatabase: {}", masked(&config.database_url()));
    let problems: Vec<String> =
        problems.iter().cloned().chain(config.problems()).chain(data_folder_problem(config)).collect();
    if problems.is_empty() {
        for warning in warnings(config) {
            println!("note: {warning}");
        }
        println!("the settings are right");
        return Ok(());
    }
    for problem in &problems {
        println!("wrong: {problem}");
    }
    match problems.len() {
        1 => bail!("one thing is wrong with the settings"),
        many => bail!("{many} things are wrong with the settings"),
    }
}

/// Every setting with its variable, default and meaning, as a Markdown table.
pub fn documentation() -> String {
    let defaults = Config::default();
    let mut text = format!(
        "Settings are read from `{FILE}` in the working folder (or the file that `--config FILE` or\n\
         `{FILE_VARIABLE}` names), one `name = value` a line, and then from variables, which win.\n\n\
         | setting | variable | default | meaning |\n| --- | --- | --- | --- |\n"
    );
    for setting in SETTINGS {
        let row = format!(
            "| `{}` | `{}` | {} | {} |\n",
            setting.name,
            setting.variable(),
            match shown(&defaults, setting.name).as_str() {
                "\"\"" | "[]" => "empty".into(),
                default => format!("`{}`", default.trim_matches('"')),
            },
            setting.doc()
        );
        text.push_str(&row);
    }
    text.pop();
    text
}

/// A setting's value as it would stand in the settings file, without its secrets.
fn shown(config: &Config, name: &str) -> String {
    let values = serde_json::to_value(config).unwrap_or_default();
    match &values[name] {
        serde_json::Value::String(text) if SECRETS.contains(&name) && !text.is_empty() => "\"***\"".into(),
        value => written(value),
    }
}

/// A value as TOML writes it in one line, its secrets masked.
fn written(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::String(text) => format!("{:?}", masked(text)),
        Value::Array(values) => format!("[{}]", values.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Object(values) => {
            let pairs: Vec<_> =
                values.iter().map(|(name, value)| format!("{name} = {}", written(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        value => value.to_string(),
    }
}

/// An address with its password hidden, also one that cannot be read, as a password with an
/// unescaped character makes it; any other text as it is.
fn masked(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    // The last @ ends user and password, whatever they hold.
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}"),
            None => format!("{user}@{host}"),
        },
        None => rest.to_owned(),
    };
    let (before, query) = rest.split_once('?').map_or((&*rest, ""), |(before, query)| (before, query));
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if name.to_lowercase().contains("password") => format!("{name}=***"),
            _ => pair.to_owned(),
        })
        .collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
    format!("{scheme}://{before}{query}")
}

/// Whether the data folder can be written.
fn data_folder_problem(config: &Config) -> Option<String> {
    let data = &config.data;
    let probe = data.join(".probe");
    let written = std::fs::create_dir_all(data)
        .and_then(|()| std::fs::write(&probe, ""))
        .and_then(|()| std::fs::remove_file(&probe));
    written.err().map(|error| format!("data ({PREFIX}DATA): {} cannot be written: {error}", data.display()))
}

/// What works, but is seldom meant for a site that others read.
fn warnings(config: &Config) -> Vec<&'static str> {
    let mut warnings = Vec::new();
    let local = config.base_url.contains("://127.0.0.1") || config.base_url.contains("://localhost");
    if config.servers().is_empty() {
        warnings.push("smtp_url is empty: mail is written to files in the data folder and reaches nobody");
    }
    if !local && !config.is_https() {
        warnings.push("base_url is not https: sign-in cookies travel in the clear");
    }
    if !local && !config.trust_proxy && config.listen.starts_with("127.") {
        warnings.push("trust_proxy is off: behind a reverse proxy all visitors share one rate limit");
    }
    if config.fetch_allow_private {
        warnings
            .push("fetch_allow_private is on: whoever adds a source can read addresses of your own network");
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn passwords_are_hidden_also_in_addresses_that_cannot_be_read() {
        for (address, shown) in [
            ("postgres://me:secret@db/site", "postgres://me:***@db/site"),
            ("smtps://me@example.org:p/w#1?@mail.example:465", "smtps://me@example.org:***@mail.example:465"),
            (
                "postgres://db/site?password=secret&sslmode=require",
                "postgres://db/site?password=***&sslmode=require",
            ),
            ("smtp://mail.example:25", "smtp://mail.example:25"),
            ("sqlite:///data/site.sqlite", "sqlite:///data/site.sqlite"),
            ("", ""),
        ] {
            assert_eq!(masked(address), shown);
        }
    }
}
