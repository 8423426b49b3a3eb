//! Passages that a reader marks in an article that they keep, with notes. Marking one saves its article.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, SqlErr,
};

use super::marks::{self, Passage};
use super::queries;
use crate::app::App;
use crate::articles::content::plain_text;
use crate::db::entities::{highlight, saved_article};
use crate::error::{Error, Message, Problems};
use crate::shown::Shown;
use crate::text::fold;

/// Passages in one article.
pub const MOST: u64 = 200;
/// Characters of a passage, and of a note.
pub const LONGEST: usize = 2_000;
pub const LONGEST_NOTE: usize = 5_000;
/// Scripts that an article may have been shown in when a passage was chosen.
const SHOWN_IN: [&str; 3] = ["zh-Hans", "zh-Hant-TW", "zh-Hant-HK"];
/// Characters kept of what stands before and after a passage.
const AROUND: usize = 40;

/// A passage to be marked, as the browser or the reader says it.
#[derive(Clone, Debug, Default)]
pub struct NewHighlight {
    pub quote: String,
    pub before: String,
    pub after: String,
    pub note: String,
}

/// Marks a passage in a copy.
///
/// # Errors
/// Not found where the copy is not the reader's own; invalid `quote` or `note`.
pub async fn add(app: &App, user_id: i64, saved_id: i64, new: &NewHighlight) -> Result<i64, Error> {
    let saved = queries::get_own(app.db.read(), user_id, saved_id).await?;
    let mut problems = Problems::default();
    if new.quote.chars().count() > LONGEST {
        problems.add("quote", Message::from("highlight-too-long").with("most", LONGEST));
    } else if fold::letters(&new.quote).is_empty() {
        problems.add("quote", "highlight-empty");
    }
    if new.note.chars().count() > LONGEST_NOTE {
        problems.add("note", Message::from("highlight-note-too-long").with("most", LONGEST_NOTE));
    }
    problems.check()?;
    let count = highlight::Entity::find()
        .filter(highlight::COLUMN.saved_id.eq(saved_id))
        .count(app.db.read())
        .await?;
    if count >= MOST {
        return Err(Error::invalid("quote", Message::from("highlight-too-many").with("most", MOST)));
    }
    let [quote, before, after] =
        words_of(&saved, new).ok_or_else(|| Error::invalid("quote", "highlight-not-there"))?;
    let row = highlight::ActiveModel {
        id: NotSet,
        saved_id: Set(saved_id),
        quote: Set(quote),
        before: Set(before),
        after: Set(after),
        note: Set(new.note.trim().to_owned()),
        created_at: Set(app.clock.now()),
    };
    match row.insert(app.db.write()).await {
        Ok(row) => Ok(row.id),
        // The copy went meanwhile.
        Err(error) if matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))) => {
            Err(Error::NotFound)
        }
        Err(error) => Err(error.into()),
    }
}

/// Changes a note.
///
/// # Errors
/// Not found, also where it is another's; invalid `note`.
pub async fn change_note(app: &App, user_id: i64, id: i64, note: &str) -> Result<highlight::Model, Error> {
    let known = get_own(app, user_id, id).await?;
    if note.chars().count() > LONGEST_NOTE {
        return Err(Error::invalid(
            "note",
            Message::from("highlight-note-too-long").with("most", LONGEST_NOTE),
        ));
    }
    let mut row = known.into_active_model();
    row.note = Set(note.trim().to_owned());
    Ok(row.update(app.db.write()).await?)
}

/// Removes a highlight, and says in which copy it was.
///
/// # Errors
/// Not found, also where it is another's.
pub async fn remove(app: &App, user_id: i64, id: i64) -> Result<i64, Error> {
    let known = get_own(app, user_id, id).await?;
    highlight::Entity::delete_many().filter(highlight::COLUMN.id.eq(id)).exec(app.db.write()).await?;
    Ok(known.saved_id)
}

async fn get_own(app: &App, user_id: i64, id: i64) -> Result<highlight::Model, Error> {
    let found = highlight::Entity::find_by_id(id).one(app.db.read()).await?.ok_or(Error::NotFound)?;
    queries::get_own(app.db.read(), user_id, found.saved_id).await?;
    Ok(found)
}

/// The passage in the words of the copy, with what stands before and after it there.
fn words_of(saved: &saved_article::Model, new: &NewHighlight) -> Option<[String; 3]> {
    let text = plain_text(&saved.body_html);
    let folded = fold::mapped_letters(&text);
    let locate =
        |[quote, before, after]: [&str; 3]| marks::locate(&folded.text, Passage { quote, before, after });
    let place = locate([&new.quote, &new.before, &new.after]).or_else(|| {
        // It may have been shown with other words than it was written in: 軟體 for 软件.
        let others = Shown::ALL.into_iter().flat_map(|shown| SHOWN_IN.map(|lang| (shown, lang)));
        let mut others = others.map(|(shown, lang)| {
            [&new.quote, &new.before, &new.after].map(|text| shown.text(text, lang).into_owned())
        });
        others.find_map(|[quote, before, after]| locate([&quote, &before, &after]))
    })?;
    let source = folded.source(place);
    let skipped = text[..source.start].chars().count().saturating_sub(AROUND);
    Some([
        text[source.clone()].to_owned(),
        text[..source.start].chars().skip(skipped).collect(),
        text[source.end..].chars().take(AROUND).collect(),
    ])
}
