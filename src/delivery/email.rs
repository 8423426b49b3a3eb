//! The mail of a push: its articles with the reader's language around them.

use askama::Template;

use crate::accounts::from_address;
use crate::app::App;
use crate::delivery::channel::Attempt;
use crate::delivery::ledger::host;
use crate::delivery::queries::{Content, PushedArticle};
use crate::mail::{Form, Letter, MailError, Marks, Personal};
use crate::page::Locale;
use crate::shown::Shown;
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
    articles: Vec<Item>,
    email: String,
    manage_url: String,
    leave_url: String,
    site_name: String,
    site_url: String,
}

/// One article of the mail.
struct Item {
    article: PushedArticle,
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

/// What is each recipient's own, by the number of its blank.
const EMAIL: usize = 0;
const MANAGE: usize = 1;
const LEAVE: usize = 2;

/// Writes the mail of a push in a language, with its articles in a script, once for all who read it.
pub fn form(app: &App, content: &Content, locale: Locale, shown: Shown) -> anyhow::Result<Form> {
    let config = &app.config;
    let marks = Marks::new();
    let view = &View {
        locale,
        account: &content.account.name,
        account_lang: &content.account.lang,
        account_url: config.url(&format!("/@{}", content.account.handle)),
        articles: content.articles.iter().map(|article| item(app, content, article.shown(shown))).collect(),
        email: marks.blank(EMAIL),
        manage_url: marks.blank(MANAGE),
        leave_url: marks.blank(LEAVE),
        site_name: config.site_name_in(locale),
        site_url: config.url("/"),
    };
    let letter = Letter {
        to: String::new(),
        from_name: content.account.name.clone(),
        subject: Subject { view }.render()?.trim().to_owned(),
        text: Text { view }.render()?,
        html: Html { view, locale }.render()?,
        message_id: String::new(),
        headers: headers(app, content),
    };
    let own = match &content.from {
        Some(from) => from_address::sender(app, from)?,
        None => None,
    };
    Ok(match own {
        Some((from, dkim)) => Form::new(letter, marks, &from).signed_by(dkim),
        None => Form::new(letter, marks, &app.mailer.from),
    })
}

/// What fills the form for a subscriber.
pub fn personal(app: &App, subscription_id: i64, email: &str, message_id: &str) -> Personal {
    let manage = links::manage_path(app, subscription_id);
    let leave = app.config.url(&links::leave_path_of(&manage));
    let unsubscribe = unsubscribe(app, &manage, &leave);
    let text = vec![email.to_owned(), app.config.url(&manage), leave];
    let html = text.iter().map(|value| escape(value)).collect();
    Personal {
        to: email.to_owned(),
        message_id: message_id.to_owned(),
        headers: vec![unsubscribe],
        text,
        html,
    }
}

fn escape(text: &str) -> String {
    askama::filters::escape(text, askama::filters::Html).map(|safe| safe.to_string()).unwrap_or_default()
}

fn item(app: &App, content: &Content, article: PushedArticle) -> Item {
    let cover = article.cover_url.as_ref().map(|cover| match cover.strip_prefix('/') {
        Some(_) => app.config.url(cover),
        None => cover.clone(),
    });
    Item {
        url: app.config.url(&format!("/@{}/{}", content.account.handle, article.slug)),
        cover: cover.filter(|cover| cover.starts_with("http")),
        minutes: count::minutes(article.word_count, &article.lang),
        article,
    }
}

/// What the mail server said of a message to an address decides what becomes of its delivery.
pub fn attempt(email: &str, sent: Result<String, MailError>) -> Attempt {
    match sent {
        Ok(words) => Attempt::Delivered(words),
        Err(MailError::Temporary(words)) => Attempt::Later(words),
        Err(MailError::Permanent(words)) => Attempt::Failed(words),
        Err(MailError::Server(words)) => Attempt::ServerRests(words),
        Err(MailError::BadAddress(words)) => Attempt::Unreachable { email: email.to_owned(), words },
    }
}

/// What mail programs act on: the list's name to sort by (RFC 2919), word to robots not to answer
/// (RFC 3834; `Precedence` for those older than it), and for Gmail by what to group complaints.
fn headers(app: &App, content: &Content) -> Vec<(&'static str, String)> {
    let handle = &content.account.handle;
    let sender: String = host(&app.config).chars().take(15).collect();
    vec![
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()),
        ("List-Id", list_id(app, &content.account.name, handle)),
        ("Feedback-ID", format!("{}:{handle}:push:{sender}", content.push_id)),
        ("Auto-Submitted", "auto-generated".into()),
        ("Precedence", "bulk".into()),
    ]
}

/// One click to leave (RFC 8058).
fn unsubscribe(app: &App, manage_path: &str, leave_url: &str) -> (&'static str, String) {
    let mut value = format!("<{leave_url}>");
    if !app.config.mail_unsubscribe.is_empty() {
        let signed = manage_path.trim_start_matches(links::PREFIX);
        value += &format!(",\r\n <mailto:{}?subject=unsubscribe-{signed}>", app.config.mail_unsubscribe);
    }
    ("List-Unsubscribe", value)
}

/// A name in words, then what identifies the list; characters that would need quoting are left out.
pub fn list_id(app: &App, name: &str, label: &str) -> String {
    let is_special =
        |c: char| matches!(c, '"' | '<' | '>' | '(' | ')' | ',' | ';' | ':' | '\\' | '@' | '[' | ']' | '.');
    let name: String = name.chars().filter(|c| !is_special(*c)).collect();
    format!("{} <{label}.{}>", name.trim(), host(&app.config)).trim().to_owned()
}
