//! When an article was published is found without reading the events of others.

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
        create(manager, Vec::new(), vec![index("events", &["article_id"])]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("ix_events_article_id").table("events").to_owned()).await
    }
}
