//! Where an account's readers are, and what it is mostly about.

use sea_orm_migration::prelude::*;

use crate::columns::text_null;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["region", "topic"] {
            let table = Table::alter().table("accounts").add_column(text_null(column)).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["topic", "region"] {
            let table = Table::alter().table("accounts").drop_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
