//! Cards of articles and accounts, as the front page and accounts' pages show them.

use sea_orm::sea_query::{
    Alias, Expr, ExprTrait, Func, JoinType, NullOrdering, Order, Query, SelectStatement,
};
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter};

use crate::articles::content;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState};
use crate::text::count;

/// Articles on one page of a list.
pub const PAGE: usize = 20;
/// Accounts named beside the front page's articles.
const ACCOUNTS: u64 = 12;
/// How much of a body is read to make an excerpt of it, in characters of HTML.
const HEAD: i32 = 1200;
/// Length of an excerpt on a card, in characters.
const EXCERPT: usize = 120;

/// An article in a list.
#[derive(Clone, Debug, FromQueryResult)]
pub struct ArticleCard {
    pub id: i64,
    pub slug: String,
    pub title: String,
    /// The author's digest, or an excerpt of the body.
    pub digest: String,
    pub cover_url: Option<String>,
    pub lang: String,
    pub word_count: i32,
    pub published_at: Option<Timestamp>,
    pub handle: String,
    /// The account's name.
    pub account: String,
    head: String,
}

impl ArticleCard {
    pub fn url(&self) -> String {
        format!("/@{}/{}", self.handle, self.slug)
    }

    pub fn minutes(&self) -> i32 {
        count::minutes(self.word_count, &self.lang)
    }

    fn with_excerpt(mut self) -> Self {
        if self.digest.is_empty() {
            self.digest = content::excerpt(&self.head, EXCERPT);
        }
        self.head = String::new();
        self
    }
}

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

/// Published articles of all active accounts, newest first.
pub async fn latest(db: &DatabaseConnection, after: Option<Cursor>) -> Result<Cards, DbErr> {
    cards(db, article_cards(after)).await
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
    let rows = ArticleCard::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    let mut rows: Vec<ArticleCard> = rows.into_iter().map(ArticleCard::with_excerpt).collect();
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
    Ok(Cards { items: rows.into_iter().map(ArticleCard::with_excerpt).collect(), older })
}

fn article_cards(after: Option<Cursor>) -> SelectStatement {
    use article::Column as Article;
    let of = |column: Article| Expr::col(("articles", column));
    let head = Func::cust(Alias::new("substr")).args([of(Article::BodyHtml), Expr::val(1), Expr::val(HEAD)]);
    let mut select = Query::select();
    select
        .from("articles")
        .join(
            JoinType::InnerJoin,
            "accounts",
            Expr::col(("accounts", account::Column::Id)).equals(("articles", Article::AccountId)),
        )
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
        .expr_as(head, "head")
        .and_where(of(Article::State).eq(ArticleState::Published))
        .and_where(Expr::col(("accounts", account::Column::State)).eq(AccountState::Active))
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

/// Active accounts: verified ones first, then those that published last.
pub async fn accounts_to_discover(db: &DatabaseConnection) -> Result<Vec<AccountCard>, DbErr> {
    use account::Column as Account;
    let of = |column: Account| Expr::col(("accounts", column));
    let newest = Query::select()
        .expr(Expr::col(("articles", article::Column::PublishedAt)).max())
        .from("articles")
        .and_where(Expr::col(("articles", article::Column::AccountId)).equals(("accounts", Account::Id)))
        .and_where(Expr::col(("articles", article::Column::State)).eq(ArticleState::Published))
        .to_owned();
    let select = Query::select()
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
    AccountCard::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}

/// The article before or after another one of the same account.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Neighbour {
    pub slug: String,
    pub title: String,
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
            .columns([Article::Slug, Article::Title])
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
    Ok((
        Neighbour::find_by_statement(backend.build(&before)).one(db).await?,
        Neighbour::find_by_statement(backend.build(&after)).one(db).await?,
    ))
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
