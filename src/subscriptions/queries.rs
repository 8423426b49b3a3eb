//! Reads of subscriptions.

use sea_orm::sea_query::{Expr, Func, JoinType, Query};
use sea_orm::{ConnectionTrait, DbErr, ExprTrait, FromQueryResult};

use crate::db::entities::delivery::Channel;
use crate::db::entities::subscription::{self, Cadence, SubscriptionState};
use crate::db::entities::suppression;

/// How many readers of an account a push tells, and how many it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Told at once, by channel. Channels that nobody chose are left out.
    pub told: Vec<(Channel, i64)>,
    /// Told at another pace than at once; on the timeline only.
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
        self.told_total() + self.muted + self.paused + self.suppressed
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
            (SubscriptionState::Active, Cadence::Daily | Cadence::Weekly | Cadence::Muted) => {
                audience.muted += count;
            }
        }
    }
    if by_mail > 0 {
        audience.told.push((Channel::Email, by_mail));
    }
    Ok(audience)
}
