//! Tags of articles that are or were public, under the form in which both scripts are one. Rows for the articles that are
//! there already are written by the program when it starts, for the folding is its own.

use crate::columns::*;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut tags = table(
            "article_tags",
            [big("article_id"), text("folded"), text("name"), big("account_id"), big("published_at")],
            &[("article_id", "articles"), ("account_id", "accounts")],
        );
        tags.primary_key(Index::create().col("article_id").col("folded"));
        let indexes = vec![
            index("article_tags", &["folded", "published_at", "article_id"]),
            index("article_tags", &["account_id", "folded", "published_at", "article_id"]),
        ];
        create(manager, vec![tags], indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let filled = "DELETE FROM settings WHERE name = 'article_tags'";
        let db = manager.get_connection();
        sea_orm_migration::sea_orm::ConnectionTrait::execute_unprepared(db, filled).await?;
        drop(manager, &["article_tags"]).await
    }
}
