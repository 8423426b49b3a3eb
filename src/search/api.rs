//! `GET /api/v1/search`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

use super::find::{self, Counts, Found, Item, Reader};
use super::queries::{Bearer, Place};
use super::query::Atom;
use super::query::reading::{Choice, Piece};
use super::suggest::near;
use super::wanted::Wanted;
use crate::app::App;
use crate::auth::{ApiUser, Scope};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::text::script::Script;

/// Results of a search, best or newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchResults {
    /// As it was asked.
    query: String,
    /// Articles on all pages together.
    total: usize,
    /// Milliseconds that the search took here.
    took_ms: f64,
    /// Gives the next page as `cursor`; null on the last.
    next_cursor: Option<String>,
    items: Vec<SearchResult>,
    /// How the query was read: all of this must hold.
    interpretation: Vec<SearchPart>,
    /// What was probably meant, where few articles hold all of the query and more hold this.
    did_you_mean: Option<String>,
    /// The time for one search was up before everything was looked at; the total is too low then.
    partial: bool,
    /// What the whole answer holds, on the first page where `facets=true` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    facets: Option<SearchFacets>,
}

/// A part of a query.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchPart {
    /// As it was typed, about.
    typed: String,
    /// Must not hold.
    negated: bool,
    /// One of these must hold.
    any: Vec<SearchChoice>,
    /// The query without this part.
    without: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SearchChoice {
    /// word, phrase, title, from, author, tag, after, before, lang, has
    kind: &'static str,
    /// Text as typed; of from the account's present handle; of after and before a moment in RFC 3339; of
    /// lang a language tag.
    value: String,
    /// not_a_date, not_a_language, not_a_part, not_an_account: it looks like an operator, but was read as
    /// text. no_such_account: nothing is from there.
    note: Option<&'static str>,
}

