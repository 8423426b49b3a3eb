//! Reads for delivering, and of what was delivered.

use sea_orm::sea_query::{Expr, ExprTrait, Func, JoinType, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder};

use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::delivery::{self, Channel, DeliveryState};
use crate::db::entities::subscription::{self, Cadence, SubscriptionState};
use crate::db::entities::{event, from_address, push, push_article, reader, suppression, user};
use crate::outbox::Event;
use crate::page::Locale;
use crate::shown::{Digest, Shown, head_of};

/// What a push tells of: the same for all of its readers.
#[derive(Clone, Debug)]
pub struct Content {
    pub push_id: i64,
    pub account: account::Model,
    /// The account's own sender, proven or not.
    pub from: Option<from_address::Model>,
    /// Those still published, in the push's order; at least one.
    pub articles: Vec<PushedArticle>,
    /// The newest event that published one of them.
    pub published: Option<i64>,
}

impl Content {
    /// Whether a reader has been told of all of it by a digest, before being told at once.
    pub fn was_told(&self, recipient: &Recipient) -> bool {
        let is_told = self.published.zip(recipient.told).is_some_and(|(published, told)| published <= told);
        let joined = recipient.confirmed_at.unwrap_or_default();
        is_told && self.articles.iter().all(|article| article.published_at.is_some_and(|at| at >= joined))
    }
}

/// An article as a message shows it.
#[derive(Clone, Debug, FromQueryResult)]
pub struct PushedArticle {
    pub id: i64,
    pub slug: String,
    pub title: String,
    #[sea_orm(nested)]
    pub digest: Digest,
    pub author: String,
    pub cover_url: Option<String>,
    pub lang: String,
    pub word_count: i32,
    pub published_at: Option<Timestamp>,
}

impl PushedArticle {
    /// As a reader is shown it.
    pub fn shown(&self, shown: Shown) -> Self {
        Self {
            title: shown.text(&self.title, &self.lang).into_owned(),
            digest: self.digest.converted(shown, &self.lang),
            lang: shown.lang(&self.lang).into_owned(),
            ..self.clone()
        }
    }
}

/// Who is told, as they are now.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Recipient {
    pub subscription_id: i64,
    pub email: String,
    pub locale: String,
    pub state: SubscriptionState,
    pub cadence: Cadence,
    pub confirmed_at: Option<Timestamp>,
    /// Digests have told of what was published up to this event.
    pub told: Option<i64>,
    /// Why the address takes no mail any more.
    pub suppressed: Option<String>,
    /// The script of the user, and that of the address.
    user_script: Option<String>,
    reader_script: Option<String>,
}

impl Recipient {
    pub fn locale(&self) -> Locale {
        Locale::from_tag(&self.locale).unwrap_or(Locale::ZhHans)
    }

    pub fn shown(&self) -> Shown {
        Shown::chosen(self.user_script.as_deref(), self.reader_script.as_deref(), self.locale())
    }
}

/// What a push tells of now; none when nothing of it is left to be seen.
pub async fn content<C: ConnectionTrait>(db: &C, push_id: i64) -> Result<Option<Content>, DbErr> {
    let Some(push) = push::Entity::find_by_id(push_id).one(db).await? else { return Ok(None) };
    let Some(account) = account::Entity::find_by_id(push.account_id).one(db).await? else {
        return Ok(None);
    };
    if account.state != AccountState::Active {
        return Ok(None);
    }
    let article_id = (push_article::Entity, push_article::Column::ArticleId);
    let mut query = select_articles();
    query
        .join(
            JoinType::InnerJoin,
            push_article::Entity,
            Expr::col((article::Entity, article::Column::Id)).equals(article_id),
        )
        .and_where(Expr::col((push_article::Entity, push_article::Column::PushId)).eq(push_id))
        .and_where(Expr::col((article::Entity, article::Column::State)).eq(ArticleState::Published))
        .order_by((push_article::Entity, push_article::Column::Position), sea_orm::Order::Asc);
    let articles = pushed_articles(db, &query).await?;
    if articles.is_empty() {
        return Ok(None);
    }
    let published = published(db, &articles).await?;
    let from = crate::accounts::from_address::of_account(db, account.id).await?;
    Ok(Some(Content { push_id, account, from, articles, published }))
}

async fn published<C: ConnectionTrait>(db: &C, articles: &[PushedArticle]) -> Result<Option<i64>, DbErr> {
    let kind: &'static str = Event::ArticlePublished { account_id: 0, article_id: 0, news: true }.into();
    let query = Query::select()
        .expr(Func::max(Expr::col(event::Column::Id)))
        .from(event::Entity)
        .and_where(Expr::col(event::Column::ArticleId).is_in(articles.iter().map(|article| article.id)))
        .and_where(Expr::col(event::Column::Kind).eq(kind))
        .take();
    let row = db.query_one(&query).await?;
    row.map_or(Ok(None), |row| row.try_get_by_index(0))
}

