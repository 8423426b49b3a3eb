//! The script in which a user, or an address that is written to, reads Chinese.

use sea_orm_migration::prelude::*;

use crate::columns::text;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["users", "readers"] {
            let script = text("script").default("").take();
            manager.alter_table(Table::alter().table(table).add_column(script).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["readers", "users"] {
            manager.alter_table(Table::alter().table(table).drop_column("script").to_owned()).await?;
        }
        Ok(())
    }
}
