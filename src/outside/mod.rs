//! Outside feeds: what a reader follows elsewhere on the web, next to accounts. It is for that reader alone:
//! nothing of it is indexed, shown to others or counted anywhere.
//!
//! A feed is kept and read once for all who follow it (`refresh`, a job that queues itself again), by the
//! fetcher and parser that sources have; the last who leaves takes it along, except items somebody starred.

mod marks;
pub mod pages;
pub mod queries;
mod refresh;
mod wanted;

pub use marks::{mark_all_read, mark_read, star};
pub use refresh::refresh;

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QuerySelect,
};
use url::Url;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::{outside_feed, outside_follow, outside_item, outside_mark};
use crate::error::Error;
use crate::import::{Preview, cadence};
use crate::jobs::{self, Job};

/// Outside feeds of one reader.
pub const MAX_FOLLOWS: u64 = 1_000;
/// Characters of a reader's own name for a feed.
const MAX_TITLE: usize = 200;
/// Items of the last days are new to a new follower; older ones count as read.
const NEW_TO_NEWCOMERS: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long a reader waits for a feed to be looked at.
const LOOK_TIME: Duration = Duration::from_secs(20);

/// What a follow begins with.
#[derive(Clone, Debug, Default)]
pub struct NewFollow {
    /// The reader's own name for the feed; may be empty.
    pub title: String,
    pub list_id: Option<i64>,
    /// How long the feed's first visit may wait, so that many at once do not come all at the same moment.
    pub delay: Duration,
}

/// What became of a wish to follow.
#[derive(Clone, Debug)]
pub struct Followed {
    pub feed_id: i64,
    /// Whether it was not followed before.
    pub is_new: bool,
}

/// Looks at an address that a reader typed: a feed, a page with one feed, or a page with several.
///
/// # Errors
/// Invalid with what is wrong with `url`.
pub async fn look(app: &App, typed: &str) -> Result<Preview, Error> {
    let look = tokio::time::timeout(LOOK_TIME, crate::import::preview(app, typed));
    match look.await {
        Ok(Ok(preview)) => Ok(preview),
        Ok(Err(failure)) => Err(Error::invalid("url", known_key(&failure.key))),
        Err(_) => Err(Error::invalid("url", "import-error-timeout")),
    }
}

/// Follows a feed by its address. One that nobody followed is read for the first time by a job.
///
/// # Errors
/// Invalid when the address may not be fetched, or the reader follows too many.
pub async fn follow(app: &App, user_id: i64, url: &Url, new: NewFollow) -> Result<Followed, Error> {
    let tx = app.db.begin().await?;
    let followed = follow_in(app, &tx, user_id, url, new).await?;
    tx.commit().await?;
    Ok(followed)
}

/// The same within the caller's transaction.
pub async fn follow_in(
    app: &App,
    tx: &DatabaseTransaction,
    user_id: i64,
    url: &Url,
    new: NewFollow,
) -> Result<Followed, Error> {
    let url = read_url(app, url)?;
    let now = app.clock.now();
    let feed = find_or_insert(tx, now, &url, new.delay).await?;
    if queries::follow(tx, user_id, feed.id).await?.is_some() {
        return Ok(Followed { feed_id: feed.id, is_new: false });
    }
    let mine = outside_follow::Entity::find().filter(outside_follow::COLUMN.user_id.eq(user_id));
    if mine.count(tx).await? >= MAX_FOLLOWS {
        return Err(Error::invalid("url", "outside-too-many"));
    }
    let row = outside_follow::ActiveModel {
        id: NotSet,
        user_id: Set(user_id),
        feed_id: Set(feed.id),
        list_id: Set(new.list_id),
        title: Set(own_title(&new.title)),
        read_until: Set(now - NEW_TO_NEWCOMERS),
        created_at: Set(now),
    };
    outside_follow::Entity::insert(row)
        .on_conflict_do_nothing_on([outside_follow::Column::UserId, outside_follow::Column::FeedId])
        .exec_without_returning(tx)
        .await?;
    // One that nobody followed for a while has no job any more.
    let job = Job::RefreshOutside { feed_id: feed.id };
    jobs::queue::enqueue(tx, now, job, Ord::max(feed.next_fetch_at, now)).await?;
    Ok(Followed { feed_id: feed.id, is_new: true })
}

