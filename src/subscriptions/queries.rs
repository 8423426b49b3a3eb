//! Reads of subscriptions.

use sea_orm::sea_query::{Expr, Func, JoinType, Order, Query, SelectStatement};
use sea_orm::{
    Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::clock::Timestamp;
use crate::db::entities::account;
use crate::db::entities::delivery::Channel;
use crate::db::entities::subscription::{self, Cadence, SubscriptionState};
use crate::db::entities::{reader, suppression, user};
use crate::error::Error;

/// How many readers of an account a push tells, and how many it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Told at once, by channel. Channels that nobody chose are left out.
    pub told: Vec<(Channel, i64)>,
    /// Told by a digest a day, or a week.
    pub daily: i64,
    pub weekly: i64,
    /// See articles on their timeline only.
    pub muted: i64,
    pub paused: i64,
    /// Have not confirmed their address.
    pub pending: i64,
    /// Would be told, but their address takes no mail.
    pub suppressed: i64,
}

impl Audience {
    /// How many a push tells.
    pub fn told_total(&self) -> i64 {
        self.told.iter().map(|(_, count)| count).sum()
    }

    /// How many follow the account, told or not.
    pub fn followers(&self) -> i64 {
        self.told_total() + self.daily + self.weekly + self.muted + self.paused + self.suppressed
    }
}

/// Counts the readers of an account by what a push sent now would mean to them.
pub async fn audience<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<Audience, DbErr> {
    #[derive(FromQueryResult)]
    struct Group {
        state: SubscriptionState,
        cadence: Cadence,
        suppressed: i32,
        count: i64,
    }
    let suppressed =
        Expr::case(Expr::col((suppression::Entity, suppression::Column::Id)).is_null(), 0).finally(1);
    let email = (subscription::Entity, subscription::Column::Email);
    let mut query = Query::select();
    query
        .columns([subscription::Column::State, subscription::Column::Cadence])
        .expr_as(suppressed, "suppressed")
        .expr_as(Func::count(Expr::val(1)), "count")
        .from(subscription::Entity)
        .join(
            JoinType::LeftJoin,
            suppression::Entity,
            Expr::col((suppression::Entity, suppression::Column::Email)).equals(email),
        )
        .and_where(Expr::col(subscription::Column::AccountId).eq(account_id))
        .group_by_columns([subscription::Column::State, subscription::Column::Cadence])
        .add_group_by([Expr::col("suppressed")]);
    let groups = Group::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    let mut audience = Audience::default();
    let mut by_mail = 0;
    for Group { state, cadence, suppressed, count } in groups {
        match (state, cadence) {
            (SubscriptionState::Ended, _) => {}
            (SubscriptionState::Pending, _) => audience.pending += count,
            (SubscriptionState::Paused, _) => audience.paused += count,
            (SubscriptionState::Active, Cadence::Instant) if suppressed == 1 => audience.suppressed += count,
            (SubscriptionState::Active, Cadence::Instant) => by_mail += count,
            (SubscriptionState::Active, Cadence::Daily) => audience.daily += count,
            (SubscriptionState::Active, Cadence::Weekly) => audience.weekly += count,
            (SubscriptionState::Active, Cadence::Muted) => audience.muted += count,
        }
    }
    if by_mail > 0 {
        audience.told.push((Channel::Email, by_mail));
    }
    Ok(audience)
}

/// A subscription with what is shown of its account.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Followed {
    pub id: i64,
    pub email: String,
    pub state: SubscriptionState,
    pub cadence: Cadence,
    pub created_at: Timestamp,
    pub account_id: i64,
    pub handle: String,
    pub name: String,
    pub bio: String,
    pub avatar_url: Option<String>,
    pub lang: String,
    /// Why mail to its address has stopped, in the remote's words.
    pub refused: Option<String>,
}

impl Followed {
    pub fn is_active(&self) -> bool {
        self.state == SubscriptionState::Active
    }

    pub fn is_paused(&self) -> bool {
        self.state == SubscriptionState::Paused
    }

