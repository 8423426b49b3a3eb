//! Reads of inboxes.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    Statement,
};

use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::inbox_item::{self, ItemKind};
use crate::db::entities::{account, alert, alert_hit, push, push_article};

/// Unread items are counted up to here; more are "many".
pub const MANY: u64 = 100;
/// Articles that one item shows.
const SHOWN: usize = 8;

/// Counts a reader's unread items; `read_at IS NULL` stands in it as the index has it.
pub const COUNT_UNREAD: &str = "SELECT COUNT(*) AS count FROM (SELECT 1 FROM inbox_items \
    WHERE user_id = $1 AND read_at IS NULL LIMIT 100) AS unread";

/// How many items of a reader are unread, no further than [`MANY`].
pub async fn unread<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<u64, DbErr> {
    #[derive(FromQueryResult)]
    struct Unread {
        count: i64,
    }
    let statement = Statement::from_sql_and_values(db.get_database_backend(), COUNT_UNREAD, [user_id.into()]);
    let row = Unread::find_by_statement(statement).one(db).await?;
    Ok(row.map_or(0, |row| row.count.unsigned_abs()))
}

/// An article as an item shows it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub id: i64,
    pub title: String,
    pub lang: String,
    pub path: String,
    pub withdrawn: bool,
}

/// An item with what it tells of.
#[derive(Clone, Debug)]
pub struct Row {
    pub item: inbox_item::Model,
    /// The account's name, or the alert's.
    pub from: String,
    pub articles: Vec<Shown>,
    /// Articles that there are beyond those shown.
    pub more: usize,
}

impl Row {
    /// The language of its words, which are about one article.
    pub fn lang(&self) -> &str {
        self.articles.first().map_or("", |article| &article.lang)
    }
}

/// A reader's items before one of them, the newest first.
pub async fn items<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    only_unread: bool,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<Row>, DbErr> {
    let mut query = inbox_item::Entity::find().filter(inbox_item::COLUMN.user_id.eq(user_id));
    if only_unread {
        query = query.filter(sea_orm::sea_query::Expr::cust("read_at IS NULL"));
    }
    if let Some(before) = before {
        query = query.filter(inbox_item::COLUMN.id.lt(before));
    }
    let items = query.order_by_desc(inbox_item::COLUMN.id).limit(limit).all(db).await?;
    with_details(db, items).await
}

/// Unread items of a reader after one of them, the newest first.
pub async fn unread_after<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    after: i64,
    limit: u64,
) -> Result<Vec<Row>, DbErr> {
    let items = inbox_item::Entity::find()
        .filter(inbox_item::COLUMN.user_id.eq(user_id))
        .filter(inbox_item::COLUMN.id.gt(after))
        .filter(sea_orm::sea_query::Expr::cust("read_at IS NULL"))
        .order_by_desc(inbox_item::COLUMN.id)
        .limit(limit)
        .all(db)
        .await?;
    with_details(db, items).await
}

