//! The mail that tells an account's owners that a webhook was switched off.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::app::App;
use crate::db::entities::member::{self, Role};
use crate::db::entities::webhook::{self, WebhookState};
use crate::db::entities::{account, user};
use crate::jobs::Outcome;
use crate::mail::{Button, Notice};
use crate::page::Locale;

/// Does the job. Done twice, its readers get two mails of the same words.
pub async fn send(app: &App, webhook_id: i64) -> anyhow::Result<Outcome> {
    let db = app.db.read();
    let Some(webhook) = webhook::Entity::find_by_id(webhook_id).one(db).await? else {
        return Ok(Outcome::Done);
    };
    let account = account::Entity::find_by_id(webhook.account_id).one(db).await?;
    let Some(account) = account.filter(|_| webhook.state == WebhookState::Broken) else {
        return Ok(Outcome::Done);
    };
    let owners = member::Entity::find()
        .filter(member::COLUMN.account_id.eq(account.id))
        .filter(member::Column::Role.eq(Role::Owner))
        .all(db)
        .await?;
    for owner in owners {
        let Some(user) = user::Entity::find_by_id(owner.user_id).one(db).await? else { continue };
        let locale = Locale::from_tag(&user.locale).unwrap_or(Locale::ZhHans);
        notice(app, locale, &account, &webhook).deliver(app, &user.email, locale).await?;
    }
    Ok(Outcome::Done)
}

fn notice(app: &App, locale: Locale, account: &account::Model, webhook: &webhook::Model) -> Notice {
    let args = [
        ("site", app.config.site_name_in(locale)),
        ("account", account.name.clone()),
        ("host", super::pages::host(webhook)),
        ("answer", webhook.last_answer.clone().unwrap_or_default()),
    ];
    let text = |key: &str| locale.text_with(key, &args);
    let said = ["mail-greeting", "mail-webhook-intro", "mail-webhook-answer", "mail-webhook-next"];
    Notice {
        subject: text("mail-webhook-subject"),
        paragraphs: said.map(text).to_vec(),
        button: Some(Button {
            label: text("mail-webhook-button"),
            url: app.config.url(&format!("/studio/@{}/webhooks/{}", account.handle, webhook.id)),
        }),
        notes: Vec::new(),
    }
}
