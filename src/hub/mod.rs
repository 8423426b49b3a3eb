//! The hub (WebSub): whoever reads our feeds with a server of their own is told of changes instead of asking.
//!
//! A callback that wants to be told of a feed asks at `/hub`; a job asks back whether that is meant (nobody else may
//! subscribe a server to anything), and then it has a lease. What is new in a feed is known by events, so a lease only
//! remembers the last event that it was told: whoever could not be reached for an hour is told of all of it at once.
//! Hubs elsewhere, named by the setting `websub_hubs`, are told which feeds have changed and fetch them.

pub mod distribute;
pub mod pages;
pub mod queries;
pub mod topic;
pub mod verify;

use std::time::Duration;

use axum::http::HeaderValue;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, EntityTrait, QueryFilter,
};
use url::Url;

use crate::app::App;
use crate::config::Config;
use crate::db::Db;
use crate::db::entities::hub_request::{self, HubMode};
use crate::db::entities::{hub_lease, setting};
use crate::jobs::{self, Job};
use queries::Leases;
use topic::Topic;

/// How long a callback is told, if it does not say, and at least, and at most.
const USUAL_LEASE: Duration = Duration::from_secs(10 * 24 * 60 * 60);
const SHORTEST_LEASE: Duration = Duration::from_secs(60 * 60);
const LONGEST_LEASE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The longest callback; it is a key together with the topic.
const LONGEST_CALLBACK: usize = 1_500;
/// As the standard has it.
const LONGEST_SECRET: usize = 199;
/// How long a wish waits for its callback at most.
const VERIFIED_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Leases of one feed, of them those of one host, and of one host for all feeds.
const LEASES_OF_TOPIC: u64 = 10_000;
const LEASES_OF_TOPIC_AND_HOST: u64 = 100;
const LEASES_OF_HOST: u64 = 10_000;
/// Leases of searches, each of which reads all that is published: of one host, and in all.
const SEARCHES_OF_HOST: u64 = 50;
const SEARCHES: u64 = 1_000;
const MANY_SEARCHES: &str = "this host has as many searches as this hub serves";
/// Wishes of one host, and of all, that wait for their callbacks.
const WISHES_OF_HOST: u64 = 200;
const WISHES: u64 = 20_000;

/// Where outside hubs are kept, so that the transaction of a publication can see whether there are any.
const OUTSIDE_SETTING: &str = "outside_hubs";

/// What a subscriber sends, in the words of the standard.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Wish {
    #[serde(rename = "hub.mode")]
    pub mode: String,
    #[serde(rename = "hub.topic")]
    pub topic: String,
    #[serde(rename = "hub.callback")]
    pub callback: String,
    #[serde(rename = "hub.secret")]
    pub secret: String,
    #[serde(rename = "hub.lease_seconds")]
    pub lease_seconds: String,
}

