//! Passwords for reader apps, the numbers by which those know items, and private feeds.

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
        let passwords = table(
            "app_passwords",
            [
                id(),
                big("user_id"),
                text("name"),
                text("secret_hash"),
                text("fever_hash"),
                big("created_at"),
                big_null("last_used_at"),
                text_null("last_used_by"),
            ],
            &[("user_id", "users")],
        );
        let items = table(
            "reader_items",
            [id(), big_null("article_id"), big_null("outside_item_id")],
            &[("article_id", "articles"), ("outside_item_id", "outside_items")],
        );
        let feeds = table(
            "private_feeds",
            [id(), big("user_id"), text("nonce"), big("created_at"), big_null("last_used_at")],
            &[("user_id", "users")],
        );
        let indexes = vec![
            unique("app_passwords", &["secret_hash"]),
            unique("app_passwords", &["fever_hash"]),
            index("app_passwords", &["user_id"]),
            unique("reader_items", &["article_id"]),
            unique("reader_items", &["outside_item_id"]),
            unique("private_feeds", &["user_id"]),
        ];
        create(manager, vec![passwords, items, feeds], indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["private_feeds", "reader_items", "app_passwords"]).await
    }
}
