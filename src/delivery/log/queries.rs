//! All deliveries of the site, the newest first, whatever they are of.
//!
//! The ledger may have millions of rows, so each question is asked along an index: by the owners of an address, along
//! those that are of alerts, of digests, not sent or waiting, or along the ids. What no index knows besides is
//! looked for in [`REACH`] rows of it, and the rest is a further page.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use serde::Deserialize;
use strum::IntoEnumIterator;

use super::{Line, Shown};
use crate::clock::Timestamp;
use crate::db::entities::delivery::{self, Column};
use crate::db::entities::{account, alert, push, reader, subscription, user};
use crate::delivery::owners::Owners;
use crate::digests::Told;
use crate::pushes::queries::{Candidate, articles_of};

/// Rows that are looked at for one page where no index leads to all that is asked for.
pub const REACH: u64 = 20_000;

/// What a message is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, strum::Display, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    #[default]
    All,
    Push,
    Alert,
    Digest,
}

impl Kind {
    pub fn every() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    fn condition(self) -> Option<Expr> {
        let has = |column| Some(Expr::col((delivery::Entity, column)).is_not_null());
        match self {
            Self::All => None,
            Self::Push => has(Column::PushId),
            Self::Alert => has(Column::AlertId),
            Self::Digest => has(Column::ReaderId),
        }
    }
}

/// Which messages are asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub kind: Kind,
    pub shown: Shown,
    /// None for everybody's.
    pub owners: Option<Owners>,
}

impl Asked {
    fn in_state(&self) -> Option<Expr> {
        let states = self.shown.states();
        (!states.is_empty()).then(|| Expr::col(Column::State).is_in(states.iter().copied()))
    }
}

/// A page of messages.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub messages: Vec<Message>,
    /// Where the next page begins: at messages with a smaller id.
    pub next: Option<i64>,
    /// The page ends before it is full, because only so far back was looked.
    pub looked_until: Option<Timestamp>,
}

/// A message with what it is of.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: i64,
    pub line: Line,
    pub what: What,
}

/// What a message tells of.
#[derive(Clone, Debug)]
pub enum What {
    /// Its account and articles, in the push's order.
    Push {
        handle: String,
        account: String,
        lang: String,
        articles: Vec<Candidate>,
    },
    /// What its reader calls it.
    Alert {
        name: String,
    },
    Digest(Told),
    /// Of a later version.
    Other,
}

/// Messages with a smaller id than `before`, up to `limit`.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    asked: &Asked,
    before: Option<i64>,
    limit: u64,
) -> Result<Found, DbErr> {
    let before = before.unwrap_or(i64::MAX);
    let (mut ids, reached) = match &asked.owners {
        Some(owners) => (of_owners(db, asked, owners, before, limit + 1).await?, None),
        None if asked.shown == Shown::Waiting && few_wait(db).await? => {
            (waiting(db, asked, before, limit + 1).await?, None)
        }
        None => walk(db, asked, before, limit + 1).await?,
    };
    let is_full = ids.len() as u64 > limit;
    ids.truncate(limit as usize);
    let next = if is_full { ids.last().copied() } else { reached.map(|(id, _)| id) };
    let looked_until = reached.filter(|_| !is_full).map(|(_, moment)| moment);
    Ok(Found { messages: messages(db, &ids).await?, next, looked_until })
}

fn select() -> SelectStatement {
    Query::select().column((delivery::Entity, Column::Id)).from(delivery::Entity).take()
}

/// Orders by id and not along the ids: few rows are left when an index has led to them, and walking from the
/// newest until they come would be the whole ledger.
fn newest(query: &mut SelectStatement, before: i64, limit: u64) {
    let id = Expr::cust("deliveries.id + 0");
    query.and_where(id.clone().lt(before)).order_by_expr(id, Order::Desc).limit(limit);
}

