//! [`News`]: which articles were new to the world, and after which event. Read once for all readers whose
//! digests are built together.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use crate::clock::Timestamp;
use crate::db::entities::event;
use crate::outbox::Event;

/// How long what was read serves: those built later are told of what came meanwhile.
const FRESH: Duration = Duration::from_secs(10);
/// Accounts asked for in one statement.
const ACCOUNTS: usize = 1_000;

/// Articles of accounts by the events that published them.
#[derive(Default)]
pub struct News {
    /// The newest event that counts.
    pub until: i64,
    accounts: HashMap<i64, Account>,
    read_at: Option<Instant>,
}

struct Account {
    /// Those after this event are known.
    from: i64,
    /// Events and articles, in order.
    articles: Vec<(i64, i64)>,
}

impl News {
    pub fn up_to(until: i64) -> Self {
        Self { until, accounts: HashMap::new(), read_at: Some(Instant::now()) }
    }

    pub fn is_old(&self) -> bool {
        self.read_at.is_none_or(|read_at| read_at.elapsed() > FRESH)
    }

    /// Reads what is not known yet of accounts, each from an event on.
    pub async fn load<C: ConnectionTrait>(
        &mut self,
        db: &C,
        wanted: &HashMap<i64, i64>,
    ) -> Result<(), DbErr> {
        let is_unknown =
            |account: &i64, from: i64| self.accounts.get(account).is_none_or(|known| known.from > from);
        let missing: Vec<(i64, i64)> = wanted
            .iter()
            .filter(|(account, from)| is_unknown(account, **from))
            .map(|(account, from)| (*account, *from))
            .collect();
        for some in missing.chunks(ACCOUNTS) {
            let from = some.iter().map(|(_, from)| *from).min().unwrap_or(self.until);
            for (account, _) in some {
                self.accounts.insert(*account, Account { from, articles: Vec::new() });
            }
            for row in published(db, some.iter().map(|(account, _)| *account), from, self.until).await? {
                if let Some(known) = self.accounts.get_mut(&row.account_id) {
                    known.articles.push((row.id, row.article_id));
                }
            }
        }
        Ok(())
    }

    /// Articles of an account after an event.
    pub fn after(&self, account: i64, from: i64) -> impl Iterator<Item = (i64, i64)> {
        let articles = self.accounts.get(&account).map_or(&[][..], |known| known.articles.as_slice());
        let first = articles.partition_point(|(event, _)| *event <= from);
        articles.iter().skip(first).copied()
    }
}

/// An article by the event that published it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Published {
    pub id: i64,
    pub account_id: i64,
    pub article_id: i64,
    pub at: Timestamp,
}

/// Articles that were new to the world when they were published; those of an archive, and those that came
/// back, were not.
pub(super) async fn published<C: ConnectionTrait>(
    db: &C,
    accounts: impl Iterator<Item = i64>,
    from: i64,
    until: i64,
) -> Result<Vec<Published>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        payload: serde_json::Value,
        created_at: Timestamp,
    }
    let kind: &'static str = Event::ArticlePublished { account_id: 0, article_id: 0, news: true }.into();
    let query = Query::select()
        .columns([event::Column::Id, event::Column::Payload, event::Column::CreatedAt])
        .from(event::Entity)
        .and_where(Expr::col(event::Column::AccountId).is_in(accounts))
        .and_where(Expr::col(event::Column::Id).gt(from))
        .and_where(Expr::col(event::Column::Id).lte(until))
        .and_where(Expr::col(event::Column::Kind).eq(kind))
        .order_by(event::Column::Id, Order::Asc)
        .take();
    let rows = Row::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    let news = rows.into_iter().filter_map(|row| match serde_json::from_value(row.payload) {
        Ok(Event::ArticlePublished { account_id, article_id, news: true }) => {
            Some(Published { id: row.id, account_id, article_id, at: row.created_at })
        }
        _ => None,
    });
    Ok(news.collect())
}
