//! `/api/v1`: articles as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Actor, ArticleForm, Note, content, queries};
use crate::accounts::api::by_handle;
use crate::accounts::roles::{self, Operation};
use crate::api::idempotency::IdempotencyKey;
use crate::api::{Listing, Paging, Problem};
use crate::app::App;
use crate::auth::{ApiUser, Scope};
use crate::clock::Timestamp;
use crate::db::entities::account;
use crate::db::entities::article::{self, ArticleState, BodyFormat};
use crate::error::Error;
use crate::path::Path;
use crate::text::count;

/// An article.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ArticleJson {
    pub id: i64,
    /// Its id where it was imported from.
    pub external_id: Option<String>,
    pub account: AccountRef,
    /// Its page.
    pub url: String,
    pub slug: String,
    pub title: String,
    pub digest: String,
    /// The author line, as printed.
    pub author: String,
    pub body_format: BodyFormat,
    /// What the author typed; for members only, and null where that is the HTML.
    pub body: Option<String>,
    /// Sanitised HTML; all addresses are absolute.
    pub body_html: String,
    /// Absolute.
    pub cover_url: Option<String>,
    pub tags: Vec<String>,
    /// BCP 47.
    pub lang: String,
    pub original_url: Option<String>,
    pub state: ArticleState,
    /// To be named when updating.
    pub version: i32,
    pub word_count: i32,
    pub reading_minutes: i32,
    /// RFC 3339, as are the other times.
    pub created_at: String,
    pub updated_at: String,
    /// When a scheduled article will be published.
    pub publish_at: Option<String>,
    pub published_at: Option<String>,
    pub withdrawn_at: Option<String>,
    pub withdrawn_reason: Option<String>,
}

/// The account of an article.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccountRef {
    pub handle: String,
    pub name: String,
}

impl ArticleJson {
    fn of(app: &App, account: &account::Model, article: article::Model, for_member: bool) -> Self {
        let site = app.config.base_url.trim_end_matches('/');
        Self {
            url: format!("{site}{}", queries::path(account, &article)),
            account: AccountRef { handle: account.handle.clone(), name: account.name.clone() },
            reading_minutes: count::minutes(article.word_count, &article.lang),
            id: article.id,
            external_id: article.external_id,
            slug: article.slug,
            title: article.title,
            digest: article.digest,
            author: article.author,
            body_format: article.body_format,
            body: article.body_source.filter(|_| for_member),
            body_html: content::absolute(&article.body_html, site),
            cover_url: article.cover_url.map(|cover| app.config.absolute(&cover)),
            tags: article.tags.0,
            lang: article.lang,
            original_url: article.original_url,
            state: article.state,
            version: article.version,
            word_count: article.word_count,
            created_at: article.created_at.rfc3339(),
            updated_at: article.updated_at.rfc3339(),
            publish_at: article.publish_at.map(Timestamp::rfc3339),
            published_at: article.published_at.map(Timestamp::rfc3339),
            withdrawn_at: article.withdrawn_at.map(Timestamp::rfc3339),
            withdrawn_reason: article.withdrawn_reason,
        }
    }
}

/// A new article, or changes to one: what is left out stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ArticleInput {
    pub title: Option<String>,
    pub digest: Option<String>,
    pub author: Option<String>,
    /// `markdown` (the default) or `html`.
    pub body_format: Option<BodyFormat>,
    pub body: Option<String>,
    /// Absolute, or the path of a picture uploaded here (`/media/...`). An empty string takes it away; so with
    /// `original_url`.
    pub cover_url: Option<String>,
    pub tags: Option<Vec<String>>,
    /// BCP 47; the account's language unless given.
    pub lang: Option<String>,
    pub original_url: Option<String>,
    /// Made from the title unless given.
    pub slug: Option<String>,
    /// Of an update: the version that was read; a conflict if another was saved since.
    pub version: Option<i32>,
    /// Of an update to a published article: why, for the list of revisions.
    pub note: Option<String>,
    /// Show `note` to readers, as a correction.
    pub show_note: Option<bool>,
    /// Tell readers who were told of the article what `note` says of the new version.
    pub tell_readers: Option<bool>,
    /// Of a new article: publish it at once.
    pub publish: bool,
}

impl ArticleInput {
    fn apply(self, form: &mut ArticleForm) {
        let set = |field: &mut String, value: Option<String>| {
            if let Some(value) = value {
                *field = value;
            }
        };
        set(&mut form.title, self.title);
        set(&mut form.digest, self.digest);
        set(&mut form.author, self.author);
        set(&mut form.body_format, self.body_format.map(|format| format.to_string()));
        set(&mut form.body, self.body);
        set(&mut form.cover_url, self.cover_url);
        set(&mut form.tags, self.tags.map(|tags| tags.join(",")));
        set(&mut form.lang, self.lang);
        set(&mut form.original_url, self.original_url);
        set(&mut form.slug, self.slug);
    }
}

