//! Articles that readers keep, as they saw them: a row holds a copy of its own, which stays when the article is
//! changed, withdrawn or removed. Highlights are places in such a copy, known by their words.

use sea_orm_migration::prelude::*;

use crate::columns::*;

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
                "saved_articles",
                [
                    id(),
                    big("user_id"),
                    article_id(),
                    big("saved_at"),
                    number("version"),
                    text("url"),
                    text("account_handle"),
                    text("account_name"),
                    text("title"),
                    text("digest"),
                    text("author"),
                    json("tags"),
                    text("lang"),
                    big_null("published_at"),
                    text_null("cover_url"),
                    text("letters"),
                    text("body_html"),
                ],
                &[("user_id", "users")],
            ),
            table(
                "highlights",
                [
                    id(),
                    big("saved_id"),
                    text("quote"),
                    text("before"),
                    text("after"),
                    text("note"),
                    big("created_at"),
                ],
                &[("saved_id", "saved_articles")],
            ),
        ];
        let indexes = vec![
            unique("saved_articles", &["user_id", "article_id"]),
            index("saved_articles", &["user_id", "saved_at", "id"]),
            index("saved_articles", &["article_id"]),
            index("highlights", &["saved_id"]),
        ];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["highlights", "saved_articles"]).await
    }
}

/// The copy outlives its article.
fn article_id() -> ColumnDef {
    ColumnDef::new("article_id")
        .big_integer()
        .null()
        .extra("REFERENCES articles (id) ON DELETE SET NULL")
        .take()
}
