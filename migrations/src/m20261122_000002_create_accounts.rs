//! Official accounts, their former handles, and their members.

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
                "accounts",
                [
                    id(),
                    text("handle"),
                    text("name"),
                    text("bio"),
                    text_null("avatar_url"),
                    text("lang"),
                    json("links"),
                    big_null("verified_at"),
                    text("state"),
                    big("created_at"),
                ],
                &[],
            ),
            table(
                "account_handles",
                [text("handle").primary_key().take(), big("account_id"), big("created_at")],
                &[("account_id", "accounts")],
            ),
            table(
                "members",
                [id(), big("account_id"), big("user_id"), text("role"), big("created_at")],
                &[("account_id", "accounts"), ("user_id", "users")],
            ),
        ];
        let indexes = vec![
            unique("accounts", &["handle"]),
            index("account_handles", &["account_id"]),
            unique("members", &["account_id", "user_id"]),
            index("members", &["user_id"]),
        ];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["members", "account_handles", "accounts"]).await
    }
}
