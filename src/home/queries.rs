//! Cards of articles, as the front page and accounts' pages show them; [`tags`] has those with a tag, and [`accounts`]
//! the accounts beside them.

mod accounts;
pub mod tags;

pub use self::accounts::{AccountCard, Choice, accounts_to_discover, choices};

use sea_orm::sea_query::{Alias, Asterisk, Expr, ExprTrait, Order, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter,
};

use crate::articles;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState};
use crate::shown::{Digest, head_of};
use crate::text::count;

/// Articles on one page of a list.
pub const PAGE: usize = 20;

/// An article in a list.
#[derive(Clone, Debug, FromQueryResult)]
pub struct ArticleCard {
    pub id: i64,
    pub slug: String,
    pub title: String,
    #[sea_orm(nested)]
    pub digest: Digest,
    pub cover_url: Option<String>,
    pub lang: String,
    pub word_count: i32,
    pub published_at: Option<Timestamp>,
    pub handle: String,
    /// The account's name.
    pub account: String,
}

impl ArticleCard {
    pub fn url(&self) -> String {
        format!("/@{}/{}", self.handle, self.slug)
    }

    pub fn minutes(&self) -> i32 {
        count::minutes(self.word_count, &self.lang)
    }

    /// One that is in no database, for the page that shows all components.
    pub(super) fn sample(title: &str, digest: &str, cover_url: Option<&str>) -> Self {
        Self {
            id: 0,
            slug: "sample".into(),
            title: title.to_owned(),
            digest: Digest::of(digest.to_owned(), ""),
            cover_url: cover_url.map(str::to_owned),
            lang: "zh-Hans".into(),
            word_count: 1_200,
            published_at: Some(Timestamp(1_769_875_200_000)),
            handle: "daily".into(),
            account: "海外日报".into(),
        }
    }
}

/// The place in a list, newest first, after which a page of it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub published_at: i64,
    pub id: i64,
}

impl Cursor {
    /// Reads `1769875200000-42`; anything else is no cursor.
    pub fn parse(text: &str) -> Option<Self> {
        let (moment, id) = text.split_once('-')?;
        Some(Self { published_at: moment.parse().ok()?, id: id.parse().ok()? })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.published_at, self.id)
    }
}

/// One page of a list and the cursor of the next.
#[derive(Debug)]
pub struct Cards {
    pub items: Vec<ArticleCard>,
    pub older: Option<Cursor>,
}

/// Published articles of active accounts, newest first.
pub async fn latest(db: &DatabaseConnection, choice: Choice, after: Option<Cursor>) -> Result<Cards, DbErr> {
    if choice.is_all() {
        return cards(db, article_cards(after)).await;
    }
    // Of few accounts the newest are found account by account, of many among the newest of all.
    const FEW: usize = 60;
    let mut select = Query::select();
    select
        .column(account::Column::Id)
        .from("accounts")
        .and_where(Expr::col(account::Column::State).eq(AccountState::Active))
        .limit(FEW as u64 + 1);
    choice.narrow(&mut select);
    let chosen: Vec<i64> =
        db.query_all(&select).await?.iter().map(|row| row.try_get_by(0)).collect::<Result<_, _>>()?;
    if chosen.is_empty() {
        return Ok(Cards { items: Vec::new(), older: None });
    }
    if chosen.len() <= FEW {
        let newest = newest_of_each(db, &chosen, after).await?;
        return in_pages(db, newest).await;
    }
    let mut select = article_cards(after);
    choice.narrow(&mut select);
    cards(db, select).await
}

/// The newest articles of some accounts after a place in the list, as many as a page and one: of each by its index,
/// all by one statement.
async fn newest_of_each(
    db: &DatabaseConnection,
    accounts: &[i64],
    after: Option<Cursor>,
) -> Result<Vec<i64>, DbErr> {
    let of_one = |id: i64| {
        let key = || Expr::tuple([Expr::col(article::Column::PublishedAt), Expr::col(article::Column::Id)]);
        let mut select = Query::select();
        select
            .columns([article::Column::Id, article::Column::PublishedAt])
            .from("articles")
            .and_where(Expr::col(article::Column::AccountId).eq(id))
            .and_where(Expr::col(article::Column::State).eq(ArticleState::Published))
            .order_by(article::Column::PublishedAt, Order::Desc)
            .order_by(article::Column::Id, Order::Desc)
            .limit(PAGE as u64 + 1);
        if let Some(cursor) = after {
            select.and_where(key().lt(Expr::tuple([Expr::val(cursor.published_at), Expr::val(cursor.id)])));
        }
        // Neither database takes an ordered part of a union as it is.
        Query::select().column(Asterisk).from_subquery(select, Alias::new(format!("of_{id}"))).to_owned()
    };
    let mut ids = accounts.iter().map(|id| of_one(*id));
    let Some(mut all) = ids.next() else { return Ok(Vec::new()) };
    for one in ids {
        all.union(UnionType::All, one);
    }
    let newest = Query::select()
        .column("id")
        .from_subquery(all, "newest")
        .order_by("published_at", Order::Desc)
        .order_by("id", Order::Desc)
        .limit(PAGE as u64 + 1)
        .to_owned();
    db.query_all(&newest).await?.iter().map(|row| row.try_get_by(0)).collect()
}