/// `?state=`
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Published unless given; the others are for members.
    pub state: Option<ArticleState>,
}

/// List an account's articles, newest first.
#[utoipa::path(
    get, path = "/api/v1/accounts/{handle}/articles", tag = "articles",
    params(("handle" = String, Path), ListQuery, Paging), security((), ("token" = ["articles:read"])),
    responses((status = 200, body = Listing<ArticleJson>), (status = "4XX", body = Problem))
)]
pub async fn list_articles(
    State(app): State<Arc<App>>,
    user: Option<ApiUser>,
    Path(handle): Path<String>,
    Query(query): Query<ListQuery>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<ArticleJson>>, Error> {
    let db = app.db.read();
    let account = by_handle(&app, &handle).await?;
    let state = query.state.unwrap_or(ArticleState::Published);
    let is_member = is_member(&app, user.as_ref(), account.id).await?;
    if state != ArticleState::Published && !is_member {
        return Err(Error::forbidden());
    }
    if let (Some(key), false) = (account.state.hidden_key(), is_member) {
        return Err(Error::Gone(key.into()));
    }
    let (rows, next) =
        queries::page_for_api(db, account.id, Some(state), paging.after()?, paging.limit()).await?;
    let items = rows.into_iter().map(|row| ArticleJson::of(&app, &account, row, is_member)).collect();
    Ok(Json(Listing { items, next_cursor: next.map(|id| id.to_string()) }))
}

/// Get an article. Those that are not published are shown to members only.
#[utoipa::path(
    get, path = "/api/v1/articles/{id}", tag = "articles", params(("id" = i64, Path)),
    security((), ("token" = ["articles:read"])),
    responses((status = 200, body = ArticleJson), (status = "4XX", body = Problem))
)]
pub async fn get_article(
    State(app): State<Arc<App>>,
    user: Option<ApiUser>,
    Path(id): Path<i64>,
) -> Result<Json<ArticleJson>, Error> {
    let (account, article) = load(&app, id).await?;
    let is_member = is_member(&app, user.as_ref(), account.id).await?;
    if !is_member {
        queries::published(app.db.read(), &account.handle, &article.slug).await?;
    }
    Ok(Json(ArticleJson::of(&app, &account, article, is_member)))
}

/// Create a draft, or with `publish` an article that is published at once.
#[utoipa::path(
    post, path = "/api/v1/accounts/{handle}/articles", tag = "articles",
    params(("handle" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = ArticleInput,
    security(("token" = ["articles:write"])),
    responses((status = 201, body = ArticleJson), (status = "4XX", body = Problem))
)]
pub async fn create_article(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(handle): Path<String>,
    key: IdempotencyKey,
    Json(input): Json<ArticleInput>,
) -> Result<(StatusCode, Json<ArticleJson>), Error> {
    let user = caller.require(Scope::ArticlesWrite)?;
    let account = by_handle(&app, &handle).await?;
    let actor = Actor { account_id: account.id, user_id: user.id };
    let publish = input.publish;
    if publish {
        roles::require(app.db.read(), actor.account_id, actor.user_id, Operation::Publish).await?;
    }
    let mut form = ArticleForm { lang: account.lang.clone(), ..ArticleForm::default() };
    input.apply(&mut form);
    let content = form.parse().await?;
    if publish {
        content.check_complete()?;
    }
    // Kept with the article as well: the answer may have been lost to a crash, the article not.
    let key = key.key.map(|key| format!("api:{}:{key}", user.id));
    let mut article = super::create(&app, actor, content, key.as_deref()).await?;
    if publish && article.state == ArticleState::Draft {
        article = super::publish(&app, actor, article.id, None).await?;
    }
    Ok((StatusCode::CREATED, Json(ArticleJson::of(&app, &account, article, true))))
}

/// Update an article. A published one gets a revision.
#[utoipa::path(
    patch, path = "/api/v1/articles/{id}", tag = "articles", params(("id" = i64, Path)), request_body = ArticleInput,
    security(("token" = ["articles:write"])),
    responses((status = 200, body = ArticleJson), (status = "4XX", body = Problem))
)]
pub async fn update_article(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
    Json(input): Json<ArticleInput>,
) -> Result<Json<ArticleJson>, Error> {
    let user = caller.require(Scope::ArticlesWrite)?;
    let (account, article) = load_as_member(&app, &caller, id).await?;
    let version = input.version.unwrap_or(article.version);
    let words = input.note.clone().unwrap_or_default();
    let note = Note {
        words: words.trim(),
        show: input.show_note.unwrap_or_default(),
        tell: input.tell_readers.unwrap_or_default(),
    };
    let mut form = ArticleForm::of(&article);
    // HTML in place of Markdown, or the other way, needs its own body.
    if input.body_format.is_some_and(|format| format != article.body_format) && input.body.is_none() {
        return Err(Error::invalid("body", "article-body-missing"));
    }
    input.apply(&mut form);
    let content = form.parse().await?;
    let actor = Actor { account_id: account.id, user_id: user.id };
    let saved = super::save(&app, actor, id, version, content, note).await?;
    Ok(Json(ArticleJson::of(&app, &account, saved, true)))
}