/// What a push of these articles of an account would tell of, in their order.
pub async fn content_to_be<C: ConnectionTrait>(
    db: &C,
    account: account::Model,
    article_ids: &[i64],
) -> Result<Content, DbErr> {
    let mut query = select_articles();
    query
        .and_where(Expr::col((article::Entity, article::Column::AccountId)).eq(account.id))
        .and_where(Expr::col((article::Entity, article::Column::Id)).is_in(article_ids.iter().copied()));
    let mut articles = pushed_articles(db, &query).await?;
    articles.sort_by_key(|article| article_ids.iter().position(|id| *id == article.id));
    Ok(Content { push_id: 0, account, from: None, articles, published: None })
}

fn select_articles() -> SelectStatement {
    let columns = [
        article::Column::Id,
        article::Column::Slug,
        article::Column::Title,
        article::Column::Digest,
        article::Column::Author,
        article::Column::CoverUrl,
        article::Column::Lang,
        article::Column::WordCount,
        article::Column::PublishedAt,
    ];
    Query::select()
        .columns(columns.map(|column| (article::Entity, column)))
        .expr_as(head_of(Expr::col((article::Entity, article::Column::BodyHtml))), "head")
        .from(article::Entity)
        .take()
}

async fn pushed_articles<C: ConnectionTrait>(
    db: &C,
    query: &SelectStatement,
) -> Result<Vec<PushedArticle>, DbErr> {
    PushedArticle::find_by_statement(db.get_database_backend().build(query)).all(db).await
}

/// Subscriptions as they are now, with what is known of their addresses.
pub async fn recipients<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<Vec<Recipient>, DbErr> {
    let of = |column| (subscription::Entity, column);
    let owner = Expr::col((user::Entity, user::Column::Id)).equals(of(subscription::Column::UserId));
    let same = Expr::col((reader::Entity, reader::Column::Email)).equals(of(subscription::Column::Email));
    let address =
        Expr::col((suppression::Entity, suppression::Column::Email)).equals(of(subscription::Column::Email));
    let query = Query::select()
        .expr_as(Expr::col(of(subscription::Column::Id)), "subscription_id")
        .columns([
            of(subscription::Column::Email),
            of(subscription::Column::Locale),
            of(subscription::Column::State),
            of(subscription::Column::Cadence),
            of(subscription::Column::ConfirmedAt),
            of(subscription::Column::Told),
        ])
        .expr_as(Expr::col((suppression::Entity, suppression::Column::Reason)), "suppressed")
        .expr_as(Expr::col((user::Entity, user::Column::Script)), "user_script")
        .expr_as(Expr::col((reader::Entity, reader::Column::Script)), "reader_script")
        .from(subscription::Entity)
        .join(JoinType::LeftJoin, user::Entity, owner)
        .join(JoinType::LeftJoin, reader::Entity, same)
        .join(JoinType::LeftJoin, suppression::Entity, address)
        .and_where(Expr::col(of(subscription::Column::Id)).is_in(ids.iter().copied()))
        .take();
    Recipient::find_by_statement(db.get_database_backend().build(&query)).all(db).await
}

/// Why an address is not written to, if it is not.
pub async fn suppression<C: ConnectionTrait>(
    db: &C,
    email: &str,
) -> Result<Option<suppression::Model>, DbErr> {
    suppression::Entity::find().filter(suppression::COLUMN.email.eq(email)).one(db).await
}

/// Whether a push was stopped.
pub async fn is_stopped<C: ConnectionTrait>(db: &C, push_id: i64) -> Result<bool, DbErr> {
    let push = push::Entity::find_by_id(push_id).one(db).await?;
    Ok(push.is_none_or(|push| push.stopped_at.is_some()))
}

/// How many deliveries of a push are in which state.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Count {
    pub channel: Channel,
    pub state: DeliveryState,
    pub count: i64,
}

/// A push's deliveries by channel and state, straight from the ledger.
pub async fn counts<C: ConnectionTrait>(db: &C, push_id: i64) -> Result<Vec<Count>, DbErr> {
    let mut query = Query::select();
    query
        .columns([delivery::Column::Channel, delivery::Column::State])
        .expr_as(Func::count(Expr::col(delivery::Column::Id)), "count")
        .from(delivery::Entity)
        .and_where(Expr::col(delivery::Column::PushId).eq(push_id))
        .group_by_columns([delivery::Column::Channel, delivery::Column::State])
        .order_by(delivery::Column::Channel, sea_orm::Order::Asc)
        .order_by(delivery::Column::State, sea_orm::Order::Asc);
    Count::find_by_statement(db.get_database_backend().build(&query)).all(db).await
}

/// The subscriptions of a push with what became of each, in the ledger's order.
pub async fn of_push<C: ConnectionTrait>(db: &C, push_id: i64) -> Result<Vec<delivery::Model>, DbErr> {
    delivery::Entity::find()
        .filter(delivery::COLUMN.push_id.eq(push_id))
        .order_by_asc(delivery::COLUMN.id)
        .all(db)
        .await
}
