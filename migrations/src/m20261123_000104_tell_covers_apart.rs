//! Which pictures imports brought, as covers: they have room of their own beside what members upload. A missing member
//! does not say so, since those who leave are missing too.

use crate::columns::*;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(DeriveMigrationName)]
pub struct Migration;

const KNOWN: &str = "UPDATE media SET imported = TRUE WHERE user_id IS NULL \
    AND id IN (SELECT media_id FROM outside_pictures WHERE media_id IS NOT NULL)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("media").add_column(flag("imported")).take()).await?;
        manager.get_connection().execute_unprepared(KNOWN).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("media").drop_column("imported").take()).await
    }
}
