//! The mail that tells a person of their membership.

use std::time::Duration;

use sea_orm::EntityTrait;

use crate::app::App;
use crate::auth::links::{self, LinkPurpose};
use crate::auth::{Address, LocalPath};
use crate::db::entities::{account, member, user};
use crate::jobs::Outcome;
use crate::mail::{Button, Notice};
use crate::page::Locale;

/// How long the link of an invitation signs a new user in.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The job: mails the invitation. Done twice, both mails' links are good.
pub async fn send(app: &App, member_id: i64, new_user: bool) -> anyhow::Result<Outcome> {
    let db = app.db.read();
    let Some(member) = member::Entity::find_by_id(member_id).one(db).await? else {
        return Ok(Outcome::Done);
    };
    let (Some(account), Some(user)) = (
        account::Entity::find_by_id(member.account_id).one(db).await?,
        user::Entity::find_by_id(member.user_id).one(db).await?,
    ) else {
        return Ok(Outcome::Done);
    };
    let path = format!("/studio/@{}", account.handle);
    let url = match Address::parse(&user.email) {
        Ok(address) if new_user => {
            links::create(app, &address, LinkPurpose::SignIn, &LocalPath::new(&path), LIFETIME)
                .await
                .map_err(|error| anyhow::anyhow!("making the link: {error}"))?
        }
        _ => app.config.url(&path),
    };
    let locale = Locale::from_tag(&user.locale).unwrap_or(Locale::ZhHans);
    let role: &'static str = member.role.into();
    let args = [
        ("site", app.config.site_name_in(locale)),
        ("account", account.name),
        ("role", locale.text(&format!("role-{role}"))),
    ];
    let text = |key: &str| locale.text_with(key, &args);
    let validity = if new_user { "mail-invitation-validity" } else { "mail-invitation-sign-in" };
    let notice = Notice {
        subject: text("mail-invitation-subject"),
        paragraphs: vec![text("mail-greeting"), text("mail-invitation-intro")],
        button: Some(Button { label: text("mail-invitation-button"), url }),
        notes: vec![text(validity), text("mail-invitation-unasked")],
    };
    notice.deliver(app, &user.email, locale).await
}