    pub fn is_ended(&self) -> bool {
        self.state == SubscriptionState::Ended
    }

    /// Whether its cadence can be chosen now.
    pub fn has_cadence(&self) -> bool {
        self.is_active() || self.is_paused()
    }

    /// The key of the words for what the reader gets.
    pub fn status_key(&self) -> &'static str {
        match (self.state, self.cadence) {
            (SubscriptionState::Pending, _) => "subscription-status-pending",
            (SubscriptionState::Paused, _) => "subscription-status-paused",
            (SubscriptionState::Ended, _) => "subscription-status-ended",
            (SubscriptionState::Active, Cadence::Instant) => "subscription-status-instant",
            (SubscriptionState::Active, Cadence::Daily) => "subscription-status-daily",
            (SubscriptionState::Active, Cadence::Weekly) => "subscription-status-weekly",
            (SubscriptionState::Active, Cadence::Muted) => "subscription-status-muted",
        }
    }
}

/// A subscription by its id, for the holder of a signed link.
///
/// # Errors
/// Not found when it or its account is gone; gone when it is nobody's any more.
pub async fn followed<C: ConnectionTrait>(db: &C, id: i64) -> Result<Followed, Error> {
    let query = followed_with(Expr::col((subscription::Entity, subscription::Column::Id)).eq(id));
    let found = Followed::find_by_statement(db.get_database_backend().build(&query)).one(db).await?;
    let found = found.ok_or(Error::NotFound)?;
    let is_nobodys = subscription::is_nobodys(&found.email);
    if is_nobodys { Err(Error::Gone("subscription-link-expired".into())) } else { Ok(found) }
}

/// Subscriptions that have waited to be confirmed since before a moment, as a condition.
pub fn unconfirmed_since(before: Timestamp) -> Condition {
    let asked = [subscription::Column::AskedAt, subscription::Column::CreatedAt].map(Expr::col);
    Condition::all()
        .add(Expr::col(subscription::Column::State).eq(SubscriptionState::Pending))
        .add(Expr::expr(Func::coalesce(asked)).lt(before))
}

/// Up to `limit` of their ids.
pub async fn unconfirmed<C: ConnectionTrait>(
    db: &C,
    before: Timestamp,
    limit: u64,
) -> Result<Vec<i64>, DbErr> {
    let rows = subscription::Entity::find()
        .select_only()
        .column(subscription::Column::Id)
        .filter(unconfirmed_since(before))
        .limit(limit);
    rows.into_tuple().all(db).await
}

/// A user's subscriptions that have not ended, by the accounts' names. A reader has some hundreds at
/// most, so the list comes whole.
pub async fn list_of_user<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Vec<Followed>, DbErr> {
    let own = Expr::col((subscription::Entity, subscription::Column::UserId)).eq(user_id);
    Followed::find_by_statement(db.get_database_backend().build(&listed(own))).all(db).await
}

/// The same of an address.
pub async fn list_of_address<C: ConnectionTrait>(db: &C, email: &str) -> Result<Vec<Followed>, DbErr> {
    let own = Expr::col((subscription::Entity, subscription::Column::Email)).eq(email);
    Followed::find_by_statement(db.get_database_backend().build(&listed(own))).all(db).await
}

fn listed(own: Expr) -> SelectStatement {
    let mut query = followed_with(own);
    query
        .and_where(
            Expr::col((subscription::Entity, subscription::Column::State)).ne(SubscriptionState::Ended),
        )
        .order_by((account::Entity, account::Column::Name), Order::Asc)
        .order_by((subscription::Entity, subscription::Column::Id), Order::Asc)
        .limit(2_000);
    query
}

/// Up to `limit` of a user's subscriptions after one, by id; ended ones are left out.
pub async fn page_of_user<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    after: i64,
    limit: u64,
) -> Result<Vec<Followed>, DbErr> {
    let id = (subscription::Entity, subscription::Column::Id);
    let state = (subscription::Entity, subscription::Column::State);
    let own = Expr::col((subscription::Entity, subscription::Column::UserId)).eq(user_id);
    let mut query = followed_with(own);
    query
        .and_where(Expr::col(state).ne(SubscriptionState::Ended))
        .and_where(Expr::col(id).gt(after))
        .order_by(id, Order::Asc)
        .limit(limit);
    Followed::find_by_statement(db.get_database_backend().build(&query)).all(db).await
}

