//! What every page shares: [`Page`], the layout's context with language ([`locale`]), user and [`flash`]; and
//! [`View`], which renders a template.

mod flash;
mod locale;

pub(crate) use self::flash::FLASH_COOKIE;
pub use self::flash::{Unseen, clear_flash, redirect_with_flash};
pub use self::locale::{LOCALE_COOKIE, Locale, grouped, locale_cookie};

use std::borrow::Cow;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum_extra::extract::CookieJar;
use chrono_tz::Tz;

use crate::app::App;
use crate::auth::session::SignedIn;
use crate::clock::Timestamp;
use crate::db::entities::user;
use crate::error::{Error, Message, Problems};
use crate::home::linked_data::LinkedData;
use crate::home::look::Look;
use crate::home::queries::ArticleCard;
use crate::inbox;
use crate::media::on_page::{self, Pictures};
use crate::shown::{self, Choice, Digest, Shown};
use crate::statics;

/// A feed that a page names in its head.
#[derive(Clone, Debug)]
pub struct FeedLink {
    /// `application/atom+xml`, ...
    pub kind: &'static str,
    pub title: String,
    pub href: String,
}

impl FeedLink {
    /// What its format is called.
    pub fn name(&self) -> &'static str {
        match self.kind {
            "application/atom+xml" => "Atom",
            "application/rss+xml" => "RSS",
            _ => "JSON",
        }
    }
}

/// The same page in another language or script.
#[derive(Clone, Debug)]
pub struct Alternate {
    /// As in `hreflang`.
    pub lang: &'static str,
    pub href: String,
}

/// The layout's context. Templates reach it as `page`.
#[derive(Clone, Debug)]
pub struct Page {
    pub locale: Locale,
    /// In what script Chinese is shown.
    pub script: Choice,
    pub user: Option<user::Model>,
    pub site_name: String,
    pub base_url: String,
    /// Path and query of this page, for language switch and sign-in to come back to.
    pub path: String,
    /// Unread items in the reader's inbox, counted no further than `inbox::queries::MANY`.
    pub unread: u64,
    /// A one-time notice after a redirect.
    pub flash: Option<String>,
    pub title: String,
    pub description: String,
    /// Absolute address of this page; empty leaves it out.
    pub canonical: String,
    /// Absolute address of a picture for link previews; empty leaves it out.
    pub image: String,
    /// It is a sign rather than a picture: an account's, for example.
    pub image_is_small: bool,
    /// Its width and height in pixels, where they are known.
    pub image_size: Option<(u32, u32)>,
    pub feeds: Vec<FeedLink>,
    /// The page in each script, where it can be had in several.
    pub alternates: Vec<Alternate>,
    /// What search engines read besides.
    pub linked_data: Option<LinkedData>,
    /// Language of the main text, where it is not the interface's.
    pub content_lang: Option<String>,
    /// Keeps search engines away.
    pub noindex: bool,
    /// How the reader wants it to look.
    pub look: Look,
    /// Those of its pictures that are kept here; see [`Page::with_pictures`].
    pub pictures: Pictures,
    zone: Tz,
}

impl Page {
    pub fn titled(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    /// Titled with the text of a key.
    pub fn titled_key(self, key: &str) -> Self {
        let title = self.t(key);
        self.titled(&title)
    }

    pub fn described(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Where nothing describes it: the titles that its list begins with.
    pub fn or_described_by<'a>(mut self, cards: impl IntoIterator<Item = &'a ArticleCard>) -> Self {
        const TITLES: usize = 3;
        if self.description.is_empty() {
            let titles = cards.into_iter().take(TITLES).map(|card| self.shown(&card.title, &card.lang));
            self.description = titles.collect::<Vec<_>>().join(" · ");
        }
        self
    }

    /// Looks the covers of a page's cards up, of those that have one.
    pub async fn with_covers<'a>(
        self,
        app: &App,
        covers: impl IntoIterator<Item = &'a Option<String>>,
    ) -> Result<Self, Error> {
        self.with_pictures(app, covers.into_iter().filter_map(Option::as_deref).collect()).await
    }

