//! Webhooks of accounts, what is to be posted to each, and every attempt.

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
                "webhooks",
                [
                    id(),
                    big("account_id"),
                    text("form"),
                    text("url"),
                    text("target"),
                    text("secret"),
                    text("kinds"),
                    text("state"),
                    big_null("failing_since"),
                    text_null("last_answer"),
                    big("created_at"),
                    big("updated_at"),
                ],
                &[("account_id", "accounts")],
            ),
            table(
                "webhook_messages",
                [
                    id(),
                    big("webhook_id"),
                    text("kind"),
                    big_null("subject_id"),
                    text("name"),
                    text_null("body"),
                    text("state"),
                    number("attempts"),
                    big("next_attempt_at"),
                    big("created_at"),
                ],
                &[("webhook_id", "webhooks")],
            ),
            table(
                "webhook_attempts",
                [id(), big("message_id"), big("made_at"), number("status"), text("answer"), number("millis")],
                &[("message_id", "webhook_messages")],
            ),
        ];
        let indexes = vec![
            index("webhooks", &["account_id"]),
            unique("webhook_messages", &["name"]),
            index("webhook_messages", &["webhook_id", "id"]),
            index("webhook_messages", &["created_at"]),
            index("webhook_attempts", &["message_id"]),
        ];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["webhook_attempts", "webhook_messages", "webhooks"]).await
    }
}