async fn of_owners<C: ConnectionTrait>(
    db: &C,
    asked: &Asked,
    owners: &Owners,
    before: i64,
    limit: u64,
) -> Result<Vec<i64>, DbErr> {
    let mut found = Vec::new();
    for (column, of) in owners.columns() {
        let kind = match column {
            Column::AlertId => Kind::Alert,
            Column::ReaderId => Kind::Digest,
            _ => Kind::Push,
        };
        if of.is_empty() || (asked.kind != Kind::All && asked.kind != kind) {
            continue;
        }
        let mut query = select();
        query.and_where(Expr::col(column).is_in(of.iter().copied()));
        asked.in_state().map(|state| query.and_where(state));
        newest(&mut query, before, limit);
        found.extend(ids(db, &query).await?);
    }
    Ok(sorted(found, limit))
}

fn sorted(mut ids: Vec<i64>, limit: u64) -> Vec<i64> {
    ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
    ids.truncate(limit as usize);
    ids
}

/// Whether the index of what waits holds few enough to sort them.
async fn few_wait<C: ConnectionTrait>(db: &C) -> Result<bool, DbErr> {
    let some = Query::select()
        .expr(Expr::val(1))
        .from(delivery::Entity)
        .and_where(Expr::cust("deliveries.state = 'waiting'"))
        .limit(REACH + 1)
        .take();
    let count = Query::select().expr(Func::count(Expr::cust("*"))).from_subquery(some, "some").take();
    let row = db.query_one(&count).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(count as u64 <= REACH)
}

/// Those that wait, by the senders' index, and those that are on hold.
async fn waiting<C: ConnectionTrait>(
    db: &C,
    asked: &Asked,
    before: i64,
    limit: u64,
) -> Result<Vec<i64>, DbErr> {
    let mut due = select();
    due.and_where(Expr::cust("deliveries.state = 'waiting'"));
    asked.kind.condition().map(|kind| due.and_where(kind));
    newest(&mut due, before, limit);
    let mut found = ids(db, &due).await?;
    // Only pushes are stopped.
    if matches!(asked.kind, Kind::All | Kind::Push) {
        let mut held = select();
        held.and_where(Expr::col(Column::State).eq(delivery::DeliveryState::Held)).and_where(not_sent());
        along(&mut held, before, limit);
        found.extend(ids(db, &held).await?);
    }
    Ok(sorted(found, limit))
}

/// As its index has it.
fn not_sent() -> Expr {
    Expr::cust("deliveries.state <> 'delivered' AND deliveries.state <> 'waiting'")
}

fn along(query: &mut SelectStatement, before: i64, limit: u64) {
    query.and_where(Expr::col(Column::Id).lt(before)).order_by(Column::Id, Order::Desc).limit(limit);
}

/// Along an index by id; with how far it looked, if there is more to look at.
async fn walk<C: ConnectionTrait>(
    db: &C,
    asked: &Asked,
    before: i64,
    limit: u64,
) -> Result<(Vec<i64>, Option<(i64, Timestamp)>), DbErr> {
    let (kind, state) = (asked.kind.condition(), asked.in_state());
    let (by_index, besides) = match (asked.shown, asked.kind) {
        (Shown::Failed | Shown::Suppressed, _) => ([state, Some(not_sent())], [kind, None]),
        (_, Kind::Alert | Kind::Digest) => ([kind, None], [state, None]),
        _ => ([None, None], [kind, state]),
    };
    let mut query = select();
    for condition in by_index.into_iter().flatten() {
        query.and_where(condition);
    }
    let mut reached = None;
    if besides.iter().any(Option::is_some) {
        let mut last = query.clone();
        along(&mut last, before, 1);
        last.column(Column::CreatedAt).offset(REACH - 1);
        if let Some(row) = db.query_one(&last).await? {
            let id: i64 = row.try_get_by_index(0)?;
            reached = Some((id, row.try_get_by_index(1)?));
            query.and_where(Expr::col(Column::Id).gte(id));
        }
    }
    for condition in besides.into_iter().flatten() {
        query.and_where(condition);
    }
    along(&mut query, before, limit);
    Ok((ids(db, &query).await?, reached))
}

