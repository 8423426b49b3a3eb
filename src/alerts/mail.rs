//! The mail of an alert: the articles that it found, each with the passage that matches.

use askama::Template;

use super::queries::Found;
use super::{links, watch};
use crate::app::App;
use crate::articles::content::plain_text;
use crate::delivery::email::list_id;
use crate::mail::Letter;
use crate::page::Locale;
use crate::search::queries::Published;
use crate::search::snippet::Highlighter;
use crate::shown::Shown;

/// Characters of a passage.
const PASSAGE: usize = 110;

#[derive(Template)]
#[template(path = "email/alert/subject.txt")]
struct Subject<'a> {
    view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "email/alert/body.txt")]
struct Text<'a> {
    view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "email/alert/body.html")]
struct Html<'a> {
    view: &'a View<'a>,
    locale: Locale,
}

/// What the templates show.
struct View<'a> {
    locale: Locale,
    name: &'a str,
    query: &'a str,
    articles: Vec<Item<'a>>,
    /// Articles that are not shown.
    more: u64,
    total: u64,
    search_url: String,
    manage_url: String,
    stop_url: String,
    site_name: String,
    site_url: String,
}

/// One article of the mail.
struct Item<'a> {
    article: &'a Published,
    title: String,
    lang: String,
    url: String,
    date: String,
    title_html: String,
    passage_html: String,
    passage: String,
}

impl View<'_> {
    fn t(&self, key: &str) -> String {
        self.locale.text(key)
    }

    fn t1(&self, key: &str, name: &'static str, value: impl ToString) -> String {
        self.locale.text_with(key, &[(name, value.to_string())])
    }

    fn first_title(&self) -> &str {
        self.articles.first().map_or("", |item| item.title.as_str())
    }

    fn subject(&self) -> String {
        let args = [
            ("name", self.name.to_owned()),
            ("title", self.first_title().to_owned()),
            ("count", self.total.to_string()),
            ("others", (self.total - 1).to_string()),
        ];
        let key = if self.total == 1 { "alert-mail-subject" } else { "alert-mail-subject-many" };
        self.locale.text_with(key, &args)
    }

    /// Shown after the subject in a list of mails.
    fn preview(&self) -> &str {
        self.articles.first().map_or("", |item| item.passage.as_str())
    }
}

/// Writes the mail.
pub fn compose(app: &App, found: &Found, message_id: &str) -> Result<Letter, askama::Error> {
    let locale = Locale::from_tag(&found.reader.locale).unwrap_or(Locale::ZhHans);
    let config = &app.config;
    let highlighter = Highlighter::new(&watch::read(&found.alert.query, &found.reader.timezone).parsed);
    let zone = found.reader.timezone.parse().unwrap_or(chrono_tz::Tz::UTC);
    let shown = Shown::chosen(Some(&found.reader.script), None, locale);
    let item = |article| item(app, article, &highlighter, (locale, shown), zone);
    let view = &View {
        locale,
        name: &found.alert.name,
        query: &found.alert.query,
        articles: found.articles.iter().map(item).collect(),
        more: found.total.saturating_sub(found.articles.len() as u64),
        total: found.total,
        search_url: config.url(&search_path(&found.alert.query)),
        manage_url: config.url("/settings/alerts"),
        stop_url: config.url(&links::stop_path(app, found.alert.id)),
        site_name: config.site_name_in(locale),
        site_url: config.url("/"),
    };
    Ok(Letter {
        to: found.reader.email.clone(),
        subject: Subject { view }.render()?.trim().to_owned(),
        text: Text { view }.render()?,
        html: Html { view, locale }.render()?,
        message_id: message_id.to_owned(),
        headers: vec![
            ("List-Unsubscribe", format!("<{}>", view.stop_url)),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()),
            ("List-Id", list_id(app, view.name, &format!("alert-{}", found.alert.id))),
            ("Auto-Submitted", "auto-generated".into()),
            ("Precedence", "bulk".into()),
        ],
        ..Letter::default()
    })
}

/// The search that was saved, newest first.
pub fn search_path(query: &str) -> String {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    format!("/search?q={query}&sort=newest")
}

fn item<'a>(
    app: &App,
    article: &'a Published,
    highlighter: &Highlighter,
    (locale, shown): (Locale, Shown),
    zone: chrono_tz::Tz,
) -> Item<'a> {
    let passage = highlighter.passage(&plain_text(&article.body_html), PASSAGE);
    let passage = shown.html(&passage, &article.lang);
    Item {
        article,
        url: app.config.url(&article.path()),
        date: locale.date(article.moment(), zone),
        title: shown.text(&article.title, &article.lang).into_owned(),
        lang: shown.lang(&article.lang).into_owned(),
        title_html: styled(&shown.html(&highlighter.mark(&article.title), &article.lang)),
        passage_html: styled(&passage),
        passage: plainly(&passage),
    }
}

/// Most mail programs know no style for `<mark>`, or one that the dark cannot bear.
fn styled(html: &str) -> String {
    html.replace("<mark>", "<mark class=\"hit\" style=\"background:#f7e7b0;color:inherit\">")
}

fn plainly(html: &str) -> String {
    let text = html.replace("<mark>", "").replace("</mark>", "");
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (entity, character)| text.replace(entity, character))
}
