//! The numbers by which apps know items. An item gets one when the first app hears of it, and keeps it: it is the
//! same for all readers, articles and outside items share one sequence, and what comes later has a larger one.
//! Apps that ask for "all above the last number that I know" (Fever) rely on that.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, JoinType, OnConflict, Order, Query, SelectStatement};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter,
};

use super::{ItemKey, split, stream};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::reader_item;

/// Values of one statement.
const AT_ONCE: usize = 1_000;
/// Items that are numbered by one request at most.
const NUMBERED_AT_ONCE: u64 = 5_000;

/// The numbers of items, given now where they have none.
pub async fn of(app: &App, keys: &[ItemKey]) -> Result<HashMap<ItemKey, i64>, DbErr> {
    let mut known = known(app.db.read(), keys).await?;
    let mut missing: Vec<ItemKey> = keys.iter().copied().filter(|key| !known.contains_key(key)).collect();
    // Numbers follow ids, which follow time, in whatever order the items were asked for.
    missing.sort_unstable();
    if missing.is_empty() {
        return Ok(known);
    }
    let tx = app.db.begin_unnoticed().await?;
    for (is_article, column) in
        [(true, reader_item::Column::ArticleId), (false, reader_item::Column::OutsideItemId)]
    {
        let rows: Vec<_> = missing.iter().filter_map(|key| row(*key, is_article)).collect();
        for chunk in rows.chunks(AT_ONCE) {
            reader_item::Entity::insert_many(chunk.to_vec())
                .on_conflict_do_nothing_on([column])
                .exec_without_returning(&*tx)
                .await?;
        }
    }
    tx.commit().await?;
    known.extend(self::known(app.db.read(), &missing).await?);
    Ok(known)
}

fn row(key: ItemKey, is_article: bool) -> Option<reader_item::ActiveModel> {
    let (article_id, outside_item_id) = match key {
        ItemKey::Article(id) if is_article => (Some(id), None),
        ItemKey::Outside(id) if !is_article => (None, Some(id)),
        _ => return None,
    };
    Some(reader_item::ActiveModel {
        id: NotSet,
        article_id: Set(article_id),
        outside_item_id: Set(outside_item_id),
    })
}

async fn known<C: ConnectionTrait>(db: &C, keys: &[ItemKey]) -> Result<HashMap<ItemKey, i64>, DbErr> {
    let mut known = HashMap::new();
    for chunk in keys.chunks(AT_ONCE) {
        let (articles, outside) = split(chunk.iter().copied());
        let any = Condition::any()
            .add(reader_item::Column::ArticleId.is_in(articles))
            .add(reader_item::Column::OutsideItemId.is_in(outside));
        let rows = reader_item::Entity::find().filter(any).all(db).await?;
        known.extend(rows.into_iter().filter_map(|row| Some((key_of(&row)?, row.id))));
    }
    Ok(known)
}

fn key_of(row: &reader_item::Model) -> Option<ItemKey> {
    row.article_id.map(ItemKey::Article).or(row.outside_item_id.map(ItemKey::Outside))
}

/// The items that have these numbers, in the order of the numbers given.
pub async fn keys<C: ConnectionTrait>(db: &C, numbers: &[i64]) -> Result<Vec<ItemKey>, DbErr> {
    let mut found = HashMap::new();
    for chunk in numbers.chunks(AT_ONCE) {
        let rows = reader_item::Entity::find()
            .filter(reader_item::COLUMN.id.is_in(chunk.iter().copied()))
            .all(db)
            .await?;
        found.extend(rows.iter().filter_map(|row| Some((row.id, key_of(row)?))));
    }
    Ok(numbers.iter().filter_map(|number| found.get(number).copied()).collect())
}

/// Where in the sequence a page of items begins.
#[derive(Clone, Copy, Debug)]
pub enum From {
    /// The first ones above a number.
    Above(i64),
    /// The last ones below a number.
    Below(i64),
}

/// A reader's items by number, after those that were published since a moment and have none were given one.
/// Above a number they come in rising order, below one in falling order.
pub async fn page(
    app: &App,
    user_id: i64,
    since: Timestamp,
    from: From,
    limit: u64,
) -> Result<Vec<(i64, ItemKey)>, DbErr> {
    number_new(app, user_id, since).await?;
    #[derive(FromQueryResult)]
    struct Row {
        number: i64,
        id: i64,
    }
    let mut page = Vec::new();
    for (mut query, column, of_row) in [
        (stream::articles(user_id), reader_item::Column::ArticleId, ItemKey::Article as fn(i64) -> ItemKey),
        (stream::outside(user_id), reader_item::Column::OutsideItemId, ItemKey::Outside),
    ] {
        let number = Expr::col(("n", reader_item::Column::Id));
        query
            .expr_as(number.clone(), "number")
            .column(("x", "id"))
            .join_as(
                JoinType::InnerJoin,
                reader_item::Entity,
                "n",
                Expr::col(("n", column)).equals(("x", "id")),
            )
            .limit(limit);
        match from {
            From::Above(least) => query.and_where(number.gt(least)).order_by(("n", "id"), Order::Asc),
            From::Below(most) => query.and_where(number.lt(most)).order_by(("n", "id"), Order::Desc),
        };
        let statement = app.db.backend().build(&query);
        let rows = Row::find_by_statement(statement).all(app.db.read()).await?;
        page.extend(rows.into_iter().map(|row| (row.number, of_row(row.id))));
    }
    page.sort_unstable_by_key(|(number, _)| match from {
        From::Above(_) => *number,
        From::Below(_) => -*number,
    });
    page.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(page)
}

/// Gives numbers to a reader's items that were published since a moment and have none, oldest first.
async fn number_new(app: &App, user_id: i64, since: Timestamp) -> Result<(), DbErr> {
    let parts = [
        (stream::articles(user_id), reader_item::Column::ArticleId),
        (stream::outside(user_id), reader_item::Column::OutsideItemId),
    ];
    for (query, column) in parts {
        let query = unnumbered(query, column, since);
        let first = query.clone().limit(1).take();
        if app.db.read().query_one(&first).await?.is_none() {
            continue;
        }
        let mut insert = Query::insert();
        insert
            .into_table(reader_item::Entity)
            .columns([column])
            .select_from(query)
            .expect("as many values as columns")
            .on_conflict(OnConflict::column(column).do_nothing().to_owned());
        app.db.write().execute(&insert).await?;
    }
    Ok(())
}

fn unnumbered(mut query: SelectStatement, column: reader_item::Column, since: Timestamp) -> SelectStatement {
    let numbered = Query::select()
        .expr(Expr::val(1))
        .from_as(reader_item::Entity, "n")
        .and_where(Expr::col(("n", column)).equals(("x", "id")))
        .take();
    query
        .column(("x", "id"))
        .and_where(Expr::col(("x", "published_at")).gte(since))
        .and_where(Expr::not_exists(numbered))
        .order_by(("x", "published_at"), Order::Asc)
        .order_by(("x", "id"), Order::Asc)
        .limit(NUMBERED_AT_ONCE)
        .take()
}
