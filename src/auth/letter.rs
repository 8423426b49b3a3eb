//! The letter that carries a sign-in link.

use crate::app::App;
use crate::db::entities::sign_in_link::{LinkPurpose, Model as Link};
use crate::jobs::Outcome;
use crate::mail::{Button, Notice};
use crate::page::Locale;

/// Mails a link to its address.
pub async fn send_link(app: &App, row: &Link, url: &str) -> anyhow::Result<Outcome> {
    let locale = Locale::from_tag(&row.locale)
        .or_else(|| Locale::from_tag(&app.config.locale))
        .unwrap_or(Locale::ZhHans);
    let kind = match row.purpose {
        LinkPurpose::ResetPassword => "reset",
        LinkPurpose::SignIn | LinkPurpose::Setup => "sign-in",
    };
    let args = [("site", app.config.site_name_in(locale)), ("address", row.email.clone())];
    let text = |key: &str| locale.text_with(key, &args);
    let notice = Notice {
        subject: text(&format!("mail-{kind}-subject")),
        paragraphs: vec![text("mail-greeting"), text(&format!("mail-{kind}-intro"))],
        button: Some(Button { label: text(&format!("mail-{kind}-button")), url: url.to_owned() }),
        notes: vec![text("mail-link-validity"), text("mail-link-unasked")],
    };
    notice.deliver(app, &row.email, locale).await
}
