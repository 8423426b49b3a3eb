//! The mail of a push before it is sent, as one who looks at it would get it.

use crate::app::App;
use crate::db::entities::{account, user};
use crate::delivery::{email, queries};
use crate::error::Error;
use crate::mail::Letter;
use crate::page::Locale;
use crate::shown::Shown;

/// The letter that a push of these articles would send to `reader`, in `locale` and the reader's script. Its links to manage
/// and leave are of no subscription.
pub async fn letter(
    app: &App,
    account: &account::Model,
    article_ids: &[i64],
    reader: &user::Model,
    locale: Locale,
) -> Result<Letter, Error> {
    let content = queries::content_to_be(app.db.read(), account.clone(), article_ids).await?;
    let form = email::form(app, &content, locale, Shown::chosen(Some(&reader.script), None, locale))?;
    Ok(form.letter(&email::personal(app, 0, &reader.email, "")))
}
