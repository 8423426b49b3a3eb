//! Tallies: how many deliveries of a push are in which state. Whoever changes a delivery of a push adds
//! the change to the tallies in the same transaction, so both always say the same.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{Expr, ExprTrait, Func, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, QueryFilter};

use crate::db::entities::delivery::{Channel, DeliveryState, Provider};
use crate::db::entities::push_tally::{self, Column};

/// How many deliveries have come to what; also a change of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Tally {
    /// Not tried yet, under way, or to be tried again.
    pub waiting: i64,
    /// Kept back, because the push was stopped.
    pub held: i64,
    pub delivered: i64,
    pub failed: i64,
    /// Not sent: the address takes no mail, or the reader has left.
    pub suppressed: i64,
}

impl Tally {
    pub fn of(state: DeliveryState, count: i64) -> Self {
        let mut tally = Self::default();
        *tally.slot(state) = count;
        tally
    }

    fn slot(&mut self, state: DeliveryState) -> &mut i64 {
        match state {
            DeliveryState::Waiting => &mut self.waiting,
            DeliveryState::Held => &mut self.held,
            DeliveryState::Delivered => &mut self.delivered,
            DeliveryState::Failed => &mut self.failed,
            DeliveryState::Suppressed => &mut self.suppressed,
        }
    }

    /// One of them changed from a state to another.
    pub fn moved(&mut self, from: DeliveryState, to: DeliveryState) {
        *self.slot(from) -= 1;
        *self.slot(to) += 1;
    }

    pub fn plus(self, other: Self) -> Self {
        Self {
            waiting: self.waiting + other.waiting,
            held: self.held + other.held,
            delivered: self.delivered + other.delivered,
            failed: self.failed + other.failed,
            suppressed: self.suppressed + other.suppressed,
        }
    }

    pub fn total(&self) -> i64 {
        self.unfinished() + self.delivered + self.failed + self.suppressed
    }

    /// Those that are still to be told.
    pub fn unfinished(&self) -> i64 {
        self.waiting + self.held
    }
}

/// What a tally counts: a push's deliveries on a channel to a provider.
pub type Key = (i64, Channel, Provider);

/// Changes by what they count. Sorted, so that two transactions take their rows in the same order.
#[derive(Clone, Debug, Default)]
pub struct Changes(BTreeMap<(i64, &'static str, Provider), (Channel, Tally)>);

impl Changes {
    pub fn add(&mut self, (push_id, channel, provider): Key, change: Tally) {
        let entry = self.0.entry((push_id, channel.into(), provider)).or_insert((channel, Tally::default()));
        entry.1 = entry.1.plus(change);
    }

    pub fn moved(&mut self, (push_id, channel, provider): Key, from: DeliveryState, to: DeliveryState) {
        let entry = self.0.entry((push_id, channel.into(), provider)).or_insert((channel, Tally::default()));
        entry.1.moved(from, to);
    }

    /// Writes the changes; returns the pushes of which nobody is left where something changed.
    pub async fn apply(&self, tx: &DatabaseTransaction) -> Result<BTreeSet<i64>, DbErr> {
        if self.0.is_empty() {
            return Ok(BTreeSet::new());
        }
        let counts = [Column::Waiting, Column::Held, Column::Delivered, Column::Failed, Column::Suppressed];
        let mut insert = Query::insert();
        insert
            .into_table(push_tally::Entity)
            .columns([Column::PushId, Column::Channel, Column::Provider].into_iter().chain(counts));
        for ((push_id, _, provider), (channel, tally)) in &self.0 {
            insert.values_panic([
                Expr::val(*push_id),
                Expr::val(*channel),
                Expr::val(*provider),
                Expr::val(tally.waiting),
                Expr::val(tally.held),
                Expr::val(tally.delivered),
                Expr::val(tally.failed),
                Expr::val(tally.suppressed),
            ]);
        }
        let mut known = OnConflict::columns([Column::PushId, Column::Channel, Column::Provider]);
        for column in counts {
            let sum = Expr::col((push_tally::Entity, column)).add(Expr::col(("excluded", column)));
            known.value(column, sum);
        }
        let left = Expr::col((push_tally::Entity, Column::Waiting))
            .add(Expr::col((push_tally::Entity, Column::Held)));
        insert.on_conflict(known).returning(Query::returning().exprs([Expr::col(Column::PushId), left]));
        let (mut open, mut done) = (BTreeSet::new(), BTreeSet::new());
        for row in tx.query_all(&insert).await? {
            let push_id = row.try_get_by_index(0)?;
            if row.try_get_by_index::<i64>(1)? > 0 {
                open.insert(push_id)
            } else {
                done.insert(push_id)
            };
        }
        Ok(&done - &open)
    }
}

/// The tallies of pushes.
pub async fn of_pushes<C: ConnectionTrait>(
    db: &C,
    push_ids: &[i64],
) -> Result<Vec<push_tally::Model>, DbErr> {
    use sea_orm::{ColumnTrait, QueryOrder};
    push_tally::Entity::find()
        .filter(Column::PushId.is_in(push_ids.iter().copied()))
        .order_by_asc(Column::PushId)
        .order_by_asc(Column::Channel)
        .order_by_asc(Column::Provider)
        .all(db)
        .await
}

/// How many of a push are still to be told.
pub async fn unfinished<C: ConnectionTrait>(db: &C, push_id: i64) -> Result<i64, DbErr> {
    #[derive(FromQueryResult)]
    struct Sum {
        left: Option<i64>,
    }
    let left = Func::sum(Expr::col(Column::Waiting).add(Expr::col(Column::Held))).cast_as("bigint");
    let query = Query::select()
        .expr_as(left, "left")
        .from(push_tally::Entity)
        .and_where(Expr::col(Column::PushId).eq(push_id))
        .take();
    let sum = Sum::find_by_statement(db.get_database_backend().build(&query)).one(db).await?;
    Ok(sum.and_then(|sum| sum.left).unwrap_or(0))
}

impl From<&push_tally::Model> for Tally {
    fn from(row: &push_tally::Model) -> Self {
        Self {
            waiting: row.waiting,
            held: row.held,
            delivered: row.delivered,
            failed: row.failed,
            suppressed: row.suppressed,
        }
    }
}
