//! Reads of articles: for readers, for the studio, for the API.

use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::accounts::queries::{self as accounts, Found};
use crate::clock::Timestamp;
use crate::db::entities::account::AccountState;
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::{account, article_slug, autosave, revision, user};
use crate::error::{Error, Message};

/// What an address leads a reader to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// A published article of an active account.
    Here(Box<(account::Model, article::Model)>),
    /// Another address of it: `/@handle/slug`.
    Moved(String),
}

/// The article of `/@handle/slug`.
///
/// # Errors
/// Not found, also for drafts; gone for withdrawn articles and suspended accounts.
pub async fn published<C: ConnectionTrait>(db: &C, handle: &str, slug: &str) -> Result<Published, Error> {
    let (account, moved) = match accounts::open_by_handle(db, handle).await? {
        Found::Here(account) => (account, false),
        Found::Moved(account) => (account, true),
    };
    let (article, moved) = match by_slug(db, account.id, slug).await? {
        Some(article) => (article, moved),
        None => (by_former_slug(db, account.id, slug).await?.ok_or(Error::NotFound)?, true),
    };
    match article.state {
        ArticleState::Draft | ArticleState::Scheduled => Err(Error::NotFound),
        ArticleState::Withdrawn => Err(Error::Gone(withdrawal(&article))),
        ArticleState::Published if moved => Ok(Published::Moved(path(&account, &article))),
        ArticleState::Published => Ok(Published::Here(Box::new((account, article)))),
    }
}

/// `/@handle/slug`
pub fn path(account: &account::Model, article: &article::Model) -> String {
    format!("/@{}/{}", account.handle, article.slug)
}

fn withdrawal(article: &article::Model) -> Message {
    match &article.withdrawn_reason {
        Some(reason) => {
            Message::from("article-withdrawn-because").with("reason", reason).written_in(&article.lang)
        }
        None => "article-withdrawn".into(),
    }
}

async fn by_slug<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    slug: &str,
) -> Result<Option<article::Model>, DbErr> {
    article::Entity::find()
        .filter(article::COLUMN.account_id.eq(account_id))
        .filter(article::COLUMN.slug.eq(slug))
        .one(db)
        .await
}

async fn by_former_slug<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    slug: &str,
) -> Result<Option<article::Model>, DbErr> {
    let row = article_slug::Entity::find()
        .filter(article_slug::COLUMN.account_id.eq(account_id))
        .filter(article_slug::COLUMN.slug.eq(slug))
        .one(db)
        .await?;
    match row {
        Some(row) => article::Entity::find_by_id(row.article_id).one(db).await,
        None => Ok(None),
    }
}

/// Those that readers may see, with their accounts: `articles` joined with `accounts`, without columns.
pub fn public() -> SelectStatement {
    let is_of = Expr::col(("accounts", account::Column::Id)).equals(("articles", article::Column::AccountId));
    let mut select = Query::select();
    select
        .from("articles")
        .join(JoinType::InnerJoin, "accounts", is_of)
        .and_where(Expr::col(("articles", article::Column::State)).eq(ArticleState::Published))
        .and_where(Expr::col(("accounts", account::Column::State)).eq(AccountState::Active));
    select
}

/// An article of an account, in any state.
pub async fn of_account<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    id: i64,
) -> Result<article::Model, Error> {
    let article = article::Entity::find_by_id(id).one(db).await?;
    article.filter(|article| article.account_id == account_id).ok_or(Error::NotFound)
}

/// An article, in any state, and its account.
pub async fn with_account<C: ConnectionTrait>(
    db: &C,
    id: i64,
) -> Result<(account::Model, article::Model), Error> {
    let article = article::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)?;
    let account = account::Entity::find_by_id(article.account_id).one(db).await?.ok_or(Error::NotFound)?;
    Ok((account, article))
}

/// How many articles an account has in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub draft: i64,
    pub scheduled: i64,
    pub published: i64,
    pub withdrawn: i64,
}

