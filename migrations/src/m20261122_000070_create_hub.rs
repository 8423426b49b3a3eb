//! WebSub: callbacks that are told of a feed's changes, and wishes of those that are not verified yet.

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
                "hub_leases",
                [
                    id(),
                    big_null("account_id"),
                    text("topic"),
                    text("callback"),
                    text("host"),
                    text_null("secret"),
                    big("expires_at"),
                    big("told_until"),
                    flag("queued"),
                    big_null("posting_until"),
                    number("failures"),
                    big_null("failing_since"),
                    big("created_at"),
                ],
                &[("account_id", "accounts")],
            ),
            table(
                "hub_requests",
                [
                    id(),
                    text("mode"),
                    big_null("account_id"),
                    text("topic"),
                    text("callback"),
                    text("host"),
                    text_null("secret"),
                    big("lease_seconds"),
                    number("attempts"),
                    big("created_at"),
                ],
                &[("account_id", "accounts")],
            ),
        ];
        let indexes = vec![
            unique("hub_leases", &["callback", "topic"]),
            index("hub_leases", &["account_id", "id"]),
            index("hub_leases", &["topic"]),
            index("hub_leases", &["host"]),
            index("hub_leases", &["expires_at"]),
            unique("hub_requests", &["callback", "topic"]),
            index("hub_requests", &["host"]),
            index("hub_requests", &["created_at"]),
        ];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["hub_requests", "hub_leases"]).await
    }
}