    /// Looks the page's pictures up, by the addresses that articles give.
    pub async fn with_pictures(mut self, app: &App, addresses: Vec<&str>) -> Result<Self, Error> {
        self.pictures = on_page::look_up(app, addresses).await?;
        Ok(self)
    }

    /// The site's name in `static/wordmark.svg`, if it is the product's.
    pub fn wordmark(&self) -> Option<&'static str> {
        match self.site_name.as_str() {
            "乡讯" => Some("hans"),
            "鄉訊" => Some("hant"),
            _ => None,
        }
    }

    /// `path` begins with a slash.
    pub fn canonical_path(mut self, path: &str) -> Self {
        self.canonical = format!("{}{path}", self.base_url);
        self
    }

    /// Says that the page at `path` is about a text in `lang`, which can be read in any script if it is Chinese. The
    /// address of one of these names itself as the one to keep, or nobody would keep it.
    pub fn in_scripts(mut self, path: &str, lang: &str) -> Self {
        let is_chinese = Shown::ALL.iter().any(|shown| shown.changes(lang));
        let href = |shown| format!("{}{}", self.base_url, shown::path_in(path, shown));
        let in_script = |shown: Shown| Some(Alternate { lang: shown.tag()?, href: href(Some(shown)) });
        if is_chinese {
            self.alternates = Shown::ALL.into_iter().filter_map(in_script).collect();
            self.alternates.push(Alternate { lang: "x-default", href: href(None) });
            let asked = self.path.split_once('?').and_then(|(_, query)| shown::of_query(query));
            self.canonical = href(asked.filter(|shown| shown.tag().is_some()));
        }
        self
    }

    /// A text written in `lang`, in the reader's script.
    pub fn shown<'a>(&self, text: &'a str, lang: &str) -> Cow<'a, str> {
        self.script.shown.text(text, lang)
    }

    /// Safe HTML written in `lang`, in the reader's script. Articles' bodies are kept: [`crate::shown::Bodies`].
    pub fn shown_html<'a>(&self, html: &'a str, lang: &str) -> Cow<'a, str> {
        self.script.shown.html(html, lang)
    }

    /// What a card says of an article of a language, as it is shown.
    pub fn digest<'a>(&self, digest: &'a Digest, lang: &str) -> Cow<'a, str> {
        digest.in_script(self.script.shown, lang)
    }

    /// The language tag of what was written in `lang`, as it is shown.
    pub fn shown_lang(&self, lang: &str) -> String {
        self.script.shown.lang(lang).into_owned()
    }

    /// Whether what was written in `lang` is not shown as it was written.
    pub fn is_converted(&self, lang: &str) -> bool {
        self.script.shown.changes(lang)
    }

    /// Whether it is shown as it was written only because this address says so.
    pub fn is_original_for_once(&self, lang: &str) -> bool {
        !self.is_converted(lang) && self.script.usual.changes(lang)
    }

    /// A path that shows the same in a script, whatever the reader chose.
    pub fn path_in(&self, path: &str, shown: Shown) -> String {
        shown::path_in(path, Some(shown))
    }

    /// The language of the main text as link previews name it: `zh_TW`, `en_GB`.
    pub fn preview_locale(&self) -> &'static str {
        let lang = self.content_lang.as_deref().unwrap_or(self.locale.code());
        shown::preview_locale(lang)
    }

    /// The scripts to choose from.
    pub fn scripts(&self) -> [Shown; 4] {
        Shown::ALL
    }

    /// The text of a key.
    pub fn t(&self, key: &str) -> String {
        self.locale.text(key)
    }

    /// The text of a key with one argument.
    pub fn t1(&self, key: &str, name: &'static str, value: impl ToString) -> String {
        self.locale.text_with(key, &[(name, value.to_string())])
    }

    /// The text of a key with two arguments.
    pub fn t2(
        &self,
        key: &str,
        name: &'static str,
        value: impl ToString,
        other: &'static str,
        second: impl ToString,
    ) -> String {
        self.locale.text_with(key, &[(name, value.to_string()), (other, second.to_string())])
    }

    /// The text of a key that takes `$count`.
    pub fn n(&self, key: &str, count: impl ToString) -> String {
        self.t1(key, "count", count)
    }

    /// The number of unread items as the head shows it.
    pub fn unread_shown(&self) -> String {
        if self.unread >= inbox::queries::MANY { "99+".into() } else { self.unread.to_string() }
    }

    /// The languages to choose from.
    pub fn locales(&self) -> [Locale; 3] {
        [Locale::ZhHans, Locale::ZhHant, Locale::En]
    }

    pub fn message(&self, message: &Message) -> String {
        message.text(self.locale)
    }

    /// What is wrong with a form's field; empty when nothing is.
    pub fn problem(&self, problems: &Problems, field: &str) -> String {
        problems.of(field).map(|message| message.text(self.locale)).unwrap_or_default()
    }

    /// The reader's time zone.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// `2026年1月31日` / `31 January 2026` in the reader's zone.
    pub fn date(&self, moment: &Timestamp) -> String {
        self.locale.date(*moment, self.zone)
    }

    /// `08:30` in the reader's zone.
    pub fn time(&self, moment: &Timestamp) -> String {
        moment.utc().with_timezone(&self.zone).format("%H:%M").to_string()
    }

    /// The date and `08:30`.
    pub fn date_time(&self, moment: &Timestamp) -> String {
        self.locale.date_time(*moment, self.zone)
    }
}

