//! Exports: all that belongs to a person as one file, for taking along. And indexes by which everything is found that
//! a person made, for when they leave.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::columns::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Most rows name nobody: sources and imports made them.
const MAKERS: [(&str, &str); 4] =
    [("articles", "created_by"), ("revisions", "editor_id"), ("pushes", "created_by"), ("media", "user_id")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let exports = table(
            "exports",
            [
                id(),
                big("user_id"),
                text("state"),
                text("locale"),
                big("done"),
                big("total"),
                text_null("file"),
                big("bytes"),
                big("created_at"),
                big_null("finished_at"),
                big_null("expires_at"),
            ],
            &[("user_id", "users")],
        );
        create(manager, vec![exports], vec![unique("exports", &["user_id"])]).await?;
        for (table, column) in MAKERS {
            let index =
                format!("CREATE INDEX ix_{table}_{column} ON {table} ({column}) WHERE {column} IS NOT NULL");
            manager.get_connection().execute_unprepared(&index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in MAKERS {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX ix_{table}_{column}")).await?;
        }
        drop(manager, &["exports"]).await
    }
}
