//! OPML: all that a reader follows as one document, for moving in and out of reader apps. Accounts stand in it as
//! their feeds, lists as folders, outside feeds as themselves.

pub mod api;
pub mod pages;
pub mod parse;

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::DatabaseTransaction;
use url::Url;

use crate::app::App;
use crate::db::entities::user;
use crate::error::{Error, Message};
use crate::feeds::xml::Xml;
use crate::import::fetch::read_address;
use crate::lists;
use crate::outside::{self, NewFollow};
use crate::page::Locale;
use crate::reader_apps::shelf::{FeedKey, feeds};
use crate::subscriptions;
use parse::Outline;

pub const CONTENT_TYPE: &str = "text/x-opml; charset=utf-8";
/// First visits of feeds that came in one document are this far apart.
const APART: Duration = Duration::from_millis(500);

/// What became of a document.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Names of accounts and feeds that are followed from now on.
    pub accounts: Vec<String>,
    pub feeds: Vec<String>,
    /// Of those that were followed before.
    pub known: Vec<String>,
    pub failed: Vec<Failed>,
}

/// A feed that was not taken, and why.
#[derive(Clone, Debug)]
pub struct Failed {
    pub title: String,
    pub url: String,
    pub why: Message,
}

impl Report {
    pub fn taken_count(&self) -> usize {
        self.accounts.len() + self.feeds.len()
    }
}

/// The document of all that a reader follows.
pub async fn write(app: &App, user: &user::Model) -> Result<String, Error> {
    let lists = feeds::lists(app.db.read(), user.id).await?;
    let all = feeds::all(app, user.id).await?;
    let locale = Locale::from_tag(&user.locale).unwrap_or(Locale::ZhHans);
    let title = locale.text_with("opml-title", &[("site", app.config.site_name_in(locale))]);
    let mut xml = Xml::new("opml", &[("version", "2.0")]);
    xml.start("head", &[]);
    xml.text("title", &title);
    xml.text("dateCreated", &app.clock.now().utc().to_rfc2822());
    xml.end();
    xml.start("body", &[]);
    for (id, name) in &lists {
        xml.start("outline", &[("text", name), ("title", name)]);
        all.iter().filter(|feed| feed.list_id == Some(*id)).for_each(|feed| outline(&mut xml, feed));
        xml.end();
    }
    all.iter().filter(|feed| feed.list_id.is_none()).for_each(|feed| outline(&mut xml, feed));
    Ok(xml.finish())
}

fn outline(xml: &mut Xml, feed: &feeds::Feed) {
    let title = feed.title.as_str();
    xml.empty(
        "outline",
        &[
            ("type", "rss"),
            ("text", title),
            ("title", title),
            ("xmlUrl", &feed.feed_url),
            ("htmlUrl", &feed.page_url),
        ],
    );
}

/// Follows all that a document names; what is followed already stays as it is, except that it goes into its list
/// where it is in none. All of it or nothing: one transaction, in which nothing is fetched; feeds are read by jobs, one
/// after the other.
///
/// # Errors
/// Invalid when it is no such document, or hostile; then nothing is taken.
pub async fn take_in(app: &App, user: &user::Model, bytes: &[u8]) -> Result<Report, Error> {
    let document = bytes.to_vec();
    let outlines = crate::blocking::run(move || parse::parse(&document))
        .await
        .map_err(|why| Error::Internal(anyhow::anyhow!("reading a list of subscriptions: {why}")))?
        .map_err(|why| Error::invalid("file", why.key()))?;
    let known: HashMap<FeedKey, Option<i64>> =
        feeds::all(app, user.id).await?.into_iter().map(|feed| (feed.key, feed.list_id)).collect();
    let mut places = Vec::with_capacity(outlines.len());
    for outline in outlines {
        let place = match read_address(&outline.url) {
            Err(why) => Place::Nowhere(why.key().into()),
            Ok(url) => match feeds::account_at(app, &url).await? {
                Some(account) => Place::Here(account.id),
                None => Place::Elsewhere(url),
            },
        };
        places.push((outline, place));
    }
    let tx = app.db.begin().await?;
    let mut taking = Taking { app, tx: &tx, user, known, lists: HashMap::new(), report: Report::default() };
    let mut elsewhere = Vec::new();
    for (outline, place) in places {
        let list_id = taking.list_of(&outline).await?;
        match place {
            Place::Nowhere(why) => taking.failed(outline, why),
            Place::Here(account_id) => taking.follow_account(outline, account_id, list_id).await?,
            Place::Elsewhere(url) => elsewhere.push((url, outline, list_id)),
        }
    }
    // Following a feed locks its row. All documents lock in one order, so that none waits for one that waits for it.
    elsewhere.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    for (url, outline, list_id) in elsewhere {
        taking.follow_feed(outline, &url, list_id).await?;
    }
    let report = taking.report;
    tx.commit().await?;
    Ok(report)
}

