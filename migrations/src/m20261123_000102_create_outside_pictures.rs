//! Covers that imported articles have elsewhere, each fetched once and kept as a picture of the account.

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
        let pictures = table(
            "outside_pictures",
            [
                id(),
                big("account_id"),
                text("url"),
                text("url_hash"),
                text("state"),
                media_id(),
                number("attempts"),
                big("next_try_at"),
                text_null("reason"),
                big("created_at"),
            ],
            &[("account_id", "accounts")],
        );
        let indexes = vec![
            unique("outside_pictures", &["url_hash", "account_id"]),
            index("outside_pictures", &["account_id", "state", "next_try_at"]),
        ];
        create(manager, vec![pictures], indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["outside_pictures"]).await
    }
}

fn media_id() -> ColumnDef {
    ColumnDef::new("media_id").big_integer().null().extra("REFERENCES media (id) ON DELETE SET NULL").take()
}
