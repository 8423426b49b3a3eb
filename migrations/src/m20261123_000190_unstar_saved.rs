//! Whether reader apps see a saved article as starred: one that an app gave up stays, without its star, where its
//! reader would lose more by that than an article that is still there.

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
        let starred = flag("starred").default(true).take();
        manager.alter_table(Table::alter().table("saved_articles").add_column(starred).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("saved_articles").drop_column("starred").take()).await
    }
}