impl Counts {
    pub fn of(&self, state: ArticleState) -> i64 {
        match state {
            ArticleState::Draft => self.draft,
            ArticleState::Scheduled => self.scheduled,
            ArticleState::Published => self.published,
            ArticleState::Withdrawn => self.withdrawn,
        }
    }
}

pub async fn counts<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<Counts, DbErr> {
    let rows: Vec<(ArticleState, i64)> = article::Entity::find()
        .select_only()
        .column(article::Column::State)
        .column_as(article::Column::Id.count(), "count")
        .filter(article::COLUMN.account_id.eq(account_id))
        .group_by(article::Column::State)
        .into_tuple()
        .all(db)
        .await?;
    let mut counts = Counts::default();
    for (state, count) in rows {
        match state {
            ArticleState::Draft => counts.draft = count,
            ArticleState::Scheduled => counts.scheduled = count,
            ArticleState::Published => counts.published = count,
            ArticleState::Withdrawn => counts.withdrawn = count,
        }
    }
    Ok(counts)
}

/// An article in one of the studio's lists.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Row {
    pub id: i64,
    pub slug: String,
    pub title: String,
    pub lang: String,
    pub state: ArticleState,
    pub word_count: i32,
    pub created_by: Option<i64>,
    pub updated_at: Timestamp,
    pub publish_at: Option<Timestamp>,
    pub published_at: Option<Timestamp>,
}

/// The place in a list, by time and id, after which a page of it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub moment: i64,
    pub id: i64,
}

impl Cursor {
    /// Reads `1769875200000-42`; anything else is no cursor.
    pub fn parse(text: &str) -> Option<Self> {
        let (moment, id) = text.split_once('-')?;
        Some(Self { moment: moment.parse().ok()?, id: id.parse().ok()? })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.moment, self.id)
    }
}

/// One page of the studio's list of articles in a state, last changed first, and the next cursor.
pub async fn in_state<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    state: ArticleState,
    after: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<Row>, Option<Cursor>), DbErr> {
    let mut select = article::Entity::find()
        .filter(article::COLUMN.account_id.eq(account_id))
        .filter(article::COLUMN.state.eq(state));
    // Published ones as readers see them; the others by what was worked on last.
    let moment = match state {
        ArticleState::Published => article::Column::PublishedAt,
        ArticleState::Draft | ArticleState::Scheduled | ArticleState::Withdrawn => article::Column::UpdatedAt,
    };
    if let Some(cursor) = after {
        let place = Expr::tuple([Expr::col(moment), Expr::col(article::Column::Id)]);
        select = select.filter(place.lt(Expr::tuple([Expr::val(cursor.moment), Expr::val(cursor.id)])));
    }
    let mut rows: Vec<Row> = select
        .select_only()
        .columns([
            article::Column::Id,
            article::Column::Slug,
            article::Column::Title,
            article::Column::Lang,
            article::Column::State,
            article::Column::WordCount,
            article::Column::CreatedBy,
            article::Column::UpdatedAt,
            article::Column::PublishAt,
            article::Column::PublishedAt,
        ])
        .order_by_desc(moment)
        .order_by_desc(article::Column::Id)
        .limit(limit as u64 + 1)
        .into_model()
        .all(db)
        .await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| Cursor {
        moment: match state {
            ArticleState::Published => row.published_at.unwrap_or_default().0,
            _ => row.updated_at.0,
        },
        id: row.id,
    });
    Ok((rows, next))
}

/// One page of an account's articles for the API, newest id first, and the id that the next page
/// begins before.
pub async fn page_for_api<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    state: Option<ArticleState>,
    before: Option<i64>,
    limit: u64,
) -> Result<(Vec<article::Model>, Option<i64>), DbErr> {
    let mut select = article::Entity::find().filter(article::COLUMN.account_id.eq(account_id));
    if let Some(state) = state {
        select = select.filter(article::COLUMN.state.eq(state));
    }
    if let Some(before) = before {
        select = select.filter(article::COLUMN.id.lt(before));
    }
    let mut rows = select.order_by_desc(article::Column::Id).limit(limit + 1).all(db).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| more).map(|row| row.id);
    Ok((rows, next))
}