/// Items with what they tell of.
pub async fn with_details<C: ConnectionTrait>(
    db: &C,
    items: Vec<inbox_item::Model>,
) -> Result<Vec<Row>, DbErr> {
    let mut of_item: Vec<Vec<i64>> = Vec::with_capacity(items.len());
    let pushes = articles_of_pushes(db, items.iter().filter_map(|item| item.push_id)).await?;
    for item in &items {
        of_item.push(match item.kind {
            ItemKind::Push => pushes.get(&item.push_id.unwrap_or_default()).cloned().unwrap_or_default(),
            ItemKind::Alert => articles_of_alert(db, item).await?,
            ItemKind::Correction | ItemKind::Withdrawal => item.article_id.into_iter().collect(),
        });
    }
    let ids: BTreeSet<i64> = of_item.iter().flat_map(|ids| ids.iter().take(SHOWN).copied()).collect();
    let articles = articles(db, ids).await?;
    let account_ids = push_accounts(db, items.iter().filter_map(|item| item.push_id)).await?;
    let accounts: BTreeSet<i64> =
        articles.values().map(|article| article.account_id).chain(account_ids.values().copied()).collect();
    let accounts = by_id(account::Entity::find().filter(account::Column::Id.is_in(accounts)).all(db).await?);
    let alerts: BTreeSet<i64> = items.iter().filter_map(|item| item.alert_id).collect();
    let alerts: HashMap<i64, String> = alert::Entity::find()
        .filter(alert::Column::Id.is_in(alerts))
        .all(db)
        .await?
        .into_iter()
        .map(|alert| (alert.id, alert.name))
        .collect();
    let shown = |id: &i64| {
        let article = articles.get(id)?;
        let account = accounts.get(&article.account_id)?;
        Some(Shown {
            id: article.id,
            title: article.title.clone(),
            lang: article.lang.clone(),
            path: format!("/@{}/{}", account.handle, article.slug),
            withdrawn: article.state != ArticleState::Published,
        })
    };
    let name = |account_id: i64| accounts.get(&account_id).map(|account| account.name.clone());
    let rows = items.into_iter().zip(of_item).map(|(item, ids)| {
        let from = match item.kind {
            ItemKind::Push => item.push_id.and_then(|id| account_ids.get(&id)).and_then(|id| name(*id)),
            ItemKind::Alert => item.alert_id.and_then(|id| alerts.get(&id).cloned()),
            ItemKind::Correction | ItemKind::Withdrawal => {
                ids.first().and_then(|id| articles.get(id)).and_then(|article| name(article.account_id))
            }
        };
        Row {
            from: from.unwrap_or_default(),
            articles: ids.iter().take(SHOWN).filter_map(shown).collect(),
            more: ids.len().saturating_sub(SHOWN),
            item,
        }
    });
    Ok(rows.collect())
}

fn by_id(accounts: Vec<account::Model>) -> HashMap<i64, account::Model> {
    accounts.into_iter().map(|account| (account.id, account)).collect()
}

async fn articles<C: ConnectionTrait>(
    db: &C,
    ids: BTreeSet<i64>,
) -> Result<HashMap<i64, article::Model>, DbErr> {
    let rows = article::Entity::find().filter(article::Column::Id.is_in(ids)).all(db).await?;
    Ok(rows.into_iter().map(|article| (article.id, article)).collect())
}

async fn push_accounts<C: ConnectionTrait>(
    db: &C,
    ids: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, i64>, DbErr> {
    let rows: Vec<(i64, i64)> = push::Entity::find()
        .select_only()
        .column(push::Column::Id)
        .column(push::Column::AccountId)
        .filter(push::Column::Id.is_in(ids.collect::<BTreeSet<_>>()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

async fn articles_of_pushes<C: ConnectionTrait>(
    db: &C,
    ids: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, Vec<i64>>, DbErr> {
    let rows = push_article::Entity::find()
        .filter(push_article::Column::PushId.is_in(ids.collect::<BTreeSet<_>>()))
        .order_by_asc(push_article::COLUMN.position)
        .all(db)
        .await?;
    let mut of: HashMap<i64, Vec<i64>> = HashMap::new();
    for row in rows {
        of.entry(row.push_id).or_default().push(row.article_id);
    }
    Ok(of)
}

/// What an alert found for an occasion, the newest first.
async fn articles_of_alert<C: ConnectionTrait>(db: &C, item: &inbox_item::Model) -> Result<Vec<i64>, DbErr> {
    let (Some(alert_id), Some(occasion)) = (item.alert_id, item.occasion.as_deref()) else {
        return Ok(Vec::new());
    };
    alert_hit::Entity::find()
        .select_only()
        .column(alert_hit::Column::ArticleId)
        .filter(alert_hit::COLUMN.alert_id.eq(alert_id))
        .filter(alert_hit::Column::Occasion.eq(occasion))
        .order_by_desc(alert_hit::COLUMN.id)
        .into_tuple()
        .all(db)
        .await
}
