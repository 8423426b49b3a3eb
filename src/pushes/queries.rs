//! Reads of pushes: what may be pushed, what was, and what became of it.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr, Order, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};

use crate::auth::Address;
use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::delivery::{self, Channel, DeliveryState};
use crate::db::entities::push;
use crate::db::entities::push_article;
use crate::db::entities::subscription;
use crate::delivery::log::Line;
use crate::delivery::tally::{self, Tally};

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

/// The articles of pushes, in each push's order.
pub async fn articles_of<C: ConnectionTrait>(
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
    let mut tallies: Vec<(i64, Channel, Tally)> = Vec::new();
    for row in tally::of_pushes(db, push_ids).await? {
        let sum = Tally::from(&row);
        match tallies.iter_mut().find(|(push, channel, _)| (*push, *channel) == (row.push_id, row.channel)) {
            Some((_, _, known)) => *known = known.plus(sum),
            None => tallies.push((row.push_id, row.channel, sum)),
        }
    }
    Ok(tallies)
}

/// Where a page of a log begins: after this subscription and channel.
#[derive(Clone, Copy, Debug)]
pub struct LogCursor {
    pub subscription_id: i64,
    pub channel: Channel,
}

/// Which part of a push's log is asked for.
#[derive(Clone, Copy, Debug)]
pub struct LogOf<'a> {
    pub push_id: i64,
    pub account_id: i64,
    /// Empty for all.
    pub states: &'a [DeliveryState],
    /// A whole address, or part of one or of an answer; empty for all.
    pub sought: &'a str,
    pub after: Option<LogCursor>,
}

/// A push's log in the order of its index, up to `limit` lines.
pub async fn log<C: ConnectionTrait>(db: &C, of: &LogOf<'_>, limit: u64) -> Result<Vec<Line>, DbErr> {
    use delivery::Column;
    let join = Expr::col((subscription::Entity, subscription::Column::Id))
        .equals((delivery::Entity, Column::SubscriptionId));
    let email = (subscription::Entity, subscription::Column::Email);
    let mut query = Query::select();
    query
        .columns(Line::columns())
        .column(email)
        .from(delivery::Entity)
        .inner_join(subscription::Entity, join)
        .and_where(Column::PushId.eq(of.push_id))
        .order_by((delivery::Entity, Column::SubscriptionId), Order::Asc)
        .order_by((delivery::Entity, Column::Channel), Order::Asc)
        .limit(limit);
    if !of.states.is_empty() {
        query.and_where(Column::State.is_in(of.states.iter().copied()));
        if !of.states.contains(&DeliveryState::Delivered) {
            // What the index of the rest holds.
            query.and_where(Expr::cust("deliveries.state <> 'delivered'"));
        }
    }
    let sought = of.sought.to_lowercase();
    if let Ok(address) = Address::parse(&sought) {
        // There is an index of addresses.
        query
            .and_where(Expr::col((subscription::Entity, subscription::Column::AccountId)).eq(of.account_id))
            .and_where(Expr::col(email).eq(address.as_str()));
    } else if !sought.is_empty() {
        let pattern: String = sought
            .chars()
            .flat_map(|c| matches!(c, '%' | '_' | '!').then_some('!').into_iter().chain([c]))
            .collect();
        let pattern = || LikeExpr::new(format!("%{pattern}%")).escape('!');
        let answer = Func::lower(Expr::col((delivery::Entity, Column::Answer)));
        query.and_where(Expr::col(email).like(pattern()).or(Expr::from(answer).like(pattern())));
    }
    if let Some(LogCursor { subscription_id, channel }) = of.after {
        let same = Column::SubscriptionId.eq(subscription_id).and(Column::Channel.gt(channel));
        query.and_where(Column::SubscriptionId.gt(subscription_id).or(same));
    }
    Line::find_by_statement(db.get_database_backend().build(&query)).all(db).await
}
