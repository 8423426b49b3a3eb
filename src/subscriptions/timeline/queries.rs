//! Reads of the timeline; [`super::statements`] has them in SQL.

use sea_orm::sea_query::{Expr, Func, Order, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::mute::Mute;
use super::statements::{followed_with_newest, keys};
use crate::clock::Timestamp;
use crate::db::entities::account;
use crate::db::entities::article::Tags;
use crate::db::entities::subscription::{self, Cadence};
use crate::home::queries::Cursor;
use crate::shown::Digest;
use crate::text::{count, fold};

pub use super::statements::statement;

/// Articles on one page.
pub const PAGE: usize = 30;
/// Unread articles are counted up to here; more show as "99+".
pub const COUNTED: i64 = 100;
/// Unread articles that are looked at for a count without those that words hide.
const LOOKED_AT: usize = 200;
/// Articles read at once, where some of them will not be shown.
const SIFTED: usize = 90;
/// How often that is done for one page; what is further down comes on the next.
const ROUNDS: usize = 8;

/// A part of a user's timeline: one account, one list, or all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub account: Option<i64>,
    pub list: Option<i64>,
}

/// What of a timeline is to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub only_unread: bool,
    pub scope: Scope,
    /// Articles with this tag only, in either script; empty: all.
    pub tag: String,
}

impl Wanted {
    pub fn unread() -> Self {
        Self { only_unread: true, ..Self::default() }
    }
}

/// An article on a timeline.
#[derive(Clone, Debug, FromQueryResult)]
pub struct TimelineItem {
    pub id: i64,
    pub slug: String,
    pub title: String,
    #[sea_orm(nested)]
    pub digest: Digest,
    pub cover_url: Option<String>,
    pub lang: String,
    pub word_count: i32,
    pub published_at: Option<Timestamp>,
    pub tags: Tags,
    pub handle: String,
    /// The account's name.
    pub account: String,
    /// The reader's copy, where it is saved.
    pub saved_id: Option<i64>,
    /// 1 where it counts as read.
    was_read: i32,
}

impl TimelineItem {
    pub fn url(&self) -> String {
        format!("/@{}/{}", self.handle, self.slug)
    }

    pub fn minutes(&self) -> i32 {
        count::minutes(self.word_count, &self.lang)
    }

    pub fn is_read(&self) -> bool {
        self.was_read == 1
    }

    /// `read` or `unread`, as the list's classes are called.
    pub fn state(&self) -> &'static str {
        if self.is_read() { "read" } else { "unread" }
    }

    pub fn cursor(&self) -> Cursor {
        Cursor { published_at: self.published_at.unwrap_or_default().0, id: self.id }
    }

    /// What of it a reader sees before opening it.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let tags = self.tags.0.iter().map(String::as_str);
        [self.title.as_str(), self.digest.as_str()].into_iter().chain(tags)
    }
}

/// One page and the cursor of the next.
#[derive(Debug, Default)]
pub struct Timeline {
    pub items: Vec<TimelineItem>,
    pub older: Option<Cursor>,
    /// Articles left out because of the reader's words.
    pub hidden: usize,
}

/// A user's articles after a cursor, newest first, without those that words hide.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    wanted: &Wanted,
    mute: &Mute,
    after: Option<Cursor>,
) -> Result<Timeline, DbErr> {
    let tag = fold::letters(&wanted.tag);
    let is_sifted = !mute.is_empty() || !tag.is_empty();
    let (limit, rounds) = if is_sifted { (SIFTED, ROUNDS) } else { (PAGE, 1) };
    let mut timeline = Timeline::default();
    let mut after = after;
    for _ in 0..rounds {
        let statement = statement(db.get_database_backend(), user_id, wanted, after, limit + 1);
        let rows = TimelineItem::find_by_statement(statement).all(db).await?;
        let more = rows.len() > limit;
        let count = rows.len().min(limit);
        for (index, item) in rows.into_iter().take(limit).enumerate() {
            after = Some(item.cursor());
            if !tag.is_empty() && !item.tags.0.iter().any(|own| fold::letters(own) == tag) {
                continue;
            }
            if mute.hides(item.texts()) {
                timeline.hidden += 1;
                continue;
            }
            timeline.items.push(item);
            if timeline.items.len() == PAGE {
                timeline.older = after.filter(|_| more || index + 1 < count);
                return Ok(timeline);
            }
        }
        if !more {
            return Ok(timeline);
        }
    }
    timeline.older = after;
    Ok(timeline)
}

/// How many articles a user has not read, up to [`COUNTED`], without those that words hide. The answer is at
/// least what it says where so many are hidden that not all were looked at.
pub async fn count_unread<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    scope: &Scope,
    mute: &Mute,
) -> Result<i64, DbErr> {
    let wanted = Wanted { scope: *scope, ..Wanted::unread() };
    let backend = db.get_database_backend();
    if !mute.is_empty() {
        let rows = statement(backend, user_id, &wanted, None, LOOKED_AT);
        let rows = TimelineItem::find_by_statement(rows).all(db).await?;
        let shown = rows.into_iter().filter(|row| !mute.hides(row.texts()));
        return Ok(Ord::min(shown.count() as i64, COUNTED));
    }
    #[derive(FromQueryResult)]
    struct Counted {
        count: i64,
    }
    let keys = keys(user_id, &wanted, None, COUNTED as usize);
    let mut query = Query::select();
    query.expr_as(Func::count(Expr::col(("unread", "id"))), "count").from_subquery(keys, "unread");
    let counted = Counted::find_by_statement(backend.build(&query)).one(db).await?;
    Ok(counted.map_or(0, |counted| counted.count))
}

/// An account that a reader follows, as it stands beside the timeline.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Followed {
    pub subscription_id: i64,
    pub account_id: i64,
    pub handle: String,
    pub name: String,
    pub list_id: Option<i64>,
    pub cadence: Cadence,
    /// Of the newest unread article; none where all is read.
    pub newest: Option<Timestamp>,
}

impl Followed {
    pub fn has_unread(&self) -> bool {
        self.newest.is_some()
    }

    pub fn pace(&self) -> Cadence {
        self.cadence
    }

    /// The list that it is in.
    pub fn list(&self) -> Option<i64> {
        self.list_id
    }
}

/// The accounts that a user follows, those with something unread first, then by name.
pub async fn followed<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Vec<Followed>, DbErr> {
    let mut query = followed_with_newest(user_id, &Wanted::unread(), None);
    query
        .expr_as(Expr::col(("s", subscription::Column::Id)), "subscription_id")
        .columns([("s", subscription::Column::ListId), ("s", subscription::Column::Cadence)])
        .order_by(("c", account::Column::Name), Order::Asc)
        .order_by(("s", subscription::Column::Id), Order::Asc);
    let mut rows = Followed::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    rows.sort_by_key(|row| !row.has_unread());
    Ok(rows)
}
