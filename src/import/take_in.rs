//! Entries become articles: new ones are inserted, those edited upstream are revised, and none is
//! made twice however often a document comes.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use sha2::{Digest, Sha256};
use url::Url;

use super::clean::CleanEntry;
use super::parse::Identity;
use crate::articles::{self, NewArticle, content};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::entities::article::ArticleState;
use crate::db::entities::source::{self, SourceMode};
use crate::db::entities::{account, article, entry};
use crate::error::Error;
use crate::media::covers;
use crate::outbox::{self, Event};
use crate::text;

const MAX_DIGEST_CHARS: usize = 200;
const MAX_TAG_CHARS: usize = 30;
/// An entry with an older date is no news any more, whenever its feed brings it.
const NEWS_FOR: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// Where entries come from and what becomes of them.
#[derive(Clone, Debug)]
pub struct Origin {
    pub account_id: i64,
    /// The account's language, for entries whose own cannot be told.
    pub lang: String,
    /// As the feed declares it.
    pub feed_lang: Option<String>,
    /// Host of the feed: ids are only unique within it.
    pub host: String,
    pub mode: SourceMode,
}

impl Origin {
    pub fn new(account: &account::Model, feed_lang: Option<String>, url: &str, mode: SourceMode) -> Self {
        let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        Self { account_id: account.id, lang: account.lang.clone(), feed_lang, host, mode }
    }

    /// The article that an entry makes. Sanitising has been done; this only counts and cuts.
    pub fn article(&self, entry: &CleanEntry) -> NewArticle {
        let body = if entry.html.is_empty() { headline_only(entry) } else { entry.html.clone() };
        let mut new =
            NewArticle::new(self.account_id, &self.external_id(&entry.identity), &entry.title, body);
        new.digest = shortened(entry.summary.as_deref().unwrap_or_default(), MAX_DIGEST_CHARS);
        new.author = entry.author.clone().unwrap_or_default();
        new.cover_url = entry.image.as_ref().map(Url::to_string);
        new.tags = tags(&entry.tags);
        new.lang = self.lang_of(entry);
        new.original_url = entry.link.as_ref().map(Url::to_string);
        new.published_at = entry.date.map(Timestamp::from);
        if self.mode == SourceMode::Draft {
            new.state = ArticleState::Draft;
        }
        new
    }

    /// Names the entry within the account for good, also when its source is removed and connected
    /// again: what was imported before is then found and not made twice.
    fn external_id(&self, identity: &Identity) -> String {
        let named = format!("{}\n{}", self.host, strongest(identity));
        format!("feed:{}", &hex::encode(Sha256::digest(named))[..40])
    }

    fn lang_of(&self, entry: &CleanEntry) -> String {
        let sample: String =
            entry.title.chars().chain(content::plain_text(&entry.html).chars().take(2_000)).collect();
        let declared = self.feed_lang.as_deref().and_then(crate::page::Locale::from_tag);
        text::script::detect(&sample)
            .tag()
            .map(str::to_owned)
            .or_else(|| declared.map(|locale| locale.code().to_owned()))
            .unwrap_or_else(|| self.lang.clone())
    }
}

/// What became of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenIn {
    pub inserted: usize,
    pub revised: usize,
}

/// Takes entries of a source in, within the caller's transaction. The source's row is locked, so
/// two refreshes at once follow one another.
pub async fn take_in(
    tx: &Tx,
    now: Timestamp,
    source: &source::Model,
    origin: &Origin,
    entries: &[CleanEntry],
) -> Result<TakenIn, Error> {
    let locked = source::Entity::find_by_id(source.id).lock_exclusive().one(&**tx).await?;
    if locked.is_none() {
        return Err(Error::NotFound);
    }
    let known = Known::load(tx, source.id, entries).await?;
    let (mut fresh, mut edited) = (Vec::new(), Vec::new());
    let mut used = HashSet::new();
    for entry in entries {
        match known.find(&entry.identity).filter(|row| used.insert(row.id)) {
            None => fresh.push(entry),
            Some(row) if row.content_hash == entry.identity.content => {}
            Some(row) => edited.push((row, entry)),
        }
    }
    let mut done = TakenIn::default();
    if !fresh.is_empty() || !edited.is_empty() {
        // As members do who save articles: the account, the articles, and the events last.
        articles::lock_account(&**tx, origin.account_id).await?;
        let (revised, events) = revise_all(tx, now, origin, &edited).await?;
        done.revised = revised;
        done.inserted = insert(tx, now, source, origin, &fresh).await?;
        outbox::record_many(tx, now, events).await?;
    }
    let covers = entries.iter().filter_map(|entry| entry.image.as_ref()).map(Url::as_str);
    covers::want(tx, now, origin.account_id, covers).await?;
    Ok(done)
}

