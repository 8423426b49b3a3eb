//! Whose messages are meant by an address: there is no column of addresses in the ledger, but its subscriptions, its
//! digests' reader and its alerts have one each.

use std::collections::BTreeSet;

use sea_orm::sea_query::{BinOper, Expr, ExprTrait, IntoColumnRef, JoinType, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use crate::db::entities::{alert, delivery, reader, subscription, user};

/// Addresses whose messages are looked up at once.
pub const MOST: usize = 20;
/// Rows that are read to find so many: an address has one for each account that it follows.
const ROWS: u64 = 400;

/// What belongs to some addresses.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    pub subscriptions: Vec<i64>,
    pub readers: Vec<i64>,
    pub alerts: Vec<i64>,
    /// Of addresses that begin alike: there are more than were looked up.
    pub more: bool,
}

impl Owners {
    /// Those of the addresses with a beginning (`Address::beginning`), itself among them if it is whole.
    pub async fn find<C: ConnectionTrait>(db: &C, beginning: &str) -> Result<Self, DbErr> {
        let mut addresses: BTreeSet<String> = BTreeSet::new();
        let mut more = false;
        let subscriptions = Query::select()
            .column(subscription::Column::Email)
            .from(subscription::Entity)
            .and_where(begins(db, subscription::Column::Email, beginning))
            // Of those who have left only a word remains.
            .and_where(Expr::col(subscription::Column::Email).like("%@%"))
            .limit(ROWS)
            .take();
        let readers = Query::select()
            .column(reader::Column::Email)
            .from(reader::Entity)
            .and_where(begins(db, reader::Column::Email, beginning))
            .limit(ROWS)
            .take();
        let users = Query::select()
            .column(user::Column::Email)
            .from(user::Entity)
            .and_where(begins(db, user::Column::Email, beginning))
            .limit(ROWS)
            .take();
        for query in [subscriptions, readers, users] {
            let rows = db.query_all(&query).await?;
            more |= rows.len() as u64 == ROWS;
            for row in rows {
                addresses.insert(row.try_get_by_index(0)?);
            }
        }
        // If what was typed is an address, it is meant before all others.
        addresses.remove(beginning);
        more |= addresses.len() > MOST;
        let meant: Vec<String> =
            std::iter::once(beginning.to_owned()).chain(addresses.into_iter().take(MOST)).collect();
        Ok(Self { more, ..Self::of(db, &meant).await? })
    }

    /// Those of whole addresses.
    pub async fn of<C: ConnectionTrait, A: AsRef<str>>(db: &C, addresses: &[A]) -> Result<Self, DbErr> {
        let of = |column| Expr::col(column).is_in(addresses.iter().map(AsRef::as_ref));
        let subscriptions = Query::select()
            .column(subscription::Column::Id)
            .from(subscription::Entity)
            .and_where(of(subscription::Column::Email.into_column_ref()))
            .take();
        let readers = Query::select()
            .column(reader::Column::Id)
            .from(reader::Entity)
            .and_where(of(reader::Column::Email.into_column_ref()))
            .take();
        let owner =
            Expr::col((user::Entity, user::Column::Id)).equals((alert::Entity, alert::Column::UserId));
        let alerts = Query::select()
            .column((alert::Entity, alert::Column::Id))
            .from(alert::Entity)
            .join(JoinType::InnerJoin, user::Entity, owner)
            .and_where(of((user::Entity, user::Column::Email).into_column_ref()))
            .take();
        Ok(Self {
            subscriptions: ids(db, &subscriptions).await?,
            readers: ids(db, &readers).await?,
            alerts: ids(db, &alerts).await?,
            more: false,
        })
    }

    /// By which column of the ledger each kind finds its messages; each has an index.
    pub fn columns(&self) -> [(delivery::Column, &[i64]); 3] {
        [
            (delivery::Column::SubscriptionId, &self.subscriptions),
            (delivery::Column::AlertId, &self.alerts),
            (delivery::Column::ReaderId, &self.readers),
        ]
    }
}

/// Compared by bytes, as the index of each database that answers it does.
fn begins<C: ConnectionTrait>(db: &C, column: impl IntoColumnRef, beginning: &str) -> Expr {
    let column = Expr::col(column);
    let end = format!("{beginning}{}", char::MAX);
    match db.get_database_backend() {
        DbBackend::Postgres => {
            let from = column.clone().binary(BinOper::Custom("~>=~"), Expr::val(beginning));
            from.and(column.binary(BinOper::Custom("~<~"), Expr::val(end)))
        }
        _ => column.clone().gte(beginning).and(column.lt(end)),
    }
}

async fn ids<C: ConnectionTrait>(db: &C, query: &SelectStatement) -> Result<Vec<i64>, DbErr> {
    db.query_all(query).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}
