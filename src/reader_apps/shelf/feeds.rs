//! The feeds on a reader's shelf, and how much of each is unread.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter};
use url::Url;

use super::{FeedKey, stream};
use crate::accounts::queries::{self as accounts, Found};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::db::entities::{list, read_mark};
use crate::outside;

/// A feed as apps show it. Addresses are absolute.
#[derive(Clone, Debug)]
pub struct Feed {
    pub key: FeedKey,
    pub title: String,
    pub feed_url: String,
    pub page_url: String,
    pub icon_url: Option<String>,
    pub list_id: Option<i64>,
    /// When it was last read, or followed.
    pub updated: Timestamp,
}

/// How much of a feed is unread, and when the newest of that was published.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unread {
    pub count: i64,
    pub newest: Timestamp,
}

/// All feeds of a reader's: accounts by name, then outside feeds as they came.
pub async fn all(app: &App, user_id: i64) -> Result<Vec<Feed>, DbErr> {
    let mut feeds = of_accounts(app, user_id).await?;
    let outside = outside::queries::feeds(app.db.read(), user_id).await?;
    feeds.extend(outside.into_iter().map(|row| Feed {
        key: FeedKey::Outside(row.id),
        title: row.title(),
        page_url: row.page_url().to_owned(),
        updated: row.last_success_at.unwrap_or(row.created_at),
        feed_url: row.url,
        icon_url: None,
        list_id: row.list_id,
    }));
    Ok(feeds)
}

async fn of_accounts(app: &App, user_id: i64) -> Result<Vec<Feed>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        account_id: i64,
        handle: String,
        name: String,
        avatar_url: Option<String>,
        list_id: Option<i64>,
        created_at: Timestamp,
    }
    let mut query = Query::select();
    query
        .columns(
            [subscription::Column::AccountId, subscription::Column::ListId, subscription::Column::CreatedAt]
                .map(|column| ("s", column)),
        )
        .columns(
            [account::Column::Handle, account::Column::Name, account::Column::AvatarUrl]
                .map(|column| ("c", column)),
        )
        .from_as(subscription::Entity, "s")
        .join_as(
            sea_orm::sea_query::JoinType::InnerJoin,
            account::Entity,
            "c",
            Expr::col(("c", account::Column::Id)).equals(("s", subscription::Column::AccountId)),
        )
        .and_where(Expr::col(("s", subscription::Column::UserId)).eq(user_id))
        .and_where(
            Expr::col(("s", subscription::Column::State))
                .is_in([SubscriptionState::Active, SubscriptionState::Paused]),
        )
        .and_where(Expr::col(("c", account::Column::State)).eq(AccountState::Active))
        .order_by(("c", account::Column::Name), Order::Asc)
        .order_by(("c", account::Column::Id), Order::Asc);
    let rows = Row::find_by_statement(app.db.backend().build(&query)).all(app.db.read()).await?;
    let feed = |row: Row| {
        let page_url = app.config.url(&format!("/@{}", row.handle));
        Feed {
            key: FeedKey::Account(row.account_id),
            title: row.name,
            feed_url: format!("{page_url}/feed.atom"),
            page_url,
            icon_url: row.avatar_url.map(|url| app.config.absolute(&url)),
            list_id: row.list_id,
            updated: row.created_at,
        }
    };
    Ok(rows.into_iter().map(feed).collect())
}

/// The names of a reader's lists, in their order.
pub async fn lists<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Vec<(i64, String)>, DbErr> {
    use sea_orm::QueryOrder;
    let rows = list::Entity::find()
        .filter(list::COLUMN.user_id.eq(user_id))
        .order_by_asc(list::COLUMN.place)
        .order_by_asc(list::COLUMN.id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// What is unread, feed by feed; feeds without any are left out.
pub async fn unread(app: &App, user_id: i64) -> Result<HashMap<FeedKey, Unread>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        account_id: i64,
        count: i64,
        newest: Timestamp,
    }
    let mut unread: HashMap<FeedKey, Unread> = HashMap::new();
    for query in [fresh(user_id), kept(user_id)] {
        let rows = Row::find_by_statement(app.db.backend().build(&query)).all(app.db.read()).await?;
        for row in rows {
            let found = unread.entry(FeedKey::Account(row.account_id)).or_default();
            found.count += row.count;
            found.newest = Ord::max(found.newest, row.newest);
        }
    }
    for (feed_id, count, newest) in outside::queries::unread_counts(app.db.read(), user_id).await? {
        unread.insert(FeedKey::Outside(feed_id), Unread { count, newest });
    }
    Ok(unread)
}

/// Articles newer than what counts as read, of which nothing was said.
fn fresh(user_id: i64) -> SelectStatement {
    let mark = marks(user_id).take();
    let read_until = Func::coalesce([Expr::col(("s", subscription::Column::ReadUntil)), Expr::val(0i64)]);
    let mut query = counted(user_id);
    query.and_where(Expr::col(("x", "published_at")).gt(read_until)).and_where(Expr::not_exists(mark));
    query
}

/// Articles that the reader wants to be unread.
fn kept(user_id: i64) -> SelectStatement {
    let mark = marks(user_id).and_where(Expr::col(("m", read_mark::Column::IsRead)).eq(false)).take();
    let mut query = counted(user_id);
    query.and_where(Expr::exists(mark));
    query
}

fn marks(user_id: i64) -> SelectStatement {
    let mut marks = Query::select();
    marks
        .expr(Expr::val(1))
        .from_as(read_mark::Entity, "m")
        .and_where(Expr::col(("m", read_mark::Column::UserId)).eq(user_id))
        .and_where(Expr::col(("m", read_mark::Column::ArticleId)).equals(("x", "id")));
    marks
}

fn counted(user_id: i64) -> SelectStatement {
    let mut query = stream::articles(user_id);
    query
        .column(("s", subscription::Column::AccountId))
        .expr_as(Func::count(Expr::col(("x", "id"))), "count")
        .expr_as(Func::max(Expr::col(("x", "published_at"))), "newest")
        .group_by_col(("s", subscription::Column::AccountId));
    query
}

/// The account that an address of this site is about, if it is: its page, its feeds, its articles.
pub async fn account_at(app: &App, url: &Url) -> Result<Option<account::Model>, DbErr> {
    let Ok(base) = Url::parse(&app.config.base_url) else { return Ok(None) };
    if base.host() != url.host() || base.port_or_known_default() != url.port_or_known_default() {
        return Ok(None);
    }
    let below = url.path().strip_prefix(base.path().trim_end_matches('/')).unwrap_or_default();
    let first = below.trim_start_matches('/').split('/').next().unwrap_or_default();
    let Some(handle) = first.strip_prefix('@').or_else(|| first.strip_prefix("%40")) else { return Ok(None) };
    let found = accounts::by_handle(app.db.read(), handle).await?;
    let account = found.map(|found| match found {
        Found::Here(account) | Found::Moved(account) => account,
    });
    Ok(account.filter(|account| account.state == AccountState::Active))
}
