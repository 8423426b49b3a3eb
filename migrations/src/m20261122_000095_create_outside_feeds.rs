//! Feeds elsewhere that readers follow for themselves: each is read once for all who follow it.

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
        let feeds = table(
            "outside_feeds",
            [
                id(),
                text("url"),
                text("title"),
                text_null("site_url"),
                text_null("lang"),
                text_null("etag"),
                text_null("last_modified"),
                big("interval_ms"),
                big("next_fetch_at"),
                big_null("last_fetched_at"),
                big_null("last_success_at"),
                number("failures"),
                text_null("last_error"),
                flag("gone"),
                big("created_at"),
            ],
            &[],
        );
        let items = table(
            "outside_items",
            [
                id(),
                big("feed_id"),
                text("identity"),
                text_null("link"),
                text("content_hash"),
                text("title"),
                text("author"),
                text("html"),
                text_null("lang"),
                big("published_at"),
                big("created_at"),
                big("updated_at"),
            ],
            &[("feed_id", "outside_feeds")],
        );
        let follows = table(
            "outside_follows",
            [
                id(),
                big("user_id"),
                big("feed_id"),
                ColumnDef::new("list_id")
                    .big_integer()
                    .null()
                    .extra("REFERENCES lists (id) ON DELETE SET NULL")
                    .take(),
                text("title"),
                big("read_until"),
                big("created_at"),
            ],
            &[("user_id", "users"), ("feed_id", "outside_feeds")],
        );
        let marks = table(
            "outside_marks",
            [
                id(),
                big("user_id"),
                big("item_id"),
                ColumnDef::new("is_read").boolean().null().take(),
                big_null("starred_at"),
            ],
            &[("user_id", "users"), ("item_id", "outside_items")],
        );
        let indexes = vec![
            unique("outside_feeds", &["url"]),
            unique("outside_items", &["feed_id", "identity"]),
            index("outside_items", &["feed_id", "published_at", "id"]),
            unique("outside_follows", &["user_id", "feed_id"]),
            index("outside_follows", &["feed_id"]),
            index("outside_follows", &["list_id"]),
            unique("outside_marks", &["user_id", "item_id"]),
            index("outside_marks", &["item_id"]),
            index("outside_marks", &["user_id", "starred_at"]),
        ];
        create(manager, vec![feeds, items, follows, marks], indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["outside_marks", "outside_follows", "outside_items", "outside_feeds"]).await
    }
}