/// Follows edits upstream. Returns how many articles they changed, and the events of those that readers see.
async fn revise_all(
    tx: &Tx,
    now: Timestamp,
    origin: &Origin,
    edited: &[(&entry::Model, &CleanEntry)],
) -> Result<(usize, Vec<Event>), Error> {
    let mut revised = Vec::new();
    for (row, entry) in edited {
        revised.extend(revise(tx, now, origin, row, entry).await?);
    }
    let public = revised.iter().filter(|article| article.state == ArticleState::Published);
    let event = |article: &article::Model| Event::ArticleRevised {
        account_id: article.account_id,
        article_id: article.id,
    };
    let events = public.map(event).collect();
    Ok((revised.len(), events))
}

/// The entries of the source that a document may be about.
struct Known {
    rows: Vec<entry::Model>,
    by_identity: HashMap<String, usize>,
    by_link: HashMap<String, usize>,
    by_content: HashMap<String, usize>,
}

impl Known {
    async fn load(tx: &Tx, source_id: i64, entries: &[CleanEntry]) -> Result<Self, Error> {
        let mut rows: Vec<entry::Model> = Vec::new();
        // Three values an entry, and SQLite takes 32,766.
        for chunk in entries.chunks(5_000) {
            let identities = chunk.iter().map(|e| strongest(&e.identity));
            let links = chunk.iter().filter_map(|e| e.identity.link.clone());
            let contents = chunk.iter().map(|e| e.identity.content.clone());
            let any = Condition::any()
                .add(entry::Column::Identity.is_in(identities))
                .add(entry::Column::Link.is_in(links))
                .add(entry::Column::ContentHash.is_in(contents));
            let found =
                entry::Entity::find().filter(entry::COLUMN.source_id.eq(source_id)).filter(any).all(&**tx);
            rows.extend(found.await?);
        }
        let at = |key: fn(&entry::Model) -> Option<String>| {
            rows.iter().enumerate().filter_map(|(at, row)| Some((key(row)?, at))).collect::<HashMap<_, _>>()
        };
        Ok(Self {
            by_identity: at(|row| Some(row.identity.clone())),
            by_link: at(|row| row.link.clone()),
            by_content: at(|row| Some(row.content_hash.clone())),
            rows,
        })
    }

    /// By id, then link, then words.
    fn find(&self, identity: &Identity) -> Option<&entry::Model> {
        let at = self
            .by_identity
            .get(&strongest(identity))
            .or_else(|| self.by_link.get(identity.link.as_ref()?))
            .or_else(|| self.by_content.get(&identity.content))?;
        self.rows.get(*at)
    }
}

/// Follows an edit upstream. An article that a member has edited here is left as it is.
async fn revise(
    tx: &Tx,
    now: Timestamp,
    origin: &Origin,
    row: &entry::Model,
    entry: &CleanEntry,
) -> Result<Option<article::Model>, Error> {
    let article_id = match row.article_id {
        Some(id) if !was_edited_here(tx, id, row.updated_at).await? => Some(id),
        _ => None,
    };
    let revised = match article_id {
        None => None,
        Some(id) => match articles::revise_imported(tx, now, id, origin.article(entry)).await {
            Ok(article) => article,
            Err(Error::Conflict(_) | Error::NotFound) => None,
            Err(error) => return Err(error),
        },
    };
    let mut row = row.clone().into_active_model();
    row.content_hash = Set(entry.identity.content.clone());
    row.link = Set(entry.identity.link.clone());
    row.updated_at = Set(now);
    row.update(&**tx).await?;
    Ok(revised)
}

