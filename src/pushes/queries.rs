//! Reads of pushes: what may be pushed, what was, and what became of it.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};

use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::delivery::{self, Channel, DeliveryState};
use crate::db::entities::push;
use crate::db::entities::push_article;
use crate::db::entities::subscription;

/// An article as the pages of pushes show it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Candidate {
    pub id: i64,
    pub slug: String,
    pub title: String,
    pub lang: String,
    pub state: ArticleState,
    pub published_at: Option<Timestamp>,
}

fn select_candidates() -> SelectStatement {
    let columns = [
        article::Column::Id,
        article::Column::Slug,
        article::Column::Title,
        article::Column::Lang,
        article::Column::State,
        article::Column::PublishedAt,
    ];
    Query::select().columns(columns.map(|column| (article::Entity, column))).from(article::Entity).take()
}

/// Articles of an account by id, in no order; those of others are left out.
pub async fn candidates<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    ids: &[i64],
) -> Result<Vec<Candidate>, DbErr> {
    let query = select_candidates()
        .and_where(article::Column::AccountId.eq(account_id))
        .and_where(article::Column::Id.is_in(ids.iter().copied()))
        .take();
    Candidate::find_by_statement(db.get_database_backend().build(&query)).all(db).await
}

/// Published articles of an account that were never pushed, newest first, up to `limit` of those
/// published before `before`, a time and an id.
pub async fn unpushed<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    before: Option<(Timestamp, i64)>,
    limit: u64,
) -> Result<Vec<Candidate>, DbErr> {
    let pushed = Query::select().column(push_article::Column::ArticleId).from(push_article::Entity).take();
    let mut query = select_candidates();
    query
        .and_where(article::Column::AccountId.eq(account_id))
        .and_where(article::Column::State.eq(ArticleState::Published))
        .and_where(article::Column::Id.not_in_subquery(pushed))
        .order_by(article::Column::PublishedAt, Order::Desc)
        .order_by(article::Column::Id, Order::Desc)
        .limit(limit);
    if let Some((moment, id)) = before {
        let same_moment = article::Column::PublishedAt.eq(moment).and(article::Column::Id.lt(id));
        query.and_where(article::Column::PublishedAt.lt(moment).or(same_moment));
    }
    Candidate::find_by_statement(db.get_database_backend().build(&query)).all(db).await
}

/// Those of the given articles that were pushed, in no order.
pub async fn pushed_among<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<Vec<i64>, DbErr> {
    let rows = push_article::Entity::find()
        .filter(push_article::COLUMN.article_id.is_in(ids.iter().copied()))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.article_id).collect())
}

/// Whether an article was pushed.
pub async fn is_pushed<C: ConnectionTrait>(db: &C, article_id: i64) -> Result<bool, DbErr> {
    let row =
        push_article::Entity::find().filter(push_article::COLUMN.article_id.eq(article_id)).one(db).await?;
    Ok(row.is_some())
}

/// How many deliveries have come to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub delivered: i64,
    /// Not tried yet, under way, or to be tried again.
    pub waiting: i64,
    pub failed: i64,
    /// Not sent: the address takes no mail, or the reader has left.
    pub suppressed: i64,
}

impl Tally {
    fn add(&mut self, state: DeliveryState, count: i64) {
        match state {
            DeliveryState::Waiting | DeliveryState::Sending => self.waiting += count,
            DeliveryState::Delivered => self.delivered += count,
            DeliveryState::Failed => self.failed += count,
            DeliveryState::Suppressed => self.suppressed += count,
        }
    }

    pub fn total(&self) -> i64 {
        self.delivered + self.waiting + self.failed + self.suppressed
    }
}

/// A push in a list.
#[derive(Clone, Debug)]
pub struct PushRow {
    pub push: push::Model,
    /// In the push's order.
    pub articles: Vec<Candidate>,
    pub tally: Tally,
}

/// An account's pushes, newest first, up to `limit` of those with a smaller id than `before`.
pub async fn of_account<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<PushRow>, DbErr> {
    let mut find = push::Entity::find().filter(push::COLUMN.account_id.eq(account_id));
    if let Some(before) = before {
        find = find.filter(push::COLUMN.id.lt(before));
    }
    let pushes = find.order_by_desc(push::COLUMN.id).limit(limit).all(db).await?;
    with_details(db, pushes).await
}

/// A push of an account.
pub async fn one<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    push_id: i64,
) -> Result<Option<PushRow>, DbErr> {
    let push =
        push::Entity::find_by_id(push_id).filter(push::COLUMN.account_id.eq(account_id)).one(db).await?;
    Ok(with_details(db, push.into_iter().collect()).await?.pop())
}

async fn with_details<C: ConnectionTrait>(db: &C, pushes: Vec<push::Model>) -> Result<Vec<PushRow>, DbErr> {
    let ids: Vec<i64> = pushes.iter().map(|push| push.id).collect();
    let mut articles = articles_of(db, &ids).await?;
    let tallies = tallies(db, &ids).await?;
    Ok(pushes
        .into_iter()
        .map(|push| PushRow {
            articles: articles.remove(&push.id).unwrap_or_default(),
            tally: tallies
                .iter()
                .filter(|(push_id, _, _)| *push_id == push.id)
                .fold(Tally::default(), |sum, (_, _, tally)| sum.plus(*tally)),
            push,
        })
        .collect())
}