/// Unsaved work on an article, with the name of who left it.
pub async fn unsaved<C: ConnectionTrait>(
    db: &C,
    article_id: i64,
) -> Result<Option<(autosave::Model, String)>, DbErr> {
    let Some(row) = autosave::Entity::find_by_id(article_id).one(db).await? else { return Ok(None) };
    let name = match row.user_id {
        Some(user_id) => user::Entity::find_by_id(user_id).one(db).await?.map(|user| user.name),
        None => None,
    };
    Ok(Some((row, name.unwrap_or_default())))
}

/// A revision in a list.
#[derive(Clone, Debug, FromQueryResult)]
pub struct RevisionRow {
    pub number: i32,
    pub editor_id: Option<i64>,
    pub title: String,
    pub note: String,
    pub created_at: Timestamp,
}

/// An article's revisions, newest first, each with its editor's name.
pub async fn revisions<C: ConnectionTrait>(
    db: &C,
    article_id: i64,
) -> Result<Vec<(RevisionRow, String)>, DbErr> {
    let rows: Vec<RevisionRow> = revision::Entity::find()
        .select_only()
        .columns([
            revision::Column::Number,
            revision::Column::EditorId,
            revision::Column::Title,
            revision::Column::Note,
            revision::Column::CreatedAt,
        ])
        .filter(revision::COLUMN.article_id.eq(article_id))
        .order_by_desc(revision::Column::Number)
        .limit(500)
        .into_model()
        .all(db)
        .await?;
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.editor_id).collect();
    let editors = user::Entity::find().filter(user::Column::Id.is_in(ids)).all(db).await?;
    let name =
        |id: Option<i64>| editors.iter().find(|user| Some(user.id) == id).map(|user| user.name.clone());
    Ok(rows.into_iter().map(|row| (row.clone(), name(row.editor_id).unwrap_or_default())).collect())
}

/// One revision of an article.
pub async fn revision<C: ConnectionTrait>(
    db: &C,
    article_id: i64,
    number: i32,
) -> Result<revision::Model, Error> {
    revision::Entity::find()
        .filter(revision::COLUMN.article_id.eq(article_id))
        .filter(revision::COLUMN.number.eq(number))
        .one(db)
        .await?
        .ok_or(Error::NotFound)
}

/// How many revisions an article has.
pub async fn count_revisions<C: ConnectionTrait>(db: &C, article_id: i64) -> Result<u64, DbErr> {
    revision::Entity::find().filter(revision::COLUMN.article_id.eq(article_id)).count(db).await
}

/// What readers are told of a change.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Correction {
    pub number: i32,
    pub note: String,
    pub created_at: Timestamp,
}

/// The newest notes on an article that are for readers.
pub async fn corrections<C: ConnectionTrait>(
    db: &C,
    article_id: i64,
    limit: u64,
) -> Result<Vec<Correction>, DbErr> {
    revision::Entity::find()
        .select_only()
        .columns([revision::Column::Number, revision::Column::Note, revision::Column::CreatedAt])
        .filter(revision::COLUMN.article_id.eq(article_id))
        .filter(revision::COLUMN.note_shown.eq(true))
        .order_by_desc(revision::Column::Number)
        .limit(limit)
        .into_model()
        .all(db)
        .await
}

/// Revisions up to one, whole and newest first.
pub async fn revisions_until<C: ConnectionTrait>(
    db: &C,
    article_id: i64,
    until: Option<i32>,
    limit: u64,
) -> Result<Vec<revision::Model>, DbErr> {
    let mut find = revision::Entity::find().filter(revision::COLUMN.article_id.eq(article_id));
    if let Some(until) = until {
        find = find.filter(revision::COLUMN.number.lte(until));
    }
    find.order_by_desc(revision::COLUMN.number).limit(limit).all(db).await
}