/// Where a feed is.
enum Place {
    /// An account of this site.
    Here(i64),
    Elsewhere(Url),
    /// It has no address that could be read.
    Nowhere(Message),
}

/// A document being taken in.
struct Taking<'a> {
    app: &'a App,
    tx: &'a DatabaseTransaction,
    user: &'a user::Model,
    /// What is followed, with its list. What the document names twice stays in the first list that it has there.
    known: HashMap<FeedKey, Option<i64>>,
    /// Lists of folders by their names; none where there can be no such list.
    lists: HashMap<String, Option<i64>>,
    report: Report,
}

impl Taking<'_> {
    fn failed(&mut self, outline: Outline, why: Message) {
        self.report.failed.push(Failed { title: outline.title, url: outline.url, why });
    }

    /// Notes that something is followed, in a list unless it is in one already; whether it was followed before.
    fn note(&mut self, key: FeedKey, list_id: Option<i64>) -> bool {
        let was_known = self.known.contains_key(&key);
        let list = self.known.entry(key).or_default();
        *list = list.or(list_id);
        was_known
    }

    /// The list of the folder around a feed, made if there is none.
    async fn list_of(&mut self, outline: &Outline) -> Result<Option<i64>, Error> {
        let Some(folder) = &outline.folder else { return Ok(None) };
        let name: String = folder.chars().take(lists::LONGEST_NAME).collect();
        if let Some(known) = self.lists.get(&name) {
            return Ok(*known);
        }
        let list_id = match lists::named_in(self.app, self.tx, self.user.id, &name).await {
            Ok(list) => Some(list.id),
            // The name is no name, or there are too many lists: its feeds are taken all the same.
            Err(Error::Invalid(_) | Error::Conflict(_)) => None,
            Err(error) => return Err(error),
        };
        self.lists.insert(name, list_id);
        Ok(list_id)
    }

    async fn follow_account(
        &mut self,
        outline: Outline,
        account_id: i64,
        list_id: Option<i64>,
    ) -> Result<(), Error> {
        let key = FeedKey::Account(account_id);
        let locale = Locale::from_tag(&self.user.locale).unwrap_or(Locale::ZhHans);
        let own = match self.known.contains_key(&key) {
            true => subscriptions::queries::of_user(self.tx, self.user.id, account_id).await?,
            false => {
                let new = subscriptions::subscribe_in(self.app, self.tx, self.user, account_id, None, locale);
                Some(new.await?)
            }
        };
        let is_listed = self.known.get(&key).is_some_and(Option::is_some);
        if let Some(own) = own.filter(|_| list_id.is_some() && !is_listed) {
            lists::put_in(self.tx, self.user.id, own.id, list_id).await?;
        }
        let was_known = self.note(key, list_id);
        if was_known { &mut self.report.known } else { &mut self.report.accounts }.push(outline.title);
        Ok(())
    }

    async fn follow_feed(&mut self, outline: Outline, url: &Url, list_id: Option<i64>) -> Result<(), Error> {
        let delay = APART * u32::try_from(self.report.feeds.len()).unwrap_or(u32::MAX);
        let new = NewFollow { title: outline.title.clone(), list_id, delay };
        match outside::follow_in(self.app, self.tx, self.user.id, url, new).await {
            Ok(followed) if followed.is_new => {
                self.note(FeedKey::Outside(followed.feed_id), list_id);
                self.report.feeds.push(outline.title);
            }
            Ok(followed) => {
                let key = FeedKey::Outside(followed.feed_id);
                let is_listed = self.known.get(&key).is_some_and(Option::is_some);
                self.note(key, list_id);
                if list_id.is_some() && !is_listed {
                    outside::put_in_list_in(self.tx, self.user.id, followed.feed_id, list_id).await?;
                }
                self.report.known.push(outline.title);
            }
            Err(Error::Invalid(problems)) => {
                let why = problems.0.into_iter().next().map_or("import-error-url".into(), |(_, why)| why);
                self.failed(outline, why);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
