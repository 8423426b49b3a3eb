//! `xiangxun test-mail`: one letter through each configured mail server, and what the servers say.

use anyhow::Context;

use crate::config::Config;
use crate::mail::{Letter, Mailer, Route};
use crate::page::Locale;

#[derive(clap::Args)]
pub struct Options {
    /// Who is to get it
    address: String,
}

pub async fn run(options: &Options) -> anyhow::Result<()> {
    let config = Config::load()?;
    super::log::start_quietly(&config);
    let mailer = Mailer::from_config(&config)?;
    let locale = Locale::from_tag(&config.locale).unwrap_or(Locale::ZhHans);
    let site = config.site_name_in(locale);
    let text = format!(
        "This is a test message from {site} ({base}).\n这是来自{site}的测试邮件。\n這是來自{site}的測試郵件。\n",
        base = config.base_url
    );
    let escaped = text.trim_end().replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br>");
    let letter = Letter {
        to: options.address.clone(),
        subject: format!("{site}: test message / 测试邮件 / 測試郵件"),
        html: format!("<p>{escaped}</p>"),
        text,
        ..Letter::default()
    };
    let mut refused = Vec::new();
    for (server, relay) in mailer.relays().iter().enumerate() {
        let answer = mailer.send_by(&letter, &Route::by(server)).await;
        match (answer, relay.name.as_str()) {
            (Ok(answer), "") if relay.host().is_none() => {
                let folder = config.data.join("mail");
                println!("smtp_url is empty, so the message was {answer} in {}", folder.display());
            }
            (Ok(answer), "") => println!("the mail server took it: {answer}"),
            (Ok(answer), name) => println!("{name} took it: {answer}"),
            (Err(error), "") => return Err(error).context("the message was not taken"),
            (Err(error), name) => refused.push(format!("{name}: {error}")),
        }
    }
    if !refused.is_empty() {
        anyhow::bail!("the message was not taken by {}", refused.join("; "));
    }
    Ok(())
}
