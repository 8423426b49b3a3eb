//! What Fever's apps change.

use std::time::Duration;

use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::read_mark;
use crate::error::Error;
use crate::reader_apps::fields::Fields;
use crate::reader_apps::shelf::stream::Place;
use crate::reader_apps::shelf::{FeedKey, ItemKey, numbers, states};

/// "Just read", for those who take it back.
const RECENT: Duration = Duration::from_secs(15 * 60);
const MOST_RECENT: u64 = 200;

/// `mark=item|feed|group`, `as=read|unread|saved|unsaved`, `id`, `before` in seconds. What makes no sense changes
/// nothing, as apps expect.
pub async fn mark(app: &App, user_id: i64, fields: &Fields) -> Result<(), Error> {
    let Some(id) = fields.number("id") else { return Ok(()) };
    let now = app.clock.now();
    let before = fields.number("before").filter(|seconds| *seconds > 0);
    let before = before.map_or(now, |seconds| Timestamp(seconds.saturating_mul(1_000)));
    let (what, state) = (fields.get("mark").unwrap_or_default(), fields.get("as").unwrap_or_default());
    match (what, state) {
        ("item", state) => {
            let keys = numbers::keys(app.db.read(), &[id]).await?;
            match state {
                "read" | "unread" => states::mark_read(app, user_id, &keys, state == "read").await,
                "saved" | "unsaved" => states::star(app, user_id, &keys, state == "saved").await,
                _ => Ok(()),
            }
        }
        ("feed", "read") => match FeedKey::of_number(id) {
            Some(feed) => states::mark_all_read(app, user_id, Place::Feed(feed), before).await,
            None => Ok(()),
        },
        // 0 is all; -1 is a group of this protocol that we have not.
        ("group", "read") if id == 0 => states::mark_all_read(app, user_id, Place::All, before).await,
        ("group", "read") if id > 0 => states::mark_all_read(app, user_id, Place::List(id), before).await,
        _ => Ok(()),
    }
}

/// Makes articles unread again that the reader read a moment ago.
pub async fn unread_recent(app: &App, user_id: i64) -> Result<(), Error> {
    let recent = read_mark::Entity::find()
        .filter(read_mark::COLUMN.user_id.eq(user_id))
        .filter(read_mark::COLUMN.is_read.eq(true))
        .filter(read_mark::COLUMN.read_at.gt(app.clock.now() - RECENT))
        .order_by_desc(read_mark::COLUMN.read_at)
        .limit(MOST_RECENT)
        .all(app.db.read())
        .await?;
    let keys: Vec<ItemKey> = recent.into_iter().map(|mark| ItemKey::Article(mark.article_id)).collect();
    states::mark_read(app, user_id, &keys, false).await
}