/// Up to `limit` subscriptions to an account after one, by id; ended ones are left out.
pub async fn subscribers<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    after: i64,
    limit: u64,
) -> Result<Vec<subscription::Model>, DbErr> {
    subscription::Entity::find()
        .filter(subscription::COLUMN.account_id.eq(account_id))
        .filter(Expr::col(subscription::Column::State).ne(SubscriptionState::Ended))
        .filter(subscription::COLUMN.id.gt(after))
        .order_by_asc(subscription::COLUMN.id)
        .limit(limit)
        .all(db)
        .await
}

/// A user's subscription to an account, ended ones included.
pub async fn of_user<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    account_id: i64,
) -> Result<Option<subscription::Model>, DbErr> {
    subscription::Entity::find()
        .filter(subscription::COLUMN.user_id.eq(user_id))
        .filter(subscription::COLUMN.account_id.eq(account_id))
        .order_by_asc(subscription::COLUMN.id)
        .one(db)
        .await
}

/// What an account's page knows of its reader: whether they follow it, and at what pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The subscription, active or paused.
    pub subscription_id: Option<i64>,
    /// Its cadence, or that of new ones.
    pub cadence: Option<Cadence>,
}

impl Standing {
    pub fn is_subscribed(&self) -> bool {
        self.subscription_id.is_some()
    }

    pub fn cadence(&self) -> Cadence {
        self.cadence.unwrap_or(Cadence::Instant)
    }
}

/// How a user stands to an account, so that its page need not ask them to subscribe.
pub async fn standing<C: ConnectionTrait>(
    db: &C,
    user: &user::Model,
    account_id: i64,
) -> Result<Standing, DbErr> {
    let own = of_user(db, user.id, account_id).await?;
    let own = own.filter(|own| matches!(own.state, SubscriptionState::Active | SubscriptionState::Paused));
    if let Some(own) = own {
        return Ok(Standing { subscription_id: Some(own.id), cadence: Some(own.cadence) });
    }
    let reader = reader::Entity::find().filter(reader::COLUMN.email.eq(user.email.as_str())).one(db).await?;
    Ok(Standing { subscription_id: None, cadence: reader.map(|reader| reader.cadence) })
}

/// Whether a user follows an account.
pub async fn follows<C: ConnectionTrait>(db: &C, user_id: i64, account_id: i64) -> Result<bool, DbErr> {
    let own = of_user(db, user_id, account_id).await?;
    Ok(own.is_some_and(|own| matches!(own.state, SubscriptionState::Active | SubscriptionState::Paused)))
}

fn followed_with(condition: Expr) -> SelectStatement {
    let email = (subscription::Entity, subscription::Column::Email);
    let account_id = (subscription::Entity, subscription::Column::AccountId);
    let mut query = Query::select();
    query
        .columns(
            [
                subscription::Column::Id,
                subscription::Column::Email,
                subscription::Column::State,
                subscription::Column::Cadence,
                subscription::Column::CreatedAt,
                subscription::Column::AccountId,
            ]
            .map(|column| (subscription::Entity, column)),
        )
        .columns(
            [
                account::Column::Handle,
                account::Column::Name,
                account::Column::Bio,
                account::Column::AvatarUrl,
                account::Column::Lang,
            ]
            .map(|column| (account::Entity, column)),
        )
        .expr_as(Expr::col((suppression::Entity, suppression::Column::Reason)), "refused")
        .from(subscription::Entity)
        .join(
            JoinType::InnerJoin,
            account::Entity,
            Expr::col((account::Entity, account::Column::Id)).equals(account_id),
        )
        .join(
            JoinType::LeftJoin,
            suppression::Entity,
            Expr::col((suppression::Entity, suppression::Column::Email)).equals(email),
        )
        .and_where(condition);
    query
}
