//! What stands beside an article's text: what changed in it, the collections that it is in, and what is related to it.

use std::sync::Arc;

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
        // The first revision is the article as it was published.
        let is_changed = articles::count_revisions(db, article.id).await? > 1;
        let corrections = match is_changed {
            true => articles::corrections(db, article.id, CORRECTIONS).await?,
            false => Vec::new(),
        };
        let related = queries::by_ids(db, &related::of(app, article).await).await?;
        let stands = collections::stands(db, article.id).await?;
        Ok(Self { is_changed, corrections, related, stands })
    }
}
