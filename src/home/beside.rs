//! What stands beside an article's text: what changed in it, the collections that it is in, and what is related to it.

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbErr};

use super::queries::{self, ArticleCard};
use crate::app::App;
use crate::articles::queries::{self as articles, Correction};
use crate::collections::queries::{self as collections, Stand};
use crate::db::entities::article;
use crate::error::Error;
use crate::search::related;

/// Corrections that are shown with the article; its page of changes has all.
const CORRECTIONS: u64 = 3;

/// Beside one article.
pub struct Beside {
    /// Whether it has a page of changes.
    pub is_changed: bool,
    /// Newest first.
    pub corrections: Vec<Correction>,
    pub related: Vec<ArticleCard>,
    /// Where it stands in the collections that it is in.
    pub stands: Vec<Stand>,
}

impl Beside {
    pub async fn load(app: &Arc<App>, article: &article::Model) -> Result<Self, Error> {
        let db = app.db.read();
        let (known, is_old) = related::known(app, article).await;
        let related = queries::by_ids(db, &known);
        let (changes, stands) = (changes(db, article.id), collections::stands(db, article.id));
        let ((is_changed, corrections), related, stands) = tokio::try_join!(changes, related, stands)?;
        // A look takes a processor from what the page waits for, so it comes behind that.
        if is_old {
            related::look_again(app, article);
        }
        Ok(Self { is_changed, corrections, related, stands })
    }
}

async fn changes(db: &DatabaseConnection, article_id: i64) -> Result<(bool, Vec<Correction>), DbErr> {
    // The first revision is the article as it was published.
    if articles::count_revisions(db, article_id).await? <= 1 {
        return Ok((false, Vec::new()));
    }
    Ok((true, articles::corrections(db, article_id, CORRECTIONS).await?))
}
