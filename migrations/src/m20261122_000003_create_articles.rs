//! Articles with their saved versions, and the pushes that tell of them.

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
                "articles",
                [
                    id(),
                    big("account_id"),
                    text_null("external_id"),
                    text("slug"),
                    text("title"),
                    text("digest"),
                    text("author"),
                    text("body_format"),
                    text_null("body_source"),
                    text("body_html"),
                    text_null("cover_url"),
                    json("tags"),
                    text("lang"),
                    text_null("original_url"),
                    text("state"),
                    number("version"),
                    number("word_count"),
                    big_null("created_by"),
                    big("created_at"),
                    big("updated_at"),
                    big_null("publish_at"),
                    big_null("published_at"),
                    big_null("withdrawn_at"),
                    text_null("withdrawn_reason"),
                    text_null("idempotency_key"),
                ],
                &[("account_id", "accounts")],
            ),
            table(
                "article_slugs",
                [id(), big("account_id"), text("slug"), big("article_id"), big("created_at")],
                &[("account_id", "accounts"), ("article_id", "articles")],
            ),
            table(
                "revisions",
                [
                    id(),
                    big("article_id"),
                    number("number"),
                    big_null("editor_id"),
                    text("title"),
                    text("digest"),
                    text("body_format"),
                    text_null("body_source"),
                    text("body_html"),
                    text("note"),
                    big("created_at"),
                ],
                &[("article_id", "articles")],
            ),
            table(
                "autosaves",
                [
                    big("article_id").primary_key().take(),
                    big_null("user_id"),
                    number("version"),
                    json("fields"),
                    big("saved_at"),
                ],
                &[("article_id", "articles")],
            ),
            table(
                "pushes",
                [
                    id(),
                    big("account_id"),
                    big_null("created_by"),
                    text("idempotency_key"),
                    text("state"),
                    big("created_at"),
                    big_null("finished_at"),
                ],
                &[("account_id", "accounts")],
            ),
            table(
                "push_articles",
                [id(), big("push_id"), big("article_id"), number("position")],
                &[("push_id", "pushes"), ("article_id", "articles")],
            ),
            table(
                "media",
                [
                    id(),
                    big("account_id"),
                    big_null("user_id"),
                    text("key"),
                    text("content_type"),
                    number("width"),
                    number("height"),
                    big("bytes"),
                    big("created_at"),
                ],
                &[("account_id", "accounts")],
            ),
        ];
        let indexes = vec![
            unique("articles", &["account_id", "slug"]),
            unique("articles", &["account_id", "external_id"]),
            unique("articles", &["account_id", "idempotency_key"]),
            index("articles", &["account_id", "state", "published_at", "id"]),
            index("articles", &["state", "published_at", "id"]),
            unique("article_slugs", &["account_id", "slug"]),
            index("article_slugs", &["article_id"]),
            unique("revisions", &["article_id", "number"]),
            unique("pushes", &["account_id", "idempotency_key"]),
            index("pushes", &["account_id", "created_at"]),
            unique("push_articles", &["article_id"]),
            index("push_articles", &["push_id"]),
            unique("media", &["key"]),
            index("media", &["account_id"]),
        ];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(
            manager,
            &["media", "push_articles", "pushes", "autosaves", "revisions", "article_slugs", "articles"],
        )
        .await
    }
}