/// Whether the article was saved since this entry was last taken in: a draft has no revisions by
/// which the articles room could tell.
async fn was_edited_here(tx: &Tx, article_id: i64, taken_in: Timestamp) -> Result<bool, Error> {
    let article = article::Entity::find_by_id(article_id).one(&**tx).await?;
    Ok(article.is_some_and(|article| article.state == ArticleState::Draft && article.updated_at > taken_in))
}

async fn insert(
    tx: &Tx,
    now: Timestamp,
    source: &source::Model,
    origin: &Origin,
    fresh: &[&CleanEntry],
) -> Result<usize, Error> {
    if fresh.is_empty() {
        return Ok(0);
    }
    // Oldest first: ids then follow time.
    let batch: Vec<NewArticle> = fresh
        .iter()
        .rev()
        .map(|entry| NewArticle { news: is_news(source, entry, now), ..origin.article(entry) })
        .collect();
    let inserted = articles::insert_imported(tx, now, batch).await?.inserted.len();
    let external_ids = fresh.iter().map(|entry| origin.external_id(&entry.identity));
    let articles: HashMap<Option<String>, i64> = article::Entity::find()
        .select_only()
        .column(article::Column::ExternalId)
        .column(article::Column::Id)
        .filter(article::COLUMN.account_id.eq(origin.account_id))
        .filter(article::Column::ExternalId.is_in(external_ids))
        .into_tuple::<(Option<String>, i64)>()
        .all(&**tx)
        .await?
        .into_iter()
        .collect();
    let rows = fresh.iter().map(|e| entry::ActiveModel {
        id: NotSet,
        source_id: Set(source.id),
        identity: Set(strongest(&e.identity)),
        link: Set(e.identity.link.clone()),
        content_hash: Set(e.identity.content.clone()),
        article_id: Set(articles.get(&Some(origin.external_id(&e.identity))).copied()),
        created_at: Set(now),
        updated_at: Set(now),
    });
    entry::Entity::insert_many(rows)
        .on_conflict_do_nothing_on([entry::Column::SourceId, entry::Column::Identity])
        .exec_without_returning(&**tx)
        .await?;
    Ok(inserted)
}

/// Whether those who wait for new articles are told of an entry. What a feed held when it was
/// connected is its archive, and so is what it brings with an old date.
fn is_news(source: &source::Model, entry: &CleanEntry, now: Timestamp) -> bool {
    let is_archive = source.last_success_at.is_none();
    match entry.date.map(Timestamp::from) {
        Some(date) => date > now - NEWS_FOR && (!is_archive || date >= source.created_at),
        None => !is_archive,
    }
}

/// The strongest part of an identity, with its kind.
pub fn strongest(identity: &Identity) -> String {
    match (&identity.guid, &identity.link) {
        (Some(guid), _) => format!("guid:{guid}"),
        (None, Some(link)) => format!("link:{link}"),
        (None, None) => format!("hash:{}", identity.content),
    }
}

/// A body for an entry that is only a headline.
fn headline_only(entry: &CleanEntry) -> String {
    let summary = entry.summary.as_deref().map(content::from_plain_text).unwrap_or_default();
    let link = entry.link.as_ref().map(|link| {
        let mut html = String::from("<p><a href=\"");
        super::markup::escape_into(link.as_str(), &mut html);
        html.push_str("\">");
        super::markup::escape_into(&entry.title, &mut html);
        html.push_str("</a></p>");
        content::from_html_at(&html, None).unwrap_or_default()
    });
    let title = || content::from_plain_text(&entry.title);
    let body = format!("{summary}{}", link.unwrap_or_default());
    if body.is_empty() { title() } else { body }
}

fn tags(found: &[String]) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in found {
        let tag = tag.trim_start_matches(['#', '＃']).trim();
        if !tag.is_empty() && tag.chars().count() <= MAX_TAG_CHARS && !tags.iter().any(|t| t == tag) {
            tags.push(tag.to_owned());
        }
    }
    tags.truncate(articles::MAX_TAGS);
    tags
}

fn shortened(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
