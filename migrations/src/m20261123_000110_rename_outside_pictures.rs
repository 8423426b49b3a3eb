//! Covers of imported articles under their own name: what is outside is what a reader follows elsewhere. Jobs that were
//! queued under the old name are asked for anew by the upkeep, which every node does when it starts.

use crate::columns::*;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(DeriveMigrationName)]
pub struct Migration;

const OLD: &str = "outside_pictures";
const NEW: &str = "imported_covers";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rename(manager, OLD, NEW, "fetch_pictures").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rename(manager, NEW, OLD, "fetch_covers").await
    }
}

/// Indexes are named after their table, so they are made anew.
async fn rename(
    manager: &SchemaManager<'_>,
    from: &'static str,
    to: &'static str,
    job: &str,
) -> Result<(), DbErr> {
    let db = manager.get_connection();
    for columns in ["url_hash_account_id", "account_id_state_next_try_at"] {
        db.execute_unprepared(&format!("DROP INDEX ix_{from}_{columns}")).await?;
    }
    manager.rename_table(Table::rename().table(from, to).take()).await?;
    manager.create_index(unique(to, &["url_hash", "account_id"])).await?;
    manager.create_index(index(to, &["account_id", "state", "next_try_at"])).await?;
    db.execute_unprepared(&format!("DELETE FROM jobs WHERE kind = '{job}'")).await?;
    Ok(())
}