impl FromRequestParts<Arc<App>> for Page {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let jar = CookieJar::from_headers(&parts.headers);
        let user = parts.extensions.get::<SignedIn>().map(|signed_in| signed_in.user.clone());
        let locale = Locale::of_request(app, &jar, &parts.headers, user.as_ref());
        let script = Choice::of_request(&jar, &parts.headers, parts.uri.query(), user.as_ref());
        let zone = user.as_ref().and_then(|user| user.timezone.parse().ok());
        let unread = match &user {
            Some(user) => inbox::queries::unread(app.db.read(), user.id).await.unwrap_or_else(|error| {
                tracing::error!("counting unread items failed: {error}");
                0
            }),
            None => 0,
        };
        Ok(Self {
            locale,
            script,
            flash: flash::key(&jar).map(|key| locale.text(key)),
            user,
            unread,
            site_name: app.config.site_name_in(locale),
            base_url: app.config.base_url.trim_end_matches('/').to_owned(),
            path: parts.uri.path_and_query().map_or_else(|| "/".into(), ToString::to_string),
            title: String::new(),
            description: String::new(),
            canonical: String::new(),
            image: String::new(),
            image_is_small: false,
            image_size: None,
            feeds: Vec::new(),
            alternates: Vec::new(),
            linked_data: None,
            content_lang: None,
            noindex: false,
            look: Look::of(&jar, &parts.headers),
            pictures: Pictures::default(),
            zone: zone.or_else(|| app.config.timezone.parse().ok()).unwrap_or(Tz::UTC),
        })
    }
}

/// A template as a response.
#[derive(Debug)]
pub struct View<T>(pub T);

impl<T: Template> IntoResponse for View<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => answer(html),
            Err(error) => Error::from(error).into_response(),
        }
    }
}

/// HTML as a response. What a page cannot be shown without is named in its head (RFC 8288), so that a browser need not
/// read that far, and a proxy that speaks HTTP/2 can say it ahead of the page as early hints (RFC 8297).
pub fn answer(html: String) -> Response {
    let is_whole = html.trim_start().starts_with("<!doctype html>");
    let mut response = Html(html).into_response();
    if is_whole {
        preload(&mut response, &format!("<{}>; rel=preload; as=style", statics::url("app.css")));
    }
    response
}

/// Adds a link that names a file which a page needs at once.
pub fn preload(response: &mut Response, link: &str) {
    if let Ok(value) = HeaderValue::from_str(link) {
        response.headers_mut().append(header::LINK, value);
    }
}