impl Tally {
    fn plus(self, other: Self) -> Self {
        Self {
            delivered: self.delivered + other.delivered,
            waiting: self.waiting + other.waiting,
            failed: self.failed + other.failed,
            suppressed: self.suppressed + other.suppressed,
        }
    }
}

async fn articles_of<C: ConnectionTrait>(
    db: &C,
    push_ids: &[i64],
) -> Result<HashMap<i64, Vec<Candidate>>, DbErr> {
    let join = Expr::col((push_article::Entity, push_article::Column::ArticleId))
        .equals((article::Entity, article::Column::Id));
    let query = select_candidates()
        .column((push_article::Entity, push_article::Column::PushId))
        .inner_join(push_article::Entity, join)
        .and_where(push_article::Column::PushId.is_in(push_ids.iter().copied()))
        .order_by((push_article::Entity, push_article::Column::Position), Order::Asc)
        .take();
    let mut articles: HashMap<i64, Vec<Candidate>> = HashMap::new();
    for row in db.query_all(&query).await? {
        let push_id = row.try_get("", "push_id")?;
        articles.entry(push_id).or_default().push(Candidate::from_query_result(&row, "")?);
    }
    Ok(articles)
}

/// What became of the deliveries of pushes, by push and channel.
pub async fn tallies<C: ConnectionTrait>(
    db: &C,
    push_ids: &[i64],
) -> Result<Vec<(i64, Channel, Tally)>, DbErr> {
    #[derive(FromQueryResult)]
    struct Group {
        push_id: i64,
        channel: Channel,
        state: DeliveryState,
        count: i64,
    }
    let group = [delivery::Column::PushId, delivery::Column::Channel, delivery::Column::State];
    let query = Query::select()
        .columns(group)
        .expr_as(Func::count(Expr::val(1)), "count")
        .from(delivery::Entity)
        .and_where(delivery::Column::PushId.is_in(push_ids.iter().copied()))
        .group_by_columns(group)
        .take();
    let mut tallies: Vec<(i64, Channel, Tally)> = Vec::new();
    for row in Group::find_by_statement(db.get_database_backend().build(&query)).all(db).await? {
        let known =
            tallies.iter().position(|(push, channel, _)| (*push, *channel) == (row.push_id, row.channel));
        let index = known.unwrap_or_else(|| {
            tallies.push((row.push_id, row.channel, Tally::default()));
            tallies.len() - 1
        });
        tallies[index].2.add(row.state, row.count);
    }
    Ok(tallies)
}

/// One reader's line in the log of a push.
#[derive(Clone, Debug, FromQueryResult)]
pub struct LogLine {
    pub subscription_id: i64,
    pub email: String,
    pub channel: Channel,
    pub state: DeliveryState,
    pub attempts: i32,
    /// The remote's words.
    pub answer: Option<String>,
    pub updated_at: Timestamp,
    pub next_attempt_at: Timestamp,
}

/// Where a page of a log begins: after this subscription and channel.
#[derive(Clone, Copy, Debug)]
pub struct LogCursor {
    pub subscription_id: i64,
    pub channel: Channel,
}

/// A push's log in the order of its index, up to `limit` lines, of one state or all.
pub async fn log<C: ConnectionTrait>(
    db: &C,
    push_id: i64,
    states: &[DeliveryState],
    after: Option<LogCursor>,
    limit: u64,
) -> Result<Vec<LogLine>, DbErr> {
    use delivery::Column;
    let columns = [
        Column::SubscriptionId,
        Column::Channel,
        Column::State,
        Column::Attempts,
        Column::Answer,
        Column::UpdatedAt,
        Column::NextAttemptAt,
    ];
    let join = Expr::col((subscription::Entity, subscription::Column::Id))
        .equals((delivery::Entity, Column::SubscriptionId));
    let mut query = Query::select();
    query
        .columns(columns.map(|column| (delivery::Entity, column)))
        .column((subscription::Entity, subscription::Column::Email))
        .from(delivery::Entity)
        .inner_join(subscription::Entity, join)
        .and_where(Column::PushId.eq(push_id))
        .order_by((delivery::Entity, Column::SubscriptionId), Order::Asc)
        .order_by((delivery::Entity, Column::Channel), Order::Asc)
        .limit(limit);
    if !states.is_empty() {
        query.and_where(Column::State.is_in(states.iter().copied()));
    }
    if let Some(LogCursor { subscription_id, channel }) = after {
        let same = Column::SubscriptionId.eq(subscription_id).and(Column::Channel.gt(channel));
        query.and_where(Column::SubscriptionId.gt(subscription_id).or(same));
    }
    LogLine::find_by_statement(db.get_database_backend().build(&query)).all(db).await
}

/// An address of which only its owner sees which it is: `r***@example.org`.
pub fn masked(email: &str) -> String {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    format!("{}***@{domain}", local.chars().next().unwrap_or('*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_address_shows_its_first_letter_and_its_host() {
        assert_eq!(masked("reader@example.org"), "r***@example.org");
        assert_eq!(masked("@x"), "****@x");
    }
}