/// Publish a draft or scheduled article.
#[utoipa::path(
    post, path = "/api/v1/articles/{id}/publish", tag = "articles",
    params(("id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("token" = ["articles:write"])),
    responses((status = 200, body = ArticleJson), (status = "4XX", body = Problem))
)]
pub async fn publish_article(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
) -> Result<Json<ArticleJson>, Error> {
    let user = caller.require(Scope::ArticlesWrite)?;
    let (account, _) = load_as_member(&app, &caller, id).await?;
    let actor = Actor { account_id: account.id, user_id: user.id };
    let article = super::publish(&app, actor, id, None).await?;
    Ok(Json(ArticleJson::of(&app, &account, article, true)))
}

/// When to publish.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleInput {
    /// RFC 3339; null takes the article off the schedule.
    pub publish_at: Option<String>,
}

/// Set the time at which a draft is published, or take it off the schedule.
#[utoipa::path(
    post, path = "/api/v1/articles/{id}/schedule", tag = "articles",
    params(("id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = ScheduleInput,
    security(("token" = ["articles:write"])),
    responses((status = 200, body = ArticleJson), (status = "4XX", body = Problem))
)]
pub async fn schedule_article(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
    Json(input): Json<ScheduleInput>,
) -> Result<Json<ArticleJson>, Error> {
    let user = caller.require(Scope::ArticlesWrite)?;
    let (account, _) = load_as_member(&app, &caller, id).await?;
    let actor = Actor { account_id: account.id, user_id: user.id };
    let article = match &input.publish_at {
        Some(moment) => {
            let moment = DateTime::parse_from_rfc3339(moment)
                .map_err(|_| Error::invalid("publish_at", "article-time-wrong"))?;
            super::schedule(&app, actor, id, Timestamp(moment.timestamp_millis())).await?
        }
        None => super::unschedule(&app, actor, id).await?,
    };
    Ok(Json(ArticleJson::of(&app, &account, article, true)))
}

/// Why an article is taken back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WithdrawInput {
    /// Shown to readers; may be empty.
    pub reason: String,
}

/// Withdraw a published article: its page answers 410 from now on.
#[utoipa::path(
    post, path = "/api/v1/articles/{id}/withdraw", tag = "articles",
    params(("id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = WithdrawInput,
    security(("token" = ["articles:write"])),
    responses((status = 200, body = ArticleJson), (status = "4XX", body = Problem))
)]
pub async fn withdraw_article(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
    Json(input): Json<WithdrawInput>,
) -> Result<Json<ArticleJson>, Error> {
    let user = caller.require(Scope::ArticlesWrite)?;
    let (account, _) = load_as_member(&app, &caller, id).await?;
    let actor = Actor { account_id: account.id, user_id: user.id };
    let article = super::withdraw(&app, actor, id, &input.reason).await?;
    Ok(Json(ArticleJson::of(&app, &account, article, true)))
}

async fn load(app: &App, id: i64) -> Result<(account::Model, article::Model), Error> {
    queries::with_account(app.db.read(), id).await
}

/// The article, for members of its account; others do not learn whether there is one.
async fn load_as_member(
    app: &App,
    caller: &ApiUser,
    id: i64,
) -> Result<(account::Model, article::Model), Error> {
    let (account, article) = load(app, id).await?;
    match roles::role_of(app.db.read(), account.id, caller.user.id).await? {
        Some(_) => Ok((account, article)),
        None if article.state == ArticleState::Published => Err(Error::forbidden()),
        None => Err(Error::NotFound),
    }
}

/// Whether the caller may see what readers do not.
async fn is_member(app: &App, caller: Option<&ApiUser>, account_id: i64) -> Result<bool, Error> {
    let Some(caller) = caller.filter(|caller| caller.scopes.contains(&Scope::ArticlesRead)) else {
        return Ok(false);
    };
    let role = roles::role_of(app.db.read(), account_id, caller.user.id).await?;
    Ok(role.is_some_and(|role| roles::allows(role, Operation::ReadStudio)))
}
