//! The mail of a digest: new articles grouped by their accounts, with the reader's language around them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use askama::Template;

use super::Told;
use super::queries::{self, Addressee, Card, Follows};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::delivery::{self, Subject};
use crate::db::entities::subscription::Cadence;
use crate::delivery::email::list_id;
use crate::delivery::ledger::host;
use crate::delivery::sender::FRESH;
use crate::mail::{Form, Letter, Marks, Personal};
use crate::page::Locale;
use crate::readers::hours::Pace;
use crate::readers::links;
use crate::shown::Shown;

/// Articles shown of one account, and in all; the rest is a link away.
const OF_ACCOUNT: usize = 8;
const IN_ALL: usize = 40;

/// A digest's mail, or why it is not sent.
pub type Written = Result<Digest, String>;

/// A mail that tells of some accounts.
pub struct Digest {
    pub form: Arc<Form>,
    pub personal: Personal,
    accounts: HashSet<i64>,
}

impl Digest {
    /// Whether the reader still follows all accounts that it tells of.
    pub async fn is_wanted(&self, app: &App) -> Result<bool, sea_orm::DbErr> {
        let email = self.personal.to.as_str();
        let follows = queries::follows(app.db.read(), std::iter::once(email), &CADENCES).await?;
        let own: HashSet<i64> = follows.values().flatten().map(|sub| sub.account_id).collect();
        Ok(self.accounts.is_subset(&own))
    }
}

/// Which subscriptions let a digest out that was built. What is told at once by now was not when it was
/// built, so nothing else tells of it.
const CADENCES: [Cadence; 3] = [Cadence::Instant, Cadence::Daily, Cadence::Weekly];

#[derive(Template)]
#[template(path = "email/digest/subject.txt")]
struct Line<'a> {
    view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "email/digest/body.txt")]
struct Text<'a> {
    view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "email/digest/body.html")]
struct Html<'a> {
    view: &'a View<'a>,
    locale: Locale,
}

/// Articles that digests name, as they were a moment ago.
#[derive(Default)]
pub struct Cards {
    known: HashMap<i64, Option<Arc<Card>>>,
    read_at: Option<Instant>,
}

impl Cards {
    /// Reads those that are not known, all of them once they are no longer fresh.
    async fn load(&mut self, app: &App, ids: &HashSet<i64>) -> anyhow::Result<()> {
        if self.read_at.is_none_or(|read_at| read_at.elapsed() > FRESH) {
            self.known.clear();
            self.read_at = Some(Instant::now());
        }
        let missing: Vec<i64> = ids.iter().filter(|id| !self.known.contains_key(id)).copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        for card in queries::cards(app.db.read(), &missing).await? {
            self.known.insert(card.id, Some(Arc::new(card)));
        }
        for id in missing {
            self.known.entry(id).or_insert(None);
        }
        Ok(())
    }

    fn get(&self, id: i64) -> Option<&Arc<Card>> {
        self.known.get(&id).and_then(Option::as_ref)
    }
}

/// What the templates show.
struct View<'a> {
    locale: Locale,
    pace: Pace,
    groups: Vec<Group<'a>>,
    total: u64,
    /// Articles that are not shown.
    more: u64,
    /// When the reader last looked at the timeline, if what was there then is left out.
    since: Option<String>,
    date: String,
    email: String,
    manage_url: String,
    stop_url: String,
    timeline_url: String,
    site_name: String,
    site_url: String,
}

/// One account's articles.
struct Group<'a> {
    account_id: i64,
    name: &'a str,
    lang: &'a str,
    url: String,
    items: Vec<Item>,
    /// Of this account that are not shown.
    more: u64,
}

struct Item {
    card: Card,
    url: String,
}

