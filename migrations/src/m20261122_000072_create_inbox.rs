//! What a signed-in reader was told, kept for them on the site; unread items have an index of their own.

use crate::columns::*;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let items = table(
            "inbox_items",
            [
                id(),
                big("user_id"),
                text("subject"),
                text("kind"),
                big_null("push_id"),
                big_null("alert_id"),
                text_null("occasion"),
                big_null("article_id"),
                text_null("words"),
                big("created_at"),
                big_null("read_at"),
            ],
            &[("user_id", "users")],
        );
        let indexes = vec![
            unique("inbox_items", &["user_id", "subject"]),
            index("inbox_items", &["user_id", "id"]),
            index("inbox_items", &["created_at"]),
        ];
        create(manager, vec![items], indexes).await?;
        let unread = "CREATE INDEX ix_inbox_items_unread ON inbox_items (user_id, id) WHERE read_at IS NULL";
        manager.get_connection().execute_unprepared(unread).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["inbox_items"]).await
    }
}
