//! Articles as pages: the reader's page, and the studio's lists, editor and confirmations.

mod changes;
mod confirm;
mod editor;
mod list;
mod player;
mod preview;
mod qr;
mod revisions;
mod show;

pub use changes::show_changes;
pub use confirm::{
    delete_article, publish_article, reinstate_article, show_delete, show_publish, show_withdraw,
    unschedule_article, withdraw_article,
};
pub use editor::{
    autosave_article, create_article, discard_autosave, edit_article, new_article, save_article,
};
pub use list::list_articles;
pub use player::show_player;
pub use preview::preview_article;
pub use qr::show_qr;
pub use revisions::{list_revisions, show_revision};
pub use show::show_article;

use serde::Deserialize;

use super::Actor;
use crate::db::entities::article::ArticleState;
use crate::studio::Studio;

/// The path parameters of pages about one article.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ArticlePath {
    pub id: i64,
}

fn actor(studio: &Studio) -> Actor {
    Actor { account_id: studio.account.id, user_id: studio.user.id }
}

/// The key of a state's name.
fn state_key(state: ArticleState) -> &'static str {
    match state {
        ArticleState::Draft => "article-state-draft",
        ArticleState::Scheduled => "article-state-scheduled",
        ArticleState::Published => "article-state-published",
        ArticleState::Withdrawn => "article-state-withdrawn",
    }
}

/// The path of an article's editor, and what follows.
fn article_path(studio: &Studio, id: i64, rest: &str) -> String {
    studio.path(&format!("/articles/{id}{rest}"))
}
