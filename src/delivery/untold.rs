//! Who of an account's subscribers a push has no row for, and why.

use sea_orm::sea_query::{Expr, ExprTrait, Func, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use serde::{Deserialize, Serialize};

use crate::db::entities::subscription::{self, Cadence, SubscriptionState};

/// Readers who are not told of a push at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Untold {
    /// Have not confirmed their address.
    pub pending: i64,
    pub paused: i64,
    /// Read on their timeline only.
    pub muted: i64,
    /// Get one message a day, or a week.
    pub daily: i64,
    pub weekly: i64,
}

impl Untold {
    /// What a push keeps of it; none for one that was fanned out before it was kept.
    pub fn read(kept: Option<&str>) -> Option<Self> {
        kept.and_then(|text| serde_json::from_str(text).ok())
    }

    /// As a push keeps it.
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Each reason that concerns anybody: the key of its words, and how many.
    pub fn reasons(&self) -> Vec<(&'static str, i64)> {
        let all = [
            ("push-untold-pending", self.pending),
            ("push-untold-paused", self.paused),
            ("push-untold-muted", self.muted),
            ("push-untold-daily", self.daily),
            ("push-untold-weekly", self.weekly),
        ];
        all.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// Counts them as they are now. Those who have left are no subscribers.
pub async fn count<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<Untold, DbErr> {
    #[derive(FromQueryResult)]
    struct Group {
        state: SubscriptionState,
        cadence: Cadence,
        count: i64,
    }
    let by = [subscription::Column::State, subscription::Column::Cadence];
    let query = Query::select()
        .columns(by)
        .expr_as(Func::count(Expr::val(1)), "count")
        .from(subscription::Entity)
        .and_where(Expr::col(subscription::Column::AccountId).eq(account_id))
        .and_where(Expr::col(subscription::Column::State).ne(SubscriptionState::Ended))
        .group_by_columns(by)
        .take();
    let mut untold = Untold::default();
    for row in Group::find_by_statement(db.get_database_backend().build(&query)).all(db).await? {
        match (row.state, row.cadence) {
            (SubscriptionState::Pending, _) => untold.pending += row.count,
            (SubscriptionState::Paused, _) => untold.paused += row.count,
            (SubscriptionState::Active, Cadence::Muted) => untold.muted += row.count,
            (SubscriptionState::Active, Cadence::Daily) => untold.daily += row.count,
            (SubscriptionState::Active, Cadence::Weekly) => untold.weekly += row.count,
            (SubscriptionState::Active, Cadence::Instant) | (SubscriptionState::Ended, _) => {}
        }
    }
    Ok(untold)
}
