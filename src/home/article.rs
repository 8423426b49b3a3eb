//! The page of a published article.

use std::sync::Arc;

use askama::Template;

use super::accounts::feed_links;
use super::beside::Beside;
use super::linked_data;
use super::queries::{self, Neighbour};
use crate::app::App;
use crate::articles::content::{self, Heading};
use crate::db::entities::{account, article};
use crate::error::Error;
use crate::page::Page;
use crate::saved;
use crate::subscriptions::queries::Standing;
use crate::text::count;

/// Length of the description given to link previews and search engines, in characters.
const DESCRIPTION: usize = 140;
/// Headings from which on an article has a table of contents, and minutes that it takes to read.
const MANY_HEADINGS: usize = 3;
const LONG: i32 = 4;

#[derive(Template)]
#[template(path = "articles/show.html")]
struct ArticlePage {
    page: Page,
    account: account::Model,
    /// As it is shown.
    article: article::Model,
    /// The language in which it was written.
    written: String,
    path: String,
    minutes: i32,
    /// Whether it was changed so long after it was published that readers should know.
    updated: bool,
    previous: Option<Neighbour>,
    next: Option<Neighbour>,
    standing: Standing,
    /// The body, its headings with ids.
    body: String,
    /// The table of contents; empty where there is none.
    headings: Vec<Heading>,
    beside: Beside,
    /// The reader's own copy, where they have saved it.
    saved_id: Option<i64>,
}

/// Renders a published article of an active account, however its reader stands to that.
pub async fn render_article(
    app: &Arc<App>,
    page: Page,
    account: account::Model,
    article: article::Model,
    standing: Standing,
) -> Result<String, Error> {
    let (previous, next) = queries::neighbours(app.db.read(), &article).await?;
    let beside = Beside::load(app, &article).await?;
    let written = article.lang.clone();
    // Before it is converted, so that headings have the same ids in every script.
    let (body, mut headings) = content::with_headings(&article.body_html);
    let mut article =
        app.bodies.article(article::Model { body_html: body, ..article }, page.script.shown).await?;
    let description = if article.digest.is_empty() {
        let head: String = article.body_html.chars().take(2000).collect();
        content::excerpt(&head, DESCRIPTION)
    } else {
        article.digest.clone()
    };
    let path = format!("/@{}/{}", account.handle, article.slug);
    let mut page =
        page.titled(&article.title).described(&description).canonical_path(&path).in_scripts(&path, &written);
    page.linked_data =
        Some(linked_data::of_article(app, &page.site_name, &account, &article, &page.description));
    page.image = article.cover_url.as_ref().map(|cover| app.config.absolute(cover)).unwrap_or_default();
    page.feeds = feed_links(&page, &account);
    page.content_lang = Some(article.lang.clone());
    let hour = std::time::Duration::from_secs(3600);
    let updated = article.published_at.is_some_and(|moment| article.updated_at > moment + hour);
    let minutes = count::minutes(article.word_count, &article.lang);
    let saved_id = match &page.user {
        Some(user) => {
            saved::queries::ids_of(app.db.read(), user.id, &[article.id]).await?.remove(&article.id)
        }
        None => None,
    };
    let body = std::mem::take(&mut article.body_html);
    for heading in &mut headings {
        heading.text = page.shown(&heading.text, &written).into_owned();
    }
    if headings.len() < MANY_HEADINGS || minutes < LONG {
        headings.clear();
    }
    let page = ArticlePage {
        page,
        account,
        article,
        written,
        path,
        minutes,
        updated,
        previous,
        next,
        standing,
        body,
        headings,
        beside,
        saved_id,
    };
    Ok(page.render()?)
}