/// Leaves a feed; what the reader starred of it stays theirs.
pub async fn unfollow(app: &App, user_id: i64, feed_id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    let follow = queries::follow(&*tx, user_id, feed_id).await?.ok_or(Error::NotFound)?;
    outside_follow::Entity::delete_by_id(follow.id).exec(&*tx).await?;
    outside_mark::Entity::delete_many()
        .filter(outside_mark::COLUMN.user_id.eq(user_id))
        .filter(outside_mark::COLUMN.starred_at.is_null())
        .filter(outside_mark::Column::ItemId.in_subquery(items_of(feed_id)))
        .exec(&*tx)
        .await?;
    drop_unwanted(&tx, feed_id).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a followed feed the reader's own name; an empty one gives it back its own.
pub async fn rename(app: &App, user_id: i64, feed_id: i64, title: &str) -> Result<(), Error> {
    change(app, user_id, feed_id, |row| row.title = Set(own_title(title))).await
}

/// Puts a followed feed into a list of the reader's, or out of its list.
pub async fn put_in_list(app: &App, user_id: i64, feed_id: i64, list_id: Option<i64>) -> Result<(), Error> {
    change(app, user_id, feed_id, |row| row.list_id = Set(list_id)).await
}

/// The same within the caller's transaction.
pub async fn put_in_list_in(
    tx: &DatabaseTransaction,
    user_id: i64,
    feed_id: i64,
    list_id: Option<i64>,
) -> Result<(), Error> {
    change_in(tx, user_id, feed_id, |row| row.list_id = Set(list_id)).await
}

async fn change(
    app: &App,
    user_id: i64,
    feed_id: i64,
    change: impl FnOnce(&mut outside_follow::ActiveModel),
) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    change_in(&tx, user_id, feed_id, change).await?;
    tx.commit().await?;
    Ok(())
}

async fn change_in(
    tx: &DatabaseTransaction,
    user_id: i64,
    feed_id: i64,
    change: impl FnOnce(&mut outside_follow::ActiveModel),
) -> Result<(), Error> {
    let found = queries::follow(tx, user_id, feed_id).await?.ok_or(Error::NotFound)?;
    let mut row = found.into_active_model();
    change(&mut row);
    if row.is_changed() {
        row.update(tx).await?;
    }
    Ok(())
}

