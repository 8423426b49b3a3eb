//! Reads of accounts and members.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Func, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::account_handle;
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::member::{self, Role};
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::db::entities::user;
use crate::error::Error;

/// What a handle leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The account that bears it.
    Here(account::Model),
    /// The account that bore it, or bears it in lower case: readers are to be redirected.
    Moved(account::Model),
}

/// The account of a present or former handle, hidden ones included.
pub async fn by_handle<C: ConnectionTrait>(db: &C, handle: &str) -> Result<Option<Found>, DbErr> {
    let folded = handle.to_ascii_lowercase();
    if let Some(account) = account::Entity::find().filter(account::COLUMN.handle.eq(&folded)).one(db).await? {
        return Ok(Some(if folded == handle { Found::Here(account) } else { Found::Moved(account) }));
    }
    let Some(former) = account_handle::Entity::find_by_id(folded).one(db).await? else {
        return Ok(None);
    };
    Ok(account::Entity::find_by_id(former.account_id).one(db).await?.map(Found::Moved))
}

/// The same for readers, who do not see hidden accounts.
///
/// # Errors
/// Not found; gone when the account is suspended or closed.
pub async fn open_by_handle<C: ConnectionTrait>(db: &C, handle: &str) -> Result<Found, Error> {
    let found = by_handle(db, handle).await?.ok_or(Error::NotFound)?;
    let (Found::Here(account) | Found::Moved(account)) = &found;
    match account.state.hidden_key() {
        None => Ok(found),
        Some(key) => Err(Error::Gone(key.into())),
    }
}

/// An account in a list, with what is in it.
#[derive(Clone, Debug)]
pub struct Summary {
    pub account: account::Model,
    /// The asking user's role, where the list is theirs.
    pub role: Option<Role>,
    pub published: i64,
    /// Readers who confirmed and did not leave.
    pub followers: i64,
}

impl Summary {
    /// The key of the word for why readers do not see it, if they do not.
    pub fn hidden_badge(&self) -> Option<&'static str> {
        match self.account.state {
            AccountState::Active => None,
            AccountState::Suspended => Some("account-state-suspended"),
            AccountState::Closed => Some("account-state-closed"),
        }
    }
}

/// The accounts that a user is a member of, by name.
pub async fn of_user<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Vec<Summary>, DbErr> {
    let members = member::Entity::find().filter(member::COLUMN.user_id.eq(user_id)).all(db).await?;
    let roles: HashMap<i64, Role> = members.into_iter().map(|row| (row.account_id, row.role)).collect();
    let accounts = account::Entity::find()
        .filter(account::Column::Id.is_in(roles.keys().copied()))
        .order_by_asc(account::COLUMN.name)
        .order_by_asc(account::COLUMN.id)
        .all(db)
        .await?;
    let mut summaries = summarise(db, accounts).await?;
    for summary in &mut summaries {
        summary.role = roles.get(&summary.account.id).copied();
    }
    Ok(summaries)
}

/// Which accounts are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listing<'a> {
    /// Part of a handle or name; empty lists all.
    pub words: &'a str,
    /// Suspended and closed ones too, for operators.
    pub with_hidden: bool,
    /// Those with a smaller id than this.
    pub before: Option<i64>,
    pub limit: u64,
}