/// How many articles of the whole answer there are of each kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchFacets {
    accounts: Vec<AccountCount>,
    /// By month of publication in UTC, such as 2026-01; newest first.
    months: Vec<NameCount>,
    langs: Vec<NameCount>,
    /// image, video, audio, table
    has: Vec<NameCount>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AccountCount {
    account: SearchAccount,
    count: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NameCount {
    name: String,
    count: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SearchResult {
    id: i64,
    /// Its id where it was imported from.
    external_id: Option<String>,
    url: String,
    title: String,
    /// The passage that answers best, in the article's own script: HTML with `<mark>` around what was
    /// asked for and everything else escaped.
    snippet_html: String,
    account: SearchAccount,
    /// The author line; null where there is none.
    author: Option<String>,
    /// BCP 47: zh-Hans, zh-Hant, ...
    lang: String,
    /// RFC 3339.
    published_at: String,
    /// Falls along the results; comparable within one answer only.
    score: f32,
    /// Where else nearly the same stands, such as an agency's report in other outlets.
    also: Vec<SearchPlace>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SearchPlace {
    id: i64,
    url: String,
    account: SearchAccount,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SearchAccount {
    handle: String,
    name: String,
}

/// Search articles
///
/// Simplified and Traditional characters, full and half width, and case are the same. Terms apart by
/// spaces must all be there; `"quoted"` runs exactly so; `-term` must not; of `a OR b` one must. `title:`,
/// `author:`, `tag:`, `from:@handle`, `after:2026-01`, `before:`, `lang:` and `has:image` narrow. Every
/// string has an answer; `interpretation` tells how it was read.
#[utoipa::path(
    get,
    path = "/api/v1/search",
    tag = "search",
    params(
        ("q" = Option<String>, Query, description = "What to look for"),
        ("account" = Option<Vec<String>>, Query, description = "Handle: only articles of this account; may be repeated"),
        ("from" = Option<String>, Query, description = "Published from: 2026-01-31, 2026-01, 2026, or RFC 3339"),
        ("to" = Option<String>, Query, description = "Published until the end of: the same forms"),
        ("lang" = Option<String>, Query, description = "zh-Hans, zh-Hant, en, ..."),
        ("has" = Option<String>, Query, description = "image, video, audio or table"),
        ("in" = Option<String>, Query, description = "subscriptions: only accounts that the caller follows; needs a token"),
        ("sort" = Option<String>, Query, description = "relevance (default), newest or oldest"),
        ("fold" = Option<bool>, Query, description = "Put articles that say nearly the same under the best of them, as `also`"),
        ("facets" = Option<bool>, Query, description = "Count the whole answer by account, month, language and kind"),
        ("limit" = Option<u32>, Query, description = "Results on a page: 1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses((status = 200, body = SearchResults), (status = 422, description = "A parameter other than q cannot be read"))
)]
pub async fn search_articles(
    State(app): State<Arc<App>>,
    caller: Option<ApiUser>,
    RawQuery(query): RawQuery,
) -> Result<Json<SearchResults>, Error> {
    let wanted = Wanted::from_query(&query.unwrap_or_default());
    let user = match &caller {
        Some(caller) if !wanted.scope.is_empty() => Some(caller.require(Scope::SubscriptionsRead)?.id),
        _ => None,
    };
    let reader = Reader { user, zone: Tz::UTC, script: Script::Other };
    let found = find::find(&app, &wanted, reader).await?;
    let meant = near::did_you_mean(&app, &wanted, &found, reader).await?;
    Ok(Json(results(&app, wanted, found, meant)))
}

fn results(app: &App, wanted: Wanted, found: Found, did_you_mean: Option<String>) -> SearchResults {
    let base = app.config.base_url.trim_end_matches('/');
    let pieces = found.reading.pieces.iter().enumerate();
    SearchResults {
        query: wanted.q,
        total: found.total,
        took_ms: (found.took.as_secs_f64() * 1e5).round() / 100.0,
        next_cursor: found.next.map(|cursor| cursor.encode()),
        interpretation: pieces.map(|(n, piece)| part(&found, piece, n)).collect(),
        did_you_mean,
        partial: found.partial,
        facets: found.facets.map(facets),
        items: found.items.into_iter().map(|item| result(base, item)).collect(),
    }
}

fn part(found: &Found, piece: &Piece, index: usize) -> SearchPart {
    SearchPart {
        typed: piece.typed(),
        negated: piece.negated,
        any: piece.any.iter().map(|choice| choice_of(found, choice)).collect(),
        without: found.reading.without(index),
    }
}

fn choice_of(found: &Found, choice: &Choice) -> SearchChoice {
    let mut note = choice.note.map(Into::into);
    let value = match &choice.atom {
        Atom::Text(_) => choice.value.clone(),
        Atom::Account { handle, .. } => match found.accounts.get(handle) {
            Some(account) => account.handle.clone(),
            None => {
                note = Some("no_such_account");
                handle.clone()
            }
        },
        Atom::Published { from, to } => Timestamp(from.or(*to).unwrap_or_default()).rfc3339(),
        Atom::Lang(lang) => lang.clone(),
        Atom::Has(part) => <&str>::from(*part).to_owned(),
    };
    SearchChoice { kind: choice.kind.into(), value, note }
}

fn facets(counts: Counts) -> SearchFacets {
    let accounts = counts.accounts.into_iter();
    let name_count = |(name, count)| NameCount { name, count };
    SearchFacets {
        accounts: accounts.map(|(account, count)| AccountCount { account: account.into(), count }).collect(),
        months: (counts.months.into_iter())
            .map(|((year, month), count)| NameCount { name: format!("{year:04}-{month:02}"), count })
            .collect(),
        langs: counts.langs.into_iter().map(name_count).collect(),
        has: (counts.has.into_iter())
            .map(|(part, count)| NameCount { name: <&str>::from(part).to_owned(), count })
            .collect(),
    }
}

impl From<Bearer> for SearchAccount {
    fn from(account: Bearer) -> Self {
        Self { handle: account.handle, name: account.name }
    }
}

fn place(base: &str, place: Place) -> SearchPlace {
    SearchPlace {
        id: place.id,
        url: format!("{base}{}", place.path()),
        account: SearchAccount { handle: place.handle, name: place.name },
    }
}

fn result(base: &str, item: Item) -> SearchResult {
    let article = item.article;
    SearchResult {
        id: article.id,
        url: format!("{base}{}", article.path()),
        published_at: article.moment().rfc3339(),
        external_id: article.external_id,
        title: article.title,
        snippet_html: item.snippet_html,
        account: SearchAccount { handle: article.handle, name: article.name },
        author: Some(article.author).filter(|author| !author.is_empty()),
        lang: article.lang,
        score: item.score,
        also: item.also.into_iter().map(|other| place(base, other)).collect(),
    }
}
