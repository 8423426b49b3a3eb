//! The page of a published article.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;

use super::accounts::feed_links;
use super::beside::Beside;
use super::linked_data;
use super::queries::{self, Neighbour};
use crate::app::App;
use crate::articles::content::{self, Heading};
use crate::db::entities::{account, article};
use crate::error::Error;
use crate::media;
use crate::page::Page;
use crate::saved;
use crate::share;
use crate::subscriptions::queries::Standing;
use crate::text::count;

/// Length of the description given to link previews and search engines, in characters.
const DESCRIPTION: usize = 140;
/// Headings from which on an article has a table of contents, and minutes that it takes to read.
const MANY_HEADINGS: usize = 3;
const LONG: i32 = 4;
/// Covers that are narrower are blurred in the large previews of chats and timelines.
const WIDE_ENOUGH: u32 = 600;
/// Changes so soon after publication are nothing that readers should know.
const SOON: Duration = Duration::from_secs(60 * 60);

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
    /// The address of the cover, where the body does not begin with it.
    cover: Option<String>,
    /// The body, its headings with ids and its pictures as they are shown.
    body: String,
    /// The table of contents; empty where there is none.
    headings: Vec<Heading>,
    beside: Beside,
    /// The reader's own copy, where they have saved it.
    saved_id: Option<i64>,
}

/// An article's page.
pub struct Rendered {
    pub html: String,
    /// Its cover for a `Link` header, where one is shown; see [`media::on_page::cover_link`].
    pub cover_link: Option<String>,
}

/// Renders a published article of an active account, however its reader stands to that.
pub async fn render_article(
    app: &Arc<App>,
    page: Page,
    account: account::Model,
    article: article::Model,
    standing: Standing,
) -> Result<Rendered, Error> {
    let neighbours = async { Ok::<_, Error>(queries::neighbours(app.db.read(), &article).await?) };
    let pictures = media::body::addresses(&article.body_html);
    let addresses = article.cover_url.as_deref().into_iter().chain(pictures.iter().map(String::as_str));
    let with_pictures = page.with_pictures(app, addresses.collect());
    let ((previous, next), beside, mut page) =
        tokio::try_join!(neighbours, Beside::load(app, &article), with_pictures)?;
    let written = article.lang.clone();
    let cover = article.cover_url.clone();
    let cover = cover.filter(|cover| !media::body::begins_with(&article.body_html, cover));
    (page.image, page.image_size) = preview_image(app, &page, &account, &article);
    let original = page.is_converted(&written).then(|| article.body_html.clone());
    let mut article = app.bodies.article(article, page.script.shown).await?;
    let path = format!("/@{}/{}", account.handle, article.slug);
    let page = head(app, page, &account, &mut article, &path, &written);
    let minutes = count::minutes(article.word_count, &article.lang);
    let saved_id = match &page.user {
        Some(user) => {
            saved::queries::ids_of(app.db.read(), user.id, &[article.id]).await?.remove(&article.id)
        }
        None => None,
    };
    let (body, headings) = content::with_headings(&article.body_html, original.as_deref());
    let is_long = headings.len() >= MANY_HEADINGS && minutes >= LONG;
    let headings = if is_long { headings } else { Vec::new() };
    let body = media::body::shown(&body, &page, cover.is_none());
    let body = content::typeset(&body, &article.lang);
    article.body_html = String::new();
    let page = ArticlePage {
        headings,
        updated: article.published_at.is_some_and(|moment| article.updated_at > moment + SOON),
        page,
        account,
        article,
        written,
        path,
        minutes,
        previous,
        next,
        standing,
        cover,
        body,
        beside,
        saved_id,
    };
    let cover_link = page.cover.as_deref().and_then(|cover| media::on_page::cover_link(&page.page, cover));
    Ok(Rendered { html: page.render()?, cover_link })
}

/// What stands in the page's head, for browsers, previews and robots. `article` is as it is shown; its cover becomes
/// the picture that is kept here.
fn head(
    app: &App,
    page: Page,
    account: &account::Model,
    article: &mut article::Model,
    path: &str,
    written: &str,
) -> Page {
    let description = if article.digest.is_empty() {
        let head: String = article.body_html.chars().take(2000).collect();
        content::excerpt(&head, DESCRIPTION)
    } else {
        article.digest.clone()
    };
    let mut page =
        page.titled(&article.title).described(&description).canonical_path(path).in_scripts(path, written);
    if let Some(kept) = article.cover_url.as_deref().and_then(|cover| page.pictures.get(cover)) {
        article.cover_url = Some(kept.url.clone());
    }
    page.linked_data = Some(linked_data::of_article(app, &page, account, article));
    page.feeds = feed_links(&page, account);
    page.content_lang = Some(article.lang.clone());
    page
}

/// The picture that previews of links show, absolute, and its size: the cover, which its editor chose; the article's
/// share image where there is none, or only a small one. `article` is as it was written, since a preview knows no
/// reader.
fn preview_image(
    app: &App,
    page: &Page,
    account: &account::Model,
    article: &article::Model,
) -> (String, Option<(u32, u32)>) {
    let cover = article.cover_url.as_deref();
    let kept = cover.and_then(|cover| page.pictures.get(cover));
    let size = |kept: &media::on_page::Shown| (kept.width.unsigned_abs(), kept.height.unsigned_abs());
    let (image, size) = match (cover, kept) {
        (Some(_), Some(kept)) if size(kept).0 >= WIDE_ENOUGH => (kept.url.clone(), Some(size(kept))),
        (Some(cover), None) => (cover.to_owned(), None),
        _ => (share::path(app, account, article), Some((share::WIDTH, share::HEIGHT))),
    };
    (app.config.absolute(&image), size)
}
