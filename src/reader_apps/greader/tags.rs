//! States and labels: `tag/list`, `edit-tag`, `rename-tag`, `disable-tag`, `mark-all-as-read`. Labels are the
//! reader's lists, which hold feeds; a label on one item is not kept.

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Value, json};

use super::ids::{STARRED, Stream, item_number, label_id};
use super::login::check_token;
use super::streams::place_of;
use super::{Answer, Refusal, json as answer, ok};
use crate::app::App;
use crate::clock::Timestamp;
use crate::lists;
use crate::reader_apps::AppReader;
use crate::reader_apps::fields::Fields;
use crate::reader_apps::shelf::{feeds, numbers, states};

/// Items that one request may change; apps send some hundreds.
const MOST_AT_ONCE: usize = 10_000;

/// `GET reader/api/0/tag/list`
pub async fn list_tags(State(app): State<Arc<App>>, reader: AppReader) -> Answer {
    let mut tags: Vec<Value> = vec![json!({ "id": STARRED, "sortid": "00000000" })];
    for (id, name) in feeds::lists(app.db.read(), reader.user.id).await? {
        tags.push(json!({ "id": label_id(&name), "sortid": format!("{id:08X}"), "type": "folder" }));
    }
    answer(&json!({ "tags": tags }))
}

/// `POST reader/api/0/edit-tag`: `a` and `r` are states to add to and to remove from the items `i`.
pub async fn edit_tags(State(app): State<Arc<App>>, reader: AppReader, fields: Fields) -> Answer {
    check_token(&app, &reader, &fields)?;
    let numbers: Vec<i64> = fields.all("i").filter_map(item_number).take(MOST_AT_ONCE).collect();
    if numbers.is_empty() {
        return Err(Refusal::bad("No items"));
    }
    let keys = numbers::keys(app.db.read(), &numbers).await?;
    let user_id = reader.user.id;
    let (mut is_read, mut is_starred) = (None, None);
    for (name, is_added) in [("r", false), ("a", true)] {
        for stream in fields.all(name).filter_map(Stream::parse) {
            match stream {
                Stream::Read => is_read = Some(is_added),
                // "No longer kept unread" alone says nothing of having been read.
                Stream::Unread if is_added => is_read = Some(false),
                Stream::Starred => is_starred = Some(is_added),
                _ => {}
            }
        }
    }
    if let Some(is_read) = is_read {
        states::mark_read(&app, user_id, &keys, is_read).await?;
    }
    if let Some(is_starred) = is_starred {
        states::star(&app, user_id, &keys, is_starred).await?;
    }
    ok()
}

/// `POST reader/api/0/rename-tag`: `s` is a label, `dest` its new name.
pub async fn rename_tag(State(app): State<Arc<App>>, reader: AppReader, fields: Fields) -> Answer {
    check_token(&app, &reader, &fields)?;
    let label = |name: &str| match fields.get(name).and_then(Stream::parse) {
        Some(Stream::Label(name)) => Some(name),
        _ => None,
    };
    // Some apps name the old one as `t`.
    let (Some(old), Some(new)) = (label("s").or_else(|| fields.get("t").map(str::to_owned)), label("dest"))
    else {
        return Err(Refusal::bad("Both names must be labels"));
    };
    let list = lists::queries::of_name(app.db.read(), reader.user.id, &old).await?;
    let list = list.ok_or_else(Refusal::not_found)?;
    lists::rename(&app, reader.user.id, list.id, &new).await?;
    ok()
}

/// `POST reader/api/0/disable-tag`: removes a label; its feeds stay.
pub async fn disable_tags(State(app): State<Arc<App>>, reader: AppReader, fields: Fields) -> Answer {
    check_token(&app, &reader, &fields)?;
    let mut names: Vec<String> = fields.all("t").map(str::to_owned).collect();
    for stream in fields.all("s") {
        match Stream::parse(stream) {
            Some(Stream::Label(name)) => names.push(name),
            _ => return Err(Refusal::bad("Only labels can be removed")),
        }
    }
    for name in names {
        let list = lists::queries::of_name(app.db.read(), reader.user.id, &name).await?;
        let list = list.ok_or_else(Refusal::not_found)?;
        lists::delete(&app, reader.user.id, list.id).await?;
    }
    ok()
}

/// `POST reader/api/0/mark-all-as-read`: what the stream `s` had until `ts`, else until now.
pub async fn mark_stream_read(State(app): State<Arc<App>>, reader: AppReader, fields: Fields) -> Answer {
    check_token(&app, &reader, &fields)?;
    let stream = fields.get("s").and_then(Stream::parse).ok_or_else(|| Refusal::bad("Unknown stream"))?;
    let place = place_of(&app, reader.user.id, &stream).await?.ok_or_else(Refusal::not_found)?;
    let now = app.clock.now();
    let until = fields.number("ts").and_then(moment).unwrap_or(now).min(now);
    states::mark_all_read(&app, reader.user.id, place, until).await?;
    ok()
}

/// A moment in whatever unit an app counts: seconds, or thousandths of them once, twice or three times over.
fn moment(number: i64) -> Option<Timestamp> {
    Some(Timestamp(match number {
        ..=0 => return None,
        1..100_000_000_000 => number * 1_000,
        100_000_000_000..100_000_000_000_000 => number,
        100_000_000_000_000..100_000_000_000_000_000 => number / 1_000,
        _ => number / 1_000_000,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_unit() {
        let seconds = 1_795_000_000;
        for number in [seconds, seconds * 1_000, seconds * 1_000_000, seconds * 1_000_000_000] {
            assert_eq!(moment(number), Some(Timestamp(seconds * 1_000)), "{number}");
        }
        assert_eq!((moment(0), moment(-5)), (None, None));
    }
}
