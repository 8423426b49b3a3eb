//! When a reader last asked to subscribe, and up to when articles count as read; an index to see
//! at once whether anybody of a push is left to be told.

use sea_orm_migration::prelude::*;

use crate::columns::{big_null, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        crate::WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["asked_at", "read_until"] {
            let table = Table::alter().table("subscriptions").add_column(big_null(column)).to_owned();
            manager.alter_table(table).await?;
        }
        manager.create_index(index("deliveries", &["push_id", "state"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("ix_deliveries_push_id_state").table("deliveries").to_owned();
        manager.drop_index(index).await?;
        for column in ["read_until", "asked_at"] {
            let table = Table::alter().table("subscriptions").drop_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