/// Why a wish is not taken; for programmers, so in English alone.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Wrong(String),
    #[error("{0}")]
    Full(&'static str),
    #[error(transparent)]
    Broken(#[from] sea_orm::DbErr),
}

impl Refusal {
    fn wrong(words: impl Into<String>) -> Self {
        Self::Wrong(words.into())
    }
}

/// The address of our own hub, which tells of every public feed.
pub fn own_address(config: &Config) -> String {
    config.url("/hub")
}

/// That, and those of hubs elsewhere, which are told of accounts' feeds and the site's.
pub fn addresses(config: &Config) -> Vec<String> {
    std::iter::once(own_address(config)).chain(outside(&config.websub_hubs).unwrap_or_default()).collect()
}

/// What an answer about a topic says in its head.
pub fn links(hubs: &[String], topic: &str) -> Vec<HeaderValue> {
    let hubs = hubs.iter().map(|hub| (hub.as_str(), "hub"));
    let links = hubs.chain([(topic, "self")]).map(|(url, rel)| format!("<{url}>; rel=\"{rel}\""));
    links.filter_map(|link| HeaderValue::from_str(&link).ok()).collect()
}

/// The hubs of the setting; none where one of them is no address.
pub fn outside(setting: &str) -> Option<Vec<String>> {
    let address = |text: &str| {
        let url =
            Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.map(|_| text.to_owned())
    };
    setting.split_whitespace().map(address).collect()
}

/// Lets publications know which outside hubs this instance has.
pub async fn keep_outside(db: &Db, config: &Config) -> Result<(), sea_orm::DbErr> {
    let wanted = outside(&config.websub_hubs).unwrap_or_default().join(" ");
    let known = setting::Entity::find_by_id(OUTSIDE_SETTING).one(db.read()).await?;
    if known.map(|row| row.value).unwrap_or_default() == wanted {
        return Ok(());
    }
    let row = setting::ActiveModel { name: Set(OUTSIDE_SETTING.into()), value: Set(wanted) };
    let replace = sea_orm::sea_query::OnConflict::column(setting::Column::Name)
        .update_column(setting::Column::Value)
        .to_owned();
    setting::Entity::insert(row).on_conflict(replace).exec_without_returning(db.write()).await?;
    Ok(())
}

/// Takes a wish; its callback is asked soon. A newer wish of a callback for a topic takes the place of an older one.
///
/// # Errors
/// Says what is wrong with it, or that there are too many.
pub async fn take_wish(app: &App, wish: &Wish) -> Result<(), Refusal> {
    let mode: HubMode = wish.mode.parse().map_err(|_| match wish.mode.as_str() {
        "publish" => Refusal::wrong("feeds of this site are announced to this hub by the site itself"),
        _ => Refusal::wrong("hub.mode must be subscribe or unsubscribe"),
    })?;
    let topic = match mode {
        HubMode::Subscribe => Topic::find(app, &wish.topic).await?,
        // Of what it has a lease for, whether or not the feed is there any more.
        HubMode::Unsubscribe => Topic::named(&app.config, &wish.topic)?,
    };
    let callback = callback(app, &wish.callback)?;
    if wish.secret.len() > LONGEST_SECRET {
        return Err(Refusal::wrong("hub.secret must be shorter than 200 bytes"));
    }
    if wish.secret.contains('\0') {
        return Err(Refusal::wrong("hub.secret must not hold NUL"));
    }
    let lease_seconds = lease_seconds(&wish.lease_seconds)?;
    let host = callback.host_str().unwrap_or_default().to_owned();
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    hub_request::Entity::delete_many()
        .filter(hub_request::COLUMN.callback.eq(callback.as_str()))
        .filter(hub_request::COLUMN.topic.eq(topic.url.as_str()))
        .exec(&*tx)
        .await?;
    if queries::wishes_of_host(&*tx, &host).await? >= WISHES_OF_HOST || queries::wishes(&*tx).await? >= WISHES
    {
        return Err(Refusal::Full("too many requests of this host wait for its answer"));
    }
    if mode == HubMode::Subscribe && queries::lease(&*tx, callback.as_str(), &topic.url).await?.is_none() {
        check_room(&*tx, app, &topic.url, &host).await?;
        check_room_for_wish(&*tx, app, &topic.url, &host).await?;
    }
    let row = hub_request::ActiveModel {
        id: NotSet,
        mode: Set(mode),
        account_id: Set(topic.account_id),
        topic: Set(topic.url),
        callback: Set(callback.into()),
        host: Set(host),
        secret: Set(Some(wish.secret.clone()).filter(|secret| !secret.is_empty())),
        lease_seconds: Set(lease_seconds),
        attempts: Set(0),
        created_at: Set(now),
    };
    let request_id = row.insert(&*tx).await?.id;
    jobs::queue::enqueue(&*tx, now, Job::VerifyCallback { request_id }, now).await?;
    tx.commit().await?;
    Ok(())
}

fn callback(app: &App, text: &str) -> Result<Url, Refusal> {
    let wrong = |why: &str| Refusal::wrong(format!("hub.callback: {why}"));
    let url = Url::parse(text.trim()).map_err(|why| wrong(&why.to_string()))?;
    if url.as_str().len() > LONGEST_CALLBACK {
        return Err(wrong("too long"));
    }
    if url.fragment().is_some() {
        return Err(wrong("has a fragment"));
    }
    app.fetcher.check(&url).map_err(|why| wrong(&why.to_string()))?;
    Ok(url)
}

fn lease_seconds(text: &str) -> Result<i64, Refusal> {
    let usual = USUAL_LEASE.as_secs();
    let wanted = match text.trim() {
        "" => usual,
        text => text.parse().map_err(|_| Refusal::wrong("hub.lease_seconds must be a whole number"))?,
    };
    Ok(wanted.clamp(SHORTEST_LEASE.as_secs(), LONGEST_LEASE.as_secs()) as i64)
}

/// Whether there is room for one more lease of a host; who has one may always renew it.
async fn check_room<C: ConnectionTrait>(db: &C, app: &App, topic: &str, host: &str) -> Result<(), Refusal> {
    let leases = Leases::now(app);
    let check = async |leases: Leases, most: u64, why: &'static str| {
        if leases.count(db).await? >= most { Err(Refusal::Full(why)) } else { Ok(()) }
    };
    let of_topic = leases.clone().of_topic(topic);
    check(of_topic.clone(), LEASES_OF_TOPIC, "this topic has as many subscribers as this hub serves").await?;
    check(
        of_topic.of_host(host),
        LEASES_OF_TOPIC_AND_HOST,
        "this host has subscribed to this topic too often",
    )
    .await?;
    let of_host = leases.clone().of_host(host);
    check(of_host.clone(), LEASES_OF_HOST, "this host has as many subscriptions as this hub serves").await?;
    if queries::is_search(&app.config, topic) {
        check(of_host.of_searches(&app.config), SEARCHES_OF_HOST, MANY_SEARCHES).await?;
        let searches = leases.of_searches(&app.config);
        check(searches, SEARCHES, "there are as many searches as this hub serves").await?;
    }
    Ok(())
}

/// Whether there would still be if all the leases were given that the host waits for.
async fn check_room_for_wish<C: ConnectionTrait>(
    db: &C,
    app: &App,
    topic: &str,
    host: &str,
) -> Result<(), Refusal> {
    if !queries::is_search(&app.config, topic) {
        return Ok(());
    }
    let leases = Leases::now(app).of_host(host).of_searches(&app.config).count(db).await?;
    let wishes = queries::new_searches_wished(db, &app.config, host).await?;
    if leases + wishes >= SEARCHES_OF_HOST { Err(Refusal::Full(MANY_SEARCHES)) } else { Ok(()) }
}

/// Forgets leases that are over and wishes that nobody answered. Returns how many there were.
pub async fn forget_ended(app: &App) -> Result<u64, sea_orm::DbErr> {
    let now = app.clock.now();
    let ended = hub_lease::Entity::delete_many()
        .filter(hub_lease::COLUMN.expires_at.lt(now))
        .exec(app.db.write())
        .await?;
    let unanswered = hub_request::Entity::delete_many()
        .filter(hub_request::COLUMN.created_at.lt(now - VERIFIED_WITHIN))
        .exec(app.db.write())
        .await?;
    Ok(ended.rows_affected + unanswered.rows_affected)
}
