//! The mail of a push: its articles with the reader's language around them.

use askama::Template;

use crate::app::App;
use crate::db::entities::delivery;
use crate::delivery::channel::Attempt;
use crate::delivery::ledger::host;
use crate::delivery::queries::{Content, PushedArticle, Recipient};
use crate::mail::{Letter, MailError};
use crate::page::Locale;
use crate::subscriptions::links;
use crate::text::count;

#[derive(Template)]
#[template(path = "email/push/subject.txt")]
struct Subject<'a> {
    view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "email/push/body.txt")]
struct Text<'a> {
    view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "email/push/body.html")]
struct Html<'a> {
    view: &'a View<'a>,
    locale: Locale,
}

/// What the templates show.
struct View<'a> {
    locale: Locale,
    account: &'a str,
    account_lang: &'a str,
    account_url: String,
    articles: Vec<Item<'a>>,
    email: &'a str,
    manage_url: String,
    leave_url: String,
    site_name: String,
    site_url: String,
}

/// One article of the mail.
struct Item<'a> {
    article: &'a PushedArticle,
    url: String,
    cover: Option<String>,
    minutes: i32,
}

impl View<'_> {
    fn t(&self, key: &str) -> String {
        self.locale.text(key)
    }

    fn t1(&self, key: &str, name: &'static str, value: impl ToString) -> String {
        self.locale.text_with(key, &[(name, value.to_string())])
    }

    fn first_title(&self) -> &str {
        self.articles.first().map_or("", |item| item.article.title.as_str())
    }

    fn subject(&self) -> String {
        match self.articles.len() {
            0 | 1 => self.first_title().to_owned(),
            count => {
                let args = [
                    ("title", self.first_title().to_owned()),
                    ("count", count.to_string()),
                    ("others", (count - 1).to_string()),
                ];
                self.locale.text_with("delivery-subject-many", &args)
            }
        }
    }

    /// Shown after the subject in a list of mails.
    fn preview(&self) -> &str {
        self.articles.first().map_or("", |item| item.article.digest.as_str())
    }
}

/// Writes the mail of a delivery.
pub fn compose(
    app: &App,
    content: &Content,
    recipient: &Recipient,
    delivery: &delivery::Model,
) -> Result<Letter, askama::Error> {
    let subscription = &recipient.subscription;
    let locale = Locale::from_tag(&subscription.locale).unwrap_or(Locale::ZhHans);
    let config = &app.config;
    let view = &View {
        locale,
        account: &content.account.name,
        account_lang: &content.account.lang,
        account_url: config.url(&format!("/@{}", content.account.handle)),
        articles: content.articles.iter().map(|article| item(app, content, article)).collect(),
        email: &subscription.email,
        manage_url: config.url(&links::manage_path(app, subscription.id)),
        leave_url: config.url(&links::leave_path(app, subscription.id)),
        site_name: config.site_name_in(locale),
        site_url: config.url("/"),
    };
    Ok(Letter {
        to: subscription.email.clone(),
        from_name: content.account.name.clone(),
        subject: Subject { view }.render()?.trim().to_owned(),
        text: Text { view }.render()?,
        html: Html { view, locale }.render()?,
        message_id: delivery.message_id.clone(),
        headers: headers(app, content, view, subscription.id),
    })
}

fn item<'a>(app: &App, content: &Content, article: &'a PushedArticle) -> Item<'a> {
    let cover = article.cover_url.as_ref().map(|cover| match cover.strip_prefix('/') {
        Some(_) => app.config.url(cover),
        None => cover.clone(),
    });
    Item {
        article,
        url: app.config.url(&format!("/@{}/{}", content.account.handle, article.slug)),
        cover: cover.filter(|cover| cover.starts_with("http")),
        minutes: count::minutes(article.word_count, &article.lang),
    }
}

/// Gives a letter to the mail server; what it said decides what becomes of the delivery.
pub async fn hand_over(app: &App, letter: Letter) -> Attempt {
    match app.mailer.send(&letter).await {
        Ok(words) => Attempt::Delivered(words),
        Err(MailError::Temporary(words)) => Attempt::Later(words),
        Err(MailError::Permanent(words)) => Attempt::Failed(words),
        Err(MailError::BadAddress(words)) => Attempt::Unreachable { email: letter.to, words },
    }
}

/// What mail programs act on: one click to leave (RFC 8058), the list's name to sort by (RFC 2919),
/// and word to robots not to answer (RFC 3834; `Precedence` for those older than it).
fn headers(
    app: &App,
    content: &Content,
    view: &View<'_>,
    subscription_id: i64,
) -> Vec<(&'static str, String)> {
    let mut unsubscribe = format!("<{}>", view.leave_url);
    if !app.config.mail_unsubscribe.is_empty() {
        let signed = links::manage_path(app, subscription_id);
        let signed = signed.trim_start_matches(links::PREFIX);
        unsubscribe += &format!(", <mailto:{}?subject=unsubscribe-{signed}>", app.config.mail_unsubscribe);
    }
    vec![
        ("List-Unsubscribe", unsubscribe),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()),
        ("List-Id", list_id(app, &content.account.name, &content.account.handle)),
        ("Auto-Submitted", "auto-generated".into()),
        ("Precedence", "bulk".into()),
    ]
}

/// A name in words, then what identifies the list; characters that would need quoting are left out.
pub fn list_id(app: &App, name: &str, label: &str) -> String {
    let is_special =
        |c: char| matches!(c, '"' | '<' | '>' | '(' | ')' | ',' | ';' | ':' | '\\' | '@' | '[' | ']' | '.');
    let name: String = name.chars().filter(|c| !is_special(*c)).collect();
    format!("{} <{label}.{}>", name.trim(), host(&app.config)).trim().to_owned()
}