/// Accounts, newest first.
pub async fn list<C: ConnectionTrait>(db: &C, listing: Listing<'_>) -> Result<Vec<Summary>, DbErr> {
    let mut find = account::Entity::find();
    let words = listing.words.trim().trim_start_matches('@').to_lowercase();
    if !words.is_empty() {
        let pattern = format!("%{}%", words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        let like = || sea_orm::sea_query::LikeExpr::new(pattern.as_str()).escape('\\');
        let name = Func::lower(Expr::col(account::Column::Name));
        find = find.filter(
            Condition::any().add(account::Column::Handle.like(like())).add(Expr::expr(name).like(like())),
        );
    }
    if !listing.with_hidden {
        find = find.filter(account::COLUMN.state.eq(AccountState::Active));
    }
    if let Some(before) = listing.before {
        find = find.filter(account::COLUMN.id.lt(before));
    }
    let accounts = find.order_by_desc(account::COLUMN.id).limit(listing.limit).all(db).await?;
    summarise(db, accounts).await
}

async fn summarise<C: ConnectionTrait>(db: &C, accounts: Vec<account::Model>) -> Result<Vec<Summary>, DbErr> {
    let ids: Vec<i64> = accounts.iter().map(|account| account.id).collect();
    let mut published = Query::select();
    published
        .column(article::Column::AccountId)
        .from(article::Entity)
        .and_where(article::Column::AccountId.is_in(ids.clone()))
        .and_where(article::Column::State.eq(ArticleState::Published));
    let published = count_by_account(db, published).await?;
    let mut followers = Query::select();
    followers
        .column(subscription::Column::AccountId)
        .from(subscription::Entity)
        .and_where(subscription::Column::AccountId.is_in(ids))
        .and_where(subscription::Column::State.is_in([SubscriptionState::Active, SubscriptionState::Paused]));
    let followers = count_by_account(db, followers).await?;
    let count = |counts: &HashMap<i64, i64>, id| counts.get(&id).copied().unwrap_or(0);
    Ok(accounts
        .into_iter()
        .map(|account| Summary {
            published: count(&published, account.id),
            followers: count(&followers, account.id),
            role: None,
            account,
        })
        .collect())
}

async fn count_by_account<C: ConnectionTrait>(
    db: &C,
    mut query: sea_orm::sea_query::SelectStatement,
) -> Result<HashMap<i64, i64>, DbErr> {
    query.expr_as(Func::count(Expr::val(1)), "count").add_group_by([Expr::col("account_id")]);
    let rows = db.query_all(&query).await?;
    rows.into_iter().map(|row| Ok((row.try_get("", "account_id")?, row.try_get("", "count")?))).collect()
}

/// How many articles of an account are in each state, in the order of their life.
pub async fn articles_by_state<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
) -> Result<Vec<(ArticleState, i64)>, DbErr> {
    #[derive(FromQueryResult)]
    struct Group {
        state: ArticleState,
        count: i64,
    }
    let mut query = Query::select();
    query
        .column(article::Column::State)
        .expr_as(Func::count(Expr::val(1)), "count")
        .from(article::Entity)
        .and_where(article::Column::AccountId.eq(account_id))
        .group_by_col(article::Column::State);
    let groups = Group::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    let count = |state| groups.iter().find(|group| group.state == state).map_or(0, |group| group.count);
    use ArticleState::{Draft, Published, Scheduled, Withdrawn};
    Ok([Draft, Scheduled, Published, Withdrawn].map(|state| (state, count(state))).to_vec())
}

/// A member with the person behind it.
#[derive(Clone, Debug, FromQueryResult)]
pub struct MemberRow {
    pub id: i64,
    pub user_id: i64,
    pub role: Role,
    pub created_at: Timestamp,
    pub name: String,
    pub email: String,
}

/// An account's members, owners first, then as they came.
pub async fn members<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<Vec<MemberRow>, DbErr> {
    let mut query = Query::select();
    query
        .columns([
            (member::Entity, member::Column::Id),
            (member::Entity, member::Column::UserId),
            (member::Entity, member::Column::Role),
            (member::Entity, member::Column::CreatedAt),
        ])
        .columns([(user::Entity, user::Column::Name), (user::Entity, user::Column::Email)])
        .from(member::Entity)
        .inner_join(
            user::Entity,
            Expr::col((user::Entity, user::Column::Id)).equals((member::Entity, member::Column::UserId)),
        )
        .and_where(Expr::col((member::Entity, member::Column::AccountId)).eq(account_id))
        .order_by((member::Entity, member::Column::Id), sea_orm::Order::Asc);
    let statement = db.get_database_backend().build(&query);
    let mut rows = MemberRow::find_by_statement(statement).all(db).await?;
    rows.sort_by_key(|row| match row.role {
        Role::Owner => 0,
        Role::Editor => 1,
        Role::Author => 2,
        Role::Analyst => 3,
    });
    Ok(rows)
}