/// Reads a followed feed as soon as a worker is free; one that was gone is tried again.
pub async fn refresh_now(app: &App, user_id: i64, feed_id: i64) -> Result<(), Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    queries::follow(&*tx, user_id, feed_id).await?.ok_or(Error::NotFound)?;
    let feed = outside_feed::Entity::find_by_id(feed_id).one(&*tx).await?.ok_or(Error::NotFound)?;
    let is_fresh = feed.last_fetched_at.is_some_and(|at| at > now - refresh::SHORTEST / 3);
    if !is_fresh {
        let mut row = feed.into_active_model();
        row.gone = Set(false);
        row.next_fetch_at = Set(now);
        row.update(&*tx).await?;
        jobs::queue::hasten(&*tx, now, Job::RefreshOutside { feed_id }, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Upkeep: drops feeds that nobody follows and queues the visits of those that have lost their job.
/// Returns how many there were of both.
pub async fn look_after(app: &App) -> Result<(u64, u64), DbErr> {
    let unwanted = wanted::unwanted(app.db.read()).await?;
    let mut dropped = 0;
    for feed_id in unwanted {
        let tx = app.db.begin().await?;
        dropped += u64::from(drop_unwanted(&tx, feed_id).await?);
        tx.commit().await?;
    }
    let now = app.clock.now();
    let lost = wanted::without_job(app.db.read()).await?;
    for (feed_id, next_fetch_at) in &lost {
        let job = Job::RefreshOutside { feed_id: *feed_id };
        jobs::queue::enqueue(app.db.write(), now, job, Ord::max(*next_fetch_at, now)).await?;
    }
    Ok((dropped, lost.len() as u64))
}

/// Drops a feed that nobody follows and of which nobody starred anything; whether it did.
async fn drop_unwanted(tx: &DatabaseTransaction, feed_id: i64) -> Result<bool, DbErr> {
    // Whoever comes to follow it at this moment waits for the row, and finds it gone or kept.
    let locked = outside_feed::Entity::find_by_id(feed_id).lock_exclusive().one(tx).await?;
    if locked.is_none() || !wanted::is_unwanted(tx, feed_id).await? {
        return Ok(false);
    }
    let job = Job::RefreshOutside { feed_id };
    jobs::queue::cancel(tx, &job.unique_key().unwrap_or_default()).await?;
    outside_feed::Entity::delete_by_id(feed_id).exec(tx).await?;
    Ok(true)
}

fn items_of(feed_id: i64) -> SelectStatement {
    Query::select()
        .column(outside_item::Column::Id)
        .from(outside_item::Entity)
        .and_where(Expr::col(outside_item::Column::FeedId).eq(feed_id))
        .take()
}

/// The row of an address, locked so that it is not dropped meanwhile.
async fn find_or_insert(
    tx: &DatabaseTransaction,
    now: Timestamp,
    url: &str,
    delay: Duration,
) -> Result<outside_feed::Model, Error> {
    let fresh = outside_feed::ActiveModel {
        id: NotSet,
        url: Set(url.to_owned()),
        title: Set(String::new()),
        site_url: Set(None),
        lang: Set(None),
        etag: Set(None),
        last_modified: Set(None),
        interval_ms: Set(i64::try_from(cadence::FIRST.as_millis()).unwrap_or(i64::MAX)),
        next_fetch_at: Set(now + delay),
        last_fetched_at: Set(None),
        last_success_at: Set(None),
        failures: Set(0),
        last_error: Set(None),
        gone: Set(false),
        created_at: Set(now),
    };
    // Twice: between the two statements another may drop the row.
    for _ in 0..2 {
        outside_feed::Entity::insert(fresh.clone())
            .on_conflict_do_nothing_on([outside_feed::Column::Url])
            .exec_without_returning(tx)
            .await?;
        let found = outside_feed::Entity::find().filter(outside_feed::COLUMN.url.eq(url)).lock_exclusive();
        if let Some(feed) = found.one(tx).await? {
            return Ok(feed);
        }
    }
    Err(Error::Unavailable { retry_after: Duration::from_secs(1) })
}

/// An address as it is kept: fetchable, and without a fragment.
fn read_url(app: &App, url: &Url) -> Result<String, Error> {
    app.fetcher.check(url).map_err(|why| Error::invalid("url", why.key()))?;
    let mut url = url.clone();
    url.set_fragment(None);
    if url.as_str().len() > 2_048 {
        return Err(Error::invalid("url", "import-error-url"));
    }
    Ok(url.to_string())
}

fn own_title(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(MAX_TITLE).collect()
}

/// The key of a failure, whose text is one of a known list.
fn known_key(key: &str) -> &'static str {
    const KEYS: [&str; 24] = [
        "import-error-url",
        "import-error-scheme",
        "import-error-credentials",
        "import-error-port",
        "import-error-private-address",
        "import-error-unknown-host",
        "import-error-connect",
        "import-error-timeout",
        "import-error-redirects",
        "import-error-forbidden",
        "import-error-not-found",
        "import-error-gone",
        "import-error-too-many",
        "import-error-server",
        "import-error-status",
        "import-error-too-long",
        "import-error-bomb",
        "import-error-broken",
        "import-error-empty",
        "import-error-subscription-list",
        "import-error-not-a-feed",
        "import-error-not-json-feed",
        "import-error-nothing-inside",
        "import-error-no-feed-on-page",
    ];
    KEYS.into_iter().find(|known| *known == key).unwrap_or("import-error-unreadable")
}