impl View<'_> {
    fn t(&self, key: &str) -> String {
        self.locale.text(key)
    }

    fn t1(&self, key: &str, name: &'static str, value: impl ToString) -> String {
        self.locale.text_with(key, &[(name, value.to_string())])
    }

    fn first(&self) -> Option<&Card> {
        self.groups.first().and_then(|group| group.items.first()).map(|item| &item.card)
    }

    fn first_title(&self) -> &str {
        self.first().map_or("", |card| card.title.as_str())
    }

    fn title(&self) -> String {
        self.t(match self.pace {
            Pace::Daily => "digest-mail-daily",
            Pace::Weekly => "digest-mail-weekly",
        })
    }

    fn subject(&self) -> String {
        let args = [
            ("digest", self.title()),
            ("title", self.first_title().to_owned()),
            ("count", self.total.to_string()),
            ("others", self.total.saturating_sub(1).to_string()),
        ];
        let key = if self.total == 1 { "digest-mail-subject" } else { "digest-mail-subject-many" };
        self.locale.text_with(key, &args)
    }

    /// Shown after the subject in a list of mails.
    fn preview(&self) -> &str {
        self.first().map_or("", |card| card.digest.as_str())
    }

    fn heading(&self) -> String {
        let args = [("count", self.total.to_string()), ("accounts", self.groups.len().to_string())];
        self.locale.text_with("digest-mail-heading", &args)
    }
}

/// What is each recipient's own, by the number of its blank.
const EMAIL: usize = 0;
const MANAGE: usize = 1;
const STOP: usize = 2;

/// The mails of those of some deliveries that are of digests, by the deliveries' ids. Readers who are told
/// the same share a form.
pub async fn messages(
    app: &App,
    rows: &[delivery::Model],
    cards: &mut Cards,
) -> anyhow::Result<HashMap<i64, Written>> {
    let digests: Vec<(&delivery::Model, i64, Told)> = rows
        .iter()
        .filter_map(|row| match row.subject() {
            Some(Subject::Digest { reader_id, told }) => {
                Some((row, reader_id, serde_json::from_str(told).unwrap_or_default()))
            }
            _ => None,
        })
        .collect();
    if digests.is_empty() {
        return Ok(HashMap::new());
    }
    let db = app.db.read();
    let named: HashSet<i64> = digests.iter().flat_map(|(_, _, told)| told.articles.iter().copied()).collect();
    cards.load(app, &named).await?;
    let ids: Vec<i64> = digests.iter().map(|(_, reader_id, _)| *reader_id).collect();
    let readers = queries::addressees(db, &ids).await?;
    let emails = readers.values().map(|reader| reader.email.as_str());
    let follows = queries::follows(db, emails, &CADENCES).await?;
    let users: Vec<i64> = readers.values().filter_map(|reader| reader.user_id).collect();
    let named: Vec<i64> = named.into_iter().collect();
    let read = queries::read(db, &users, &named).await?;
    let mut forms: HashMap<Key, Arc<Form>> = HashMap::new();
    let mut written = HashMap::with_capacity(digests.len());
    for (row, reader_id, told) in &digests {
        let Some(reader) = readers.get(reader_id) else {
            written.insert(row.id, Err("the reader is gone".into()));
            continue;
        };
        let own = follows.get(&reader.email).map_or(&[][..], Vec::as_slice);
        let one = match left(reader, own, told, cards, &read) {
            Ok(left) => {
                let key = Key::new(app, row, reader, told, &left);
                let form = match forms.get(&key) {
                    Some(form) => form.clone(),
                    None => {
                        let form = Arc::new(form(app, &key, told, &left)?);
                        forms.insert(key, form.clone());
                        form
                    }
                };
                let accounts = left.iter().map(|card| card.account_id).collect();
                Ok(Digest { form, personal: personal(app, reader, &row.message_id), accounts })
            }
            Err(objection) => Err(objection),
        };
        written.insert(row.id, one);
    }
    Ok(written)
}

/// What is left to tell a reader of what a digest names, or why it is not sent.
fn left<'a>(
    reader: &Addressee,
    follows: &[Follows],
    told: &Told,
    cards: &'a Cards,
    read: &HashSet<(i64, i64)>,
) -> Result<Vec<&'a Card>, String> {
    if let Some(reason) = &reader.suppressed {
        return Err(reason.clone());
    }
    if follows.is_empty() {
        return Err("the reader wants no digests any more".into());
    }
    let accounts: HashMap<i64, Timestamp> =
        follows.iter().map(|sub| (sub.account_id, sub.read_until)).collect();
    let is_read = |card: &Card| reader.user_id.is_some_and(|user| read.contains(&(user, card.id)));
    let is_left = |card: &&Arc<Card>| {
        let until = accounts.get(&card.account_id);
        until.is_some_and(|until| card.published_at.is_none_or(|moment| moment > *until)) && !is_read(card)
    };
    let left: Vec<&Card> =
        told.articles.iter().filter_map(|id| cards.get(*id)).filter(is_left).map(|card| &**card).collect();
    if left.is_empty() { Err("nothing of it is left to tell".into()) } else { Ok(left) }
}

