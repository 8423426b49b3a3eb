//! Reads for digests: who is due, what each follows, and what is left to tell when one is sent.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::{select_ids, skip_locked};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::delivery::Provider;
use crate::db::entities::subscription::{self, Cadence, SubscriptionState};
use crate::db::entities::{read_mark, reader, suppression};
use crate::delivery::provider;
use crate::page::Locale;
use crate::readers::hours::Hours;
use crate::readers::queries::{self as readers, join_users};
use crate::shown::{Digest, Shown, head_of};
use crate::text::count;

/// Values of one statement.
const CHUNK: usize = 5_000;

/// Ids of up to `limit` readers whose digest is due, found by index; locked if so wished, without those
/// that another node has locked.
pub async fn due<C: ConnectionTrait>(
    db: &C,
    now: Timestamp,
    limit: u64,
    lock: bool,
) -> Result<Vec<i64>, DbErr> {
    let mut ids = Vec::new();
    // One after the other: each is the walk of an index.
    for column in [reader::Column::DailyDueAt, reader::Column::WeeklyDueAt] {
        if ids.len() as u64 >= limit {
            break;
        }
        let mut query = select_ids();
        query
            .and_where(Expr::col(column).lte(now))
            .order_by(column, sea_orm::Order::Asc)
            .limit(limit - ids.len() as u64);
        if lock {
            skip_locked(&mut query, db.get_database_backend());
        }
        for row in db.query_all(&query).await? {
            ids.push(row.try_get_by_index(0)?);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// A reader whose digest is due.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: i64,
    pub email: String,
    pub hours: Hours,
    pub daily_due_at: Option<Timestamp>,
    pub daily_told: i64,
    pub weekly_due_at: Option<Timestamp>,
    pub weekly_told: i64,
    /// The newest event on the timeline when the reader last looked, and when that was; none where it
    /// does not matter.
    pub seen: Option<(i64, Timestamp)>,
    pub provider: Provider,
    pub suppressed: Option<String>,
}

impl Due {
    pub fn is_due(&self, cadence: Cadence, now: Timestamp) -> bool {
        let due_at = match cadence {
            Cadence::Daily => self.daily_due_at,
            Cadence::Weekly => self.weekly_due_at,
            Cadence::Instant | Cadence::Muted => None,
        };
        due_at.is_some_and(|due_at| due_at <= now)
    }

    /// The event until which the articles of a subscription have been told.
    pub fn since(&self, sub: &Follows) -> i64 {
        let mark = if sub.cadence == Cadence::Weekly { self.weekly_told } else { self.daily_told };
        sub.told.unwrap_or(mark)
    }

    /// When the digest fell due: the earlier of the two that are due.
    pub fn due_at(&self, now: Timestamp) -> Timestamp {
        let due = [self.daily_due_at, self.weekly_due_at].into_iter().flatten();
        due.filter(|due_at| *due_at <= now).min().unwrap_or(now)
    }
}

/// Readers by id.
pub async fn readers<C: ConnectionTrait>(db: &C, config: &Config, ids: &[i64]) -> Result<Vec<Due>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        email: String,
        timezone: Option<String>,
        user_timezone: Option<String>,
        digest_hour: i32,
        digest_weekday: i32,
        with_seen: bool,
        daily_due_at: Option<Timestamp>,
        daily_told: i64,
        weekly_due_at: Option<Timestamp>,
        weekly_told: i64,
        seen: Option<i64>,
        seen_at: Option<Timestamp>,
        provider: Provider,
        suppressed: Option<String>,
    }
    let of = |column| (reader::Entity, column);
    let columns = [
        reader::Column::Id,
        reader::Column::Email,
        reader::Column::Timezone,
        reader::Column::DigestHour,
        reader::Column::DigestWeekday,
        reader::Column::WithSeen,
        reader::Column::DailyDueAt,
        reader::Column::DailyTold,
        reader::Column::WeeklyDueAt,
        reader::Column::WeeklyTold,
        reader::Column::Seen,
        reader::Column::SeenAt,
    ];
    let mut query = Query::select();
    query.columns(columns.map(of)).from(reader::Entity);
    join_users(&mut query);
    join_suppressions(&mut query);
    let email = Expr::col(of(reader::Column::Email));
    provider::join_domains(&mut query, db.get_database_backend(), email);
    query
        .expr_as(provider::of_row(), "provider")
        .and_where(Expr::col(of(reader::Column::Id)).is_in(ids.iter().copied()))
        .order_by(of(reader::Column::Id), sea_orm::Order::Asc);
    let rows = Row::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    let due = rows.into_iter().map(|row| Due {
        id: row.id,
        hours: Hours::read(
            readers::zone(config, row.user_timezone.as_deref(), row.timezone.as_deref()),
            row.digest_hour,
            row.digest_weekday,
            None,
            None,
        ),
        email: row.email,
        daily_due_at: row.daily_due_at,
        daily_told: row.daily_told,
        weekly_due_at: row.weekly_due_at,
        weekly_told: row.weekly_told,
        seen: row.seen.zip(row.seen_at).filter(|_| !row.with_seen),
        provider: row.provider,
        suppressed: row.suppressed,
    });
    Ok(due.collect())
}

