//! Letters about what belongs to a person: an export is ready, a link to leave by, and the last one.

use sea_orm::EntityTrait;

use super::{export, leaving};
use crate::accounts::from_address;
use crate::app::App;
use crate::db::entities::export::Model as Export;
use crate::db::entities::user::{self, UserState};
use crate::jobs::Outcome;
use crate::mail::{Button, Notice};
use crate::page::Locale;

/// `about` is a part of the keys of its texts; without a path there is nothing to open.
fn notice(app: &App, locale: Locale, about: &str, path: Option<&str>, arg: (&'static str, String)) -> Notice {
    let args = [("site", app.config.site_name_in(locale)), arg];
    let text = |part: &str| locale.text_with(&format!("mail-{about}-{part}"), &args);
    Notice {
        subject: text("subject"),
        paragraphs: vec![locale.text("mail-greeting"), text("intro")],
        button: path.map(|path| Button { label: text("button"), url: app.config.url(path) }),
        notes: vec![text("note")],
    }
}

fn locale_of(user: &user::Model) -> Locale {
    Locale::from_tag(&user.locale).unwrap_or(Locale::ZhHans)
}

pub async fn export_is_ready(app: &App, user: &user::Model, export: &Export) -> anyhow::Result<Outcome> {
    // That of the file.
    let locale = Locale::from_tag(&export.locale).unwrap_or_else(|| locale_of(user));
    let until = export.expires_at.unwrap_or(export.created_at + export::KEPT);
    let date = locale.date(until, user.timezone.parse().unwrap_or(chrono_tz::Tz::UTC));
    let notice = notice(app, locale, "export", Some("/settings/data"), ("date", date));
    notice.deliver(app, &user.email, locale).await
}

/// The job: mails a link to leave by.
pub async fn send_leaving_link(app: &App, user_id: i64) -> anyhow::Result<Outcome> {
    let user = user::Entity::find_by_id(user_id).one(app.db.read()).await?;
    let Some(user) = user.filter(|user| user.state == UserState::Active) else { return Ok(Outcome::Done) };
    let locale = locale_of(&user);
    let path = leaving::link_path(app, user.id);
    let notice = notice(app, locale, "leave", Some(&path), ("address", user.email.clone()));
    notice.deliver(app, &user.email, locale).await
}

/// The last letter says so where an account's own sender is this address.
pub async fn farewell(app: &App, email: &str, locale: Locale) -> anyhow::Result<Outcome> {
    let mut notice = notice(app, locale, "farewell", None, ("address", email.to_owned()));
    let stays = from_address::is_used(app.db.read(), email).await?;
    notice.paragraphs.push(locale.text(if stays { "mail-farewell-from" } else { "mail-farewell-forgotten" }));
    notice.deliver(app, email, locale).await
}