/// What a mail says apart from its recipient's own.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    locale: Locale,
    shown: Shown,
    pace: Pace,
    date: String,
    since: Option<String>,
    articles: Vec<i64>,
    more: u64,
}

impl Key {
    fn new(app: &App, row: &delivery::Model, reader: &Addressee, told: &Told, left: &[&Card]) -> Self {
        let (locale, zone) = (reader.locale(), reader.zone(&app.config));
        let moment = |at: Timestamp| locale.date_time(at, zone);
        Self {
            locale,
            shown: reader.shown(),
            pace: told.pace.unwrap_or(Pace::Daily),
            date: locale.date(row.created_at, zone),
            since: told.since.map(moment),
            articles: left.iter().map(|card| card.id).collect(),
            more: told.more,
        }
    }
}

/// Writes the mail, once for all who are told the same.
fn form(app: &App, key: &Key, told: &Told, left: &[&Card]) -> Result<Form, askama::Error> {
    let config = &app.config;
    let marks = Marks::new();
    let groups = groups(app, left, key.shown);
    let shown: usize = groups.iter().map(|group| group.items.len()).sum();
    let total = left.len() as u64 + told.more;
    let view = &View {
        locale: key.locale,
        pace: key.pace,
        groups,
        total,
        more: total - shown as u64,
        since: key.since.clone(),
        date: key.date.clone(),
        email: marks.blank(EMAIL),
        manage_url: marks.blank(MANAGE),
        stop_url: marks.blank(STOP),
        timeline_url: config.url("/timeline"),
        site_name: config.site_name_in(key.locale),
        site_url: config.url("/"),
    };
    let letter = Letter {
        subject: Line { view }.render()?.trim().to_owned(),
        text: Text { view }.render()?,
        html: Html { view, locale: key.locale }.render()?,
        headers: headers(app, view),
        ..Letter::default()
    };
    Ok(Form::new(letter, marks, &app.mailer.from))
}

/// By account; the account with the newest article comes first, and so do the newest of each.
fn groups<'a>(app: &App, left: &[&'a Card], shown: Shown) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut count = 0;
    for &card in left {
        let place = groups.iter().position(|group| group.account_id == card.account_id);
        let place = place.unwrap_or_else(|| {
            groups.push(Group {
                account_id: card.account_id,
                name: &card.name,
                lang: &card.account_lang,
                url: app.config.url(&format!("/@{}", card.handle)),
                items: Vec::new(),
                more: 0,
            });
            groups.len() - 1
        });
        let group = &mut groups[place];
        // Each account has its newest one shown, however many there are.
        if group.items.is_empty() || group.items.len() < OF_ACCOUNT && count < IN_ALL {
            group.items.push(Item { card: card.shown(shown), url: app.config.url(&card.path()) });
            count += 1;
        } else {
            group.more += 1;
        }
    }
    groups
}

/// What fills the form for a reader.
fn personal(app: &App, reader: &Addressee, message_id: &str) -> Personal {
    let manage = links::manage_path(app, reader.id);
    let stop = app.config.url(&links::stop_path_of(&manage));
    let text = vec![reader.email.clone(), app.config.url(&manage), stop.clone()];
    let escape = |text: &String| {
        askama::filters::escape(text, askama::filters::Html).map(|safe| safe.to_string()).unwrap_or_default()
    };
    Personal {
        to: reader.email.clone(),
        message_id: message_id.to_owned(),
        headers: vec![("List-Unsubscribe", format!("<{stop}>"))],
        html: text.iter().map(escape).collect(),
        text,
    }
}

fn headers(app: &App, view: &View<'_>) -> Vec<(&'static str, String)> {
    let sender: String = host(&app.config).chars().take(15).collect();
    vec![
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()),
        ("List-Id", list_id(app, &format!("{} {}", view.site_name, view.title()), "digest")),
        ("Feedback-ID", format!("{}:digest:digest:{sender}", view.pace)),
        ("Auto-Submitted", "auto-generated".into()),
        ("Precedence", "bulk".into()),
    ]
}