fn join_suppressions(query: &mut sea_orm::sea_query::SelectStatement) {
    let same = Expr::col((suppression::Entity, suppression::Column::Email))
        .equals((reader::Entity, reader::Column::Email));
    query.expr_as(Expr::col((suppression::Entity, suppression::Column::Reason)), "suppressed").join(
        JoinType::LeftJoin,
        suppression::Entity,
        same,
    );
}

/// A subscription that digests tell of.
#[derive(Clone, Debug)]
pub struct Follows {
    pub id: i64,
    pub account_id: i64,
    pub cadence: Cadence,
    pub told: Option<i64>,
    pub is_on_timeline: bool,
    /// Articles published up to then count as read.
    pub read_until: Timestamp,
}

/// What the owners of addresses follow at some of the cadences.
pub async fn follows<C: ConnectionTrait>(
    db: &C,
    emails: impl Iterator<Item = &str>,
    cadences: &[Cadence],
) -> Result<HashMap<String, Vec<Follows>>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        email: String,
        account_id: i64,
        user_id: Option<i64>,
        cadence: Cadence,
        told: Option<i64>,
        read_until: Option<Timestamp>,
    }
    let columns = [
        subscription::Column::Id,
        subscription::Column::Email,
        subscription::Column::AccountId,
        subscription::Column::UserId,
        subscription::Column::Cadence,
        subscription::Column::Told,
        subscription::Column::ReadUntil,
    ];
    let query = Query::select()
        .columns(columns)
        .from(subscription::Entity)
        .and_where(Expr::col(subscription::Column::Email).is_in(emails))
        .and_where(Expr::col(subscription::Column::State).eq(SubscriptionState::Active))
        .and_where(Expr::col(subscription::Column::Cadence).is_in(cadences.iter().copied()))
        .take();
    let mut follows: HashMap<String, Vec<Follows>> = HashMap::new();
    for row in Row::find_by_statement(db.get_database_backend().build(&query)).all(db).await? {
        follows.entry(row.email).or_default().push(Follows {
            id: row.id,
            account_id: row.account_id,
            cadence: row.cadence,
            told: row.told,
            is_on_timeline: row.user_id.is_some(),
            read_until: row.read_until.unwrap_or_default(),
        });
    }
    Ok(follows)
}

/// Who a digest is sent to, as they are now.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Addressee {
    pub id: i64,
    pub email: String,
    timezone: Option<String>,
    user_timezone: Option<String>,
    locale: String,
    user_locale: Option<String>,
    script: String,
    user_script: Option<String>,
    pub user_id: Option<i64>,
    /// Why the address takes no mail any more.
    pub suppressed: Option<String>,
}

impl Addressee {
    pub fn locale(&self) -> Locale {
        readers::locale(self.user_locale.as_deref(), &self.locale)
    }

    pub fn shown(&self) -> Shown {
        Shown::chosen(self.user_script.as_deref(), Some(&self.script), self.locale())
    }

