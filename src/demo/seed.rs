//! What the demo begins with: accounts, articles, a publisher, and a reader who follows some of it.

use std::collections::HashMap;
use std::io::Read;
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;

use crate::accounts::profile::ProfileForm;
use crate::accounts::{self, By, NewAccount};
use crate::app::App;
use crate::articles::{self, Actor, NewArticle, content};
use crate::auth::links::{self, LinkPurpose};
use crate::auth::users::{self, NewUser};
use crate::auth::{Address, LocalPath};
use crate::collections::{self, CollectionForm};
use crate::db::entities::user;
use crate::page::Locale;
use crate::pushes::{self, NewPush};
use crate::subscriptions;

static ACCOUNTS: &str = include_str!("../../demo/accounts.json");
static ARTICLES: &[u8] = include_bytes!("../../demo/articles.jsonl.zst");

/// How long the links that sign in are good.
const LINKS_LAST: Duration = Duration::from_secs(24 * 60 * 60);
/// Accounts that the reader follows: both scripts.
const FOLLOWED: [&str; 4] = ["gewu", "kaiyuanren", "wenshi", "zhuomian"];

/// Followed accounts that have just pushed their newest article, so that the mailbox is not empty.
const PUSHED: [&str; 2] = ["gewu", "kaiyuanren"];

/// Collections: an account, a title, and the tag of its articles that are in it.
const COLLECTED: [(&str, &str, &str); 5] = [
    ("minglinghang", "FreeDOS 从头说起", "FreeDOS"),
    ("minglinghang", "树莓派上手", "树莓派"),
    ("chengxu", "学点 Python", "Python"),
    ("chengxu", "DevOps 手记", "DevOps"),
    ("zhuomian", "编辑器比一比", "编辑器"),
];

#[derive(Deserialize)]
struct DemoAccount {
    handle: String,
    name: String,
    bio: String,
    lang: String,
    verified: bool,
    region: String,
    topic: String,
}

#[derive(Deserialize)]
struct DemoArticle {
    external_id: String,
    account: String,
    title: String,
    /// Markdown.
    body: String,
    author: String,
    tags: Vec<String>,
    lang: String,
    url: String,
    /// How long before the demo's start it was published.
    age_minutes: u64,
}

/// Links that sign in, each good once.
pub struct Links {
    pub publisher: String,
    pub reader: String,
}

/// Fills an empty instance.
pub async fn seed(app: &App) -> anyhow::Result<Links> {
    let articles = crate::blocking::run(unpack);
    let publisher = user(app, "publisher@demo.localhost", "出版人", true).await?;
    let reader = user(app, "reader@demo.localhost", "讀者", false).await?;
    let mut ids = HashMap::new();
    for demo in serde_json::from_str::<Vec<DemoAccount>>(ACCOUNTS)? {
        let new = NewAccount { handle: demo.handle.clone(), name: demo.name, bio: demo.bio, lang: demo.lang };
        let account = accounts::open(app, By::Console, Some(publisher.id), &new).await?;
        let place = ProfileForm { region: demo.region, topic: demo.topic, ..ProfileForm::of(&account) };
        accounts::edit_profile(app, publisher.id, account.id, &place).await?;
        if demo.verified {
            accounts::verify(app, By::Console, account.id).await?;
        }
        if FOLLOWED.contains(&demo.handle.as_str()) {
            subscriptions::subscribe(app, &reader, account.id, None, Locale::ZhHant).await?;
        }
        ids.insert(demo.handle, account.id);
    }
    let now = app.clock.now();
    let (mut batch, mut newest, mut about) = (Vec::new(), HashMap::new(), Vec::new());
    for (handle, age, mut article) in articles.await?? {
        article.account_id = *ids.get(&handle).with_context(|| format!("no account {handle}"))?;
        article.published_at = Some(now - age);
        about.push((handle.clone(), article.tags.clone()));
        newest.entry(handle).or_insert(batch.len());
        batch.push(article);
    }
    let tx = app.db.begin().await?;
    let written = articles::insert_imported(&tx, now, batch).await?.inserted;
    tx.commit().await?;
    for (handle, title, tag) in COLLECTED {
        // A series begins with its oldest article.
        let of_it = |(one, tags): &(String, Vec<String>)| one == handle && tags.iter().any(|own| own == tag);
        let series = written.iter().zip(&about).rev().filter(|(_, about)| of_it(about)).map(|(id, _)| *id);
        let actor = Actor { account_id: ids[handle], user_id: publisher.id };
        let form = CollectionForm { title: title.into(), intro: String::new() };
        let collection = collections::create(app, actor, &form).await?;
        collections::add(app, actor, collection.id, &series.collect::<Vec<_>>()).await?;
    }
    for handle in PUSHED {
        let push =
            NewPush { article_ids: vec![written[newest[handle]]], idempotency_key: format!("demo:{handle}") };
        pushes::create(app, publisher.id, ids[handle], &push).await?;
    }
    Ok(Links {
        publisher: link(app, &publisher, "/studio").await?,
        reader: link(app, &reader, "/timeline").await?,
    })
}

/// The articles with their accounts' handles and ages.
fn unpack() -> anyhow::Result<Vec<(String, Duration, NewArticle)>> {
    let mut lines = String::new();
    zstd::Decoder::new(ARTICLES)?.read_to_string(&mut lines)?;
    let parse = |line: &str| {
        let demo: DemoArticle = serde_json::from_str(line)?;
        let html = content::from_markdown(&demo.body)?;
        let mut article = NewArticle::new(0, &demo.external_id, &demo.title, html);
        article.lang = demo.lang;
        article.author = demo.author;
        article.tags = demo.tags;
        article.original_url = Some(demo.url);
        Ok((demo.account, Duration::from_secs(60 * demo.age_minutes), article))
    };
    lines.lines().map(parse).collect()
}

async fn user(app: &App, email: &str, name: &str, operator: bool) -> anyhow::Result<user::Model> {
    let new = NewUser {
        address: address(email)?,
        name: name.to_owned(),
        password_hash: None,
        operator,
        locale: if operator { Locale::ZhHans } else { Locale::ZhHant },
    };
    Ok(users::create(app, new).await?)
}

async fn link(app: &App, user: &user::Model, next: &str) -> anyhow::Result<String> {
    let next = LocalPath::new(next);
    Ok(links::create(app, &address(&user.email)?, LinkPurpose::SignIn, &next, LINKS_LAST).await?)
}

fn address(email: &str) -> anyhow::Result<Address> {
    Address::parse(email).map_err(|message| anyhow::anyhow!("{email}: {}", message.key))
}