async fn ids<C: ConnectionTrait>(db: &C, query: &SelectStatement) -> Result<Vec<i64>, DbErr> {
    db.query_all(query).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Deliveries by id, in the order of the ids given.
async fn messages<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<Vec<Message>, DbErr> {
    #[derive(FromQueryResult)]
    struct Of {
        id: i64,
        push_id: Option<i64>,
        told: Option<String>,
        alert: Option<String>,
        handle: Option<String>,
        account: Option<String>,
        lang: Option<String>,
    }
    let of = |column| Expr::col((delivery::Entity, column));
    let subscribed =
        Expr::col((subscription::Entity, subscription::Column::Id)).eq(of(Column::SubscriptionId));
    let gets_digests = Expr::col((reader::Entity, reader::Column::Id)).eq(of(Column::ReaderId));
    let saved = Expr::col((alert::Entity, alert::Column::Id)).eq(of(Column::AlertId));
    let saver = Expr::col((user::Entity, user::Column::Id)).equals((alert::Entity, alert::Column::UserId));
    let pushed = Expr::col((push::Entity, push::Column::Id)).eq(of(Column::PushId));
    let outlet =
        Expr::col((account::Entity, account::Column::Id)).equals((push::Entity, push::Column::AccountId));
    let email = Func::coalesce([
        Expr::col((subscription::Entity, subscription::Column::Email)),
        Expr::col((user::Entity, user::Column::Email)),
        Expr::col((reader::Entity, reader::Column::Email)),
        Expr::val(""),
    ]);
    let query = Query::select()
        .columns(Line::columns())
        .columns([Column::Id, Column::PushId, Column::Told].map(|column| (delivery::Entity, column)))
        .expr_as(email, "email")
        .expr_as(Expr::col((alert::Entity, alert::Column::Name)), "alert")
        .expr_as(Expr::col((account::Entity, account::Column::Handle)), "handle")
        .expr_as(Expr::col((account::Entity, account::Column::Name)), "account")
        .expr_as(Expr::col((account::Entity, account::Column::Lang)), "lang")
        .from(delivery::Entity)
        .join(JoinType::LeftJoin, subscription::Entity, subscribed)
        .join(JoinType::LeftJoin, reader::Entity, gets_digests)
        .join(JoinType::LeftJoin, alert::Entity, saved)
        .join(JoinType::LeftJoin, user::Entity, saver)
        .join(JoinType::LeftJoin, push::Entity, pushed)
        .join(JoinType::LeftJoin, account::Entity, outlet)
        .and_where(of(Column::Id).is_in(ids.iter().copied()))
        .order_by((delivery::Entity, Column::Id), Order::Desc)
        .take();
    let mut rows = Vec::new();
    for row in db.query_all(&query).await? {
        rows.push((Of::from_query_result(&row, "")?, Line::from_query_result(&row, "")?));
    }
    let mut pushes: Vec<i64> = rows.iter().filter_map(|(of, _)| of.push_id).collect();
    pushes.dedup();
    let articles: HashMap<i64, Vec<Candidate>> =
        if pushes.is_empty() { HashMap::new() } else { articles_of(db, &pushes).await? };
    let message = |(of, line): (Of, Line)| {
        let what = match (of.push_id, of.handle, of.account, of.alert, of.told) {
            (Some(push), Some(handle), Some(account), ..) => What::Push {
                handle,
                account,
                lang: of.lang.unwrap_or_default(),
                articles: articles.get(&push).cloned().unwrap_or_default(),
            },
            (.., Some(name), _) => What::Alert { name },
            (.., Some(told)) => What::Digest(serde_json::from_str(&told).unwrap_or_default()),
            _ => What::Other,
        };
        Message { id: of.id, line, what }
    };
    Ok(rows.into_iter().map(message).collect())
}