    pub fn zone(&self, config: &Config) -> chrono_tz::Tz {
        readers::zone(config, self.user_timezone.as_deref(), self.timezone.as_deref())
    }
}

pub async fn addressees<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<HashMap<i64, Addressee>, DbErr> {
    let of = |column| (reader::Entity, column);
    let columns = [
        reader::Column::Id,
        reader::Column::Email,
        reader::Column::Timezone,
        reader::Column::Locale,
        reader::Column::Script,
    ];
    let mut query = Query::select();
    query.columns(columns.map(of)).from(reader::Entity);
    join_users(&mut query);
    join_suppressions(&mut query);
    query.and_where(Expr::col(of(reader::Column::Id)).is_in(ids.iter().copied()));
    let rows = Addressee::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Which of some articles users have read.
pub async fn read<C: ConnectionTrait>(
    db: &C,
    users: &[i64],
    articles: &[i64],
) -> Result<HashSet<(i64, i64)>, DbErr> {
    let mut read = HashSet::new();
    if users.is_empty() {
        return Ok(read);
    }
    for articles in articles.chunks(CHUNK) {
        let query = Query::select()
            .columns([read_mark::Column::UserId, read_mark::Column::ArticleId])
            .from(read_mark::Entity)
            .and_where(Expr::col(read_mark::Column::UserId).is_in(users.iter().copied()))
            .and_where(Expr::col(read_mark::Column::IsRead).eq(true))
            .and_where(Expr::col(read_mark::Column::ArticleId).is_in(articles.iter().copied()))
            .take();
        for row in db.query_all(&query).await? {
            read.insert((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
        }
    }
    Ok(read)
}

/// An article as a digest shows it, with its account.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Card {
    pub id: i64,
    pub slug: String,
    pub title: String,
    #[sea_orm(nested)]
    pub digest: Digest,
    pub lang: String,
    pub word_count: i32,
    pub published_at: Option<Timestamp>,
    pub account_id: i64,
    pub handle: String,
    pub name: String,
    pub account_lang: String,
}

impl Card {
    pub fn path(&self) -> String {
        format!("/@{}/{}", self.handle, self.slug)
    }

    pub fn minutes(&self) -> i32 {
        count::minutes(self.word_count, &self.lang)
    }

    /// As a reader is shown it.
    pub fn shown(&self, shown: Shown) -> Self {
        Self {
            title: shown.text(&self.title, &self.lang).into_owned(),
            digest: self.digest.converted(shown, &self.lang),
            lang: shown.lang(&self.lang).into_owned(),
            ..self.clone()
        }
    }
}

/// Those of some articles that anybody may see now.
pub async fn cards<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<Vec<Card>, DbErr> {
    let of = |column| (article::Entity, column);
    let columns = [
        article::Column::Id,
        article::Column::Slug,
        article::Column::Title,
        article::Column::Digest,
        article::Column::Lang,
        article::Column::WordCount,
        article::Column::PublishedAt,
        article::Column::AccountId,
    ];
    let owner = Expr::col((account::Entity, account::Column::Id)).equals(of(article::Column::AccountId));
    let mut cards = Vec::with_capacity(ids.len());
    for ids in ids.chunks(CHUNK) {
        let query = Query::select()
            .columns(columns.map(of))
            .columns([account::Column::Handle, account::Column::Name].map(|column| (account::Entity, column)))
            .expr_as(Expr::col((account::Entity, account::Column::Lang)), "account_lang")
            .expr_as(head_of(Expr::col(of(article::Column::BodyHtml))), "head")
            .from(article::Entity)
            .join(JoinType::InnerJoin, account::Entity, owner.clone())
            .and_where(Expr::col(of(article::Column::Id)).is_in(ids.iter().copied()))
            .and_where(Expr::col(of(article::Column::State)).eq(ArticleState::Published))
            .and_where(Expr::col((account::Entity, account::Column::State)).eq(AccountState::Active))
            .take();
        cards.extend(Card::find_by_statement(db.get_database_backend().build(&query)).all(db).await?);
    }
    Ok(cards)
}
