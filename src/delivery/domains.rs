//! Whose mailboxes are behind a domain: learned from its MX records and kept in the table of domains, so that
//! a company's own domain at Google or Tencent counts for that provider.
//!
//! New subscriptions are walked by id before each fan-out and every hour; a domain is asked again after a
//! month, or after an hour where nobody answered. Until it is known, the domain alone decides.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Order, Query};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};

use super::provider;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::delivery::Provider;
use crate::db::entities::mail_domain::{self, Column};
use crate::db::entities::{setting, subscription};
use crate::mail::dns::DnsError;

/// The last subscription whose domain was looked at.
const CURSOR: &str = "domains_learned_to";
/// Subscriptions looked at in one query.
const BATCH: u64 = 10_000;
/// Domains asked for at the same time.
const AT_ONCE: usize = 16;
/// Domains asked for anew in one go.
const MOST_AGAIN: u64 = 500;
/// How long an answer is kept, and how long its absence.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const KEPT_WITHOUT: Duration = Duration::from_secs(60 * 60);

/// Learns the domains of subscriptions that are new, for at most `patience`. What is left is learned the
/// next time.
pub async fn learn(app: &App, patience: Duration) -> anyhow::Result<()> {
    let began = Instant::now();
    while !app.dns.is_off() && began.elapsed() < patience {
        let Some((last, domains)) = unknown(app).await? else { return Ok(()) };
        let mut asked = stream::iter(domains).map(|domain| ask(app, domain)).buffer_unordered(AT_ONCE);
        while began.elapsed() < patience {
            match asked.next().await {
                Some(learned) => learned?,
                None => {
                    keep_cursor(app, last).await?;
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Asks anew for domains whose answers are old.
pub async fn learn_again(app: &App) -> anyhow::Result<()> {
    let old = mail_domain::Entity::find()
        .filter(Expr::col(Column::AskAt).lte(app.clock.now()))
        .order_by_asc(mail_domain::COLUMN.ask_at)
        .limit(MOST_AGAIN)
        .all(app.db.read())
        .await?;
    let mut asked = stream::iter(old).map(|row| ask(app, row.domain)).buffer_unordered(AT_ONCE);
    while let Some(learned) = asked.next().await {
        learned?;
    }
    Ok(())
}

/// The domains that nothing is known of, of the next subscriptions, and the last of these.
async fn unknown(app: &App) -> Result<Option<(i64, BTreeSet<String>)>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        email: String,
        known: Option<i64>,
    }
    let cursor = setting::Entity::find_by_id(CURSOR).one(app.db.read()).await?;
    let cursor: i64 = cursor.and_then(|row| row.value.parse().ok()).unwrap_or(0);
    let id = (subscription::Entity, subscription::Column::Id);
    let email = (subscription::Entity, subscription::Column::Email);
    let mut query = Query::select();
    query
        .column(id)
        .column(email)
        .expr_as(Expr::col((mail_domain::Entity, Column::Id)), "known")
        .from(subscription::Entity)
        .and_where(Expr::col(id).gt(cursor))
        .order_by(id, Order::Asc)
        .limit(BATCH);
    provider::join_domains(&mut query, app.db.backend(), Expr::col(email));
    let rows = Row::find_by_statement(app.db.backend().build(&query)).all(app.db.read()).await?;
    let Some(last) = rows.last().map(|row| row.id) else { return Ok(None) };
    let domain = |row: &Row| row.email.split_once('@').map(|(_, domain)| domain.to_owned());
    Ok(Some((last, rows.iter().filter(|row| row.known.is_none()).filter_map(domain).collect())))
}

async fn keep_cursor(app: &App, last: i64) -> Result<(), DbErr> {
    let row = setting::ActiveModel { name: Set(CURSOR.into()), value: Set(last.to_string()) };
    setting::Entity::insert(row)
        .on_conflict(
            OnConflict::column(setting::Column::Name).update_column(setting::Column::Value).to_owned(),
        )
        .exec_without_returning(app.db.write())
        .await?;
    Ok(())
}

/// Asks for a domain's mail hosts and keeps the answer.
async fn ask(app: &App, domain: String) -> Result<(), DbErr> {
    let (provider, kept) = match app.dns.mx(&domain).await {
        Ok(hosts) => (of_hosts(&hosts), KEPT),
        Err(DnsError::NoRecord) => (Some(Provider::Other), KEPT),
        Err(DnsError::Off) => return Ok(()),
        Err(DnsError::Failed(why)) => {
            tracing::debug!(domain, "its mail hosts could not be looked up: {why}");
            (None, KEPT_WITHOUT)
        }
    };
    let now = app.clock.now();
    let row = mail_domain::ActiveModel {
        id: NotSet,
        domain: Set(domain),
        provider: Set(provider.unwrap_or(Provider::Other)),
        learned_at: Set(Some(now)),
        ask_at: Set(Some(now + kept)),
    };
    let mut columns = vec![Column::LearnedAt, Column::AskAt];
    // Where nobody answers, what was known stays.
    if provider.is_some() {
        columns.push(Column::Provider);
    }
    // An operator's own rows, and those known from the start, stay as they are.
    let is_learned = Expr::col((mail_domain::Entity, Column::LearnedAt)).is_not_null();
    let known =
        OnConflict::column(Column::Domain).update_columns(columns).action_and_where(is_learned).to_owned();
    mail_domain::Entity::insert(row).on_conflict(known).exec_without_returning(app.db.write()).await?;
    Ok(())
}

/// The provider of a domain's mail hosts; the preferred one decides.
fn of_hosts(hosts: &[String]) -> Option<Provider> {
    Some(hosts.first().map_or(Provider::Other, |host| of_host(host)))
}

/// Whose a mail host is.
pub fn of_host(host: &str) -> Provider {
    let host = host.trim_end_matches('.').to_lowercase();
    let is_of = |domain: &&str| {
        host == **domain || host.strip_suffix(*domain).is_some_and(|name| name.ends_with('.'))
    };
    const HOSTS: [(Provider, &[&str]); 5] = [
        (Provider::Gmail, &["google.com", "googlemail.com", "psmtp.com"]),
        (
            Provider::Outlook,
            &[
                "mail.protection.outlook.com",
                "olc.protection.outlook.com",
                "mail.eo.outlook.com",
                "mx.microsoft",
                "protection.partner.outlook.cn",
                "hotmail.com",
            ],
        ),
        (Provider::Qq, &["qq.com"]),
        (Provider::Netease, &["netease.com", "163.com", "126.com", "yeah.net"]),
        (Provider::Yahoo, &["yahoodns.net", "yahoo.com", "aol.com"]),
    ];
    HOSTS.iter().find(|(_, domains)| domains.iter().any(&is_of)).map_or(Provider::Other, |(one, _)| *one)
}

/// When a domain is asked again; only those that were learned are.
pub async fn known(app: &App, domain: &str) -> Result<Option<(Provider, Option<Timestamp>)>, DbErr> {
    let row =
        mail_domain::Entity::find().filter(mail_domain::COLUMN.domain.eq(domain)).one(app.db.read()).await?;
    Ok(row.map(|row| (row.provider, row.ask_at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_hosts_belong_to_providers() {
        for (host, provider) in [
            ("aspmx.l.google.com", Provider::Gmail),
            ("smtp.google.com.", Provider::Gmail),
            ("ALT1.ASPMX.L.GOOGLE.COM", Provider::Gmail),
            ("outlet-example.mail.protection.outlook.com", Provider::Outlook),
            ("outlet-example.j-v1.mx.microsoft", Provider::Outlook),
            ("outlet.mail.protection.partner.outlook.cn", Provider::Outlook),
            ("mxbiz1.qq.com", Provider::Qq),
            ("hzmx01.mxmail.netease.com", Provider::Netease),
            ("qiye163mx01.mxmail.netease.com", Provider::Netease),
            ("mx-biz.mail.am0.yahoodns.net", Provider::Yahoo),
            ("mx.notgoogle.com", Provider::Other),
            ("qq.com.evil.example", Provider::Other),
            ("mail.example.org", Provider::Other),
            ("", Provider::Other),
        ] {
            assert_eq!(of_host(host), provider, "{host}");
        }
    }
}
