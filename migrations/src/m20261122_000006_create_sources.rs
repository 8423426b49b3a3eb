//! Outside feeds that accounts import, and their entries.

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
                "sources",
                [
                    id(),
                    big("account_id"),
                    text("url"),
                    text("title"),
                    text("mode"),
                    text("state"),
                    text_null("etag"),
                    text_null("last_modified"),
                    big("interval_ms"),
                    big("next_fetch_at"),
                    big_null("last_fetched_at"),
                    big_null("last_success_at"),
                    number("failures"),
                    text_null("last_error"),
                    big_null("created_by"),
                    big("created_at"),
                ],
                &[("account_id", "accounts")],
            ),
            table(
                "entries",
                [
                    id(),
                    big("source_id"),
                    text("identity"),
                    text_null("link"),
                    text("content_hash"),
                    big_null("article_id"),
                    big("created_at"),
                    big("updated_at"),
                ],
                &[("source_id", "sources")],
            ),
        ];
        let indexes = vec![
            unique("sources", &["account_id", "url"]),
            unique("entries", &["source_id", "identity"]),
            index("entries", &["article_id"]),
        ];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["entries", "sources"]).await
    }
}
