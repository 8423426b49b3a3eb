//! Who follows which account, what each was told, and what each has read.

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
                "subscriptions",
                [
                    id(),
                    big("account_id"),
                    big_null("user_id"),
                    text("email"),
                    text("state"),
                    text("cadence"),
                    text("locale"),
                    big("created_at"),
                    big_null("confirmed_at"),
                    big_null("ended_at"),
                ],
                &[("account_id", "accounts"), ("user_id", "users")],
            ),
            table("suppressions", [id(), text("email"), text("reason"), big("created_at")], &[]),
            table(
                "deliveries",
                [
                    id(),
                    big("push_id"),
                    big("subscription_id"),
                    text("channel"),
                    text("state"),
                    number("attempts"),
                    big("next_attempt_at"),
                    big_null("lease_until"),
                    text_null("lease_owner"),
                    text("message_id"),
                    text_null("answer"),
                    big("created_at"),
                    big("updated_at"),
                ],
                &[("push_id", "pushes"), ("subscription_id", "subscriptions")],
            ),
            table(
                "read_marks",
                [id(), big("user_id"), big("article_id"), big("read_at")],
                &[("user_id", "users"), ("article_id", "articles")],
            ),
        ];
        let indexes = vec![
            unique("subscriptions", &["account_id", "email"]),
            index("subscriptions", &["account_id", "state", "id"]),
            index("subscriptions", &["user_id"]),
            index("subscriptions", &["email"]),
            unique("suppressions", &["email"]),
            unique("deliveries", &["push_id", "subscription_id", "channel"]),
            index("deliveries", &["state", "next_attempt_at"]),
            index("deliveries", &["subscription_id"]),
            unique("read_marks", &["user_id", "article_id"]),
        ];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["read_marks", "deliveries", "suppressions", "subscriptions"]).await
    }
}
