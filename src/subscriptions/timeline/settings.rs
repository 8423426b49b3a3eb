//! What a reader has chosen for their timeline, and when they were there.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait};

use super::mute;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::timeline::{self, MuteWords};
use crate::error::{Error, Message};

/// Words of one reader.
pub const MOST_WORDS: usize = 100;
/// Characters of one of them.
pub const LONGEST_WORD: usize = 40;

/// What is known of a user's timeline.
pub async fn of_user<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Option<timeline::Model>, DbErr> {
    timeline::Entity::find_by_id(user_id).one(db).await
}

/// Takes words that hide articles, one a line; double ones (in either script) count once.
///
/// # Errors
/// Invalid `words`: too many, or one that is too long or holds nothing to compare.
pub async fn change_mute_words(app: &App, user_id: i64, text: &str) -> Result<(), Error> {
    let words = mute::read_words(text);
    let problem = if words.len() > MOST_WORDS {
        Some(Message::from("timeline-mute-too-many").with("most", MOST_WORDS))
    } else if let Some(word) = words.iter().find(|word| word.chars().count() > LONGEST_WORD) {
        let shown: String = word.chars().take(LONGEST_WORD).collect();
        Some(Message::from("timeline-mute-too-long").with("word", shown).with("most", LONGEST_WORD))
    } else {
        words
            .iter()
            .find(|word| !mute::is_word(word))
            .map(|word| Message::from("timeline-mute-empty").with("word", word))
    };
    if let Some(problem) = problem {
        return Err(Error::invalid("words", problem));
    }
    let row = timeline::ActiveModel {
        user_id: Set(user_id),
        mute_words: Set(MuteWords(words)),
        visited_at: Set(None),
        left_at: Set(None),
    };
    let replace =
        OnConflict::column(timeline::Column::UserId).update_column(timeline::Column::MuteWords).to_owned();
    timeline::Entity::insert(row).on_conflict(replace).exec_without_returning(app.db.write()).await?;
    Ok(())
}

/// Notes that a user looks now; `left_at` is when the visit before this one ended.
pub async fn note_visit(
    app: &App,
    user_id: i64,
    now: Timestamp,
    left_at: Option<Timestamp>,
) -> Result<(), DbErr> {
    let row = timeline::ActiveModel {
        user_id: Set(user_id),
        mute_words: Set(MuteWords::default()),
        visited_at: Set(Some(now)),
        left_at: Set(left_at),
    };
    let replace = OnConflict::column(timeline::Column::UserId)
        .update_columns([timeline::Column::VisitedAt, timeline::Column::LeftAt])
        .to_owned();
    timeline::Entity::insert(row).on_conflict(replace).exec_without_returning(app.db.write()).await?;
    Ok(())
}
