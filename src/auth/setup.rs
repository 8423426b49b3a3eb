//! The first user of an instance: whoever opens the link that `serve` prints becomes its operator.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter};

use super::LocalPath;
use super::links::{self, LinkPurpose};
use crate::app::App;
use crate::db::entities::user;
use crate::error::Error;
use crate::page::Locale;

/// How long a setup link is good; each start prints another.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A one-time link that makes an operator, as long as there is none.
pub async fn link_if_empty(app: &App) -> Result<Option<String>, Error> {
    if has_operator(app.db.read()).await? {
        return Ok(None);
    }
    let locale = Locale::from_tag(&app.config.locale).unwrap_or(Locale::ZhHans);
    let now = app.clock.now();
    let row = links::link("", LinkPurpose::Setup, &LocalPath::default(), locale, now);
    Ok(Some(links::insert_with_token(app, app.db.write(), row, now + LIFETIME).await?))
}

pub(super) async fn has_operator<C: ConnectionTrait>(db: &C) -> Result<bool, DbErr> {
    Ok(user::Entity::find().filter(user::COLUMN.operator.eq(true)).count(db).await? > 0)
}
