//! Accounts to discover, by region and topic.

use sea_orm::sea_query::{Expr, ExprTrait, NullOrdering, Order, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, Iterable, QueryFilter,
    QuerySelect,
};

use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState, Region, Topic};
use crate::db::entities::article::{self, ArticleState};

/// Accounts named beside the front page's articles.
const ACCOUNTS: u64 = 12;

/// An account in a list.
#[derive(Clone, Debug, FromQueryResult)]
pub struct AccountCard {
    pub handle: String,
    pub name: String,
    pub bio: String,
    pub lang: String,
    pub avatar_url: Option<String>,
    pub verified_at: Option<Timestamp>,
}

/// Which accounts a list is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub region: Option<Region>,
    pub topic: Option<Topic>,
}

impl Choice {
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn narrow(&self, select: &mut SelectStatement) {
        let of = |column: account::Column| Expr::col(("accounts", column));
        if let Some(region) = self.region {
            select.and_where(of(account::Column::Region).eq(region));
        }
        if let Some(topic) = self.topic {
            select.and_where(of(account::Column::Topic).eq(topic));
        }
    }
}

/// The regions and topics that active accounts have, in the order of their lists.
pub async fn choices(db: &DatabaseConnection) -> Result<(Vec<Region>, Vec<Topic>), DbErr> {
    let rows: Vec<(Option<Region>, Option<Topic>)> = account::Entity::find()
        .select_only()
        .columns([account::Column::Region, account::Column::Topic])
        .filter(account::COLUMN.state.eq(AccountState::Active))
        .filter(
            Condition::any()
                .add(account::Column::Region.is_not_null())
                .add(account::Column::Topic.is_not_null()),
        )
        .distinct()
        .into_tuple()
        .all(db)
        .await?;
    let regions = Region::iter().filter(|region| rows.iter().any(|row| row.0 == Some(*region)));
    let topics = Topic::iter().filter(|topic| rows.iter().any(|row| row.1 == Some(*topic)));
    Ok((regions.collect(), topics.collect()))
}

/// Active accounts: verified ones first, then those that published last.
pub async fn accounts_to_discover(
    db: &DatabaseConnection,
    choice: Choice,
) -> Result<Vec<AccountCard>, DbErr> {
    use account::Column as Account;
    let of = |column: Account| Expr::col(("accounts", column));
    let newest = Query::select()
        .expr(Expr::col(("articles", article::Column::PublishedAt)).max())
        .from("articles")
        .and_where(Expr::col(("articles", article::Column::AccountId)).equals(("accounts", Account::Id)))
        .and_where(Expr::col(("articles", article::Column::State)).eq(ArticleState::Published))
        .to_owned();
    let mut select = Query::select()
        .from("accounts")
        .columns([
            Account::Handle,
            Account::Name,
            Account::Bio,
            Account::Lang,
            Account::AvatarUrl,
            Account::VerifiedAt,
        ])
        .expr_as(Expr::SubQuery(None, Box::new(newest.into())), "newest")
        .and_where(of(Account::State).eq(AccountState::Active))
        .order_by_expr(Expr::cust("CASE WHEN verified_at IS NULL THEN 1 ELSE 0 END"), Order::Asc)
        .order_by_with_nulls("newest", Order::Desc, NullOrdering::Last)
        .limit(ACCOUNTS)
        .to_owned();
    choice.narrow(&mut select);
    AccountCard::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}
