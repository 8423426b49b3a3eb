//! What readers looked for, counted by day: no row knows who asked.

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
                "search_queries",
                [
                    id(),
                    // Days since 1970 in UTC.
                    big("day"),
                    // The account searched in; 0 for the whole site.
                    big("account_id"),
                    text("query"),
                    text("shown"),
                    big("searches"),
                    big("empty"),
                    big("clicks"),
                ],
                &[],
            ),
            table("search_clicks", [id(), big("day"), big("account_id"), big("rank"), big("clicks")], &[]),
        ];
        let indexes = vec![
            unique("search_queries", &["day", "account_id", "query"]),
            unique("search_clicks", &["day", "account_id", "rank"]),
        ];
        create(manager, tables, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["search_clicks", "search_queries"]).await
    }
}
