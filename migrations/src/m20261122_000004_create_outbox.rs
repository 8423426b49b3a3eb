//! Events that followers read in order, and jobs that one node claims.

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
                "events",
                [
                    id(),
                    text("kind"),
                    big_null("account_id"),
                    big_null("article_id"),
                    json("payload"),
                    big("created_at"),
                ],
                &[],
            ),
            table(
                "jobs",
                [
                    id(),
                    text("kind"),
                    json("payload"),
                    text_null("unique_key"),
                    text("state"),
                    number("attempts"),
                    big("run_at"),
                    big_null("lease_until"),
                    text_null("lease_owner"),
                    text_null("last_error"),
                    big("created_at"),
                ],
                &[],
            ),
        ];
        let indexes = vec![unique("jobs", &["unique_key"]), index("jobs", &["state", "run_at"])];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["jobs", "events"]).await
    }
}