/// One page of articles by their ids, of which one more than a page tells that there are others.
async fn in_pages(db: &DatabaseConnection, mut ids: Vec<i64>) -> Result<Cards, DbErr> {
    let more = ids.len() > PAGE;
    ids.truncate(PAGE);
    let items = by_ids(db, &ids).await?;
    let older = items
        .last()
        .filter(|_| more)
        .and_then(|card| Some(Cursor { published_at: card.published_at?.0, id: card.id }));
    Ok(Cards { items, older })
}

/// Published articles of one account, newest first.
pub async fn of_account(
    db: &DatabaseConnection,
    account_id: i64,
    after: Option<Cursor>,
) -> Result<Cards, DbErr> {
    let mut select = article_cards(after);
    select.and_where(Expr::col(("articles", article::Column::AccountId)).eq(account_id));
    cards(db, select).await
}

/// Those of the given articles that readers may see, in the given order.
pub async fn by_ids(db: &DatabaseConnection, ids: &[i64]) -> Result<Vec<ArticleCard>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = article_cards(None);
    select
        .and_where(Expr::col(("articles", article::Column::Id)).is_in(ids.iter().copied()))
        .clear_order_by();
    let mut rows = ArticleCard::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    rows.sort_by_key(|card| ids.iter().position(|id| *id == card.id));
    Ok(rows)
}

async fn cards(db: &DatabaseConnection, mut select: SelectStatement) -> Result<Cards, DbErr> {
    select.limit(PAGE as u64 + 1);
    let mut rows = ArticleCard::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let older = rows
        .last()
        .filter(|_| more)
        .and_then(|card| Some(Cursor { published_at: card.published_at?.0, id: card.id }));
    Ok(Cards { items: rows, older })
}

fn article_cards(after: Option<Cursor>) -> SelectStatement {
    use article::Column as Article;
    let of = |column: Article| Expr::col(("articles", column));
    let mut select = articles::queries::public();
    select
        .columns([
            ("articles", Article::Id),
            ("articles", Article::Slug),
            ("articles", Article::Title),
            ("articles", Article::Digest),
            ("articles", Article::CoverUrl),
            ("articles", Article::Lang),
            ("articles", Article::WordCount),
            ("articles", Article::PublishedAt),
        ])
        .column(("accounts", account::Column::Handle))
        .expr_as(Expr::col(("accounts", account::Column::Name)), "account")
        .expr_as(head_of(of(Article::BodyHtml)), "head")
        .order_by(("articles", Article::PublishedAt), Order::Desc)
        .order_by(("articles", Article::Id), Order::Desc);
    if let Some(cursor) = after {
        select.and_where(
            Expr::tuple([of(Article::PublishedAt), of(Article::Id)])
                .lt(Expr::tuple([Expr::val(cursor.published_at), Expr::val(cursor.id)])),
        );
    }
    select
}

/// The article before or after another one of the same account.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Neighbour {
    pub slug: String,
    pub title: String,
    pub lang: String,
}

/// What the same account published just before and just after an article.
pub async fn neighbours(
    db: &DatabaseConnection,
    article: &article::Model,
) -> Result<(Option<Neighbour>, Option<Neighbour>), DbErr> {
    use article::Column as Article;
    let Some(moment) = article.published_at else {
        return Ok((None, None));
    };
    let key = || Expr::tuple([Expr::col(Article::PublishedAt), Expr::col(Article::Id)]);
    let here = || Expr::tuple([Expr::val(moment.0), Expr::val(article.id)]);
    let nearest = |side: Expr, order: Order| {
        Query::select()
            .columns([Article::Slug, Article::Title, Article::Lang])
            .from("articles")
            .and_where(Expr::col(Article::AccountId).eq(article.account_id))
            .and_where(Expr::col(Article::State).eq(ArticleState::Published))
            .and_where(side)
            .order_by(Article::PublishedAt, order.clone())
            .order_by(Article::Id, order)
            .limit(1)
            .to_owned()
    };
    let backend = db.get_database_backend();
    let before = nearest(key().lt(here()), Order::Desc);
    let after = nearest(key().gt(here()), Order::Asc);
    let one = |statement| Neighbour::find_by_statement(statement).one(db);
    tokio::try_join!(one(backend.build(&before)), one(backend.build(&after)))
}

/// How many articles of an account readers can see.
pub async fn count_articles(db: &DatabaseConnection, account_id: i64) -> Result<u64, DbErr> {
    use sea_orm::PaginatorTrait;
    article::Entity::find()
        .filter(article::COLUMN.account_id.eq(account_id))
        .filter(article::COLUMN.state.eq(ArticleState::Published))
        .count(db)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_writes_and_refuses_the_rest() {
        let cursor = Cursor { published_at: 1_769_875_200_000, id: 42 };
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        for text in ["", "-", "1", "1-x", "99999999999999999999-1"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
