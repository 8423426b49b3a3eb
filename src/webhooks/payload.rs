//! What a webhook is told: one JSON for each form.
//!
//! Of a reader nothing is told but that there is one: a subscription goes by a name that is made from its id with the
//! instance's secret, so its events belong together, and neither address nor user can be found from it.

use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::article::ArticleState;
use crate::db::entities::webhook::{self, WebhookForm};
use crate::db::entities::webhook_message::{self, Kind};
use crate::db::entities::{account, article, subscription};
use crate::import::markup::escape_into;
use crate::page::Locale;
use crate::pushes;

/// The longest text of a chat message, in characters; Telegram takes 4,096 with everything.
const LONGEST_DIGEST: usize = 600;

/// The body of a message; none where there is nothing left to tell of.
pub async fn write(
    app: &App,
    webhook: &webhook::Model,
    message: &webhook_message::Model,
) -> anyhow::Result<Option<String>> {
    let Some(account) = account::Entity::find_by_id(webhook.account_id).one(app.db.read()).await? else {
        return Ok(None);
    };
    let Some(data) = data(app, &account, message).await? else { return Ok(None) };
    Ok(Some(match webhook.form {
        WebhookForm::Standard => standard(message, &data).to_string(),
        WebhookForm::Telegram => {
            telegram(&webhook.target, &Note::new(app, &account, message, &data)).to_string()
        }
        WebhookForm::Ntfy => ntfy(&webhook.target, &Note::new(app, &account, message, &data)).to_string(),
    }))
}

async fn data(
    app: &App,
    account: &account::Model,
    message: &webhook_message::Model,
) -> anyhow::Result<Option<Value>> {
    let about = json!({
        "handle": account.handle,
        "name": account.name,
        "url": app.config.url(&format!("/@{}", account.handle)),
    });
    let id = message.subject_id.unwrap_or_default();
    let mut data = match message.kind {
        Kind::ArticlePublished => of_article(app, account, id).await?,
        Kind::PushSent => of_push(app, account, id).await?,
        Kind::SubscriptionCreated | Kind::SubscriptionConfirmed | Kind::SubscriptionCancelled => {
            of_subscription(app, id).await?
        }
        Kind::Test => Some(json!({})),
    };
    if let Some(data) = &mut data {
        data["account"] = about;
    }
    Ok(data)
}

async fn of_article(app: &App, account: &account::Model, id: i64) -> anyhow::Result<Option<Value>> {
    let article = article::Entity::find_by_id(id).one(app.db.read()).await?;
    let Some(article) = article.filter(|article| article.state == ArticleState::Published) else {
        return Ok(None);
    };
    Ok(Some(json!({ "article": article_value(app, account, &article) })))
}

fn article_value(app: &App, account: &account::Model, article: &article::Model) -> Value {
    json!({
        "id": article.id,
        "url": app.config.url(&format!("/@{}/{}", account.handle, article.slug)),
        "title": article.title,
        "digest": article.digest,
        "author": article.author,
        "language": article.lang,
        "tags": article.tags.0,
        "image": article.cover_url.as_ref().map(|cover| app.config.absolute(cover)),
        "published_at": article.published_at.map(Timestamp::rfc3339),
    })
}

async fn of_push(app: &App, account: &account::Model, id: i64) -> anyhow::Result<Option<Value>> {
    let Some(row) = pushes::queries::one(app.db.read(), account.id, id).await? else { return Ok(None) };
    let article = |article: &pushes::queries::Candidate| {
        json!({
            "id": article.id,
            "url": app.config.url(&format!("/@{}/{}", account.handle, article.slug)),
            "title": article.title,
        })
    };
    Ok(Some(json!({ "push": {
        "id": row.push.id,
        "created_at": row.push.created_at.rfc3339(),
        "finished_at": row.push.finished_at.map(Timestamp::rfc3339),
        "articles": row.articles.iter().map(article).collect::<Vec<_>>(),
        "delivered": row.tally.delivered,
        "failed": row.tally.failed,
        "suppressed": row.tally.suppressed,
    } })))
}

async fn of_subscription(app: &App, id: i64) -> anyhow::Result<Option<Value>> {
    let Some(row) = subscription::Entity::find_by_id(id).one(app.db.read()).await? else { return Ok(None) };
    Ok(Some(json!({ "subscription": {
        "id": subscription_name(app, id),
        "cadence": row.cadence,
        "language": row.locale,
        "created_at": row.created_at.rfc3339(),
    } })))
}

/// A name for a subscription that leads nowhere.
fn subscription_name(app: &App, id: i64) -> String {
    let signed = app.signer.sign("webhook-subscription", &id.to_string());
    format!("sub_{}", signed.rsplit('.').next().unwrap_or_default())
}

fn standard(message: &webhook_message::Model, data: &Value) -> Value {
    json!({ "type": message.kind, "timestamp": message.created_at.rfc3339(), "data": data })
}

/// What is told to people, in the account's language.
struct Note {
    title: String,
    text: String,
    /// What to open.
    url: String,
    image: Option<String>,
}

impl Note {
    fn new(app: &App, account: &account::Model, message: &webhook_message::Model, data: &Value) -> Self {
        let locale = Locale::from_tag(&account.lang).unwrap_or(Locale::ZhHans);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let kind: &'static str = message.kind.into();
        let key = format!("webhook-note-{}", kind.replace('.', "-"));
        let push = &data["push"];
        let args = [
            ("account", account.name.clone()),
            ("count", push["delivered"].as_i64().unwrap_or_default().to_string()),
        ];
        let words = locale.text_with(&key, &args);
        let about = if push.is_object() { &push["articles"][0] } else { &data["article"] };
        if !about.is_object() {
            let url = app.config.url(&format!("/@{}", account.handle));
            return Self { title: account.name.clone(), text: words, url, image: None };
        }
        let digest: String = text(&about["digest"]).chars().take(LONGEST_DIGEST).collect();
        Self {
            title: text(&about["title"]),
            text: if digest.is_empty() { words } else { digest },
            url: text(&about["url"]),
            image: about["image"].as_str().map(str::to_owned),
        }
    }
}

fn telegram(chat: &str, note: &Note) -> Value {
    let mut html = String::from("<b>");
    escape_into(&note.title, &mut html);
    html.push_str("</b>\n");
    escape_into(&note.text, &mut html);
    html.push_str("\n\n<a href=\"");
    escape_into(&note.url, &mut html);
    html.push_str("\">");
    escape_into(&note.url, &mut html);
    html.push_str("</a>");
    // A chat is a number or a channel's @name.
    let chat = chat.parse::<i64>().map_or_else(|_| json!(chat), |id| json!(id));
    json!({ "chat_id": chat, "text": html, "parse_mode": "HTML" })
}

fn ntfy(topic: &str, note: &Note) -> Value {
    let mut value = json!({
        "topic": topic,
        "title": note.title,
        "message": note.text,
        "click": note.url,
        "tags": ["newspaper"],
    });
    if let Some(image) = &note.image {
        value["attach"] = json!(image);
    }
    value
}
