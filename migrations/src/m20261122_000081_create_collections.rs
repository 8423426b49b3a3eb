//! An account's ordered sets of articles.

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
        let tables = vec![
            table(
                "collections",
                [
                    id(),
                    big("account_id"),
                    text("slug"),
                    text("title"),
                    text("intro"),
                    number("position"),
                    big("created_at"),
                    big("updated_at"),
                ],
                &[("account_id", "accounts")],
            ),
            table(
                "collection_articles",
                [id(), big("collection_id"), big("article_id"), number("position"), big("added_at")],
                &[("collection_id", "collections"), ("article_id", "articles")],
            ),
        ];
        let indexes = vec![
            unique("collections", &["account_id", "slug"]),
            unique("collection_articles", &["collection_id", "article_id"]),
            index("collection_articles", &["collection_id", "position"]),
            index("collection_articles", &["article_id"]),
        ];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["collection_articles", "collections"]).await
    }
}
